//! What an unquoted word of YAML means, by the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>).
//! The reader resolves words by it; the printer quotes every text that it would resolve to something else.

use super::node::NodeValue;

/// Resolves an unquoted word. Octal, hexadecimal, infinite and not-a-number words stay texts: no field of ours wants them.
pub(super) fn resolve_plain(word: &str) -> NodeValue {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ if is_decimal(word) => NodeValue::Number(word.to_owned()),
        _ => NodeValue::Text(word.to_owned()),
    }
}

/// Whether the word is `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
fn is_decimal(word: &str) -> bool {
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa_is_number = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            digits(whole) && digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa_is_number && exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_core_schema() {
        let text = |word: &str| NodeValue::Text(word.to_owned());
        let number = |word: &str| NodeValue::Number(word.to_owned());
        for word in ["", "~", "null", "NULL"] {
            assert_eq!(resolve_plain(word), NodeValue::Null);
        }
        for word in ["0", "-1", "+12", "1.5", "1.", ".5", "1e3", "1.5E-3", "007"] {
            assert_eq!(resolve_plain(word), number(word));
        }
        for word in [
            "no",
            "yes",
            "on",
            "2024-10-21",
            "15%",
            "1m",
            "$1",
            ".",
            "-",
            "e3",
            "1e",
            "0x1f",
            ".inf",
            "1_000",
        ] {
            assert_eq!(resolve_plain(word), text(word));
        }
        assert_eq!(resolve_plain("TRUE"), NodeValue::Bool(true));
        assert_eq!(resolve_plain("false"), NodeValue::Bool(false));
    }
}
