//! Google's own way to write a schema (a part of OpenAPI 3.0) turned into JSON Schema.

use serde_json::{Map, Value};

use super::fields::wrong;
use crate::ir::{Json, Refused};
use crate::json::Place;

/// Types by their numbers in google.ai.generativelanguage.v1beta.
const TYPES: [&str; 8] = ["", "string", "number", "integer", "boolean", "array", "object", "null"];

/// Members that count: as texts, because proto3's JSON writes numbers of 64 bits so.
const COUNTS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// Deeper is no schema of a person. serde stops at 128 as well.
const DEPTH_MAX: usize = 100;

/// Turns a schema.
pub(super) fn json_schema(schema: Place<'_>, at: &str) -> Result<Json, Refused> {
    let Ok(Value::Object(members)) = serde_json::from_str(schema.source()) else {
        return Err(wrong(at, "must be an object"));
    };
    let turned = turn(members, DEPTH_MAX).ok_or_else(|| wrong(at, "is nested too deeply"))?;
    Ok(super::fields::json(turned.to_string()))
}

fn turn(members: Map<String, Value>, depth: usize) -> Option<Value> {
    let depth = depth.checked_sub(1)?;
    let mut turned = Map::new();
    let mut nullable = false;
    for (key, value) in members {
        let key = camel(&key);
        let value = match (key.as_str(), value) {
            ("type", value) => match type_of(&value) {
                Some(word) => word,
                None => continue,
            },
            ("nullable", value) => {
                nullable = value == Value::Bool(true);
                continue;
            }
            // Only Google's: in which order members are written.
            ("propertyOrdering", _) => continue,
            ("example", value) => {
                turned.insert("examples".to_owned(), Value::Array(vec![value]));
                continue;
            }
            ("properties" | "defs" | "$defs", Value::Object(properties)) => {
                let mut all = Map::new();
                for (name, property) in properties {
                    all.insert(name, any(property, depth)?);
                }
                Value::Object(all)
            }
            ("items" | "additionalProperties", value) => any(value, depth)?,
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(list)) => {
                Value::Array(list.into_iter().map(|one| any(one, depth)).collect::<Option<_>>()?)
            }
            (key, Value::String(count)) if COUNTS.contains(&key) => {
                count.parse::<u64>().map_or(Value::String(count), Value::from)
            }
            (_, value) => value,
        };
        turned.insert(key, value);
    }
    if nullable {
        let_be_null(&mut turned);
    }
    Some(Value::Object(turned))
}

fn any(value: Value, depth: usize) -> Option<Value> {
    if let Value::Object(members) = value { turn(members, depth) } else { Some(value) }
}

/// Names in snake case; those of JSON Schema itself (`$ref`) stay.
fn camel(key: &str) -> String {
    let known = ["any_of", "one_of", "all_of", "prefix_items", "property_ordering", "additional_properties"];
    let counts = ["min_items", "max_items", "min_length", "max_length", "min_properties", "max_properties"];
    if !known.contains(&key) && !counts.contains(&key) {
        return key.to_owned();
    }
    let mut words = key.split('_');
    let mut name = words.next().unwrap_or_default().to_owned();
    for word in words {
        name.push_str(&word.get(..1).unwrap_or_default().to_ascii_uppercase());
        name.push_str(word.get(1..).unwrap_or_default());
    }
    name
}

fn type_of(value: &Value) -> Option<Value> {
    match value {
        Value::String(word) if word == "TYPE_UNSPECIFIED" || word.is_empty() => None,
        Value::String(word) => Some(Value::String(word.to_ascii_lowercase())),
        Value::Number(number) => {
            let word = TYPES.get(usize::try_from(number.as_u64()?).ok()?)?;
            (!word.is_empty()).then(|| Value::from(*word))
        }
        Value::Array(words) => Some(Value::Array(words.iter().filter_map(type_of).collect())),
        Value::Null | Value::Bool(_) | Value::Object(_) => Some(value.clone()),
    }
}

fn let_be_null(schema: &mut Map<String, Value>) {
    if let Some(word @ Value::String(_)) = schema.get("type") {
        let both = Value::Array(vec![word.clone(), Value::from("null")]);
        schema.insert("type".to_owned(), both);
    }
    if let Some(Value::Array(words)) = schema.get_mut("enum")
        && !words.contains(&Value::Null)
    {
        words.push(Value::Null);
    }
    if let Some(Value::Array(ways)) = schema.get_mut("anyOf") {
        ways.push(serde_json::json!({"type": "null"}));
    }
}
