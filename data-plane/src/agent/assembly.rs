//! A ruleset while it comes in: chunks, bounded, then checked against its digest.

use breakwater_common::limits::{RULESET_BYTES_MAX, RULESET_ITEMS_MAX};
use breakwater_common::ruleset::{Item, Ruleset, digest};
use breakwater_proto::v1::{Rejection, RulesetBegin, RulesetEnd, RulesetResource, rejection::Code};

/// Chunks of one ruleset.
#[derive(Debug)]
pub(super) struct Assembly {
    revision: u64,
    promised: u32,
    items: Vec<Item>,
    bytes: usize,
    overflowed: bool,
}

impl Assembly {
    /// Starts a ruleset.
    pub(super) fn begin(begin: &RulesetBegin) -> Self {
        let promised = begin.resources;
        Self { revision: begin.revision, promised, items: Vec::new(), bytes: 0, overflowed: false }
    }

    /// Returns its revision.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// Adds resources. Beyond the bounds they are dropped, and the end is refused.
    pub(super) fn add(&mut self, resources: Vec<RulesetResource>) {
        for resource in resources {
            let RulesetResource { kind, name, revision, body } = resource;
            self.bytes += kind.len() + name.len() + body.len();
            if self.bytes > RULESET_BYTES_MAX || self.items.len() >= RULESET_ITEMS_MAX {
                self.overflowed = true;
                self.items.clear();
                return;
            }
            self.items.push(Item { kind, name, revision, body });
        }
    }

    /// Ends the ruleset. Errors: why it is refused.
    pub(super) fn end(self, end: &RulesetEnd) -> Result<Ruleset, Rejection> {
        if self.overflowed {
            let message = format!(
                "more than {RULESET_ITEMS_MAX} resources or {RULESET_BYTES_MAX} bytes; split the configuration"
            );
            return Err(reject(Code::Limit, message));
        }
        let count_holds = usize::try_from(self.promised).is_ok_and(|promised| promised == self.items.len());
        let digest_holds = digest(self.revision, &self.items).as_slice() == end.digest.as_slice();
        if end.revision != self.revision || !count_holds || !digest_holds {
            let message = "what came is not what was promised".to_owned();
            return Err(reject(Code::DigestMismatch, message));
        }
        Ok(Ruleset { revision: self.revision, items: self.items })
    }
}

/// Makes a rejection of the whole.
pub(super) fn reject(code: Code, message: String) -> Rejection {
    Rejection { resource: String::new(), code: code.into(), field_path: String::new(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(name: &str) -> RulesetResource {
        RulesetResource { kind: "Key".into(), name: name.into(), revision: 1, body: vec![1, 2] }
    }

    fn assembled(promised: u32, names: &[&str]) -> Assembly {
        let mut assembly = Assembly::begin(&RulesetBegin { revision: 7, resources: promised });
        assembly.add(names.iter().map(|name| resource(name)).collect());
        assembly
    }

    fn digest_of(names: &[&str]) -> Vec<u8> {
        digest(7, &assembled(0, names).items).to_vec()
    }

    #[test]
    fn a_whole_ruleset_is_taken() {
        let end = RulesetEnd { revision: 7, digest: digest_of(&["a", "b"]) };
        assert_eq!(assembled(2, &["a", "b"]).end(&end).unwrap().items.len(), 2);
    }

    #[test]
    fn a_ruleset_that_is_not_what_was_promised_is_refused() {
        let check = |assembly: Assembly, revision, names: &[&str]| {
            let end = RulesetEnd { revision, digest: digest_of(names) };
            assert_eq!(assembly.end(&end).unwrap_err().code(), Code::DigestMismatch);
        };
        check(assembled(2, &["a"]), 7, &["a", "b"]);
        check(assembled(2, &["a", "b"]), 7, &["a", "c"]);
        check(assembled(2, &["a", "b"]), 8, &["a", "b"]);
    }

    #[test]
    fn a_ruleset_over_the_bound_is_refused() {
        let mut assembly = assembled(0, &[]);
        for _ in 0..=RULESET_ITEMS_MAX {
            assembly.add(vec![resource("a")]);
        }
        let end = RulesetEnd { revision: 7, digest: Vec::new() };
        assert_eq!(assembly.end(&end).unwrap_err().code(), Code::Limit);
    }
}
