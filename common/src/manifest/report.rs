//! Collects violations up to the bound, and says how many more there were.

use crate::limits::VIOLATIONS_MAX;
use crate::violation::Violation;

/// Longest piece of the input, in characters, that a message repeats.
pub(super) const ECHO_CHARS_MAX: usize = 40;

/// All violations of one reading.
#[derive(Debug, Default)]
pub(super) struct Report {
    violations: Vec<Violation>,
    left_out: usize,
}

impl Report {
    /// Notes a violation; beyond the bound it is only counted.
    pub(super) fn push(&mut self, violation: Violation) {
        if self.violations.len() < VIOLATIONS_MAX {
            self.violations.push(violation);
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }

    /// Notes a violation of a field at a line; line 0 is none.
    pub(super) fn at(&mut self, line: u32, field_path: &str, message: impl Into<String>) {
        self.push(Violation { line: (line > 0).then_some(line), ..Violation::at(field_path, message) });
    }

    /// Takes over what another report holds, each violation as `f` makes it; none is left out for good.
    pub(super) fn absorb(&mut self, other: Self, f: impl FnMut(Violation) -> Option<Violation>) {
        other.violations.into_iter().filter_map(f).for_each(|violation| self.push(violation));
        self.left_out = self.left_out.saturating_add(other.left_out);
    }

    /// Returns the violations so far.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Violation> {
        self.violations.iter()
    }

    /// Whether more is only counted, so that nobody needs to see how it would be said.
    pub(super) fn is_full(&self) -> bool {
        self.violations.len() >= VIOLATIONS_MAX
    }

    /// Whether nothing was noted.
    pub(super) fn is_empty(&self) -> bool {
        self.violations.is_empty()
    }

    /// Returns the violations; if some were left out, the last one says how many.
    pub(super) fn finish(mut self) -> Vec<Violation> {
        if self.left_out > 0 {
            let shown = self.violations.len();
            self.violations.truncate(VIOLATIONS_MAX.saturating_sub(1));
            let more = self.left_out.saturating_add(shown).saturating_sub(self.violations.len());
            self.violations.push(Violation::at("", format!("{more} more violations are not shown")));
        }
        self.violations
    }

    /// Returns the value if there is none, or else the violations.
    pub(super) fn finish_with<T>(self, value: T) -> Result<T, Vec<Violation>> {
        if self.is_empty() { Ok(value) } else { Err(self.finish()) }
    }
}

/// Returns the text in quotes, shortened: fit for a message.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shortened(text))
}

/// Returns the text shortened, with control characters escaped.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(ECHO_CHARS_MAX).flat_map(escaped).collect();
    if text.chars().nth(ECHO_CHARS_MAX).is_some() {
        shown.push_str("...");
    }
    shown
}

fn escaped(c: char) -> impl Iterator<Item = char> {
    let (escape, plain) = if c.is_control() { (Some(c.escape_default()), None) } else { (None, Some(c)) };
    escape.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_beyond_the_bound_are_counted() {
        let mut report = Report::default();
        for number in 0..VIOLATIONS_MAX + 5 {
            report.at(1, "", number.to_string());
        }
        let violations = report.finish();
        assert_eq!(violations.len(), VIOLATIONS_MAX);
        assert_eq!(violations[VIOLATIONS_MAX - 1].message, "6 more violations are not shown");
    }

    #[test]
    fn quoted_text_is_short_and_printable() {
        assert_eq!(quoted("a\nb\u{1b}[1m"), r#""a\nb\u{1b}[1m""#);
        assert_eq!(quoted(&"x".repeat(41)), format!("\"{}...\"", "x".repeat(40)));
    }
}
