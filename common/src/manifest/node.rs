//! The tree that YAML and JSON have in common, with the line of each node.

use crate::limits::MANIFEST_DEPTH_MAX;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    /// Line of its first character, from 1; 0 if there is no file.
    pub(super) line: u32,
    /// The value.
    pub(super) value: NodeValue,
}

/// A value. Numbers keep their text: who reads them knows which type is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum NodeValue {
    Null,
    Bool(bool),
    /// As written. YAML's octal, hexadecimal and special forms are [`NodeValue::Text`].
    Number(String),
    Text(String),
    List(Vec<Node>),
    /// In the order written. A key that stands twice was reported.
    Map(Vec<(Key, Node)>),
}

/// A key of a mapping.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Key {
    pub(super) line: u32,
    pub(super) text: String,
}

impl Node {
    /// Converts JSON. None if it is nested deeper than [`MANIFEST_DEPTH_MAX`].
    pub(super) fn from_json(json: &serde_json::Value) -> Option<Self> {
        Self::from_json_within(json, MANIFEST_DEPTH_MAX)
    }

    fn from_json_within(json: &serde_json::Value, depth: usize) -> Option<Self> {
        let depth = depth.checked_sub(1)?;
        let value = match json {
            serde_json::Value::Null => NodeValue::Null,
            serde_json::Value::Bool(value) => NodeValue::Bool(*value),
            serde_json::Value::Number(number) => NodeValue::Number(number.to_string()),
            serde_json::Value::String(text) => NodeValue::Text(text.clone()),
            serde_json::Value::Array(items) => NodeValue::List(
                items.iter().map(|item| Self::from_json_within(item, depth)).collect::<Option<_>>()?,
            ),
            serde_json::Value::Object(entries) => NodeValue::Map(
                entries
                    .iter()
                    .map(|(key, item)| {
                        let key = Key { line: 0, text: key.clone() };
                        Some((key, Self::from_json_within(item, depth)?))
                    })
                    .collect::<Option<_>>()?,
            ),
        };
        Some(Self { line: 0, value })
    }
}

impl NodeValue {
    /// Returns the text, if it is one.
    pub(super) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Returns the words by which messages call it: "a text".
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_nested_too_deep_is_refused() {
        let nested = |depth| (1..depth).fold(serde_json::json!(1), |inner, _| serde_json::json!([inner]));
        assert!(Node::from_json(&nested(MANIFEST_DEPTH_MAX)).is_some());
        assert!(Node::from_json(&nested(MANIFEST_DEPTH_MAX + 1)).is_none());
    }
}
