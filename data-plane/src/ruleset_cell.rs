//! The ruleset that is in force. Swapped whole; a call pins it once and never sees another.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use breakwater_common::ruleset::CompiledRuleset;

/// Holds the ruleset in force. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct RulesetCell(Arc<ArcSwapOption<CompiledRuleset>>);

impl RulesetCell {
    /// Returns the ruleset in force; none before the first came.
    pub(crate) fn pin(&self) -> Option<Arc<CompiledRuleset>> {
        self.0.load_full()
    }

    /// Puts another in force for calls to come.
    pub(crate) fn store(&self, ruleset: Arc<CompiledRuleset>) {
        self.0.store(Some(ruleset));
    }

    /// Returns the revision in force; 0 if none.
    pub(crate) fn revision(&self) -> u64 {
        self.0.load().as_ref().map_or(0, |ruleset| ruleset.revision())
    }
}
