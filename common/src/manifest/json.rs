//! Text to JSON, without what JSON parsers let pass in silence: a field that stands twice. RFC 8259 leaves open which of the
//! two holds; whoever reads one and checks the other can be deceived, so neither is taken.

use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::path::Path;
use super::report::{Report, shortened};
use crate::violation::Violation;

/// Reads one JSON text.
///
/// # Errors
/// If it is not JSON, or for each field that stands twice in one object, by its path.
pub fn json_from_slice(bytes: &[u8]) -> Result<Value, Vec<Violation>> {
    let mut input = serde_json::Deserializer::from_slice(bytes);
    let mut state = State::default();
    let read = Reading(&mut state).deserialize(&mut input);
    let whole = read.and_then(|value| input.end().map(|()| value));
    let value = whole.map_err(|error| vec![Violation::at("", format!("is not JSON: {error}"))])?;
    state.report.finish_with(value)
}

#[derive(Default)]
struct State {
    path: Path,
    report: Report,
}

/// Reads one value at the path so far.
struct Reading<'a>(&'a mut State);

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let index = values.len();
            match inside(self.0, &format!("[{index}]"), |state| items.next_element_seed(Reading(state)))? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let separator = if self.0.path.as_str().is_empty() { "" } else { "." };
            let step = format!("{separator}{}", shortened(&key));
            let value = inside(self.0, &step, |state| {
                if values.contains_key(&key) {
                    let State { path, report } = state;
                    report.at(0, path.as_str(), "stands twice; write it once");
                }
                entries.next_value_seed(Reading(state))
            })?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}

/// Calls `f` one step deeper.
fn inside<T>(state: &mut State, step: &str, f: impl FnOnce(&mut State) -> T) -> T {
    let before = std::mem::take(&mut state.path);
    state.path = Path::at(&format!("{}{step}", before.as_str()));
    let result = f(state);
    state.path = before;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_stands_once_is_read_as_it_is() {
        for text in [
            r#"{"a":{"x":1},"b":{"x":-2},"c":[{"x":1.5},{"x":null}],"d":"é\n","e":true}"#,
            "[]",
            "3",
            r#""text""#,
            "18446744073709551615",
        ] {
            let read = json_from_slice(text.as_bytes()).unwrap();
            assert_eq!(read, serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn field_that_stands_twice_is_refused_by_its_path() {
        let check = |text: &str, expect: &[&str]| {
            let found = json_from_slice(text.as_bytes()).unwrap_err();
            let paths: Vec<_> = found.iter().map(|violation| violation.field_path.as_str()).collect();
            assert_eq!(paths, expect, "{text}");
        };
        check(r#"{"a":1,"a":1}"#, &["a"]);
        check(r#"{"a":1,"\u0061":2}"#, &["a"]);
        check(
            r#"{"spec":{"keys":[{"b":1},{"n":1,"b":1,"b":2}]},"x":{"y":1,"y":1}}"#,
            &["spec.keys[1].b", "x.y"],
        );
        check(r#"{"a":{"c":1},"a":{"c":1}}"#, &["a"]);
        check(r#"{"a":1"#, &[""]);
        check(r#"{"a":1} x"#, &[""]);
        check("", &[""]);
        check(&"[".repeat(10_000), &[""]);
        check("1e999", &[""]);
    }

    #[test]
    fn decimals_keep_their_last_digit() {
        for text in ["31.245270191439438", "121.48791951161945", "0.1", "1e-7", "2.638344616030823e-256"] {
            let read = json_from_slice(text.as_bytes()).unwrap();
            assert_eq!(read.as_f64().map(f64::to_bits), text.parse().ok().map(f64::to_bits), "{text}");
        }
    }
}
