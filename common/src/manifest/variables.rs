//! `${NAME}` and `${NAME:-default}` in manifests. The command line expands them before it parses, with its environment.

use crate::limits::MANIFEST_BYTES_MAX;
use crate::violation::Violation;

use super::report::{Report, quoted};
use super::yaml::too_large;

/// Bytes between the braces: a name and a default as long as the longest secret. It also bounds the search for `}`.
const EXPRESSION_BYTES_MAX: usize = 16 * 1024;
const NOT_CLOSED: &str = "\"${\" is not closed on its line; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves";

/// Replaces `${NAME}` by its value and `${NAME:-default}` by its value or, if it is not set or empty, by the default.
/// `$$` stands for one `$`; a `$` before anything else is itself, so `$0.50` needs no care. A default ends at the first
/// `}`, and nothing in it is replaced. Lines that are comments stay as they are.
///
/// Values stand in the text as they are, so they must not break it: a value with a line break is refused.
///
/// # Errors
/// All variables that are not set and have no default, all names that are none, and what is not closed, each with its
/// line.
pub fn expand_variables(
    text: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Vec<Violation>> {
    let mut report = Report::default();
    if text.len() > MANIFEST_BYTES_MAX {
        report.at(0, "", too_large(text.len()));
        return Err(report.finish());
    }
    let mut expanded = String::with_capacity(text.len());
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if line.trim_start().starts_with('#') {
            expanded.push_str(line);
        } else {
            expand_line(line, lookup, &mut expanded, &mut |message| report.at(number, "", message));
        }
    }
    report.finish_with(expanded)
}

fn expand_line(
    line: &str,
    lookup: &dyn Fn(&str) -> Option<String>,
    expanded: &mut String,
    report: &mut dyn FnMut(String),
) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        rest = after;
        if let Some(after) = after.strip_prefix('$') {
            expanded.push('$');
            rest = after;
        } else if let Some(inside) = after.strip_prefix('{') {
            let Some((inside, after)) = close(inside) else {
                // The rest of the line is not looked at: each search for a brace that is not there would cost as much.
                report(NOT_CLOSED.to_owned());
                return;
            };
            rest = after;
            match value(inside, lookup) {
                Ok(value) => expanded.push_str(&value),
                Err(message) => report(message),
            }
        } else {
            expanded.push('$');
        }
    }
    expanded.push_str(rest);
}

/// Splits at the closing brace, if it is near.
fn close(inside: &str) -> Option<(&str, &str)> {
    let end = inside.bytes().take(EXPRESSION_BYTES_MAX).position(|byte| byte == b'}')?;
    let (inside, after) = inside.split_at_checked(end)?;
    Some((inside, after.strip_prefix('}')?))
}

/// Returns the value of what stands between the braces, or what is wrong with it.
fn value(inside: &str, lookup: &dyn Fn(&str) -> Option<String>) -> Result<String, String> {
    let (name, default) = inside.split_once(":-").map_or((inside, None), |(name, text)| (name, Some(text)));
    let first_is_letter = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !first_is_letter || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(format!(
            "{} is not the name of a variable; write ${{NAME}} or ${{NAME:-default}}",
            quoted(name)
        ));
    }
    let value = match (lookup(name).filter(|value| !value.is_empty()), default) {
        (Some(value), _) => value,
        (None, Some(default)) => default.to_owned(),
        (None, None) => {
            return Err(format!("variable {name} is not set; set it, or write ${{{name}:-default}}"));
        }
    };
    if value.contains(['\n', '\r']) {
        return Err(format!(
            "the value of variable {name} holds a line break; manifests take values of one line"
        ));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "KEY" => Some("sk-1".to_owned()),
            "EMPTY" => Some(String::new()),
            "LINES" => Some("a\nb".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn variables_are_replaced() {
        let check =
            |text, expect: &str| assert_eq!(expand_variables(text, &lookup), Ok(expect.to_owned()), "{text}");
        check("a: ${KEY}", "a: sk-1");
        check("a: \"${KEY:-x}\"", "a: \"sk-1\"");
        check("a: ${NONE:-sk-dev}", "a: sk-dev");
        check("a: ${EMPTY:-x}${NONE:-}", "a: x");
        check("$$ $${KEY} $$$$", "$ ${KEY} $$");
        check("$0.50 $KEY $", "$0.50 $KEY $");
        check("${NONE:-$KEY:-x}", "$KEY:-x");
        check("a\n  # ${NONE} $$\nb: ${KEY}", "a\n  # ${NONE} $$\nb: sk-1");
    }

    #[test]
    fn what_cannot_be_replaced_is_named_with_its_line() {
        let check = |text: &str, line, message: &str| {
            let violations = expand_variables(text, &lookup).unwrap_err();
            assert_eq!(violations.len(), 1, "{violations:?}");
            assert_eq!((violations[0].line, violations[0].message.as_str()), (Some(line), message), "{text}");
        };
        check("a\nb: ${NONE}\n", 2, "variable NONE is not set; set it, or write ${NONE:-default}");
        check("${EMPTY}", 1, "variable EMPTY is not set; set it, or write ${EMPTY:-default}");
        check("\n\n${1X}", 3, "\"1X\" is not the name of a variable; write ${NAME} or ${NAME:-default}");
        check("${}", 1, "\"\" is not the name of a variable; write ${NAME} or ${NAME:-default}");
        check(
            "${LINES}",
            1,
            "the value of variable LINES holds a line break; manifests take values of one line",
        );
        check(
            "x\n${KEY\n}",
            2,
            "\"${\" is not closed on its line; write ${NAME} or ${NAME:-default}, or $${ for the characters themselves",
        );
    }

    #[test]
    fn all_are_reported() {
        assert_eq!(expand_variables("${A}\n${B}\n${KEY}", &lookup).unwrap_err().len(), 2);
    }

    proptest! {
        #[test]
        fn text_without_dollars_stays(text in "[^$]{0,100}") {
            prop_assert_eq!(expand_variables(&text, &lookup), Ok(text));
        }

        #[test]
        fn doubled_dollars_come_back(text in "[${}A-Z:\n-]{0,60}") {
            prop_assert_eq!(expand_variables(&text.replace('$', "$$"), &lookup), Ok(text));
        }
    }
}
