//! The path of the field that a walk is at: `spec.rules[0].conditions[1].operator`.

/// A field path that grows and shrinks with a walk.
#[derive(Debug, Default)]
pub(super) struct Path(String);

impl Path {
    /// Starts at a field; at the root if empty.
    pub(super) fn at(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Calls `f` one field deeper.
    pub(super) fn in_field<T>(&mut self, name: &str, f: impl FnOnce(&mut Self) -> T) -> T {
        let separator = if self.0.is_empty() { "" } else { "." };
        self.deeper(&[separator, name], f)
    }

    /// Calls `f` in one element of a list.
    pub(super) fn in_item<T>(&mut self, index: usize, f: impl FnOnce(&mut Self) -> T) -> T {
        self.deeper(&["[", &index.to_string(), "]"], f)
    }

    /// Calls `f` in one entry of a map, or in the element of that name.
    pub(super) fn in_entry<T>(&mut self, key: &str, f: impl FnOnce(&mut Self) -> T) -> T {
        self.deeper(&["[", key, "]"], f)
    }

    fn deeper<T>(&mut self, parts: &[&str], f: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.0.len();
        self.0.extend(parts.iter().copied());
        let result = f(self);
        self.0.truncate(length);
        result
    }
}
