//! The limits of one route, tenant or key together.

use std::time::Duration;

use super::{Meter, Share};
use crate::time::MonoNanos;

/// When to ask again where nobody can know it: a running call may end at any time.
const CONCURRENT_RETRY: Duration = Duration::from_secs(1);

/// What is limited; none: it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Calls.
    pub calls: Option<Share>,
    /// Tokens, read and written.
    pub tokens: Option<Share>,
    /// Calls at the same time.
    pub concurrent: Option<u32>,
}

/// Which limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Limit {
    /// Calls a second.
    Calls,
    /// Tokens a minute.
    Tokens,
    /// Calls at the same time.
    Concurrent,
}

/// Why a call may not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The limit.
    pub limit: Limit,
    /// When to ask again: exact for calls and tokens if nothing else passes before, a guess for calls at the same time.
    pub retry_after: Duration,
}

/// Holds limits.
#[derive(Debug, Clone)]
pub struct Limiter {
    calls: Option<Meter>,
    tokens: Option<Meter>,
    concurrent: Option<u32>,
    running: u32,
}

impl Limits {
    /// Whether nothing is limited.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the part of one of so many proxies: never more than the whole together, but for one call at the same time,
    /// which each may always serve.
    #[must_use]
    pub fn divided(self, proxies: u32) -> Self {
        let part = |share: Share| share.divided(proxies);
        Self {
            calls: self.calls.map(part),
            tokens: self.tokens.map(part),
            concurrent: self.concurrent.map(|most| (most / proxies.max(1)).max(1)),
        }
    }
}

impl Limit {
    /// Returns the word of metrics, `why` and errors: the name of the field that sets it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calls => "max_rps",
            Self::Tokens => "max_tokens_per_minute",
            Self::Concurrent => "max_concurrent",
        }
    }
}

impl Limiter {
    /// Makes one that nothing has passed.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            calls: limits.calls.map(Meter::new),
            tokens: limits.tokens.map(Meter::new),
            concurrent: limits.concurrent,
            running: 0,
        }
    }

    /// Holds other limits from now on. What passed still counts.
    pub fn reconfigure(&mut self, now: MonoNanos, limits: Limits) {
        change(&mut self.calls, now, limits.calls);
        change(&mut self.tokens, now, limits.tokens);
        self.concurrent = limits.concurrent;
    }

    /// Whether a call of so many tokens may pass now.
    ///
    /// # Errors
    /// If not, of the limits that refuse the one that does so longest.
    pub fn check(&self, now: MonoNanos, tokens: u64) -> Result<(), Refusal> {
        let refused = |limit, meter: &Option<Meter>, units| {
            let retry_after = meter.as_ref()?.check(now, units).err()?;
            Some(Refusal { limit, retry_after })
        };
        let full = self.concurrent.is_some_and(|most| self.running >= most);
        [
            refused(Limit::Calls, &self.calls, 1),
            refused(Limit::Tokens, &self.tokens, tokens),
            full.then_some(Refusal { limit: Limit::Concurrent, retry_after: CONCURRENT_RETRY }),
        ]
        .into_iter()
        .flatten()
        .max_by_key(|refusal| refusal.retry_after)
        .map_or(Ok(()), Err)
    }

    /// Lets a call of so many tokens pass. [`Self::end`] must follow.
    pub fn take(&mut self, now: MonoNanos, tokens: u64) {
        if let Some(meter) = &mut self.calls {
            meter.take(now, 1);
        }
        if let Some(meter) = &mut self.tokens {
            meter.take(now, tokens);
        }
        self.running = self.running.saturating_add(1);
    }

    /// Ends a call that was let through for so many tokens, and was so many.
    pub fn end(&mut self, now: MonoNanos, taken: u64, was: u64) {
        if let Some(meter) = &mut self.tokens {
            meter.settle(now, taken, was);
        }
        self.running = self.running.saturating_sub(1);
    }

    /// Whether tokens are limited.
    #[must_use]
    pub fn limits_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    /// Returns how many calls run.
    #[must_use]
    pub fn running(&self) -> u32 {
        self.running
    }
}

/// Lets a call of so many tokens pass all limiters, or takes from none of them.
///
/// # Errors
/// If one refuses: which, by its place, and why. Of several the one that refuses longest.
pub fn admit(now: MonoNanos, tokens: u64, limiters: &mut [&mut Limiter]) -> Result<(), (usize, Refusal)> {
    let refusals =
        limiters.iter().enumerate().filter_map(|(at, limiter)| Some((at, limiter.check(now, tokens).err()?)));
    if let Some(refused) = refusals.max_by_key(|(_, refusal)| refusal.retry_after) {
        return Err(refused);
    }
    for limiter in limiters {
        limiter.take(now, tokens);
    }
    Ok(())
}

fn change(meter: &mut Option<Meter>, now: MonoNanos, share: Option<Share>) {
    match (meter.as_mut(), share) {
        (Some(meter), Some(share)) if meter.share() == share => {}
        (Some(meter), Some(share)) => meter.reconfigure(now, share),
        (_, share) => *meter = share.map(Meter::new),
    }
}
