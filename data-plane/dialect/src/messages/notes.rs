//! What a writer of requests leaves out.

use crate::ir::Dropped;

/// What is left out, each name once.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Dropped>);

impl Notes {
    /// Notes a member if it is dropped.
    pub(super) fn add(&mut self, param: &str, dropped: bool) {
        if dropped && self.0.iter().all(|known| known != param) {
            self.0.push(param.to_owned());
        }
    }
    /// Returns all of them.
    pub(super) fn into_dropped(self) -> Vec<Dropped> {
        self.0
    }
}
