//! Single values: a node for a scalar field or a well-known message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use breakwater_proto::v1::{FieldRule, Unit};
use prost::Message;
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, Value};
use prost_types::value::Kind as AnyKind;

use super::node::{Node, NodeValue};
use super::report::quoted;
use super::rules::WellKnown;
use super::timestamp;

/// Whole numbers beyond this are not exact as JSON numbers (RFC 8259, section 6).
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// Reads a scalar.
///
/// # Errors
/// What must stand here instead.
pub(super) fn read_scalar(kind: &Kind, rule: &FieldRule, node: &NodeValue) -> Result<Value, String> {
    match kind {
        Kind::String => text(rule, node).map(Value::String),
        Kind::Bool => match node {
            NodeValue::Bool(value) => Ok(Value::Bool(*value)),
            NodeValue::Null
            | NodeValue::Number(_)
            | NodeValue::Text(_)
            | NodeValue::List(_)
            | NodeValue::Map(_) => Err(format!("must be true or false, not {}", shown(rule, node))),
        },
        Kind::Double => float(rule, node).map(Value::F64),
        #[expect(clippy::cast_possible_truncation, reason = "a float field holds the nearest float")]
        Kind::Float => float(rule, node).map(|value| Value::F32(value as f32)),
        Kind::Uint32 | Kind::Fixed32 => integer::<u32>(rule, node, u32::MIN, u32::MAX).map(Value::U32),
        Kind::Uint64 | Kind::Fixed64 => integer::<u64>(rule, node, u64::MIN, u64::MAX).map(Value::U64),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            integer::<i32>(rule, node, i32::MIN, i32::MAX).map(Value::I32)
        }
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            integer::<i64>(rule, node, i64::MIN, i64::MAX).map(Value::I64)
        }
        Kind::Bytes => {
            let bytes = node.as_text().and_then(|text| STANDARD.decode(text).ok());
            bytes.map(|bytes| Value::Bytes(bytes.into())).ok_or_else(|| "must be a text in base64".to_owned())
        }
        Kind::Enum(descriptor) => enumeration(descriptor, rule, node),
        Kind::Message(_) => Err("must be a mapping".to_owned()),
    }
}

/// Reads a message that has a form of its own.
///
/// # Errors
/// What must stand here instead.
pub(super) fn read_well_known(
    well_known: WellKnown,
    descriptor: &MessageDescriptor,
    node: &NodeValue,
) -> Result<Value, String> {
    let bytes = match well_known {
        WellKnown::Timestamp => {
            let time = node.as_text().and_then(timestamp::parse);
            time.ok_or("must be a time like \"2026-11-20T14:35:00Z\"")?.encode_to_vec()
        }
        WellKnown::Value => any(node)?.encode_to_vec(),
    };
    DynamicMessage::decode(descriptor.clone(), bytes.as_slice())
        .map(Value::Message)
        .map_err(|error| format!("cannot be read: {error}"))
}

fn text(rule: &FieldRule, node: &NodeValue) -> Result<String, String> {
    match node {
        NodeValue::Text(text) => Ok(text.clone()),
        // A bare number where a quantity belongs lacks its unit; the check of units says so better than we can here.
        NodeValue::Number(text) if rule.unit() != Unit::Unspecified => Ok(text.clone()),
        NodeValue::Number(text) if !rule.secret => {
            Err(format!("must be a text, not a number; write it in quotes: {}", quoted(text)))
        }
        NodeValue::Bool(value) if !rule.secret => {
            Err(format!("must be a text, not a boolean; write it in quotes: \"{value}\""))
        }
        NodeValue::Null
        | NodeValue::Bool(_)
        | NodeValue::Number(_)
        | NodeValue::List(_)
        | NodeValue::Map(_) => Err(format!("must be a text, not {}", node.words())),
    }
}

fn float(rule: &FieldRule, node: &NodeValue) -> Result<f64, String> {
    number_text(node)
        .and_then(|text| text.parse::<f64>().ok())
        .filter(|value| value.is_finite())
        .ok_or_else(|| format!("must be a number, not {}", shown(rule, node)))
}

fn integer<T: std::str::FromStr + TryFrom<i64> + std::fmt::Display>(
    rule: &FieldRule,
    node: &NodeValue,
    min: T,
    max: T,
) -> Result<T, String> {
    let read = number_text(node).and_then(|text| text.parse::<T>().ok().or_else(|| whole_float(text)));
    read.ok_or_else(|| format!("must be a whole number from {min} to {max}, not {}", shown(rule, node)))
}

/// Reads `5.0` and `1e3` as whole numbers, as proto3 JSON does.
fn whole_float<T: TryFrom<i64>>(text: &str) -> Option<T> {
    let value = text.parse::<f64>().ok()?;
    if value.fract() != 0.0 || value.abs() > EXACT_MAX {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53, as was just proven")]
    T::try_from(value as i64).ok()
}

/// Numbers may stand as text, as in proto3 JSON: 64 bits do not fit every JSON reader.
fn number_text(node: &NodeValue) -> Option<&str> {
    match node {
        NodeValue::Number(text) => Some(text),
        NodeValue::Text(text) if text.starts_with(|c: char| c.is_ascii_digit() || c == '-') => Some(text),
        NodeValue::Null
        | NodeValue::Bool(_)
        | NodeValue::Text(_)
        | NodeValue::List(_)
        | NodeValue::Map(_) => None,
    }
}

fn enumeration(descriptor: &EnumDescriptor, rule: &FieldRule, node: &NodeValue) -> Result<Value, String> {
    let by_number = || descriptor.get_value(number_text(node)?.parse().ok()?);
    let value = node.as_text().and_then(|name| descriptor.get_value_by_name(name)).or_else(by_number);
    let names = || descriptor.values().map(|value| value.name().to_owned()).collect::<Vec<_>>().join(", ");
    value
        .map(|value| Value::EnumNumber(value.number()))
        .ok_or_else(|| format!("must be one of {}, not {}", names(), shown(rule, node)))
}

/// `google.protobuf.Value`, without mappings: their order would be chance, and no field of ours wants them.
fn any(node: &NodeValue) -> Result<prost_types::Value, String> {
    let kind = match node {
        NodeValue::Bool(value) => AnyKind::BoolValue(*value),
        NodeValue::Number(text) => AnyKind::NumberValue(
            text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or("must be a finite number")?,
        ),
        NodeValue::Text(text) => AnyKind::StringValue(text.clone()),
        NodeValue::List(items) => AnyKind::ListValue(prost_types::ListValue {
            values: items.iter().map(|Node { value, .. }| any(value)).collect::<Result<_, _>>()?,
        }),
        NodeValue::Null | NodeValue::Map(_) => {
            return Err(format!("must be a text, a number, a boolean or a list, not {}", node.words()));
        }
    };
    Ok(prost_types::Value { kind: Some(kind) })
}

/// Shows what stands there; of a secret only its type.
fn shown(rule: &FieldRule, node: &NodeValue) -> String {
    match node {
        NodeValue::Text(text) | NodeValue::Number(text) if !rule.secret => quoted(text),
        NodeValue::Null
        | NodeValue::Bool(_)
        | NodeValue::Number(_)
        | NodeValue::Text(_)
        | NodeValue::List(_)
        | NodeValue::Map(_) => node.words().to_owned(),
    }
}
