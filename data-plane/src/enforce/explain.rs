//! What a chain that gave no answer means to the caller, and the notes about it.

use std::time::Duration;

use breakwater_common::breaker::failure::Class;
use breakwater_common::ruleset::Candidate;
use breakwater_dialect::ir::Refused;

use crate::call::AttemptFault;
use crate::fault::Fault;
use crate::told::Told;
use crate::trace::AttemptNote;

/// Wait that is asked for when no upstream said one.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);

/// What went wrong along a chain.
#[derive(Debug)]
pub(super) struct Failures {
    candidates: usize,
    open: usize,
    rate_limited: usize,
    failed: usize,
    /// What the credentials of the candidate under way came to.
    now: Option<Kind>,
    retry_after: Option<Duration>,
    /// What the last that was rate-limited said of its limits.
    told: Box<Told>,
    /// Whether to ask again, by each that was asked.
    advice: Vec<Option<bool>>,
    /// Why the first candidate that cannot be asked cannot.
    refused: Option<Refused>,
}

/// What a candidate came to. Of several credentials the greatest counts: one that is over its limit works again soon, whatever is
/// wrong with the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Open,
    Failed,
    RateLimited,
}

impl Failures {
    /// Starts a chain of so many candidates.
    pub(super) fn new(candidates: usize) -> Self {
        Self {
            candidates,
            open: 0,
            rate_limited: 0,
            failed: 0,
            now: None,
            retry_after: None,
            told: Box::default(),
            advice: Vec::new(),
            refused: None,
        }
    }

    /// Notes a candidate whose format cannot say what the call asks.
    pub(super) fn refused(&mut self, refused: Refused) {
        let _first = self.refused.get_or_insert(refused);
    }

    /// Notes a credential that gave no answer.
    pub(super) fn failed(&mut self, fault: &AttemptFault) {
        let kind = match fault.class {
            Class::BreakerOpen | Class::CredentialDown => Kind::Open,
            Class::RateLimited | Class::CoolingDown => Kind::RateLimited,
            Class::BadConfiguration
            | Class::Connect
            | Class::FirstByteTimeout
            | Class::ResponseTimeout
            | Class::Status
            | Class::QuotaExhausted
            | Class::QuotaDoubtful
            | Class::CredentialRefused
            | Class::ModelRefused
            | Class::Rejected
            | Class::ContextLength
            | Class::ContentFilter
            | Class::UnexpectedStatus
            | Class::Garbage
            | Class::TooLarge
            | Class::Cut
            | Class::StreamError => Kind::Failed,
        };
        self.now = self.now.max(Some(kind));
        if !fault.class.is_unasked() {
            self.advice.push(fault.told.should_retry);
        }
        if fault.class == Class::RateLimited {
            self.told.clone_from(&fault.told);
        }
        if let Some(retry_after) = fault.retry_after {
            self.retry_after = Some(self.retry_after.map_or(retry_after, |known| known.min(retry_after)));
        }
    }

    /// Ends a candidate.
    pub(super) fn next_candidate(&mut self) {
        match self.now.take() {
            Some(Kind::Open) => self.open += 1,
            Some(Kind::RateLimited) => self.rate_limited += 1,
            Some(Kind::Failed) => self.failed += 1,
            None => {}
        }
    }

    /// Whether to ask again, if all that were asked say the same.
    fn should_retry(&self) -> Option<bool> {
        let first = self.advice.first().copied().flatten()?;
        self.advice.iter().all(|advice| *advice == Some(first)).then_some(first)
    }

    /// Returns the word for the note: who was not asked was skipped.
    pub(super) fn result(fault: &AttemptFault) -> &'static str {
        if fault.class.is_unasked() { "skipped" } else { "failed" }
    }

    /// Returns what the caller gets (source: contract/rest.md). Candidates that were skipped for their configuration count
    /// as part of the chain and say nothing about why it failed.
    pub(super) fn verdict(&self) -> Fault {
        let retry_after = self.retry_after.unwrap_or(RETRY_AFTER_DEFAULT);
        if let Some(Refused { param, reason }) = self.refused.clone()
            && self.rate_limited + self.open + self.failed == 0
        {
            return Fault::Unsupported { param, reason };
        }
        if self.rate_limited > 0 && self.open == 0 && self.failed == 0 {
            let told = Box::new(Told { should_retry: self.should_retry(), ..*self.told.clone() });
            return Fault::RateLimited { retry_after, told };
        }
        if self.candidates == 1 && self.failed == 1 {
            return Fault::UpstreamUnavailable { should_retry: self.should_retry() };
        }
        Fault::NoProviderAvailable { retry_after }
    }
}

/// Makes the note of a candidate.
pub(super) fn note(candidate: &Candidate, result: &'static str, reason: &str) -> AttemptNote {
    AttemptNote {
        provider: candidate.upstream.name.clone(),
        model: candidate.model.clone(),
        result,
        reason: reason.to_owned(),
        status: None,
        duration_ms: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(candidates: usize, classes: &[Class], status: u16) {
        let mut failures = Failures::new(candidates);
        for class in classes {
            failures.failed(&AttemptFault::new(*class));
            failures.next_candidate();
        }
        assert_eq!(failures.verdict().face().status, status, "{candidates} {classes:?}");
    }

    #[test]
    fn the_caller_gets_the_status_of_the_contract() {
        use Class::{BreakerOpen, Connect, RateLimited, Status};
        check(1, &[Status], 502);
        check(1, &[RateLimited], 429);
        check(1, &[BreakerOpen], 503);
        check(1, &[], 503);
        check(0, &[], 503);
        check(2, &[Status, Connect], 503);
        check(2, &[RateLimited, RateLimited], 429);
        check(2, &[RateLimited], 429);
        check(2, &[RateLimited, BreakerOpen], 503);
        check(2, &[Connect], 503);
    }

    #[test]
    fn one_credential_that_is_over_its_limit_makes_its_candidate_so() {
        use Class::{CoolingDown, CredentialDown, CredentialRefused, RateLimited};
        let check = |classes: &[Class], status: u16| {
            let mut failures = Failures::new(1);
            classes.iter().for_each(|class| failures.failed(&AttemptFault::new(*class)));
            failures.next_candidate();
            assert_eq!(failures.verdict().face().status, status, "{classes:?}");
        };
        check(&[CredentialRefused, RateLimited, CredentialDown], 429);
        check(&[CoolingDown, CredentialRefused], 429);
        check(&[CredentialRefused, CredentialRefused], 502);
        check(&[CredentialDown, CredentialRefused], 502);
        check(&[CredentialDown, CredentialDown], 503);
    }

    #[test]
    fn advice_is_passed_on_if_all_agree() {
        let check = |advice: &[Option<bool>], expect: Option<bool>| {
            let mut failures = Failures::new(advice.len());
            for should_retry in advice.iter().copied() {
                let told = Box::new(Told { should_retry, ..Told::default() });
                failures.failed(&AttemptFault { told, ..AttemptFault::new(Class::RateLimited) });
                failures.next_candidate();
            }
            assert_eq!(failures.verdict().face().should_retry, expect, "{advice:?}");
        };
        check(&[Some(false)], Some(false));
        check(&[Some(false), Some(false)], Some(false));
        check(&[Some(false), Some(true)], None);
        check(&[Some(false), None], None);
        check(&[None], None);
    }

    #[test]
    fn the_soonest_retry_is_told() {
        let mut failures = Failures::new(2);
        for seconds in [30, 7] {
            let retry_after = Some(Duration::from_secs(seconds));
            failures.failed(&AttemptFault { retry_after, ..AttemptFault::new(Class::BreakerOpen) });
        }
        assert_eq!(failures.verdict(), Fault::NoProviderAvailable { retry_after: Duration::from_secs(7) });
    }
}
