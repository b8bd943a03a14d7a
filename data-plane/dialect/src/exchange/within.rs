//! What of a request changes that stays in its format.

use crate::codec::Target;
use crate::ir::Dropped;
use crate::json::{Edits, Place};
use crate::pass::strangers::may_hold_seals;
use crate::{Format, chat, converse, gemini, messages, responses};

/// Returns what is left out of a request that stays in its format.
pub(super) fn left_out(body: &str, target: &Target) -> Vec<Dropped> {
    if target.format != Format::Chat {
        return Vec::new();
    }
    chat::left_out_of_pass(target.quirks, Place::root(body))
}

/// Returns the edits of a request that stays in its format: what this vendor wants otherwise, and what others signed.
pub(super) fn edits(body: &str, target: &Target) -> Edits {
    let root = Place::root(body);
    let mut edits = match target.format {
        Format::Chat => chat::edits_for_pass(target.quirks, root),
        Format::Responses
        | Format::Messages
        | Format::Gemini
        | Format::Converse
        | Format::Ollama
        | Format::Completions
        | Format::Embeddings
        | Format::Moderations
        | Format::CountTokens => Edits::default(),
    };
    if may_hold_seals(body) {
        edits.extend(match target.format {
            Format::Chat => chat::strangers(root),
            Format::Responses => responses::strangers(root),
            Format::Messages | Format::CountTokens => messages::strangers(root),
            Format::Gemini => gemini::strangers(root),
            Format::Converse => converse::strangers(root),
            Format::Ollama | Format::Completions | Format::Embeddings | Format::Moderations => {
                Edits::default()
            }
        });
    }
    edits
}
