//! As much of JSON Schema as the schemas of the corpus use: an oracle that is not ours.

use serde_json::Value;

/// A schema of the corpus.
pub(super) struct Schema(Value);

impl Schema {
    pub(super) fn load(name: &str) -> Self {
        let path = super::corpus::shared().join("corpus/schemas").join(name);
        Self(serde_json::from_slice(&super::corpus::bytes(&path)).unwrap())
    }

    /// Returns what is wrong with a value; nothing if nothing is.
    pub(super) fn offence(&self, value: &Value) -> Option<String> {
        self.check(&self.0, value, "$").err()
    }

    fn check(&self, schema: &Value, value: &Value, at: &str) -> Result<(), String> {
        let Some(schema) = schema.as_object() else {
            return if schema == &Value::Bool(false) {
                Err(format!("{at}: nothing may stand here"))
            } else {
                Ok(())
            };
        };
        for (key, rule) in schema {
            match key.as_str() {
                "$ref" => {
                    let name = rule.as_str().unwrap().strip_prefix("#/$defs/").unwrap();
                    self.check(&self.0["$defs"][name], value, at)?;
                }
                "anyOf" | "oneOf" => {
                    let tried = rule.as_array().unwrap().iter().map(|one| self.check(one, value, at));
                    let mut offences: Vec<String> = Vec::new();
                    let fits =
                        tried.into_iter().any(|one| one.map_err(|offence| offences.push(offence)).is_ok());
                    if !fits {
                        offences.sort_by_key(|offence| {
                            std::cmp::Reverse(offence.split(':').next().unwrap().len())
                        });
                        let kind = value.get("type").cloned().unwrap_or_default();
                        return Err(format!("{} (no branch for {kind})", offences.first().unwrap()));
                    }
                }
                "allOf" => rule.as_array().unwrap().iter().try_for_each(|one| self.check(one, value, at))?,
                "const" if rule != value => return Err(format!("{at}: is not {rule}")),
                "enum" if !rule.as_array().unwrap().contains(value) => {
                    return Err(format!("{at}: not in {rule}"));
                }
                "type" => {
                    let kinds = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                    if !kinds.iter().any(|kind| is(kind.as_str().unwrap(), value)) {
                        return Err(format!("{at}: is not {rule}"));
                    }
                }
                "required" if value.is_object() => {
                    for name in rule.as_array().unwrap() {
                        if value.get(name.as_str().unwrap()).is_none() {
                            return Err(format!("{at}: {name} is missing"));
                        }
                    }
                }
                "properties" => {
                    for (name, rule) in rule.as_object().unwrap() {
                        if let Some(member) = value.get(name) {
                            self.check(rule, member, &format!("{at}.{name}"))?;
                        }
                    }
                }
                "additionalProperties" if value.is_object() => {
                    let known = schema.get("properties").and_then(Value::as_object);
                    for (name, member) in value.as_object().unwrap() {
                        if known.is_none_or(|known| !known.contains_key(name)) {
                            self.check(rule, member, &format!("{at}.{name}"))?;
                        }
                    }
                }
                "items" if value.is_array() => {
                    for (index, element) in value.as_array().unwrap().iter().enumerate() {
                        self.check(rule, element, &format!("{at}[{index}]"))?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("type {other} in a schema"),
    }
}

#[test]
fn the_oracle_can_say_no() {
    let schema = Schema::load("openai-responses-stream-event.schema.json");
    let good = serde_json::json!({"type":"response.output_text.delta","sequence_number":1,"output_index":0,
        "item_id":"msg_1","content_index":0,"delta":"x","logprobs":[]});
    assert_eq!(schema.offence(&good), None);
    for key in good.as_object().unwrap().keys() {
        let mut bad = good.clone();
        bad.as_object_mut().unwrap().remove(key);
        assert!(schema.offence(&bad).is_some(), "{key}");
    }
}
