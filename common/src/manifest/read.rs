//! Trees to messages: the shape of a document against a protobuf descriptor. What the values may be is `check`'s matter.

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use crate::limits::MANIFEST_DEPTH_MAX;
use crate::violation::Violation;

use super::lines::Lines;
use super::node::{Key, Node, NodeValue};
use super::path::Path;
use super::read_scalar::{read_scalar, read_well_known};
use super::report::{Report, quoted, shortened};
use super::rules::{WellKnown, rule, shape};
use crate::suggest::hint;

/// Reads a message from JSON: proto field names, shorthands, RFC 3339 times, numbers also as text; null is "not set".
/// Fields that the server sets are read over. Rules of fields are not checked: see
/// [`check_message`](super::check_message).
///
/// # Errors
/// Unknown fields, wrong types, more than one field of a oneof, nesting beyond
/// [`MANIFEST_DEPTH_MAX`].
pub fn message_from_json(
    descriptor: &MessageDescriptor,
    json: &serde_json::Value,
) -> Result<DynamicMessage, Vec<Violation>> {
    let Some(node) = Node::from_json(json) else {
        return Err(vec![Violation::at("", format!("nested deeper than {MANIFEST_DEPTH_MAX} levels"))]);
    };
    let mut reader = Reader::default();
    let message = reader.message(descriptor, &node, &mut Path::default());
    reader.report.finish_with(message)
}

/// Reads one document and keeps its lines.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) report: Report,
    pub(super) lines: Lines,
}

impl Reader {
    /// Reads a message; what does not fit is reported, and its default stands for it, so that elements of lists keep
    /// their numbers.
    pub(super) fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        node: &Node,
        path: &mut Path,
    ) -> DynamicMessage {
        if path.as_str().is_empty() {
            self.lines.note("", node.line);
        }
        let mut message = DynamicMessage::new(descriptor.clone());
        match &node.value {
            NodeValue::Map(entries) => {
                for (key, value) in entries {
                    self.field(&mut message, key, value, path);
                }
            }
            NodeValue::Text(_) if !shape(descriptor).shorthand.is_empty() => {
                if let Some(field) = descriptor.get_field_by_name(&shape(descriptor).shorthand) {
                    self.value(&mut message, &field, node, path);
                }
            }
            other @ (NodeValue::Null
            | NodeValue::Bool(_)
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::List(_)) => {
                let text = if shape(descriptor).shorthand.is_empty() { "" } else { "a text or " };
                let message = format!("must be {text}a mapping, not {}", other.words());
                self.report.at(node.line, path.as_str(), message);
            }
        }
        message
    }

    fn field(&mut self, message: &mut DynamicMessage, key: &Key, node: &Node, path: &mut Path) {
        let descriptor = message.descriptor();
        let Some(field) = descriptor.get_field_by_name(&key.text) else {
            let hint =
                if self.report.is_full() { String::new() } else { nearest_field(&descriptor, &key.text) };
            let message = format!("unknown field{hint}");
            path.in_field(&shortened(&key.text), |path| self.report.at(key.line, path.as_str(), message));
            return;
        };
        if rule(&field).output_only || node.value == NodeValue::Null {
            return;
        }
        path.in_field(field.name(), |path| {
            self.lines.note(path.as_str(), key.line);
            if let Some(other) = set_in_same_oneof(message, &field) {
                let message = format!("cannot stand beside {}; write one of them", quoted(other.name()));
                self.report.at(key.line, path.as_str(), message);
            }
            self.value(message, &field, node, path);
        });
    }

    /// Reads the value of a field of any cardinality.
    fn value(&mut self, message: &mut DynamicMessage, field: &FieldDescriptor, node: &Node, path: &mut Path) {
        let value = if field.is_map() {
            self.map(field, node, path)
        } else if field.is_list() {
            self.list(field, node, path)
        } else {
            self.single(field, node, path)
        };
        if let Some(value) = value {
            // A value of another type would panic in `set_field`; `try_set_field` turns our mistake into a violation.
            if message.try_set_field(field, value).is_err() {
                self.report.at(node.line, path.as_str(), "is of a type that cannot be read here");
            }
        }
    }

    fn list(&mut self, field: &FieldDescriptor, node: &Node, path: &mut Path) -> Option<Value> {
        let NodeValue::List(items) = &node.value else {
            return self.wrong_type("a list, like [x, y]", node, path);
        };
        let mut values = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            path.in_item(index, |path| {
                self.lines.note(path.as_str(), item.line);
                let value = self.single(field, item, path);
                values.push(value.unwrap_or_else(|| Value::default_value(&field.kind())));
            });
        }
        Some(Value::List(values))
    }

    fn map(&mut self, field: &FieldDescriptor, node: &Node, path: &mut Path) -> Option<Value> {
        let NodeValue::Map(entries) = &node.value else {
            return self.wrong_type("a mapping", node, path);
        };
        let Kind::Message(entry) = field.kind() else { return None };
        let value_field = entry.map_entry_value_field();
        let mut values = Vec::with_capacity(entries.len());
        for (key, item) in entries {
            path.in_entry(&key.text, |path| {
                self.lines.note(path.as_str(), key.line);
                let value = self.single(&value_field, item, path);
                values.extend(value.map(|value| (MapKey::String(key.text.clone()), value)));
            });
        }
        Some(Value::Map(values.into_iter().collect()))
    }

    /// Reads one value: a scalar, a message, or an element of a list.
    fn single(&mut self, field: &FieldDescriptor, node: &Node, path: &mut Path) -> Option<Value> {
        let kind = field.kind();
        let read = match kind.as_message().map(|descriptor| (descriptor, WellKnown::of(descriptor))) {
            None => read_scalar(&kind, rule(field), &node.value),
            Some((descriptor, Some(well_known))) => read_well_known(well_known, descriptor, &node.value),
            Some((descriptor, None)) => return Some(Value::Message(self.message(descriptor, node, path))),
        };
        match read {
            Ok(value) => Some(value),
            Err(message) => {
                self.report.at(node.line, path.as_str(), message);
                None
            }
        }
    }

    fn wrong_type(&mut self, expected: &str, node: &Node, path: &Path) -> Option<Value> {
        let message = format!("must be {expected}, not {}", node.value.words());
        self.report.at(node.line, path.as_str(), message);
        None
    }
}

/// Returns the field that setting this one would clear.
fn set_in_same_oneof(message: &DynamicMessage, field: &FieldDescriptor) -> Option<FieldDescriptor> {
    field.containing_oneof()?.fields().find(|other| other != field && message.has_field(other))
}

fn nearest_field(descriptor: &MessageDescriptor, name: &str) -> String {
    let known = descriptor.fields().filter(|field| !rule(field).output_only);
    let names: Vec<String> = known.map(|field| field.name().to_owned()).collect();
    hint(name, names.iter().map(String::as_str))
}
