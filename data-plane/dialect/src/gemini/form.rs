//! JSON text put together, so that what is kept as source goes in as source and the order of keys is ours.

use crate::json;

/// An object that is being written.
#[derive(Debug)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self("{".to_owned())
    }

    /// Adds a member whose value is JSON already.
    pub(super) fn raw(&mut self, key: &str, value: impl AsRef<str>) -> &mut Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push_str(&json::quote(key));
        self.0.push(':');
        self.0.push_str(value.as_ref());
        self
    }

    /// Adds a text.
    pub(super) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.raw(key, json::quote(value))
    }

    /// Adds something that its `Display` writes as JSON: a number, a boolean.
    pub(super) fn plain(&mut self, key: &str, value: impl std::fmt::Display) -> &mut Self {
        self.raw(key, value.to_string())
    }

    /// Adds it if it is there.
    pub(super) fn maybe(&mut self, key: &str, value: Option<impl std::fmt::Display>) -> &mut Self {
        match value {
            Some(value) => self.plain(key, value),
            None => self,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.len() == 1
    }

    pub(super) fn end(&mut self) -> String {
        let mut text = std::mem::take(&mut self.0);
        text.push('}');
        text
    }
}

/// Writes an array of what is JSON already.
pub(super) fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut text = "[".to_owned();
    for item in items {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
    text.push(']');
    text
}

/// Writes an array of texts.
pub(super) fn texts<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    list(items.into_iter().map(|item| json::quote(item)))
}

/// Takes the space between tokens out of JSON text: Google prints its arrays over many lines, and what is kept as source
/// would carry that to clients that show arguments as they come.
pub(super) fn compact(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let (mut quoted, mut escaped) = (false, false);
    for letter in source.chars() {
        if quoted {
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
        } else if letter == '"' {
            quoted = true;
        } else if matches!(letter, ' ' | '\t' | '\n' | '\r') {
            continue;
        }
        text.push(letter);
    }
    text
}
