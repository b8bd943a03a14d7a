//! Members of a caller's JSON, with words for what is wrong about them.

use serde_json::value::RawValue;

use crate::ir::{Json, Refused};
use crate::json::Place;

/// Makes a refusal of a member of a wrong type.
pub(super) fn wrong(param: impl Into<String>, reason: &str) -> Refused {
    Refused { param: param.into(), reason: reason.to_owned() }
}

/// Returns a member that is there and not null.
pub(super) fn member<'a>(object: Place<'a>, key: &str) -> Option<Place<'a>> {
    object.get(key).filter(|value| !value.is_null())
}

/// Reads a text.
pub(super) fn text(value: Place<'_>, param: &str) -> Result<String, Refused> {
    value.as_str().map(std::borrow::Cow::into_owned).ok_or_else(|| wrong(param, "must be a text"))
}

/// Reads a text member that must be there.
pub(super) fn text_member(object: Place<'_>, key: &str, param: &str) -> Result<String, Refused> {
    let param = format!("{param}.{key}");
    match member(object, key) {
        Some(value) => text(value, &param),
        None => Err(wrong(param, "is missing")),
    }
}

/// Reads a text member that may be missing; empty if it is.
pub(super) fn text_or_empty(object: Place<'_>, key: &str, param: &str) -> Result<String, Refused> {
    member(object, key).map_or(Ok(String::new()), |value| text(value, &format!("{param}.{key}")))
}

/// Reads a boolean.
pub(super) fn boolean(value: Place<'_>, param: &str) -> Result<bool, Refused> {
    value.as_bool().ok_or_else(|| wrong(param, "must be true or false"))
}

/// Reads a count.
pub(super) fn count(value: Place<'_>, param: &str) -> Result<u64, Refused> {
    value.source().parse().map_err(|_| wrong(param, "must be a whole number that is not negative"))
}

/// Reads a number as it came.
pub(super) fn number(value: Place<'_>, param: &str) -> Result<serde_json::Number, Refused> {
    serde_json::from_str(value.source()).map_err(|_| wrong(param, "must be a number"))
}

/// Takes a value as its source.
pub(super) fn json(value: Place<'_>, param: &str) -> Result<Json, Refused> {
    RawValue::from_string(value.source().to_owned()).map_err(|_| wrong(param, "must be JSON"))
}

/// Returns the elements of a list.
pub(super) fn list<'a>(
    value: Place<'a>,
    param: &str,
) -> Result<impl Iterator<Item = Place<'a>> + use<'a>, Refused> {
    if value.is_array() { Ok(value.elements()) } else { Err(wrong(param, "must be a list")) }
}
