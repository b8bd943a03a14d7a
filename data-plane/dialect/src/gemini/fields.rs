//! Members of a request, by their type. Google takes each name in camel case and in snake case, whole numbers as texts
//! (proto3's JSON), and one thing where a list is asked for.

use std::borrow::Cow;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::ir::{Json, Refused};
use crate::json::{Member, Place};

/// A member under its name in camel case.
pub(super) type Field<'a> = (Cow<'a, str>, Place<'a>);

/// Returns the members that are not null, under their names in camel case.
pub(super) fn fields<'a>(object: Place<'a>) -> impl Iterator<Item = Field<'a>> {
    object.members().filter(|member| !member.value.is_null()).map(|Member { key, value, .. }| {
        (if key.contains('_') { Cow::Owned(camel(&key)) } else { key }, value)
    })
}

/// Returns the first member of a name, given in camel case.
pub(super) fn field<'a>(object: Place<'a>, name: &str) -> Option<Place<'a>> {
    fields(object).find(|(key, _)| key == name).map(|(_, value)| value)
}

/// Returns the elements of a list, or the one thing that stands for it.
pub(super) fn items<'a>(place: Place<'a>) -> Vec<Place<'a>> {
    if place.is_array() { place.elements().collect() } else { vec![place] }
}

fn camel(key: &str) -> String {
    let mut name = String::with_capacity(key.len());
    let mut upper = false;
    for letter in key.chars() {
        if letter == '_' {
            // A leading one stays off: the SDK of JavaScript sends `_responseJsonSchema`.
            upper = !name.is_empty();
        } else if std::mem::take(&mut upper) {
            name.push(letter.to_ascii_uppercase());
        } else {
            name.push(letter);
        }
    }
    name
}

/// A value is not of the type it must be.
pub(super) fn wrong(param: impl Into<String>, reason: &str) -> Refused {
    Refused { param: param.into(), reason: reason.to_owned() }
}

pub(super) fn object(place: Place<'_>, param: &str) -> Result<(), Refused> {
    if place.is_object() { Ok(()) } else { Err(wrong(param, "must be an object")) }
}

pub(super) fn text(place: Place<'_>, param: &str) -> Result<String, Refused> {
    place.as_str().map(Cow::into_owned).ok_or_else(|| wrong(param, "must be a text"))
}

pub(super) fn boolean(place: Place<'_>, param: &str) -> Result<bool, Refused> {
    place.as_bool().ok_or_else(|| wrong(param, "must be true or false"))
}

pub(super) fn number(place: Place<'_>, param: &str) -> Result<Number, Refused> {
    let source = place.as_str().unwrap_or(Cow::Borrowed(place.source()));
    serde_json::from_str(&source).map_err(|_| wrong(param, "must be a number"))
}

/// Reads a whole number; `40.0` is one, as Google takes it.
pub(super) fn whole(place: Place<'_>, param: &str) -> Result<i64, Refused> {
    let number = number(place, param)?;
    let text = number.to_string();
    let digits = text.strip_suffix(".0").unwrap_or(&text);
    digits.parse().map_err(|_| wrong(param, "must be a whole number"))
}

pub(super) fn count(place: Place<'_>, param: &str) -> Result<u64, Refused> {
    u64::try_from(whole(place, param)?).map_err(|_| wrong(param, "must not be negative"))
}

/// Keeps a value as its source.
pub(super) fn source(place: Place<'_>) -> Json {
    json(place.source().to_owned())
}

/// Keeps text that is JSON. What is none becomes null, which no caller of this can bring about.
pub(super) fn json(text: String) -> Json {
    RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
