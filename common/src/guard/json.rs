//! Guardrails on JSON source: the texts are its string literals, decoded.

use super::compile::{Judged, Rule, SideGuards};
use super::verdict::Finding;
use crate::resource::Action;

/// Judges JSON source and adds what is found.
pub(super) fn evaluate(side: &SideGuards, text: &str, found: &mut Vec<Finding>) -> Judged {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_err() {
        return side.evaluate(text, found);
    }
    let mut written = String::new();
    let mut copied = 0;
    for token in Tokens::new(text) {
        let source = text.get(token.start..token.end).unwrap_or_default();
        if !token.string {
            if let Some(finding) = evaluate_number(side, source, found) {
                return Judged::Blocked(finding);
            }
            continue;
        }
        // A lone surrogate is no text; what surrounds it is judged in source.
        let decoded =
            serde_json::from_str::<String>(source).unwrap_or_else(|_| source.trim_matches('"').to_owned());
        match side.evaluate(&decoded, found) {
            Judged::Kept => {}
            Judged::Blocked(finding) => return Judged::Blocked(finding),
            Judged::Masked(masked) => {
                written.push_str(text.get(copied..token.start).unwrap_or_default());
                written.push_str(&serde_json::Value::String(masked).to_string());
                copied = token.end;
            }
        }
    }
    if copied == 0 {
        return Judged::Kept;
    }
    written.push_str(text.get(copied..).unwrap_or_default());
    Judged::Masked(written)
}

/// Judges a bare number. Masked it would be no number any more, and a client would act on another value: it blocks, as a
/// guardrail does that cannot decide.
fn evaluate_number(side: &SideGuards, source: &str, found: &mut Vec<Finding>) -> Option<Finding> {
    let mut own = Vec::new();
    let judged = side.evaluate(source, &mut own);
    let mut blocks = None;
    for mut finding in own {
        if finding.enforced && finding.action == Action::Redact {
            let open = |rule: &&Rule| rule.policy == finding.policy && rule.guardrail == finding.guardrail;
            let fail_open = side.rules.iter().find(open).is_some_and(|rule| rule.fail_open);
            finding = Finding { action: Action::Block, undecided: true, enforced: !fail_open, ..finding };
        }
        if finding.enforced && finding.action == Action::Block && blocks.is_none() {
            blocks = Some(finding.clone());
        }
        finding.add_to(found);
    }
    match judged {
        Judged::Blocked(finding) => Some(finding),
        Judged::Masked(_) | Judged::Kept => blocks,
    }
}

/// A string literal with its quotes, or a number.
struct Token {
    start: usize,
    end: usize,
    string: bool,
}

/// The string literals and numbers of valid JSON.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), at: 0 }
    }

    /// Returns the first place from one on where `stop` holds.
    fn seek(&self, from: usize, stop: impl Fn(&u8) -> bool) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(stop).unwrap_or(rest.len())
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.seek(self.at, |byte| *byte == b'"' || *byte == b'-' || byte.is_ascii_digit());
        let string = *self.bytes.get(start)? == b'"';
        let mut end = start + 1;
        if string {
            loop {
                end = self.seek(end, |byte| matches!(byte, b'"' | b'\\'));
                match self.bytes.get(end) {
                    Some(b'\\') => end += 2,
                    Some(_) | None => break,
                }
            }
            end = (end + 1).min(self.bytes.len());
        } else {
            end = self.seek(end, |byte| !matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        }
        self.at = end;
        Some(Token { start, end, string })
    }
}
