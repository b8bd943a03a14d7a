//! The one function that changes the state.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::violation::Violation;

use crate::applied::{Applied, Receipt, Refusal};
use crate::proposal::Proposal;
use crate::state::State;

impl State {
    /// Carries out a proposal, or refuses it by a rule.
    pub fn apply(&mut self, proposal: &Proposal) -> Applied {
        let word = proposal.command.word();
        Applied {
            outcome: Err(Refusal::because(ErrorKind::Unimplemented, Violation::at("", word))),
            rows: Vec::new(),
        }
    }

    /// Says what [`Self::apply`] would answer, and changes nothing.
    ///
    /// # Errors
    ///
    /// The refusal that it would give.
    pub fn check(&self, proposal: &Proposal) -> Result<Receipt, Refusal> {
        let outcome = self.clone().apply(proposal).outcome;
        outcome
            .map(|receipt| Receipt { ledger_index: None, ..receipt })
            .map_err(|refusal| Refusal { ledger_index: None, ..refusal })
    }
}
