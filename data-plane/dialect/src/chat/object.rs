//! JSON objects, written member by member in the order that is asked for: the same call gives the same bytes, which
//! providers' prompt caches need.

use crate::json::quote;

/// An object on its way.
#[derive(Debug, Default)]
pub(super) struct Object(String);

impl Object {
    /// Adds a member whose value is source.
    pub(super) fn raw(&mut self, key: &str, source: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&quote(key));
        self.0.push(':');
        self.0.push_str(source);
    }

    /// Adds a member whose value is a text.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.raw(key, &quote(text));
    }

    /// Adds a member if there is a value for it.
    pub(super) fn maybe(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.raw(key, &value.to_string());
        }
    }

    /// Adds a list if it has elements, each in source.
    pub(super) fn list(&mut self, key: &str, elements: &[String]) {
        if !elements.is_empty() {
            self.raw(key, &format!("[{}]", elements.join(",")));
        }
    }

    /// Returns its source.
    pub(super) fn finish(mut self) -> String {
        self.0.push_str(if self.0.is_empty() { "{}" } else { "}" });
        self.0
    }
}
