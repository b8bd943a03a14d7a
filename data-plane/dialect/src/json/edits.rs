//! Bytes put in the place of others.

use std::ops::Range;

use super::{Member, Place};

/// Replacements of places in one text.
#[derive(Debug, Clone, Default)]
pub struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Adds one. One that begins within the place of another is void: what it would change is gone.
    pub fn replace(&mut self, place: Range<usize>, with: impl Into<String>) {
        self.0.push((place, with.into()));
    }

    /// Adds one unless its place has one.
    pub fn replace_once(&mut self, place: Range<usize>, with: &str) {
        if self.0.iter().all(|(other, _)| *other != place) {
            self.replace(place, with);
        }
    }

    /// Adds those that take members out of an object, with their commas.
    pub fn remove_members(&mut self, object: &Place<'_>, doomed: impl Fn(&Member<'_>) -> bool) {
        let members: Vec<_> = object.members().collect();
        self.remove_listed(object, &members, doomed);
    }

    /// Does what [`Edits::remove_members`] does where all members of the object are known already.
    pub(crate) fn remove_listed(
        &mut self,
        object: &Place<'_>,
        members: &[Member<'_>],
        doomed: impl Fn(&Member<'_>) -> bool,
    ) {
        self.remove(
            object,
            members.iter().map(|member| (member.key_start..member.value.end, doomed(member))),
        );
    }

    /// Adds those that take elements out of an array, with their commas: those that are `doomed`, by their place in it.
    pub fn remove_elements(&mut self, array: &Place<'_>, doomed: &[bool]) {
        let doomed = doomed.iter().copied().chain(std::iter::repeat(false));
        self.remove(array, array.elements().map(|element| element.range()).zip(doomed));
    }

    fn remove(&mut self, holder: &Place<'_>, held: impl Iterator<Item = (Range<usize>, bool)>) {
        let mut any_kept = false;
        let mut before = holder.start + 1;
        let mut held = held.peekable();
        while let Some((place, doomed)) = held.next() {
            let end = place.end;
            if !doomed {
                any_kept = true;
            } else if any_kept {
                self.replace(before..end, "");
            } else {
                let next = held.peek().map_or(end, |(next, _)| next.start);
                self.replace(place.start..next, "");
            }
            before = end;
        }
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the replacements in the order of their places, without those that are void.
    pub(crate) fn sorted(&self) -> Vec<(Range<usize>, &str)> {
        let mut edits: Vec<_> = self.0.iter().map(|(place, with)| (place.clone(), with.as_str())).collect();
        edits.sort_by_key(|(place, _)| (place.start, place.end));
        let mut at = 0;
        edits.retain(|(place, _)| {
            let holds = place.start >= at;
            at = if holds { place.end } else { at };
            holds
        });
        edits
    }

    /// Writes the text with the replacements.
    #[must_use]
    pub fn apply(&self, text: &str) -> String {
        let mut written = String::with_capacity(text.len() + 64);
        let mut at = 0;
        for (place, with) in self.sorted() {
            written.push_str(text.get(at..place.start).unwrap_or_default());
            written.push_str(with);
            at = place.end;
        }
        written.push_str(text.get(at..).unwrap_or_default());
        written
    }
}
