//! Field paths and the lines on which they stand.

use std::collections::BTreeMap;

/// The line of each field of one document.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines(BTreeMap<String, u32>);

impl Lines {
    /// Returns the line, from 1, of a field, or of the nearest thing around it that stands in the file: a field that is
    /// missing is looked for where it should be.
    #[must_use]
    pub fn line(&self, field_path: &str) -> Option<u32> {
        within(field_path).find_map(|path| self.0.get(path).copied())
    }

    /// Notes a line; 0 is none.
    pub(super) fn note(&mut self, field_path: &str, line: u32) {
        if line > 0 {
            self.0.insert(field_path.to_owned(), line);
        }
    }
}

/// Returns a field path and all that it stands in: `spec.tags[0]`, `spec.tags`, `spec` and the empty path of the root.
pub(super) fn within(field_path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(field_path), |path| {
        let parent = path.rfind(['.', '[']).map_or("", |end| path.split_at(end).0);
        (!path.is_empty()).then_some(parent)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_field_is_looked_for_where_it_should_be() {
        let mut lines = Lines::default();
        lines.note("", 1);
        lines.note("spec.models", 5);
        lines.note("spec.models[0]", 6);
        let check = |path, expect| assert_eq!(lines.line(path), Some(expect), "{path}");
        check("spec.models[0].name", 6);
        check("spec.models[7].price.input", 5);
        check("spec.type", 1);
        check("", 1);
        assert_eq!(Lines::default().line("spec"), None);
    }
}
