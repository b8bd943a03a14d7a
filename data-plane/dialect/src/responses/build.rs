//! JSON written member by member, in the order in which it is said: bodies stay the same byte for byte from call to call,
//! and what stands inside as source stays source.

/// An object that grows.
#[derive(Debug)]
pub(super) struct Object(String);

impl Object {
    pub(super) fn new() -> Self {
        Self(String::from("{"))
    }

    /// Makes an object that begins with its `type`.
    pub(super) fn of(kind: &str) -> Self {
        Self::new().text("type", kind)
    }

    /// Adds a member whose value is JSON in source.
    pub(super) fn raw(mut self, key: &str, source: &str) -> Self {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
        self.0.push_str(source);
        self
    }

    pub(super) fn text(self, key: &str, text: &str) -> Self {
        self.raw(key, &quote(text))
    }

    pub(super) fn text_or_null(self, key: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(key, text),
            None => self.raw(key, "null"),
        }
    }

    pub(super) fn count(self, key: &str, count: u64) -> Self {
        self.raw(key, &count.to_string())
    }

    pub(super) fn flag(self, key: &str, flag: bool) -> Self {
        self.raw(key, if flag { "true" } else { "false" })
    }

    /// Adds a member if there is something to say.
    pub(super) fn maybe<T>(self, value: Option<T>, add: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => add(self, value),
            None => self,
        }
    }

    pub(super) fn end(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

/// Writes an array of elements in source.
pub(super) fn list<S: AsRef<str>>(elements: impl IntoIterator<Item = S>) -> String {
    let mut list = String::from("[");
    for element in elements {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(element.as_ref());
    }
    list.push(']');
    list
}

/// Writes a string literal.
pub(super) fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_else(|_| "\"\"".to_owned())
}
