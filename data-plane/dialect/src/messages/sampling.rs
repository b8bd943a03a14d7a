//! How words are drawn.

use super::families::{Family, Sampling};
use super::notes::Notes;
use crate::ir::Request;

/// `temperature`, `top_p` and `top_k` as they are sent.
#[derive(Debug, Default)]
pub(super) struct Drawn<'a> {
    pub(super) temperature: Option<serde_json::Number>,
    pub(super) top_p: Option<&'a serde_json::Number>,
    pub(super) top_k: Option<u64>,
}

impl<'a> Drawn<'a> {
    /// Anthropic's temperature ends at 1. Models that think take no other than that, no `top_k`, and of `top_p` only the
    /// last twentieth; the newest take none of the three.
    pub(super) fn of(request: &'a Request, family: &Family, thinks: bool, notes: &mut Notes) -> Self {
        let takes = family.sampling != Sampling::None;
        let mut drawn = Self::default();
        if let Some(temperature) = &request.temperature {
            let hot = temperature.as_f64().is_some_and(|it| it > 1.0);
            let plain = temperature.as_f64().is_some_and(|it| it >= 1.0);
            if takes && (!thinks || plain) {
                drawn.temperature = Some(if hot { 1.into() } else { temperature.clone() });
            }
            notes.add("temperature", hot || (drawn.temperature.is_none() && !plain));
        }
        if let Some(top_p) = &request.top_p {
            let share = top_p.as_f64().unwrap_or(1.0);
            let alone = family.sampling == Sampling::All || drawn.temperature.is_none();
            if takes && alone && (!thinks || share >= 0.95) {
                drawn.top_p = Some(top_p);
            }
            notes.add("top_p", drawn.top_p.is_none() && share < 1.0);
        }
        drawn.top_k = request.top_k.filter(|_| takes && !thinks);
        notes.add("top_k", request.top_k.is_some() && drawn.top_k.is_none());
        drawn
    }
}
