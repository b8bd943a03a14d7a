//! Says in a header of the answer what of the call was left out, because the provider's format has no word for it. Names of
//! members, never what they held.

use breakwater_common::limits::LEFT_OUT_BYTES_MAX;
use breakwater_dialect::ir::Dropped;
use http::{HeaderName, HeaderValue};

/// The header.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-breakwater-dropped");

/// What stands for the names that have no room.
const MORE: &str = "...";

/// Returns the header's value; none if nothing was left out. Each name stands once. A name that is more than letters,
/// digits and what joins them is the caller's own invention and counts as one that has no room.
pub(super) fn header(dropped: &[Dropped]) -> Option<HeaderValue> {
    let mut names: Vec<&str> = Vec::new();
    let mut bytes = 0;
    let mut more = false;
    for name in dropped {
        if names.contains(&name.as_str()) {
            continue;
        }
        let room = bytes + name.len() + ", ".len() + MORE.len() <= LEFT_OUT_BYTES_MAX;
        if !room || name.is_empty() || !name.bytes().all(is_plain) {
            more = true;
            continue;
        }
        bytes += name.len() + ", ".len();
        names.push(name);
    }
    names.extend(more.then_some(MORE));
    if names.is_empty() {
        return None;
    }
    HeaderValue::from_str(&names.join(", ")).ok()
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'[' | b']')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dropped: &[&str], expect: Option<&str>) {
        let dropped: Vec<Dropped> = dropped.iter().map(|name| (*name).to_owned()).collect();
        let value = header(&dropped);
        assert_eq!(value.as_ref().map(|value| value.to_str().unwrap()), expect, "{dropped:?}");
    }

    #[test]
    fn names_stand_once_and_nothing_else_stands_there() {
        check(&[], None);
        check(&["seed", "user", "seed"], Some("seed, user"));
        check(&["tools[0].function.strict"], Some("tools[0].function.strict"));
        check(&["a b", "x\r\ny", "p\u{e9}", "", "seed"], Some("seed, ..."));
    }

    #[test]
    fn the_header_has_a_bound() {
        let long = "x".repeat(LEFT_OUT_BYTES_MAX);
        check(&[&long, "seed"], Some("seed, ..."));
        let many: Vec<Dropped> = (0..10_000).map(|at| format!("member_{at}")).collect();
        let value = header(&many).unwrap();
        assert!(value.len() <= LEFT_OUT_BYTES_MAX && value.to_str().unwrap().ends_with(", ..."), "{value:?}");
    }
}
