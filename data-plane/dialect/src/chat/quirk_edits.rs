//! A request that stays in this format, for a vendor that wants some of it otherwise: the places that must change, and no
//! other byte. For a vendor that does all as the format says there is nothing to change.

use crate::ir::{Dropped, ToolIdShape, tool_id};
use crate::json::{Edits, Member, Place, quote};
use crate::quirks::{MaxTokens, Quirks};

/// Returns the edits of a request's body.
#[must_use]
pub fn edits_for_pass(quirks: &Quirks, root: Place<'_>) -> Edits {
    let mut edits = Edits::default();
    if knows_nothing(quirks) {
        return edits;
    }
    let members: Vec<Member<'_>> = root.members().collect();
    let both =
        ["max_tokens", "max_completion_tokens"].map(|key| members.iter().any(|member| member.key == key));
    let doomed = |member: &Member<'_>| match &*member.key {
        "max_tokens" => both == [true, true] && quirks.max_tokens == MaxTokens::Old,
        "stream_options" => !quirks.stream_options,
        key => is_refused(quirks, key),
    };
    edits.remove_members(&root, doomed);
    if !quirks.stream_options
        && let Some(stream) = members.iter().find(|member| member.key == "stream")
    {
        // Taken, so that nobody asks for usage here: this vendor says it unasked.
        let end = stream.value.range().end;
        edits.replace(end..end, "");
    }
    for member in members.iter().filter(|member| !doomed(member)) {
        match &*member.key {
            "max_completion_tokens" if quirks.max_tokens == MaxTokens::Old => {
                rename(root, member, "max_tokens", &mut edits);
            }
            "seed" | "random_seed" if member.key != quirks.seed => {
                rename(root, member, quirks.seed, &mut edits)
            }
            "tool_choice" => {
                let word = member.value.as_str().unwrap_or_default();
                if matches!(&*word, "required" | "any") && word != quirks.required {
                    edits.replace(member.value.range(), quote(quirks.required));
                }
            }
            "messages" => member.value.elements().for_each(|message| of_message(quirks, message, &mut edits)),
            _ => {}
        }
    }
    edits
}

/// Returns the members of a request's body that the edits take out because the vendor refuses them.
#[must_use]
pub fn left_out_of_pass(quirks: &Quirks, root: Place<'_>) -> Vec<Dropped> {
    if knows_nothing(quirks) {
        return Vec::new();
    }
    // What is asked about usage is this proxy's own affair: the caller gets it however the vendor says it.
    let refused =
        root.members().filter(|member| member.key != "stream_options" && is_refused(quirks, &member.key));
    refused.map(|member| member.key.into_owned()).collect()
}

/// Of a vendor that nothing is known of, nothing is known that it refuses.
fn knows_nothing(quirks: &Quirks) -> bool {
    matches!(quirks.vendor, "generic" | "openai")
}

fn is_refused(quirks: &Quirks, key: &str) -> bool {
    match key {
        "seed" | "random_seed" if quirks.seed.is_empty() => true,
        key => quirks.refuses.contains(&key),
    }
}

/// Puts another key in the place of a member's.
fn rename(root: Place<'_>, member: &Member<'_>, key: &str, edits: &mut Edits) {
    let literal = quote(&member.key);
    let start = member.key_start;
    let within = start.saturating_sub(root.range().start);
    let stands = root.source().get(within..).is_some_and(|source| source.starts_with(&literal));
    if stands {
        edits.replace(start..start + literal.len(), quote(key));
    } else {
        // The key was written with escapes; its colon is replaced with it.
        edits.replace(start..member.value.range().start, format!("{}:", quote(key)));
    }
}

fn of_message(quirks: &Quirks, message: Place<'_>, edits: &mut Edits) {
    for member in message.members() {
        match &*member.key {
            "role" if !quirks.developer && member.value.as_str().as_deref() == Some("developer") => {
                edits.replace(member.value.range(), quote("system"));
            }
            "tool_call_id" => fit(quirks.tool_ids, member.value, edits),
            "tool_calls" => {
                for id in member.value.elements().filter_map(|call| call.get("id")) {
                    fit(quirks.tool_ids, id, edits);
                }
            }
            _ => {}
        }
    }
}

fn fit(shape: ToolIdShape, id: Place<'_>, edits: &mut Edits) {
    let Some(said) = id.as_str() else { return };
    let fitting = tool_id(&said, shape, "call_");
    if fitting != said {
        edits.replace(id.range(), quote(&fitting));
    }
}

#[cfg(test)]
mod tests;
