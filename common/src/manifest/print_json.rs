//! Messages to JSON: what REST answers and what the command line prints.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind as FieldKind, MessageDescriptor, ReflectMessage, Value,
};
use prost_types::value::Kind as AnyKind;
use serde_json::{Map, Number, Value as Json};

use crate::resource::{Kind, SEALED_PLACEHOLDER};
use crate::time::UnixMillis;

use super::rules::{WellKnown, rule, shape};
use super::{not_yet_enforced, spec_descriptor, timestamp};

/// Converts a message to JSON by proto field names.
///
/// Fields that hold their default are written too (a time that is not set as null), but not inside of messages with
/// `shape.omit_defaults`; fields with presence that are not set never are. A reference with a short form is written in
/// it. Numbers of 64 bits are JSON numbers: ours stay below 2^53. A secret is written as "(sealed)", whatever it is.
#[must_use]
pub fn message_to_json(message: &DynamicMessage) -> Json {
    print_message(message, false)
}

/// Converts a resource to JSON: kind, name, spec, revision, times, and which of its fields nothing acts on yet. A spec
/// that cannot be decoded is null.
#[must_use]
pub fn resource_to_json(
    kind: Kind,
    name: &str,
    spec: &[u8],
    revision: u64,
    create: UnixMillis,
    update: UnixMillis,
) -> Json {
    let decoded = DynamicMessage::decode(spec_descriptor(kind), spec);
    let not_yet_enforced: Vec<Json> = not_yet_enforced(kind, spec).into_iter().map(Json::String).collect();
    let entries = [
        ("kind", Json::from(kind.as_str())),
        ("name", Json::from(name)),
        ("spec", decoded.map_or(Json::Null, |spec| message_to_json(&spec))),
        ("revision", Json::from(revision)),
        ("create_time", Json::from(create.to_rfc3339())),
        ("update_time", Json::from(update.to_rfc3339())),
        ("not_yet_enforced", Json::Array(not_yet_enforced)),
    ];
    Json::Object(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn print_message(message: &DynamicMessage, inherited: bool) -> Json {
    let descriptor = message.descriptor();
    if let Some(well_known) = WellKnown::of(&descriptor) {
        return print_well_known(well_known, message);
    }
    let omit_defaults = inherited || shape(&descriptor).omit_defaults;
    if let Some(text) = short_form(message, &descriptor) {
        return Json::String(text);
    }
    let mut entries = Map::new();
    for field in descriptor.fields() {
        let value = if message.has_field(&field) {
            print_field(&field, &message.get_field(&field), omit_defaults)
        } else if omit_defaults {
            continue;
        } else if is_timestamp(&field) {
            Json::Null
        } else if field.supports_presence() {
            continue;
        } else {
            print_field(&field, &field.default_value(), omit_defaults)
        };
        entries.insert(field.name().to_owned(), value);
    }
    Json::Object(entries)
}

/// Returns the text that stands for a message whose only field that is set is the one of its shorthand.
fn short_form(message: &DynamicMessage, descriptor: &MessageDescriptor) -> Option<String> {
    let field = descriptor.get_field_by_name(&shape(descriptor).shorthand)?;
    let mut fields = message.fields();
    let (only, value) = fields.next()?;
    (only == field && fields.next().is_none()).then(|| value.as_str().map(str::to_owned))?
}

fn is_timestamp(field: &FieldDescriptor) -> bool {
    let well_known = field.kind().as_message().and_then(WellKnown::of);
    well_known == Some(WellKnown::Timestamp) && !field.is_list() && field.containing_oneof().is_none()
}

fn print_field(field: &FieldDescriptor, value: &Value, omit_defaults: bool) -> Json {
    if rule(field).secret && value.as_str().is_some_and(|text| !text.is_empty()) {
        return Json::from(SEALED_PLACEHOLDER);
    }
    let Some(entries) = value.as_map() else { return print_value(field, value, omit_defaults) };
    let mut entries: Vec<_> = entries.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    let field =
        field.kind().as_message().map_or_else(|| field.clone(), MessageDescriptor::map_entry_value_field);
    let print = |value| print_value(&field, value, omit_defaults);
    Json::Object(entries.into_iter().map(|(key, value)| (map_key(key), print(value))).collect())
}

fn map_key(key: &prost_reflect::MapKey) -> String {
    key.as_str().map_or_else(|| Value::from(key.clone()).to_string(), str::to_owned)
}

fn print_value(field: &FieldDescriptor, value: &Value, omit_defaults: bool) -> Json {
    match value {
        Value::Bool(value) => Json::from(*value),
        Value::I32(number) => Json::from(*number),
        Value::I64(number) => Json::from(*number),
        Value::U32(number) => Json::from(*number),
        Value::U64(number) => Json::from(*number),
        Value::F32(number) => print_float(f64::from(*number)),
        Value::F64(number) => print_float(*number),
        Value::String(text) => Json::from(text.as_str()),
        Value::Bytes(bytes) => Json::from(STANDARD.encode(bytes)),
        Value::EnumNumber(number) => print_enum(field, *number),
        Value::Message(message) => print_message(message, omit_defaults),
        Value::List(items) => items.iter().map(|item| print_value(field, item, omit_defaults)).collect(),
        // A map stands in a field, never in a list or in another map.
        Value::Map(_) => Json::Null,
    }
}

fn print_enum(field: &FieldDescriptor, number: i32) -> Json {
    let kind: FieldKind = field.kind();
    let value = kind.as_enum().and_then(|descriptor| descriptor.get_value(number));
    value.map_or_else(|| Json::from(number), |value| Json::from(value.name()))
}

/// Writes whole numbers without a point, as people wrote them; the rest as short as they can be read back.
fn print_float(number: f64) -> Json {
    let is_whole = number.fract() == 0.0 && number.abs() < 9_007_199_254_740_992.0;
    if is_whole && !(number == 0.0 && number.is_sign_negative()) {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, as was just proven")]
        return Json::from(number as i64);
    }
    // Proto3 JSON's words for what JSON numbers cannot say.
    Number::from_f64(number).map_or_else(|| Json::from(number.to_string()), Json::Number)
}

fn print_well_known(well_known: WellKnown, message: &DynamicMessage) -> Json {
    match well_known {
        WellKnown::Timestamp => message
            .transcode_to::<prost_types::Timestamp>()
            .map_or(Json::Null, |time| Json::from(timestamp::to_text(&time))),
        WellKnown::Value => {
            message.transcode_to::<prost_types::Value>().map_or(Json::Null, |value| print_any(&value))
        }
    }
}

fn print_any(value: &prost_types::Value) -> Json {
    match &value.kind {
        None | Some(AnyKind::NullValue(_)) => Json::Null,
        Some(AnyKind::BoolValue(value)) => Json::from(*value),
        Some(AnyKind::NumberValue(number)) => print_float(*number),
        Some(AnyKind::StringValue(text)) => Json::from(text.as_str()),
        Some(AnyKind::ListValue(list)) => list.values.iter().map(print_any).collect(),
        Some(AnyKind::StructValue(entries)) => {
            Json::Object(entries.fields.iter().map(|(key, value)| (key.clone(), print_any(value))).collect())
        }
    }
}
