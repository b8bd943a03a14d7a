//! JSON to YAML that reads back as the same JSON.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::node::NodeValue;
use super::path::Path;
use super::scalar::resolve_plain;

/// Spaces of one level.
const INDENT: usize = 2;
/// Stands behind fields that are stored and that nothing acts on.
const NOT_YET_ENFORCED: &str = " # not yet enforced";

/// Writes a document in block style, without a `---` before it. Each field whose path is in `not_yet_enforced`
/// (`spec.sla`) gets a comment that says so.
#[must_use]
pub fn json_to_yaml(value: &Json, not_yet_enforced: &[String]) -> String {
    let marked = not_yet_enforced.iter().map(String::as_str).collect();
    let mut printer = Printer { out: String::new(), marked };
    let mut path = Path::default();
    match Form::of(value) {
        Form::Mapping(entries) => printer.mapping(entries, 0, false, &mut path),
        Form::List(items) => printer.list(items, 0, &mut path),
        Form::Inline(text) => printer.end_line(&text, ""),
    }
    printer.out
}

/// How a value is laid out.
enum Form<'a> {
    /// On lines of its own; not empty.
    Mapping(&'a serde_json::Map<String, Json>),
    /// On lines of its own; not empty.
    List(&'a [Json]),
    /// Behind its key.
    Inline(String),
}

impl<'a> Form<'a> {
    fn of(value: &'a Json) -> Self {
        match value {
            Json::Null => Self::Inline("null".to_owned()),
            Json::Bool(value) => Self::Inline(value.to_string()),
            Json::Number(number) => Self::Inline(number.to_string()),
            Json::String(value) => Self::Inline(text(value)),
            Json::Array(items) if items.is_empty() => Self::Inline("[]".to_owned()),
            Json::Array(items) => Self::List(items),
            Json::Object(entries) if entries.is_empty() => Self::Inline("{}".to_owned()),
            Json::Object(entries) => Self::Mapping(entries),
        }
    }
}

struct Printer<'a> {
    out: String,
    /// Paths of the fields that get a comment.
    marked: BTreeSet<&'a str>,
}

impl Printer<'_> {
    /// Writes entries at a level; the first one continues the line if that is begun.
    fn mapping(
        &mut self,
        entries: &serde_json::Map<String, Json>,
        level: usize,
        begun: bool,
        path: &mut Path,
    ) {
        for (number, (key, value)) in entries.iter().enumerate() {
            if !(begun && number == 0) {
                self.indent(level);
            }
            self.out.push_str(&text(key));
            self.out.push(':');
            path.in_field(key, |path| {
                let is_marked = self.marked.contains(path.as_str());
                let comment = if is_marked { NOT_YET_ENFORCED } else { "" };
                match Form::of(value) {
                    Form::Mapping(inner) => {
                        self.end_line("", comment);
                        self.mapping(inner, level + 1, false, path);
                    }
                    Form::List(items) => {
                        self.end_line("", comment);
                        self.list(items, level + 1, path);
                    }
                    Form::Inline(text) => self.end_line(&format!(" {text}"), comment),
                }
            });
        }
    }

    fn list(&mut self, items: &[Json], level: usize, path: &mut Path) {
        for (index, item) in items.iter().enumerate() {
            self.indent(level);
            path.in_item(index, |path| match Form::of(item) {
                Form::Mapping(entries) => {
                    self.out.push_str("- ");
                    self.mapping(entries, level + 1, true, path);
                }
                Form::List(inner) => {
                    self.end_line("-", "");
                    self.list(inner, level + 1, path);
                }
                Form::Inline(text) => self.end_line(&format!("- {text}"), ""),
            });
        }
    }

    fn indent(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n(' ', level * INDENT));
    }

    fn end_line(&mut self, text: &str, comment: &str) {
        self.out.extend([text, comment, "\n"]);
    }
}

/// Writes a text bare if it reads back as itself, or else in double quotes.
fn text(value: &str) -> String {
    if is_plain(value) { value.to_owned() } else { double_quoted(value) }
}

/// Whether a text can stand without quotes, also as a key. Stricter than YAML: what is doubtful is quoted.
fn is_plain(value: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-./%$@()+=~ :".contains(c);
    let starts = value.starts_with(|c: char| c.is_ascii_alphanumeric() || "_./$(".contains(c));
    let breaks =
        value.contains(": ") || value.contains(" #") || value.ends_with([':', ' ']) || value == "...";
    let is_other = resolve_plain(value) != NodeValue::Text(value.to_owned()) || other_readers_differ(value);
    starts && !breaks && !is_other && value.chars().all(inside)
}

/// Words that YAML 1.1 readers take for booleans, and texts that they take for numbers in base 60.
fn other_readers_differ(value: &str) -> bool {
    let word = value.to_ascii_lowercase();
    let is_sexagesimal =
        value.contains(':') && value.chars().all(|c| c.is_ascii_digit() || ":._".contains(c));
    matches!(word.as_str(), "yes" | "no" | "on" | "off" | "y" | "n" | ".nan" | ".inf")
        || is_sexagesimal
        || word.starts_with("0x")
        || word.starts_with("0o")
}

fn double_quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            // Not printable in YAML, or a line break to some readers.
            c if c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') =>
            {
                out.push_str(&format!("\\U{:08x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
