//! Files of manifests: documents with kind, name and spec.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use prost::Message;
use prost_reflect::DynamicMessage;

use crate::resource::Kind;
use crate::violation::Violation;

use super::check::{report_spec, title};
use super::lines::{Lines, within};
use super::node::{Node, NodeValue};
use super::path::Path;
use super::read::Reader;
use super::report::{Report, quoted};
use super::resource_descriptor;
use super::yaml;
use crate::suggest::hint;

/// One manifest that was read and checked.
#[derive(Clone, PartialEq)]
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

impl fmt::Debug for Document {
    /// Leaves out the spec: it holds open secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut document = f.debug_struct("Document");
        document.field("number", &self.number).field("kind", &self.kind).field("name", &self.name);
        document.finish_non_exhaustive()
    }
}

/// Reads a file of manifests and checks each by [`check_spec`](super::check_spec). Fields that the server sets are read over, so what `get
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
        let Some(document) = read_document(number, &node, &mut report) else { continue };
        let this = (number, document.lines.line("name").unwrap_or(node.line));
        let first = *seen.entry((document.kind, document.name.clone())).or_insert(this);
        if first != this && !document.name.is_empty() {
            report.push(given_twice(&document, this, first));
        }
        documents.push(document);
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

/// Reads one document. It is returned also if it has violations, unless nobody can tell what it is.
fn read_document(number: u32, node: &Node, report: &mut Report) -> Option<Document> {
    let mut reader = Reader::default();
    let kind = match read_kind(node) {
        Ok(kind) => kind,
        Err((line, path, message)) => {
            reader.report.at(line, path, message);
            report.absorb(reader.report, |violation| Some(Violation { document: Some(number), ..violation }));
            return None;
        }
    };
    let resource = reader.message(&resource_descriptor(kind), node, &mut Path::default());
    let name = string_field(&resource, "name");
    let spec_field = resource.get_field_by_name("spec").filter(|_| resource.has_field_by_name("spec"));
    let spec = spec_field.as_ref().and_then(|spec| spec.as_message()).map(DynamicMessage::encode_to_vec);
    let Reader { report: mut read, lines } = reader;
    if spec.is_none() {
        read.at(0, "spec", "is required");
    }
    let spec = spec.unwrap_or_default();
    // Fills in what a violation does not know by itself.
    let place = |violation: Violation| Violation {
        document: Some(number),
        line: violation.line.or_else(|| lines.line(&violation.field_path)),
        resource: title(kind, &name),
        ..violation
    };
    // A default stands for what could not be read; what is wrong with that, or below it, is no news.
    let unread: BTreeSet<String> = read.iter().map(|violation| violation.field_path.clone()).collect();
    let is_news = |violation: &Violation| !within(&violation.field_path).any(|path| unread.contains(path));
    report.absorb(read, |violation| Some(place(violation)));
    report.absorb(report_spec(kind, &name, &spec), |violation| is_news(&violation).then(|| place(violation)));
    Some(Document { number, line: node.line, kind, name, spec, lines })
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
