//! Everything that stands between calls and one provider: its breaker, those of its deployments, its credentials' cooldowns.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use breakwater_common::breaker::cooldown::Cooldowns;
use breakwater_common::breaker::failure::Class;
use breakwater_common::breaker::{Force, Settings, State};
use breakwater_common::ruleset::Upstream;
use breakwater_common::time::UnixMillis;
use ring::digest::{SHA256, digest};

use super::cell::{Cell, CellStanding, Counts};
use super::{Refusal, Shared, Target};

/// See the module. A new ruleset makes a new one, which shares with the old one whatever stays.
#[derive(Debug)]
pub(super) struct Account {
    /// What all breakers use.
    pub(super) shared: Arc<Shared>,
    /// The provider's own breaker.
    pub(super) whole: Arc<Cell>,
    /// Those of its models, if it has several.
    pub(super) by_model: BTreeMap<String, Arc<Cell>>,
    provider: String,
    /// How they are configured.
    pub(super) settings: Settings,
    cooling: Arc<Known>,
    /// Digests of the credentials' keys by name: a new key is a new credential.
    keys: BTreeMap<String, [u8; 32]>,
}

/// What is left alone of a provider's credentials. Mostly nothing is: then no lock is taken.
#[derive(Debug, Default)]
struct Known {
    /// When the last of them ends, in milliseconds of the monotonic clock; 0 if nothing ever was.
    until: AtomicU64,
    cooldowns: Mutex<Cooldowns>,
}

/// A provider's breakers as reports and metrics show them.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The provider.
    pub provider: String,
    /// Its state now.
    pub state: State,
    /// An operator's hand on it.
    pub force: Option<Force>,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// When an open breaker lets a probe through.
    pub open_until: Option<UnixMillis>,
    /// Since the start.
    pub counts: Counts,
    /// The breakers of its models, if it has several.
    pub models: Vec<CellStanding>,
    /// Its credentials that are left alone.
    pub cooling: Vec<Cooling>,
}

/// A credential that is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cooling {
    /// Its name.
    pub credential: String,
    /// For which model; empty if for all.
    pub model: String,
    /// Why: `rate_limited`, `quota_exhausted`, `credential_refused`.
    pub reason: &'static str,
    /// Until when.
    pub until: UnixMillis,
}

impl Account {
    /// Makes the account of a provider, with what is known of the one before.
    pub(super) fn follow(known: Option<&Self>, upstream: &Upstream, shared: &Arc<Shared>) -> Self {
        let settings = upstream.provider.breaker;
        let cell = |known: Option<&Arc<Cell>>, model: &str| match known {
            Some(cell) => {
                cell.reconfigure(shared, settings);
                Arc::clone(cell)
            }
            None => Arc::new(Cell::new(&upstream.name, model, settings)),
        };
        // One model is the provider: a second breaker would say the same.
        let models = &upstream.provider.models;
        let several = if models.len() > 1 { models.as_slice() } else { &[] };
        let by_model = several.iter().map(|model| {
            let known = known.and_then(|known| known.by_model.get(&model.name));
            (model.name.clone(), cell(known, &model.name))
        });
        let by_model = by_model.collect();
        let keys = keys(upstream);
        let cooling = known.map(|known| {
            let mut cooldowns = known.cooling.lock();
            // Whoever switches a provider off and on again has mended it.
            let stays = |name: &String| !upstream.provider.disabled && known.keys.get(name) == keys.get(name);
            known.keys.keys().filter(|name| !stays(name)).for_each(|name| cooldowns.forget(name));
            Arc::clone(&known.cooling)
        });
        Self {
            shared: Arc::clone(shared),
            whole: cell(known.map(|known| &known.whole), ""),
            by_model,
            provider: upstream.name.clone(),
            settings,
            cooling: cooling.unwrap_or_default(),
            keys,
        }
    }

    /// Whether the credential of a target may be used now.
    pub(super) fn check_credential(&self, target: Target<'_>) -> Result<(), Refusal> {
        if self.cooling.until.load(Ordering::Acquire) == 0 {
            return Ok(());
        }
        let now = self.shared.clock.mono();
        if self.cooling.until.load(Ordering::Acquire) <= now.0 {
            return Ok(());
        }
        let Some(until) = self.cooling.lock().of(now, target.credential, target.model) else { return Ok(()) };
        let limited = until.class == Class::RateLimited;
        let class = if limited { Class::CoolingDown } else { Class::CredentialDown };
        Err(Refusal { class, retry_after: until.end.since(now) })
    }

    /// Notes what a failure means for a credential.
    pub(super) fn note(&self, (credential, model): (&str, &str), class: Class, asked: Option<Duration>) {
        let (now, draw) = (self.shared.clock.mono(), self.shared.draw());
        let noted = self.cooling.lock().note(now, draw, (credential, model), class, asked);
        let Some(length) = noted else { return };
        let _before = self.cooling.until.fetch_max(now.plus(length).0, Ordering::AcqRel);
        let (provider, reason, for_ms) = (&self.provider, class.as_str(), length.as_millis());
        tracing::warn!(provider, credential, model, reason, for_ms, "credential is left alone");
    }

    /// Returns how it stands.
    pub(super) fn standing(&self) -> Standing {
        let shared = &self.shared;
        let CellStanding { state, consecutive_failures, open_until, counts, .. } =
            self.whole.standing(shared);
        Standing {
            provider: self.provider.clone(),
            state,
            force: self.settings.force,
            consecutive_failures,
            open_until,
            counts,
            models: self.by_model.values().map(|cell| cell.standing(shared)).collect(),
            cooling: self.cooling(),
        }
    }

    fn cooling(&self) -> Vec<Cooling> {
        let (mono, wall) = (self.shared.clock.mono(), self.shared.clock.wall());
        let standings = self.cooling.lock().standings(mono);
        let cooling = standings.into_iter().map(|standing| Cooling {
            credential: standing.credential,
            model: standing.model,
            reason: standing.until.class.as_str(),
            until: UnixMillis(wall.0 + standing.until.end.0.saturating_sub(mono.0)),
        });
        cooling.collect()
    }
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, Cooldowns> {
        self.cooldowns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keys(upstream: &Upstream) -> BTreeMap<String, [u8; 32]> {
    let credentials = upstream.provider.credentials.iter();
    let key = |key: &str| digest(&SHA256, key.as_bytes()).as_ref().try_into().unwrap_or_default();
    credentials.map(|credential| (credential.name.clone(), key(&credential.api_key))).collect()
}
