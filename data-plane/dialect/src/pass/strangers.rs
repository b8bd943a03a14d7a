//! What other providers signed, in a conversation that goes on within one format. A chain may cross formats, so a caller
//! may bring back what this gateway sealed for it while another answered. A provider refuses what it did not sign.

use memchr::memmem;

use crate::json::{Edits, Place, quote};

/// How a seal begins ([`crate::ir`]), and how it begins in base64.
const MARKS: [&str; 2] = ["bwseal.", "YndzZWFs"];

/// What becomes of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stays.
    Stays,
    /// It goes.
    Goes,
}

/// Whether a body may hold a seal: a look at its bytes, because nearly none does.
pub(crate) fn may_hold_seals(body: &str) -> bool {
    MARKS.iter().any(|mark| memmem::find(body.as_bytes(), mark.as_bytes()).is_some())
}

/// Takes the blocks that go out of a list, and the turn with its last.
pub(crate) fn of_turns(
    turns: Option<Place<'_>>,
    blocks: &str,
    edits: &mut Edits,
    mut fate: impl FnMut(Place<'_>, &mut Edits) -> Fate,
) {
    let Some(turns) = turns.filter(Place::is_array) else { return };
    let mut emptied = Vec::new();
    for turn in turns.elements() {
        let list = turn.get(blocks).filter(Place::is_array);
        emptied.push(list.is_some_and(|list| !of_list(list, edits, &mut fate)));
    }
    edits.remove_elements(&turns, &emptied);
}

/// Takes the blocks that go out of a list. Returns whether any block is left, or none was there.
pub(crate) fn of_list(
    list: Place<'_>,
    edits: &mut Edits,
    mut fate: impl FnMut(Place<'_>, &mut Edits) -> Fate,
) -> bool {
    let going: Vec<bool> = list.elements().map(|block| fate(block, edits) == Fate::Goes).collect();
    edits.remove_elements(&list, &going);
    going.is_empty() || going.iter().any(|goes| !goes)
}

/// Puts a provider's own signature bare in the place of its seal.
pub(crate) fn unseal(place: Place<'_>, signature: &str, edits: &mut Edits) -> Fate {
    edits.replace(place.range(), quote(signature));
    Fate::Stays
}
