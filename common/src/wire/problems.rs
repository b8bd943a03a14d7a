//! Collects what is wrong, so that all of it is said at once.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::limits::VIOLATIONS_MAX;
use crate::resource::quantity;
use crate::violation::Violation;

/// The violations found so far; beyond [`VIOLATIONS_MAX`] they are dropped, since people mend the first few.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Violation>);

impl Problems {
    pub(super) fn add(&mut self, field_path: impl Into<String>, message: impl Into<String>) {
        if self.0.len() < VIOLATIONS_MAX {
            self.0.push(Violation::at(field_path, message));
        }
    }

    pub(super) fn into_result<T>(self, value: T) -> Result<T, Vec<Violation>> {
        if self.0.is_empty() { Ok(value) } else { Err(self.0) }
    }

    /// Reads a length of time; the default if the text is empty or wrong.
    pub(super) fn duration(&mut self, field_path: &str, text: &str, default: Duration) -> Duration {
        if text.is_empty() {
            return default;
        }
        quantity::duration(text).unwrap_or_else(|error| {
            self.add(field_path, error.to_string());
            default
        })
    }

    /// Reads a share in hundredths of a percent; the default if the text is empty or wrong.
    pub(super) fn share(&mut self, field_path: &str, text: &str, default: u32) -> u32 {
        if text.is_empty() {
            return default;
        }
        let share = quantity::percent(text).map_err(|error| error.to_string()).and_then(|percent| {
            let whole = (0.0..=100.0).contains(&percent);
            whole.then_some(percent).ok_or_else(|| format!("\"{text}\" is more than all; use 0% to 100%"))
        });
        match share {
            Ok(percent) => hundredths(percent),
            Err(message) => {
                self.add(field_path, message);
                default
            }
        }
    }

    /// Refuses the second use of a name in a list.
    pub(super) fn unique<'a>(&mut self, list_path: &str, names: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.enumerate() {
            if !seen.insert(name) {
                self.add(
                    format!("{list_path}[{index}].name"),
                    format!("\"{name}\" stands in this list twice; give each element a name of its own"),
                );
            }
        }
    }
}

/// What is finer than a hundredth of a percent is rounded up: only "0%" is nothing.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a percentage is from 0 to 100, and `as` saturates"
)]
fn hundredths(percent: f64) -> u32 {
    (percent * 100.0).ceil() as u32
}
