//! The rules of texts: length, words, units, names, URLs.

use breakwater_proto::v1::{FieldRule, Unit};

use crate::limits::{NAME_BYTES_MAX, TEXT_BYTES_DEFAULT_MAX};
use crate::resource::quantity::{self, QuantityError};

use super::check::outside;
use super::path::Path;
use super::report::{Report, quoted};
use crate::suggest::hint;

/// How a sealed secret begins; its version follows.
const SEALED_PREFIX: &str = "sealed:";
/// Bytes that sealing adds before base64: prefix, nonce (12) and tag (16) of AES-256-GCM, rounded up.
const SEAL_BYTES: usize = 48;

/// Checks a text that is not empty, or that is an element of a list.
pub(super) fn check_text(rule: &FieldRule, text: &str, path: &Path, report: &mut Report) {
    let max = bytes_max(rule, text);
    let problem = if text.len() > max {
        // Nothing else is worth saying of a text that is not read to its end.
        Some(format!("has {} bytes; at most {max} are allowed", text.len()))
    } else if text.chars().any(char::is_control) {
        Some("must not hold line breaks or other control characters".to_owned())
    } else if !rule.one_of.is_empty() && !rule.one_of.iter().any(|word| word == text) {
        let words = rule.one_of.iter().map(String::as_str);
        Some(format!("{} is not allowed here{}", quoted(text), hint(text, words)))
    } else if rule.name && !is_name(text) {
        Some(format!(
            "{} is not a name; write 1 to {NAME_BYTES_MAX} of a-z, 0-9, \"-\", \"_\" and \".\", starting with a letter or a digit",
            quoted(text)
        ))
    } else if rule.url {
        url_problem(text).map(|problem| format!("{problem}; write a URL like \"https://api.example.com/v1\""))
    } else {
        quantity_problem(rule, text)
    };
    if let Some(problem) = problem {
        report.at(0, path.as_str(), problem);
    }
}

/// Most bytes of a text. A secret that is sealed already stands in base64 with a nonce and a tag, and may take what that
/// makes of the longest open one.
fn bytes_max(rule: &FieldRule, text: &str) -> usize {
    let open = rule.max_len.and_then(|max| usize::try_from(max).ok()).unwrap_or(TEXT_BYTES_DEFAULT_MAX);
    let is_sealed = rule.secret && text.starts_with(SEALED_PREFIX);
    if is_sealed { open.saturating_add(SEAL_BYTES).div_ceil(3).saturating_mul(4) } else { open }
}

fn quantity_problem(rule: &FieldRule, text: &str) -> Option<String> {
    let number = match rule.unit() {
        Unit::Unspecified => return None,
        Unit::Duration => quantity::duration(text).map(|length| length.as_secs_f64() * 1_000.0),
        Unit::Percent => quantity::percent(text),
        Unit::Money => quantity::money(text).map(dollars),
    };
    match number {
        Ok(number) => outside(rule, number, text),
        Err(error @ (QuantityError::Duration(_) | QuantityError::Percent(_) | QuantityError::Money(_))) => {
            Some(error.to_string())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "compared with bounds far below 2^53 micro-dollars")]
fn dollars(micro_dollars: u64) -> f64 {
    micro_dollars as f64 / 1e6
}

/// Shows a bound as people write it: `100ms`, `1h`, `15%`, `$0.50`.
pub(super) fn in_unit(unit: Unit, bound: f64) -> String {
    match unit {
        Unit::Unspecified => bound.to_string(),
        Unit::Percent => format!("{bound}%"),
        Unit::Money => format!("${bound}"),
        Unit::Duration => {
            let units = [("d", 86_400_000.0), ("h", 3_600_000.0), ("m", 60_000.0), ("s", 1_000.0)];
            let whole =
                units.into_iter().find(|(_, millis)| bound >= *millis && (bound % millis).abs() < 0.5);
            let (word, millis) = whole.unwrap_or(("ms", 1.0));
            format!("{}{word}", bound / millis)
        }
    }
}

fn is_name(text: &str) -> bool {
    let letter_or_digit = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.len() <= NAME_BYTES_MAX
        && text.bytes().next().is_some_and(letter_or_digit)
        && text.bytes().all(|byte| letter_or_digit(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

/// Says what keeps a text from being an http or https URL with a host, perhaps a port and a path, and nothing else
/// (RFC 3986, the part of it that a base URL needs).
fn url_problem(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else {
        return Some("must start with http:// or https://");
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Some("must not hold a user or a password");
    }
    if path.contains(['?', '#']) {
        return Some("must not have a query or a fragment");
    }
    let is_path_byte = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    };
    if !path.bytes().all(is_path_byte) {
        return Some("has a character in its path that URLs do not have");
    }
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, port)) if address.parse::<std::net::Ipv6Addr>().is_ok() => {
            ("v6", if port.is_empty() { None } else { Some(port.strip_prefix(':').unwrap_or("")) })
        }
        Some(_) => return Some("has no valid IPv6 address between its brackets"),
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    let is_host_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    if host.is_empty() || host.len() > 253 || !host.bytes().all(is_host_byte) {
        return Some("has no valid host");
    }
    let is_port = |port: &str| {
        port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if !port.is_none_or(is_port) {
        return Some("has no valid port");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        for url in [
            "http://127.0.0.1:19001/v1",
            "https://api.openai.com/v1",
            "https://host",
            "http://[::1]:80/",
            "https://a.b-c_d:65535/x/~y%20z",
            "http://[::1]",
        ] {
            assert_eq!(url_problem(url), None, "{url}");
        }
        let check = |url, problem| assert_eq!(url_problem(url), Some(problem), "{url}");
        check("", "must start with http:// or https://");
        check("ftp://x", "must start with http:// or https://");
        check("api.openai.com", "must start with http:// or https://");
        check("https://user:pw@host/", "must not hold a user or a password");
        check("https://host/v1?key=1", "must not have a query or a fragment");
        check("https://host#x", "must not have a query or a fragment");
        check("https:///v1", "has no valid host");
        check("https://ho st/v1", "has no valid host");
        check("https://host:/v1", "has no valid port");
        check("https://host:0/v1", "has no valid port");
        check("https://host:65536/v1", "has no valid port");
        check("https://host:+80/v1", "has no valid port");
        check("https://host/a b", "has a character in its path that URLs do not have");
        check("https://[::g]/", "has no valid IPv6 address between its brackets");
        check("https://[::1]x/", "has no valid port");
    }

    #[test]
    fn names() {
        for name in ["a", "0", "gpt-4o_mini.2", &"x".repeat(63)] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "-a", ".a", "A", "a b", "a/b", "ä", &"x".repeat(64)] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn bounds_are_shown_as_people_write_them() {
        let check = |unit, bound, expect| assert_eq!(in_unit(unit, bound), expect);
        check(Unit::Duration, 100.0, "100ms");
        check(Unit::Duration, 0.0, "0ms");
        check(Unit::Duration, 1_500.0, "1500ms");
        check(Unit::Duration, 3_600_000.0, "1h");
        check(Unit::Duration, 31_622_400_000.0, "366d");
        check(Unit::Percent, 99.5, "99.5%");
        check(Unit::Money, 1_000_000.0, "$1000000");
        check(Unit::Unspecified, 0.01, "0.01");
    }
}
