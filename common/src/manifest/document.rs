//! Files of manifests: documents with kind, name and spec.

use std::collections::{BTreeMap, BTreeSet};

use prost::Message;
use prost_reflect::DynamicMessage;

use crate::resource::Kind;
use crate::violation::Violation;

use super::check::check_spec;
use super::lines::{Lines, within};
use super::node::{Node, NodeValue};
use super::path::Path;
use super::read::Reader;
use super::report::{Report, quoted};
use super::resource_descriptor;
use super::suggest::hint;
use super::yaml;

/// One manifest that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its number in the file, from 1; blank documents do not count.
    pub number: u32,
    /// Its first line, from 1.
    pub line: u32,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The encoded spec message of its kind; secrets stand in it as written.
    pub spec: Vec<u8>,
    /// On which line each field stands.
    pub lines: Lines,
}

/// Reads a file of manifests and checks each by [`check_spec`]. Fields that the server sets are read over, so what `get
/// -o yaml` prints can be applied.
///
/// # Errors
/// All violations with document, line, resource and field path: not YAML, bounds (bytes, nodes, depth, documents), kinds
/// and fields that do not exist, wrong types, rules of fields, and a resource given twice.
pub fn parse_yaml(text: &str) -> Result<Vec<Document>, Vec<Violation>> {
    let mut report = Report::default();
    let mut documents = Vec::new();
    let mut seen = BTreeMap::new();
    for (number, node) in (1..).zip(yaml::parse(text, &mut report)) {
        let (document, violations) = read_document(number, &node);
        if let Some(document) = document {
            let this = (number, document.lines.line("name").unwrap_or(node.line));
            let first = *seen.entry((document.kind, document.name.clone())).or_insert(this);
            if first != this {
                report.push(given_twice(&document, this, first));
            }
            documents.push(document);
        }
        violations.into_iter().for_each(|violation| report.push(violation));
    }
    report.finish_with(documents)
}

fn given_twice(document: &Document, this: (u32, u32), first: (u32, u32)) -> Violation {
    Violation {
        document: Some(this.0),
        line: Some(this.1),
        resource: format!("{}/{}", document.kind.as_str(), document.name),
        field_path: "name".to_owned(),
        message: format!("is given twice, first in document {}, line {}", first.0, first.1),
    }
}

/// Reads one document. The document is returned also if it has violations, unless nobody can tell what it is.
fn read_document(number: u32, node: &Node) -> (Option<Document>, Vec<Violation>) {
    let mut reader = Reader::default();
    let kind = match read_kind(node) {
        Ok(kind) => kind,
        Err((line, path, message)) => {
            reader.report.at(line, path, message);
            return (None, place(reader.report.finish(), number, "", &reader.lines));
        }
    };
    let resource = reader.message(&resource_descriptor(kind), node, &mut Path::default());
    let name = string_field(&resource, "name");
    let spec_field = resource.get_field_by_name("spec").filter(|_| resource.has_field_by_name("spec"));
    let spec = spec_field.as_ref().and_then(|spec| spec.as_message()).map(DynamicMessage::encode_to_vec);
    let title = if name.is_empty() { kind.as_str().to_owned() } else { format!("{}/{name}", kind.as_str()) };
    let read = reader.report.finish();
    // A default stands for what could not be read; what is wrong with that, or below it, is no news.
    let unread: BTreeSet<String> = read.iter().map(|violation| violation.field_path.clone()).collect();
    let is_news = |violation: &Violation| !within(&violation.field_path).any(|path| unread.contains(path));
    let mut violations = place(read, number, &title, &reader.lines);
    let checked = match &spec {
        Some(spec) => check_spec(kind, &name, spec),
        None => vec![Violation::at("spec", "is required")],
    };
    let news = checked.into_iter().filter(is_news).collect();
    violations.extend(place(news, number, &title, &reader.lines));
    let document =
        Document { number, line: node.line, kind, name, spec: spec.unwrap_or_default(), lines: reader.lines };
    (Some(document), violations)
}

/// Fills in what a violation does not know by itself.
fn place(mut violations: Vec<Violation>, number: u32, resource: &str, lines: &Lines) -> Vec<Violation> {
    for violation in &mut violations {
        violation.document = Some(number);
        violation.line = violation.line.or_else(|| lines.line(&violation.field_path));
        violation.resource = resource.to_owned();
    }
    violations
}

/// Returns the document's kind, or line, field path and message of what is wrong with it.
fn read_kind(node: &Node) -> Result<Kind, (u32, &'static str, String)> {
    let words = || Kind::ALL.map(Kind::as_str);
    let NodeValue::Map(entries) = &node.value else {
        let message = format!("a manifest is a mapping with kind, name and spec, not {}", node.value.words());
        return Err((node.line, "", message));
    };
    let Some((key, value)) = entries.iter().find(|(key, _)| key.text == "kind") else {
        return Err((node.line, "kind", format!("is required: one of {}", words().join(", "))));
    };
    let NodeValue::Text(word) = &value.value else {
        return Err((key.line, "kind", format!("must be a text, not {}", value.value.words())));
    };
    Kind::parse(word)
        .ok_or_else(|| (key.line, "kind", format!("no kind {}{}", quoted(word), hint(word, words()))))
}

fn string_field(message: &DynamicMessage, name: &str) -> String {
    message.get_field_by_name(name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
