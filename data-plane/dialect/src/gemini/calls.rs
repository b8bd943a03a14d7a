//! Calls and their results, tied together. Google ties them by name and order unless it gives ids.

use crate::ir::{ToolIdShape, digest_id};

/// The calls of a conversation that have no result yet.
#[derive(Debug, Default)]
pub(super) struct Calls {
    open: Vec<(String, String)>,
    made: usize,
}

impl Calls {
    /// Notes a call and returns its id, which is made if it has none: always the same at the same place of a conversation.
    pub(super) fn call(&mut self, id: String, name: &str) -> String {
        let id = if id.is_empty() {
            self.made += 1;
            digest_id(&format!("{name}/{}", self.made), ToolIdShape::OpenAi, "call_")
        } else {
            id
        };
        self.open.push((id.clone(), name.to_owned()));
        id
    }

    /// Returns the id of the call that a result answers: the one it names, else the oldest open one of its name.
    pub(super) fn result(&mut self, id: String, name: &str) -> String {
        let matches = |call: &(String, String)| if id.is_empty() { call.1 == name } else { call.0 == id };
        match self.open.iter().position(matches) {
            Some(at) => self.open.remove(at).0,
            None if id.is_empty() => digest_id(name, ToolIdShape::OpenAi, "call_"),
            None => id,
        }
    }
}
