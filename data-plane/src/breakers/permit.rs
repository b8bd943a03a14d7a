//! The right to one attempt.

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::breaker::cooldown::believed;
use breakwater_common::breaker::failure::{Class, Cooldown};
use breakwater_common::breaker::{Draw, Outcome, Report};

use super::account::Account;
use super::cell::Cell;
use super::gate::Ticket;
use super::{Refusal, Target};

/// The right to one attempt. Dropped without a word it says that the attempt was abandoned, so that a probe whose caller
/// left, was shed or panicked does not bench the provider.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    account: Arc<Account>,
    whole: Ticket,
    inner: Option<(Arc<Cell>, Ticket)>,
    reported: bool,
}

impl Permit {
    /// Asks the credential, the deployment and the provider, in this order: the provider's one probe is not taken for a call
    /// that cannot be made anyway.
    pub(super) fn ask(account: Arc<Account>, target: Target<'_>) -> Result<Self, Refusal> {
        account.check_credential(target)?;
        let shared = &account.shared;
        let open = |retry_after| Refusal { class: Class::BreakerOpen, retry_after };
        let inner = match account.by_model.get(target.model) {
            Some(cell) => Some((Arc::clone(cell), cell.ask(shared).map_err(open)?)),
            None => None,
        };
        match account.whole.ask(shared) {
            Ok(whole) => Ok(Self { account, whole, inner, reported: false }),
            Err(retry_after) => {
                if let Some((cell, ticket)) = inner {
                    cell.report(shared, Draw::default(), ticket, Outcome::Abandoned.into());
                }
                Err(open(retry_after))
            }
        }
    }

    /// Says how the attempt ended. Only the first word counts.
    pub fn report(&mut self, outcome: Outcome) {
        self.tell(outcome.into());
    }

    /// Says that the attempt failed, with this credential and model, and what the provider asked to wait. Only the first word
    /// counts.
    pub fn failed(&mut self, target: (&str, &str), class: Class, asked: Option<Duration>) {
        if !self.reported {
            self.account.note(target, class, asked);
        }
        let effect = class.effect();
        let waits = effect.cooldown == Cooldown::OpenAtLeast && asked.is_some();
        let open_at_least = if waits { believed(asked) } else { Duration::ZERO };
        self.tell(Report { outcome: effect.outcome, open_at_least });
    }

    /// Notes the time to the first byte. A probe has then proved what it had to: it need not wait for a long answer's end.
    pub fn first_byte(&mut self, after: Duration) {
        self.account.whole.first_byte(after);
        if self.whole.probe || self.inner.as_ref().is_some_and(|(_, ticket)| ticket.probe) {
            self.report(Outcome::Success);
        }
    }

    /// Notes the time to the first content of a stream. A probe that was slow has failed by it.
    pub fn first_token(&mut self, took: Duration) {
        if self.account.settings.slow.is_none() {
            return;
        }
        let shared = &self.account.shared;
        let draw = shared.draw();
        if let Some((cell, ticket)) = &self.inner {
            cell.first_token(shared, draw, *ticket, took);
        }
        self.account.whole.first_token(shared, draw, self.whole, took);
    }

    fn tell(&mut self, report: Report) {
        if std::mem::replace(&mut self.reported, true) {
            return;
        }
        let shared = &self.account.shared;
        // Only a failure can open a breaker. Those that open together are given one draw, so that they are probed together.
        let draw = if report.outcome == Outcome::Failure { shared.draw() } else { Draw::default() };
        if let Some((cell, ticket)) = &self.inner {
            cell.report(shared, draw, *ticket, report);
        }
        self.account.whole.report(shared, draw, self.whole, report);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.report(Outcome::Abandoned);
    }
}
