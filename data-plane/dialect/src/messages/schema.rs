//! JSON Schemas as Anthropic takes them.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::ir::Json;
use crate::json::{Edits, Place};

/// Returns the schema of a tool's arguments in source: an object that says `"type":"object"`, whose members are not null
/// (bug 23). All else, `$defs` among it, stays as it came.
pub(super) fn arguments(schema: Option<&RawValue>) -> Json {
    const NOTHING: &str = r#"{"type":"object","properties":{}}"#;
    let source = schema.map(RawValue::get).unwrap_or_default();
    let root = Place::root(source);
    let normal = if source.is_empty() || !root.is_object() {
        NOTHING.to_owned()
    } else {
        let mut edits = Edits::default();
        edits.remove_members(&root, |member| {
            member.value.is_null() || (member.key == "type" && !is_object_type(member.value))
        });
        let normal = edits.apply(source);
        let root = Place::root(&normal);
        if root.get("type").is_some() {
            normal
        } else if root.members().next().is_none() {
            NOTHING.to_owned()
        } else {
            let inside = normal.get(root.range().start + 1..).unwrap_or_default();
            format!(r#"{{"type":"object",{}"#, inside.trim_start())
        }
    };
    RawValue::from_string(normal).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn is_object_type(value: Place<'_>) -> bool {
    value.as_str().is_some_and(|word| word == "object")
}

/// Formats of texts that the provider can hold an answer to (source: anthropic 2.11, `transform_schema`).
const FORMATS: &[&str] =
    &["date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"];

/// Members of a schema that the provider understands, beside those of single types.
const KNOWN: &[&str] = &[
    "$ref",
    "$defs",
    "definitions",
    "type",
    "anyOf",
    "allOf",
    "enum",
    "const",
    "description",
    "title",
    "properties",
    "required",
    "items",
    "default",
    "additionalProperties",
];

/// Returns the schema of an answer as the provider can hold an answer to it: objects are closed, `oneOf` is `anyOf`, and
/// bounds that it does not know stand in the description, where the model reads them. Anthropic's own SDKs do the same.
/// None if the schema asks for members that it does not name: closed, no answer could hold them.
pub(super) fn answer(schema: &RawValue) -> Option<Json> {
    let Ok(before) = serde_json::from_str::<Value>(schema.get()) else { return Some(schema.to_owned()) };
    if has_map(&before) {
        return None;
    }
    let after = strict(before.clone());
    if after == before {
        return Some(schema.to_owned());
    }
    Some(serde_json::value::to_raw_value(&after).unwrap_or_else(|_| schema.to_owned()))
}

/// Whether some object of the schema is a map: it says of which kind members are that it does not name, or names none at all.
fn has_map(schema: &Value) -> bool {
    let Value::Object(members) = schema else { return false };
    let filled =
        |key: &str| members.get(key).is_some_and(|value| value.as_object().is_some_and(|it| !it.is_empty()));
    let elsewhere = ["$ref", "anyOf", "oneOf", "allOf"].iter().any(|key| members.contains_key(*key));
    let nameless =
        members.get("type").is_some_and(|kind| kind == "object") && !filled("properties") && !elsewhere;
    let is_map = match members.get("additionalProperties") {
        Some(Value::Object(_)) => true,
        Some(Value::Bool(false)) => false,
        Some(_) | None => nameless,
    };
    let inside = |key: &str, value: &Value| match (key, value) {
        ("properties" | "$defs" | "definitions", Value::Object(inner)) => inner.values().any(has_map),
        ("anyOf" | "oneOf" | "allOf", Value::Array(options)) => options.iter().any(has_map),
        ("items", value) => has_map(value),
        _ => false,
    };
    is_map || filled("patternProperties") || members.iter().any(|(key, value)| inside(key, value))
}

/// Whether the provider can hold arguments to this schema as it is.
pub(super) fn is_strict(schema: &RawValue) -> bool {
    serde_json::from_str::<Value>(schema.get()).is_ok_and(|before| strict(before.clone()) == before)
}

fn strict(schema: Value) -> Value {
    let Value::Object(members) = schema else { return schema };
    let mut kept = Map::new();
    let mut told: Vec<String> = Vec::new();
    let is_object =
        members.get("type").is_some_and(|kind| kind == "object") || members.contains_key("properties");
    for (key, value) in members {
        match (key.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(inner)) => {
                let inner = inner.into_iter().map(|(name, schema)| (name, strict(schema))).collect();
                kept.insert(key, Value::Object(inner));
            }
            ("anyOf" | "oneOf" | "allOf", Value::Array(options)) => {
                let key = if key == "oneOf" { "anyOf".to_owned() } else { key };
                kept.insert(key, Value::Array(options.into_iter().map(strict).collect()));
            }
            ("items", value) => {
                kept.insert(key, strict(value));
            }
            ("additionalProperties", _) if is_object => {
                kept.insert(key, Value::Bool(false));
            }
            (_, value) if understood(&key, &value) => {
                kept.insert(key, value);
            }
            (_, value) => told.push(format!("{key}: {value}")),
        }
    }
    if is_object && !kept.contains_key("additionalProperties") {
        kept.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
    if !told.is_empty() {
        let told = format!("{{{}}}", told.join(", "));
        let description = match kept.get("description").and_then(Value::as_str) {
            Some(description) => format!("{description}\n\n{told}"),
            None => told,
        };
        kept.insert("description".to_owned(), Value::String(description));
    }
    Value::Object(kept)
}

fn understood(key: &str, value: &Value) -> bool {
    match key {
        "format" => value.as_str().is_some_and(|format| FORMATS.contains(&format)),
        "minItems" => value.as_u64().is_some_and(|least| least <= 1),
        // Says of which draft the schema is: nothing for the model.
        "$schema" => true,
        _ => KNOWN.contains(&key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(source: &str) -> Json {
        RawValue::from_string(source.to_owned()).unwrap()
    }

    #[test]
    fn bug_23_schemas_of_tools_are_objects() {
        for (schema, expected) in [
            ("null", r#"{"type":"object","properties":{}}"#),
            ("{}", r#"{"type":"object","properties":{}}"#),
            (r#"{"type":null,"properties":null}"#, r#"{"type":"object","properties":{}}"#),
            (r#"{"properties":{"a":{}}}"#, r#"{"type":"object","properties":{"a":{}}}"#),
            (r#"{"type":["object","null"],"required":["a"]}"#, r#"{"type":"object","required":["a"]}"#),
            (r#"{"type":"object","properties":{},"required":null}"#, r#"{"type":"object","properties":{}}"#),
            (
                r##"{"$defs":{"A":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##,
                r##"{"$defs":{"A":{"type":"string"}},"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}"##,
            ),
        ] {
            let schema = raw(schema);
            assert_eq!(arguments(Some(&schema)).get(), expected);
        }
        assert_eq!(arguments(None).get(), r#"{"type":"object","properties":{}}"#);
    }

    #[test]
    fn answers_are_held_to_closed_schemas() {
        let open = raw(
            r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1,"description":"how many"},"o":{"oneOf":[{"type":"null"},{"type":"object","properties":{"a":{}}}]}}}"#,
        );
        let expected = r#"{"type":"object","properties":{"n":{"type":"integer","description":"how many\n\n{minimum: 1}"},"o":{"anyOf":[{"type":"null"},{"type":"object","properties":{"a":{}},"additionalProperties":false}]}},"additionalProperties":false}"#;
        assert_eq!(answer(&open).unwrap().get(), expected);
        assert!(!is_strict(&open));
        // What fits already keeps its bytes.
        let closed =
            raw(r#"{ "type":"object", "properties":{"x":{"type":"number"}}, "additionalProperties":false }"#);
        assert_eq!(answer(&closed).unwrap().get(), closed.get());
        assert!(is_strict(&closed));
    }

    #[test]
    fn a_map_is_not_closed_to_nothing() {
        for (schema, is_map) in [
            (r#"{"type":"object"}"#, true),
            (r#"{"type":"object","properties":{},"additionalProperties":true}"#, true),
            (r#"{"type":"object","properties":{"a":{}},"additionalProperties":{"type":"string"}}"#, true),
            (r#"{"type":"object","properties":{"a":{}},"patternProperties":{"^x":{}}}"#, true),
            (r#"{"type":"array","items":{"anyOf":[{"type":"object","additionalProperties":{}}]}}"#, true),
            (r#"{"type":"object","properties":{"a":{}},"additionalProperties":true}"#, false),
            (r#"{"type":"object","properties":{},"additionalProperties":false}"#, false),
            (r#"{"type":"object","properties":{"additionalProperties":{"type":"string"}}}"#, false),
            (r##"{"type":"object","$ref":"#/$defs/a"}"##, false),
        ] {
            assert_eq!(answer(&raw(schema)).is_none(), is_map, "{schema}");
        }
    }
}
