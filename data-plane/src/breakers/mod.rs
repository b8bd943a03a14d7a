//! One breaker for each provider, one inside for each deployment of a provider that has several, and what is left alone of its
//! credentials. The decisions are pure (`breakwater_common::breaker`); here are their locks (short, never across an await), their
//! clock and chance, the permit that always comes back, and what reports to the control plane say about them.

mod account;
mod cell;
mod gate;
#[cfg(test)]
mod interleavings;
mod journal;
mod permit;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use breakwater_common::breaker::Draw;
use breakwater_common::breaker::failure::Class;
use breakwater_common::ruleset::Upstream;
use breakwater_runtime::SharedClock;
use breakwater_runtime::backoff::SplitMix;

use self::account::Account;
pub use self::account::{Cooling, Standing};
pub use self::cell::CellStanding;
use self::journal::Journal;
pub use self::journal::NamedTransition;
pub use self::permit::Permit;

/// The breakers of all providers. Clones share them.
#[derive(Debug, Clone)]
pub struct Breakers {
    shared: Arc<Shared>,
    by_provider: Arc<ArcSwap<BTreeMap<String, Arc<Account>>>>,
}

/// What all breakers use.
#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    chance: AtomicU64,
    journal: Journal,
}

/// Where an attempt is to go.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The provider.
    pub upstream: &'a Upstream,
    /// The model as it names it.
    pub model: &'a str,
    /// The name of the credential; empty if it needs none.
    pub credential: &'a str,
}

/// Why an attempt may not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// [`Class::BreakerOpen`], [`Class::CoolingDown`] or [`Class::CredentialDown`].
    pub class: Class,
    /// When asking again makes sense.
    pub retry_after: Duration,
}

impl Breakers {
    /// Makes an empty set. The seed decides how much longer than its time each breaker stays open.
    pub fn new(clock: SharedClock, seed: u64) -> Self {
        let shared = Shared { clock, chance: AtomicU64::new(seed), journal: Journal::default() };
        Self { shared: Arc::new(shared), by_provider: Arc::default() }
    }

    /// Follows a new ruleset: new settings reach breakers that stay, with their state; others come and go. Called by one
    /// task only.
    pub fn follow<'a>(&self, upstreams: impl Iterator<Item = &'a Upstream>) {
        let old = self.by_provider.load();
        let new = upstreams.map(|upstream| {
            let known = old.get(&upstream.name).map(Arc::as_ref);
            (upstream.name.clone(), Arc::new(Account::follow(known, upstream, &self.shared)))
        });
        self.by_provider.store(Arc::new(new.collect()));
    }

    /// Asks for an attempt. A provider that is gone since the call pinned its ruleset gets the benefit of the doubt.
    ///
    /// Errors: it may not be made; nothing is held then.
    pub fn ask(&self, target: Target<'_>) -> Result<Permit, Refusal> {
        let known = self.by_provider.load().get(&target.upstream.name).cloned();
        let account = known.unwrap_or_else(|| Arc::new(Account::follow(None, target.upstream, &self.shared)));
        Permit::ask(account, target)
    }

    /// Returns all breakers as they stand, by provider.
    pub fn standings(&self) -> Vec<Standing> {
        self.by_provider.load().values().map(|account| account.standing()).collect()
    }

    /// Returns the remembered transitions from number `from` on, and the number to ask from next time.
    pub fn transitions(&self, from: u64) -> (Vec<NamedTransition>, u64) {
        self.shared.journal.since(from)
    }
}

impl Shared {
    /// Draws what chance says.
    fn draw(&self) -> Draw {
        let state = self.chance.fetch_add(1, Ordering::Relaxed);
        let bits = SplitMix::new(state).next_u64();
        Draw(u16::try_from(bits >> 48).unwrap_or_default())
    }
}
