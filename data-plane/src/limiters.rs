//! The limits of routes and tenants, as this proxy holds them. The machines are pure; here are their locks (short, never
//! across an await), the clock, and the permit that always comes back.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use breakwater_common::limit::{Limit, Limiter, Limits, admit};
use breakwater_common::ruleset::CompiledRuleset;
use breakwater_common::time::MonoNanos;
use breakwater_runtime::SharedClock;

use crate::trace::Trace;

/// The limiters of all routes and tenants that have limits. Clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Limiters(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    clock: SharedClock,
    table: ArcSwap<Table>,
    /// Proxies that share the limits, as last heard; 1 until it is said.
    proxies: AtomicU32,
}

#[derive(Debug, Default)]
struct Table {
    routes: BTreeMap<String, Arc<Cell>>,
    tenants: BTreeMap<String, Arc<Cell>>,
}

#[derive(Debug)]
struct Cell {
    subject: Subject,
    machine: Mutex<Machine>,
}

#[derive(Debug)]
struct Machine {
    /// As configured, for the fleet.
    whole: Limits,
    /// Holds this proxy's part.
    limiter: Limiter,
}

/// Whose limit it is. Locks are taken in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// The route's.
    Route,
    /// The tenant's.
    Tenant,
}

/// Which limit refused a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Whose.
    pub(crate) subject: Subject,
    /// Which.
    pub(crate) limit: Limit,
    /// When to ask again.
    pub(crate) retry_after: Duration,
}

/// The right to one call. When it is dropped, the tokens that were reserved become those that the call's notes say.
#[derive(Debug)]
#[must_use]
pub(crate) struct Permit {
    clock: SharedClock,
    cells: Vec<Arc<Cell>>,
    reserved: u64,
    trace: Trace,
}

impl Subject {
    /// Returns the word of metrics, `why` and errors.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Tenant => "tenant",
        }
    }
}

impl Limiters {
    /// Makes an empty set.
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self(Arc::new(Shared { clock, table: ArcSwap::default(), proxies: AtomicU32::new(1) }))
    }

    /// Follows a new ruleset: new limits reach limiters that stay, with what passed them; others come and go. Called by
    /// one task only.
    pub(crate) fn follow(&self, ruleset: &CompiledRuleset) {
        let old = self.0.table.load();
        let routes = ruleset.routes().values().map(|route| (&route.name, route.limits));
        let tenants = ruleset.tenant_limits();
        self.0.table.store(Arc::new(Table {
            routes: self.cells(&old.routes, Subject::Route, routes),
            tenants: self.cells(&old.tenants, Subject::Tenant, tenants),
        }));
    }

    /// Shares the limits among so many proxies from now on; 0 says nothing. Who is no longer told keeps its part: without
    /// the control plane the fleet lets through what it did. Called by the task that follows rulesets.
    pub(crate) fn share_among(&self, proxies: u32) {
        if proxies == 0 || self.0.proxies.swap(proxies, Ordering::Relaxed) == proxies {
            return;
        }
        let (now, table) = (self.0.clock.mono_nanos(), self.0.table.load());
        for cell in table.routes.values().chain(table.tenants.values()) {
            let mut machine = cell.machine();
            let whole = machine.whole;
            machine.hold(now, whole, proxies);
        }
    }

    fn cells<'a>(
        &self,
        old: &BTreeMap<String, Arc<Cell>>,
        subject: Subject,
        limits: impl Iterator<Item = (&'a String, Limits)>,
    ) -> BTreeMap<String, Arc<Cell>> {
        let (now, proxies) = (self.0.clock.mono_nanos(), self.0.proxies.load(Ordering::Relaxed));
        let cell = |name: &str, limits: Limits| match old.get(name) {
            Some(cell) => {
                cell.machine().hold(now, limits, proxies);
                Arc::clone(cell)
            }
            None => {
                let machine = Machine { whole: limits, limiter: Limiter::new(limits.divided(proxies)) };
                Arc::new(Cell { subject, machine: Mutex::new(machine) })
            }
        };
        let limited = limits.filter(|(_, limits)| !limits.is_none());
        limited.map(|(name, limits)| (name.clone(), cell(name, limits))).collect()
    }

    /// Lets a call pass all limits that hold for it, or takes from none. `tokens` says what to reserve; it is asked only if
    /// tokens are limited. None: nothing is limited.
    pub(crate) fn admit(
        &self,
        route: &str,
        tenant: &str,
        trace: &Trace,
        tokens: impl FnOnce() -> u64,
    ) -> Result<Option<Permit>, Refused> {
        let table = self.0.table.load();
        let cells: Vec<Arc<Cell>> =
            table.routes.get(route).into_iter().chain(table.tenants.get(tenant)).cloned().collect();
        if cells.is_empty() {
            return Ok(None);
        }
        // Counting a long call's tokens takes a while, so it comes before the locks.
        let counted = cells.iter().any(|cell| cell.machine().limiter.limits_tokens());
        let reserved = if counted { tokens() } else { 0 };
        let mut guards: Vec<_> = cells.iter().map(|cell| cell.machine()).collect();
        let mut limiters: Vec<&mut Limiter> = guards.iter_mut().map(|guard| &mut guard.limiter).collect();
        let admitted = admit(self.0.clock.mono_nanos(), reserved, &mut limiters);
        drop(guards);
        match admitted {
            Ok(()) => {
                let (clock, trace) = (self.0.clock.clone(), trace.clone());
                Ok(Some(Permit { clock, cells, reserved, trace }))
            }
            Err((at, refusal)) => Err(Refused {
                subject: cells.get(at).map_or(Subject::Route, |cell| cell.subject),
                limit: refusal.limit,
                retry_after: refusal.retry_after,
            }),
        }
    }
}

impl Cell {
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Machine {
    fn hold(&mut self, now: MonoNanos, whole: Limits, proxies: u32) {
        self.whole = whole;
        self.limiter.reconfigure(now, whole.divided(proxies));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let used = self.trace.note().usage.map_or(0, |usage| usage.total());
        let now = self.clock.mono_nanos();
        for cell in &self.cells {
            cell.machine().limiter.end(now, self.reserved, used);
        }
    }
}
