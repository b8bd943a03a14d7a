//! What the options say of a spec that is not a rule to check: references, secrets, what nothing enforces yet.

use breakwater_proto::v1::FieldRule;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, ReflectMessage, Value};

use crate::resource::{Kind, Reference};

use super::check::text_field;
use super::path::Path;
use super::rules::{WellKnown, rule, shape};
use super::spec_descriptor;

/// Whether a walk goes on below a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Below {
    Visit,
    Skip,
}

/// What a walk calls at each field that is set.
type Visit<'a> = dyn FnMut(&FieldDescriptor, &'static FieldRule, &Value, &str) -> Below + 'a;

/// Returns the paths of all fields that are set and that nothing acts on yet, in the order of the proto file. Below such
/// a field nothing more is named. Bytes that are no spec have none.
#[must_use]
pub fn not_yet_enforced(kind: Kind, spec: &[u8]) -> Vec<String> {
    let mut paths = Vec::new();
    visit_spec(kind, spec, &mut |_, rule, _, path| {
        if rule.not_yet_enforced {
            paths.push(path.to_owned());
            return Below::Skip;
        }
        Below::Visit
    });
    paths
}

/// Returns all references to other resources, also those in endpoints written in place and in rules. The path of a
/// reference that can be written short is that of the short form: `spec.endpoint`, not `spec.endpoint.name`.
#[must_use]
pub fn references(kind: Kind, spec: &[u8]) -> Vec<Reference> {
    let mut references = Vec::new();
    visit_spec(kind, spec, &mut |field, rule, value, path| {
        let Some(kind) = Kind::parse(&rule.references) else { return Below::Visit };
        let is_short = shape(field.parent_message()).shorthand == field.name();
        let short = path.strip_suffix(field.name()).and_then(|path| path.strip_suffix('.'));
        let path = short.filter(|_| is_short).unwrap_or(path);
        let mut add = |field_path: String, name: &str| {
            if !name.is_empty() {
                references.push(Reference { field_path, kind, name: name.to_owned() });
            }
        };
        if let Some(name) = value.as_str() {
            add(path.to_owned(), name);
        }
        for (index, name) in value.as_list().unwrap_or_default().iter().enumerate() {
            add(format!("{path}[{index}]"), name.as_str().unwrap_or_default());
        }
        Below::Skip
    });
    references
}

/// Replaces every secret that is set by what `f` makes of it, and returns the new spec.
///
/// `f` is given the field's path, in which elements of lists stand by their name (`spec.credentials[main].api_key`), so
/// that it stays the same when the list changes its order. Bytes that are no spec come back as they are:
/// [`check_spec`](super::check_spec) says what is wrong with them.
///
/// # Errors
/// The first that `f` returns.
pub fn map_secrets<E>(
    kind: Kind,
    spec: &[u8],
    f: &mut dyn FnMut(&str, &str) -> Result<String, E>,
) -> Result<Vec<u8>, E> {
    let Ok(mut message) = DynamicMessage::decode(spec_descriptor(kind), spec) else {
        return Ok(spec.to_vec());
    };
    map_message(&mut message, &mut Path::at("spec"), f)?;
    Ok(message.encode_to_vec())
}

fn map_message<E>(
    message: &mut DynamicMessage,
    path: &mut Path,
    f: &mut dyn FnMut(&str, &str) -> Result<String, E>,
) -> Result<(), E> {
    for (field, value) in message.fields_mut() {
        path.in_field(field.name(), |path| {
            if let Value::String(text) = value {
                if rule(&field).secret {
                    *text = f(path.as_str(), text)?;
                }
            } else if let Value::Message(inner) = value {
                map_message(inner, path, f)?;
            } else if let Value::List(items) = value {
                for (index, item) in items.iter_mut().enumerate() {
                    let Value::Message(inner) = item else { continue };
                    let entry = name_of(inner).unwrap_or_else(|| index.to_string());
                    path.in_entry(&entry, |path| map_message(inner, path, f))?;
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn name_of(message: &DynamicMessage) -> Option<String> {
    let field = message.descriptor().get_field_by_name("name")?;
    text_field(message, &field).map(str::to_owned)
}

fn visit_spec(kind: Kind, spec: &[u8], visit: &mut Visit<'_>) {
    if let Ok(message) = DynamicMessage::decode(spec_descriptor(kind), spec) {
        visit_message(&message, &mut Path::at("spec"), visit);
    }
}

fn visit_message(message: &DynamicMessage, path: &mut Path, visit: &mut Visit<'_>) {
    for (field, value) in message.fields() {
        path.in_field(field.name(), |path| {
            if visit(&field, rule(&field), value, path.as_str()) == Below::Skip {
                return;
            }
            if let Some(inner) = value.as_message() {
                visit_inner(inner, path, visit);
            }
            for (index, item) in value.as_list().unwrap_or_default().iter().enumerate() {
                if let Some(inner) = item.as_message() {
                    path.in_item(index, |path| visit_inner(inner, path, visit));
                }
            }
        });
    }
}

fn visit_inner(message: &DynamicMessage, path: &mut Path, visit: &mut Visit<'_>) {
    match WellKnown::of(&message.descriptor()) {
        Some(WellKnown::Timestamp | WellKnown::Value) => {}
        None => visit_message(message, path, visit),
    }
}
