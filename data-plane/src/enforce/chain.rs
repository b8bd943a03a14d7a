//! What is tried next: candidates in order, and of each its credentials in order. Pure: it is told what became of a try, and
//! knows no call, no time and no network.

use breakwater_common::breaker::failure::Next;
use breakwater_common::limits::ATTEMPTS_MAX;
use breakwater_common::ruleset::Candidate;

/// A place in a chain.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    candidates: &'a [Candidate],
    candidate: usize,
    credential: usize,
    asked: usize,
}

/// Where a chain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// To another credential of the same candidate.
    Credential,
    /// To the next candidate, or to the end.
    Candidate,
    /// To the end, because of the caller's own fault.
    Stopped,
}

impl<'a> Chain<'a> {
    /// Starts at the first candidate's first credential.
    pub(super) fn new(candidates: &'a [Candidate]) -> Self {
        Self { candidates, candidate: 0, credential: 0, asked: 0 }
    }

    /// Returns the candidate to try and which of its credentials; none at the end, or after [`ATTEMPTS_MAX`] upstreams were
    /// asked.
    pub(super) fn here(&self) -> Option<(&'a Candidate, usize)> {
        let candidate = self.candidates.get(self.candidate).filter(|_| self.asked < ATTEMPTS_MAX)?;
        Some((candidate, self.credential))
    }

    /// Goes on after a try. `asked` says that an upstream was called for it.
    pub(super) fn go_on(&mut self, next: Next, asked: bool) -> Moved {
        self.asked += usize::from(asked);
        let credentials =
            self.here().map_or(0, |(candidate, _)| candidate.upstream.provider.credentials.len());
        match next {
            Next::Stop => {
                self.candidate = self.candidates.len();
                Moved::Stopped
            }
            Next::Credential if self.credential + 1 < credentials => {
                self.credential += 1;
                Moved::Credential
            }
            Next::Credential | Next::Candidate => {
                (self.candidate, self.credential) = (self.candidate + 1, 0);
                Moved::Candidate
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use breakwater_common::breaker::Settings;
    use breakwater_common::resource::Credential;

    use super::*;
    use crate::breakers::tests::upstream;

    fn candidate(name: &str, credentials: usize) -> Candidate {
        let mut upstream = upstream(name, Settings::default());
        let credential = |index| Credential { name: format!("c{index}"), api_key: String::new() };
        upstream.provider.credentials = (0..credentials).map(credential).collect();
        Candidate {
            upstream: Arc::new(upstream),
            model: "m".to_owned(),
            deployment: "m".to_owned(),
            disabled: false,
            fallback: false,
        }
    }

    fn places(candidates: &[Candidate], next: Next) -> Vec<(String, usize)> {
        let mut chain = Chain::new(candidates);
        let mut places = Vec::new();
        while let Some((candidate, credential)) = chain.here() {
            places.push((candidate.upstream.name.clone(), credential));
            let _moved = chain.go_on(next, true);
        }
        places
    }

    #[test]
    fn every_credential_of_a_candidate_comes_before_the_next_candidate() {
        let candidates = [candidate("a", 2), candidate("b", 0), candidate("c", 1)];
        let names = |next| -> Vec<String> {
            places(&candidates, next).into_iter().map(|(name, index)| format!("{name}{index}")).collect()
        };
        assert_eq!(names(Next::Credential), ["a0", "a1", "b0", "c0"]);
        assert_eq!(names(Next::Candidate), ["a0", "b0", "c0"]);
        assert_eq!(names(Next::Stop), ["a0"]);
    }

    #[test]
    fn calls_to_upstreams_are_bounded_and_skipped_ones_are_none() {
        let candidates = [candidate("a", 16), candidate("b", 16)];
        assert_eq!(places(&candidates, Next::Credential).len(), ATTEMPTS_MAX);
        let mut chain = Chain::new(&candidates);
        let mut skipped = 0;
        while chain.here().is_some() {
            let _moved = chain.go_on(Next::Credential, false);
            skipped += 1;
        }
        assert_eq!(skipped, 32);
    }
}
