//! Text of JSON with a value replaced or a member taken out. Places are found by `serde_json`, which says where a raw value
//! stands; all other bytes stay.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;

/// Where a value stands in the text that it was read from.
fn place(text: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr() - text.as_ptr().addr();
    start..start + value.get().len()
}

/// The members of an object in order, with the places of their values.
fn members(text: &str, object: Range<usize>) -> Vec<(String, Range<usize>)> {
    let Ok(read) = serde_json::from_str::<BTreeMap<String, &RawValue>>(&text[object]) else {
        return Vec::new();
    };
    let mut members: Vec<_> = read.into_iter().map(|(key, value)| (key, place(text, value))).collect();
    members.sort_by_key(|(_, place)| place.start);
    members
}

/// The places of a path; `*` stands for every element of an array.
pub fn find(text: &str, path: &[&str]) -> Vec<Range<usize>> {
    let mut places: Vec<Range<usize>> = std::iter::once(0..text.len()).collect();
    for step in path {
        let below = |at: Range<usize>| -> Vec<Range<usize>> {
            if *step == "*" {
                let elements = serde_json::from_str::<Vec<&RawValue>>(&text[at]).unwrap_or_default();
                return elements.into_iter().map(|one| place(text, one)).collect();
            }
            members(text, at).into_iter().filter(|(key, _)| key == step).map(|(_, place)| place).collect()
        };
        places = places.into_iter().flat_map(below).collect();
    }
    places
}

/// Replaces the values of a path.
pub fn set(text: &str, path: &[&str], with: &str) -> String {
    let mut out = text.to_owned();
    for place in find(text, path).into_iter().rev() {
        out.replace_range(place, with);
    }
    out
}

/// Takes a member out of the object that is the text, with its comma.
pub fn remove(text: &str, key: &str) -> String {
    let members = members(text, 0..text.len());
    let Some(at) = members.iter().position(|(name, _)| name == key) else { return text.to_owned() };
    let begin = |member: usize| {
        let (key, value) = &members[member];
        text[..value.start].rfind(&format!("\"{key}\"")).expect("a key stands before its value")
    };
    let doomed = match at.checked_sub(1) {
        Some(before) => members[before].1.end..members[at].1.end,
        None => begin(at)..if members.len() > 1 { begin(1) } else { members[at].1.end },
    };
    let mut out = text.to_owned();
    out.replace_range(doomed, "");
    out
}

/// Takes a member out of every object of a path.
pub fn remove_at(text: &str, path: &[&str], key: &str) -> String {
    let mut out = text.to_owned();
    for place in find(text, path).into_iter().rev() {
        let without = remove(&text[place.clone()], key);
        out.replace_range(place, &without);
    }
    out
}

#[test]
fn text_is_replaced_and_nothing_else() {
    let text = r#"{ "a" : 1,"b":{"c":[ {"d":2}, {"d":"x"} ]}}"#;
    assert_eq!(set(text, &["b", "c", "*", "d"], "7"), r#"{ "a" : 1,"b":{"c":[ {"d":7}, {"d":7} ]}}"#);
    assert_eq!(remove(text, "a"), r#"{ "b":{"c":[ {"d":2}, {"d":"x"} ]}}"#);
    assert_eq!(remove(text, "b"), r#"{ "a" : 1}"#);
    assert_eq!(remove(r#"{"b":1}"#, "b"), "{}");
    assert_eq!(set(text, &["e", "*"], "7"), text);
    assert_eq!(remove_at(text, &["b", "c", "*"], "d"), r#"{ "a" : 1,"b":{"c":[ {}, {} ]}}"#);
}
