//! The chains of a route while it is moved.

use super::compiled::Candidate;
use crate::time::UnixMillis;

/// The chains of a route while it is moved.
#[derive(Debug)]
pub(super) struct Detour {
    /// From when on the route's own chains hold again.
    pub(super) expire: UnixMillis,
    /// In the place of the route's own chain.
    pub(super) default: Vec<Candidate>,
    /// In the place of the rules' chains, each under the rule's number.
    pub(super) rules: Vec<Vec<Candidate>>,
}

impl Detour {
    /// Returns the chain in the place of a rule's, or of the route's own.
    pub(super) fn chain(&self, rule: Option<u32>) -> &[Candidate] {
        match rule {
            None => &self.default,
            Some(number) => {
                let number = usize::try_from(number).unwrap_or(usize::MAX);
                self.rules.get(number).map(Vec::as_slice).unwrap_or_default()
            }
        }
    }
}
