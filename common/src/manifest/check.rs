//! The rules of the proto files against a message: required, bounds, units, words, names, URLs, lengths, oneofs.

use std::collections::BTreeSet;

use breakwater_proto::v1::{FieldRule, Unit};
use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, ReflectMessage, Value};

use crate::limits::{LIST_LEN_DEFAULT_MAX, RESOURCE_BYTES_MAX};
use crate::resource::Kind;
use crate::violation::Violation;

use super::check_text::check_text;
use super::path::Path;
use super::report::{Report, quoted};
use super::rules::{WellKnown, rule, shape};
use super::{resource_descriptor, spec_descriptor};

/// Checks a resource by every rule of its fields. Paths start with `spec.`; the name's is `name`.
///
/// Rules that need other resources are not checked here: see [`check_references`](crate::resource).
#[must_use]
pub fn check_spec(kind: Kind, name: &str, spec: &[u8]) -> Vec<Violation> {
    let resource = title(kind, name);
    let mut violations = report_spec(kind, name, spec).finish();
    violations.iter_mut().for_each(|violation| violation.resource.clone_from(&resource));
    violations
}

/// Returns how messages call a resource: `Kind/name`, or only its kind while it has no name.
pub(super) fn title(kind: Kind, name: &str) -> String {
    if name.is_empty() { kind.as_str().to_owned() } else { format!("{}/{name}", kind.as_str()) }
}

/// Does what [`check_spec`] does, and leaves the resource out.
pub(super) fn report_spec(kind: Kind, name: &str, spec: &[u8]) -> Report {
    let mut report = Report::default();
    if let Some(field) = resource_descriptor(kind).get_field_by_name("name") {
        let value = Value::String(name.to_owned());
        check_field(&field, (!name.is_empty()).then_some(&value), &mut Path::at("name"), &mut report);
    }
    if spec.len() > RESOURCE_BYTES_MAX {
        report.at(0, "spec", format!("takes {} bytes; at most {RESOURCE_BYTES_MAX} are stored", spec.len()));
    }
    match DynamicMessage::decode(spec_descriptor(kind), spec) {
        Ok(message) => check_fields(&message, &mut Path::at("spec"), &mut report),
        Err(error) => report.at(0, "spec", format!("is not an encoded {}Spec: {error}", kind.as_str())),
    }
    report
}

/// Checks any message, a request's for one, by every rule of its fields. Paths start at the message.
#[must_use]
pub fn check_message(message: &DynamicMessage) -> Vec<Violation> {
    let mut report = Report::default();
    check_fields(message, &mut Path::default(), &mut report);
    report.finish()
}

fn check_fields(message: &DynamicMessage, path: &mut Path, report: &mut Report) {
    let descriptor = message.descriptor();
    for field in descriptor.fields().filter(|field| !rule(field).output_only) {
        let value = message.has_field(&field).then(|| message.get_field(&field));
        path.in_field(field.name(), |path| {
            check_field(&field, value.as_deref(), path, report);
            check_kind(&descriptor, &field, value.as_deref(), path, report);
        });
    }
    if shape(&descriptor).oneof_required {
        check_oneofs(message, &descriptor, path, report);
    }
}

fn check_oneofs(message: &DynamicMessage, descriptor: &MessageDescriptor, path: &Path, report: &mut Report) {
    for oneof in descriptor.oneofs().filter(|oneof| !oneof.is_synthetic()) {
        if !oneof.fields().any(|field| message.has_field(&field)) {
            let names: Vec<String> = oneof.fields().map(|field| field.name().to_owned()).collect();
            report.at(0, path.as_str(), format!("needs exactly one of {}", names.join(", ")));
        }
    }
}

/// The `kind` of a resource, where it is said, is the name of its message.
fn check_kind(
    descriptor: &MessageDescriptor,
    field: &FieldDescriptor,
    value: Option<&Value>,
    path: &Path,
    report: &mut Report,
) {
    let is_resource = Kind::parse(descriptor.name()).is_some() && field.name() == "kind";
    if let Some(word) = value.and_then(Value::as_str).filter(|word| is_resource && *word != descriptor.name())
    {
        report.at(0, path.as_str(), format!("must be \"{}\" here, not {}", descriptor.name(), quoted(word)));
    }
}

/// Checks a field; none is a field that is not set, or empty.
fn check_field(field: &FieldDescriptor, value: Option<&Value>, path: &mut Path, report: &mut Report) {
    let rule = rule(field);
    match value {
        None if rule.required => {
            let hint = if field.is_list() { "; give at least one" } else { "" };
            report.at(0, path.as_str(), format!("is required{hint}"));
        }
        None => {}
        Some(Value::List(items)) => check_list(field, rule, items, path, report),
        Some(Value::Map(entries)) => {
            check_length(rule, entries.len(), path, report);
            let mut entries: Vec<_> = entries.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            for (key, value) in entries {
                let free = FieldRule::default();
                if let Some(key) = key.as_str() {
                    check_text(&free, key, path, report);
                    path.in_entry(key, |path| check_value(&free, value, path, report));
                }
            }
        }
        Some(value) => check_value(rule, value, path, report),
    }
}

fn check_length(rule: &FieldRule, length: usize, path: &Path, report: &mut Report) {
    let max = rule.max_len.and_then(|max| usize::try_from(max).ok()).unwrap_or(LIST_LEN_DEFAULT_MAX);
    if length > max {
        report.at(0, path.as_str(), format!("has {length} elements; at most {max} are allowed"));
    }
}

fn check_list(
    field: &FieldDescriptor,
    rule: &FieldRule,
    items: &[Value],
    path: &mut Path,
    report: &mut Report,
) {
    check_length(rule, items.len(), path, report);
    // In a list, `max_len` bounds the list; its texts have the default bound.
    let item_rule = FieldRule { max_len: None, ..rule.clone() };
    let mut names = BTreeSet::new();
    let unique = field.kind().as_message().and_then(unique_name_field);
    for (index, item) in items.iter().enumerate() {
        path.in_item(index, |path| {
            if item.as_str() == Some("") {
                report.at(0, path.as_str(), "must not be empty");
                return;
            }
            check_value(&item_rule, item, path, report);
            let name =
                unique.as_ref().zip(item.as_message()).and_then(|(unique, item)| text_field(item, unique));
            if let Some(twice) = name.filter(|name| !name.is_empty() && !names.insert(*name)) {
                let message = format!("{} is given twice in this list", quoted(twice));
                path.in_field("name", |path| report.at(0, path.as_str(), message));
            }
        });
    }
}

/// Elements that have a name, by rule, are told apart by it.
fn unique_name_field(element: &MessageDescriptor) -> Option<FieldDescriptor> {
    element.get_field_by_name("name").filter(|field| rule(field).name)
}

/// Returns the text of a field that is set.
pub(super) fn text_field<'a>(message: &'a DynamicMessage, field: &FieldDescriptor) -> Option<&'a str> {
    message.fields().find(|(other, _)| other == field).and_then(|(_, value)| value.as_str())
}

fn check_value(rule: &FieldRule, value: &Value, path: &mut Path, report: &mut Report) {
    match value {
        Value::Message(message) => match WellKnown::of(&message.descriptor()) {
            Some(WellKnown::Timestamp) => {}
            Some(WellKnown::Value) => check_any(message, path, report),
            None => check_fields(message, path, report),
        },
        Value::String(text) => check_text(rule, text, path, report),
        Value::U32(number) => check_bounds(rule, f64::from(*number), path, report),
        Value::I32(number) => check_bounds(rule, f64::from(*number), path, report),
        Value::F32(number) => check_bounds(rule, f64::from(*number), path, report),
        Value::F64(number) => check_bounds(rule, *number, path, report),
        #[expect(clippy::cast_precision_loss, reason = "bounds are far below 2^53")]
        Value::U64(number) => check_bounds(rule, *number as f64, path, report),
        #[expect(clippy::cast_precision_loss, reason = "bounds are far below 2^53")]
        Value::I64(number) => check_bounds(rule, *number as f64, path, report),
        Value::Bool(_) | Value::Bytes(_) | Value::EnumNumber(_) | Value::List(_) | Value::Map(_) => {}
    }
}

/// Checks the texts in a `google.protobuf.Value` and the length of its list.
fn check_any(message: &DynamicMessage, path: &mut Path, report: &mut Report) {
    use prost_types::value::Kind as AnyKind;
    let Ok(value) = message.transcode_to::<prost_types::Value>() else { return };
    let free = FieldRule::default();
    match value.kind {
        Some(AnyKind::StringValue(text)) => check_text(&free, &text, path, report),
        Some(AnyKind::ListValue(list)) => {
            check_length(&free, list.values.len(), path, report);
            for (index, item) in list.values.iter().enumerate() {
                path.in_item(index, |path| match &item.kind {
                    Some(AnyKind::StringValue(text)) => check_text(&free, text, path, report),
                    Some(AnyKind::NumberValue(_) | AnyKind::BoolValue(_)) => {}
                    Some(AnyKind::ListValue(_) | AnyKind::StructValue(_) | AnyKind::NullValue(_)) | None => {
                        report.at(0, path.as_str(), "must be a text, a number or a boolean");
                    }
                });
            }
        }
        Some(AnyKind::NumberValue(number)) => check_bounds(&free, number, path, report),
        Some(AnyKind::StructValue(_)) => {
            report.at(0, path.as_str(), "must be a text, a number, a boolean or a list");
        }
        Some(AnyKind::BoolValue(_) | AnyKind::NullValue(_)) | None => {}
    }
}

fn check_bounds(rule: &FieldRule, number: f64, path: &Path, report: &mut Report) {
    if let Some(message) = outside(rule, number, &number.to_string()) {
        report.at(0, path.as_str(), message);
    }
}

/// Says which bound a number breaks: `must be from 1 to 1000, not 0`.
pub(super) fn outside(rule: &FieldRule, number: f64, written: &str) -> Option<String> {
    let written = if rule.unit() == Unit::Unspecified { written.to_owned() } else { quoted(written) };
    let inside =
        number >= rule.min.unwrap_or(f64::NEG_INFINITY) && number <= rule.max.unwrap_or(f64::INFINITY);
    if !number.is_finite() {
        return Some("must be a finite number".to_owned());
    }
    if inside {
        return None;
    }
    let shown = |bound| super::check_text::in_unit(rule.unit(), bound);
    Some(match (rule.min.map(shown), rule.max.map(shown)) {
        (Some(min), Some(max)) => format!("must be from {min} to {max}, not {written}"),
        (Some(min), None) => format!("must be at least {min}, not {written}"),
        (None, Some(max)) => format!("must be at most {max}, not {written}"),
        (None, None) => return None,
    })
}
