//! Which credentials of an account are to be left alone, and until when. A key that is over its limit, or that is refused,
//! says nothing about whether the provider works: its breaker does not hear of it, and the account's next key is tried.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Draw;
use super::failure::{Class, Cooldown};
use crate::limits::{COOLDOWN_MS, COOLED_MODELS_MAX, CREDENTIAL_DOWN_MS};
use crate::time::MonoMillis;

/// The cooldowns of one account.
#[derive(Debug, Clone, Default)]
pub struct Cooldowns {
    by_credential: BTreeMap<String, Cooled>,
}

/// What is left alone of one credential.
#[derive(Debug, Clone, Default)]
struct Cooled {
    whole: Option<Until>,
    models: BTreeMap<String, Until>,
}

/// Until when something is left alone, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Until {
    /// When it ends.
    pub end: MonoMillis,
    /// What was said: [`Class::RateLimited`], [`Class::QuotaExhausted`] or [`Class::CredentialRefused`].
    pub class: Class,
}

/// A credential that is left alone, as reports show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub credential: String,
    /// For which model; empty if for all.
    pub model: String,
    /// Until when, and why.
    pub until: Until,
}

impl Cooldowns {
    /// Notes a failure; returns how long what is left alone for it, none if nothing is. `asked` is how long the provider
    /// said; the rate limit of a model is believed within [`COOLDOWN_MS`], and its end is stretched by the draw.
    pub fn note(
        &mut self,
        now: MonoMillis,
        draw: Draw,
        (credential, model): (&str, &str),
        class: Class,
        asked: Option<Duration>,
    ) -> Option<Duration> {
        let length = match class.effect().cooldown {
            Cooldown::Model => draw.stretch(believed(asked)),
            Cooldown::Credential => Duration::from_millis(CREDENTIAL_DOWN_MS),
            Cooldown::None | Cooldown::OpenAtLeast => return None,
        };
        let until = Until { end: now.plus(length), class };
        let cooled = self.by_credential.entry(credential.to_owned()).or_default();
        if class.effect().cooldown == Cooldown::Credential {
            cooled.whole = later(cooled.whole, until);
        } else {
            cooled.make_room(now, model);
            let kept = later(cooled.models.get(model).copied(), until).unwrap_or(until);
            cooled.models.insert(model.to_owned(), kept);
        }
        Some(length)
    }

    /// Returns why a credential may not be used for a model now; none if it may.
    #[must_use]
    pub fn of(&self, now: MonoMillis, credential: &str, model: &str) -> Option<Until> {
        let cooled = self.by_credential.get(credential)?;
        let for_model = cooled.models.get(model).copied();
        [cooled.whole, for_model].into_iter().flatten().filter(|until| now < until.end).max_by_key(|u| u.end)
    }

    /// Forgets everything of a credential: it is another one now.
    pub fn forget(&mut self, credential: &str) {
        drop(self.by_credential.remove(credential));
    }

    /// Returns everything that is left alone now, by credential and model.
    #[must_use]
    pub fn standings(&self, now: MonoMillis) -> Vec<Standing> {
        let mut standings = Vec::new();
        for (credential, cooled) in &self.by_credential {
            let whole = cooled.whole.iter().map(|until| ("", until));
            let models = cooled.models.iter().map(|(model, until)| (model.as_str(), until));
            for (model, until) in whole.chain(models).filter(|(_, until)| now < until.end) {
                let (credential, model) = (credential.clone(), model.to_owned());
                standings.push(Standing { credential, model, until: *until });
            }
        }
        standings
    }
}

impl Cooled {
    /// What ends soonest goes.
    fn make_room(&mut self, now: MonoMillis, model: &str) {
        if self.models.len() < COOLED_MODELS_MAX || self.models.contains_key(model) {
            return;
        }
        self.models.retain(|_, until| now < until.end);
        while self.models.len() >= COOLED_MODELS_MAX {
            let soonest =
                self.models.iter().min_by_key(|(_, until)| until.end).map(|(model, _)| model.clone());
            let Some(soonest) = soonest else { return };
            self.models.remove(&soonest);
        }
    }
}

/// Returns what is believed of a wait that a provider asked for: below the first bound it helps nobody, above the second a bad
/// upstream would ban itself.
#[must_use]
pub fn believed(asked: Option<Duration>) -> Duration {
    let (least, most) = COOLDOWN_MS;
    asked.unwrap_or_default().clamp(Duration::from_millis(least), Duration::from_millis(most))
}

fn later(known: Option<Until>, new: Until) -> Option<Until> {
    [known, Some(new)].into_iter().flatten().max_by_key(|until| until.end)
}
