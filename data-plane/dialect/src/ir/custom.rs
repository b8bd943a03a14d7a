//! Calls of tools that take text, in formats whose arguments are objects: there the text is the member `input` of one. One
//! rule for all of them, so that a caller who changes formats, or streams, gets the same.

/// What stands before and after the text, which is [`escaped`].
pub const TEXT_ARGUMENT: (&str, &str) = (r#"{"input":""#, r#""}"#);

/// Returns the argument of a tool that takes text as an object in source.
#[must_use]
pub fn text_argument(text: &str) -> String {
    let (before, after) = TEXT_ARGUMENT;
    format!("{before}{}{after}", escaped(text))
}

/// Returns a text as it stands between the quotes of JSON. Pieces of a text may be escaped one by one.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut quoted = crate::json::quote(text);
    quoted.pop();
    quoted.drain(..1.min(quoted.len()));
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_in_pieces_is_the_text_whole() {
        let text = "*** Begin \"Patch\"\n\\ {\"a\":1} \u{7f}é";
        let (before, after) = TEXT_ARGUMENT;
        let pieces: String = text.chars().map(|letter| escaped(&letter.to_string())).collect();
        assert_eq!(format!("{before}{pieces}{after}"), text_argument(text));
        let read: serde_json::Value = serde_json::from_str(&text_argument(text)).unwrap();
        assert_eq!(read, serde_json::json!({ "input": text }));
    }
}
