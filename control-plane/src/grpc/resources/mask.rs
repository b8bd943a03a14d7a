//! Field masks: which fields of a spec an update takes from the request.

use breakwater_common::manifest::spec_descriptor;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;
use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

/// Lays the masked fields of `given` over `stored`. A field that is masked and not set in `given` is cleared.
pub(super) fn overlay(
    kind: Kind,
    mask: &str,
    stored: &[u8],
    given: &[u8],
) -> Result<Vec<u8>, Vec<Violation>> {
    let decode = |spec: &[u8]| {
        DynamicMessage::decode(spec_descriptor(kind), spec)
            .map_err(|_| vec![Violation::at("spec", "the spec does not decode")])
    };
    let (mut result, given) = (decode(stored)?, decode(given)?);
    let mut violations = Vec::new();
    for path in mask.split(',').map(str::trim) {
        match path.strip_prefix("spec") {
            Some("") => result = given.clone(),
            Some(rest) if rest.starts_with('.') => {
                let parts: Vec<&str> = rest.split('.').skip(1).collect();
                if copy(&mut result, &given, &parts).is_none() {
                    violations.push(unknown(kind, path));
                }
            }
            _ => violations.push(unknown(kind, path)),
        }
    }
    if violations.is_empty() { Ok(result.encode_to_vec()) } else { Err(violations) }
}

fn copy(into: &mut DynamicMessage, from: &DynamicMessage, path: &[&str]) -> Option<()> {
    let (first, rest) = path.split_first()?;
    let field = into.descriptor().get_field_by_name(first)?;
    if rest.is_empty() {
        if from.has_field(&field) {
            into.set_field(&field, from.get_field(&field).into_owned());
        } else {
            into.clear_field(&field);
        }
        return Some(());
    }
    let message = field.kind().as_message().filter(|_| !field.is_list() && !field.is_map())?.clone();
    let inner_from = match from.get_field(&field).as_ref() {
        Value::Message(inner) if from.has_field(&field) => inner.clone(),
        _ => DynamicMessage::new(message.clone()),
    };
    let mut inner_into = match into.get_field(&field).as_ref() {
        Value::Message(inner) if into.has_field(&field) => inner.clone(),
        _ => DynamicMessage::new(message),
    };
    copy(&mut inner_into, &inner_from, rest)?;
    into.set_field(&field, Value::Message(inner_into));
    Some(())
}

fn unknown(kind: Kind, path: &str) -> Violation {
    let known: Vec<String> =
        spec_descriptor(kind).fields().map(|field| format!("spec.{}", field.name())).collect();
    Violation::at("update_mask", format!("no field {path:?}; known are: {}", known.join(", ")))
}
