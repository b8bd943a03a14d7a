//! Text to trees: YAML 1.2 by the events of a parser, within bounds.
//!
//! Anchors and aliases are expanded by copying, and each copy is paid from the same budget as written nodes, so that a few
//! lines that stand for billions of nodes end as a violation, not as a process out of memory. Nothing here recurses.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use crate::limits::{MANIFEST_BYTES_MAX, MANIFEST_DEPTH_MAX, MANIFEST_DOCUMENTS_MAX, MANIFEST_NODES_MAX};

use super::node::{Key, Node, NodeValue};
use super::report::{Report, quoted};
use super::scalar::resolve_plain;

/// Why reading ended before the text did.
#[derive(Debug)]
struct YamlError {
    line: u32,
    message: String,
}

/// Reads all documents, up to the first place that is not YAML or breaks a bound; that is reported. Blank documents are
/// left out.
pub(super) fn parse(text: &str, report: &mut Report) -> Vec<Node> {
    if text.len() > MANIFEST_BYTES_MAX {
        report.at(0, "", too_large(text.len()));
        return Vec::new();
    }
    let mut builder = Builder {
        report,
        documents: Vec::new(),
        stack: Vec::new(),
        anchors: BTreeMap::new(),
        spent: Size::default(),
    };
    if let Err(error) = builder.take_all(text) {
        builder.report.at(error.line, "", error.message);
    }
    builder.documents
}

/// Says that a manifest has too many bytes.
pub(super) fn too_large(bytes: usize) -> String {
    format!("the manifest has {bytes} bytes; at most {MANIFEST_BYTES_MAX} are read; apply it in parts")
}

fn line_number(line: usize) -> u32 {
    u32::try_from(line).unwrap_or(u32::MAX)
}

/// A list or a mapping that is not closed yet.
struct Open {
    line: u32,
    anchor: usize,
    value: OpenValue,
}

enum OpenValue {
    List(Vec<Node>),
    Map { entries: Vec<(Key, Node)>, seen: BTreeMap<String, u32>, key: Option<Key> },
}

/// An anchored node with its size, so that a copy's price is known before it is made.
struct Anchored {
    node: Node,
    size: Size,
}

#[derive(Clone, Copy, Default)]
struct Size {
    nodes: usize,
    bytes: usize,
    depth: usize,
}

struct Builder<'a> {
    report: &'a mut Report,
    documents: Vec<Node>,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    spent: Size,
}

impl Builder<'_> {
    fn take_all(&mut self, text: &str) -> Result<(), YamlError> {
        for event in Parser::new_from_str(text.strip_prefix('\u{feff}').unwrap_or(text)) {
            let (event, span) = event.map_err(|error| YamlError {
                line: line_number(error.marker().line()),
                message: format!("not valid YAML: {}", error.info()),
            })?;
            self.take(event, span)?;
        }
        Ok(())
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), YamlError> {
        let line = line_number(span.start.line());
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(anchor) => self.copy(anchor, line),
            Event::Scalar(text, style, anchor, tag) => {
                let value = scalar(&text, style, tag.as_deref(), line)?;
                self.pay(Size { nodes: 1, bytes: text.len(), depth: 1 }, line)?;
                self.add(Node { line, value }, anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(line, anchor, tag.as_deref(), OpenValue::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                let value = OpenValue::Map { entries: Vec::new(), seen: BTreeMap::new(), key: None };
                self.open(line, anchor, tag.as_deref(), value)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn open(
        &mut self,
        line: u32,
        anchor: usize,
        tag: Option<&Tag>,
        value: OpenValue,
    ) -> Result<(), YamlError> {
        if let Some(tag) = tag {
            return Err(unsupported(tag, line));
        }
        if self.expects_key() {
            return Err(YamlError { line, message: "a key must be a text".to_owned() });
        }
        self.pay(Size { nodes: 1, bytes: 0, depth: 1 }, line)?;
        self.stack.push(Open { line, anchor, value });
        Ok(())
    }

    fn close(&mut self) -> Result<(), YamlError> {
        // The parser closes only what it opened.
        let Some(open) = self.stack.pop() else { return Ok(()) };
        let value = match open.value {
            OpenValue::List(items) => NodeValue::List(items),
            OpenValue::Map { entries, .. } => NodeValue::Map(entries),
        };
        self.add(Node { line: open.line, value }, open.anchor)
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        if anchor > 0 {
            let size = measure(&node);
            self.pay(Size { depth: 1, ..size }, node.line)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        }
        match self.stack.last_mut() {
            None => self.add_document(node),
            Some(Open { value: OpenValue::List(items), .. }) => {
                items.push(node);
                Ok(())
            }
            Some(Open { value: OpenValue::Map { entries, seen, key }, .. }) => match key.take() {
                Some(key) => {
                    entries.push((key, node));
                    Ok(())
                }
                None => {
                    let new = as_key(node)?;
                    let first = *seen.entry(new.text.clone()).or_insert(new.line);
                    if entries.len() >= seen.len() {
                        let message =
                            format!("key {} is given twice, first in line {first}", quoted(&new.text));
                        self.report.at(new.line, "", message);
                    }
                    *key = Some(new);
                    Ok(())
                }
            },
        }
    }

    fn add_document(&mut self, node: Node) -> Result<(), YamlError> {
        if node.value == NodeValue::Null {
            return Ok(());
        }
        if self.documents.len() == MANIFEST_DOCUMENTS_MAX {
            let message = format!("more than {MANIFEST_DOCUMENTS_MAX} documents; apply them in parts");
            return Err(YamlError { line: node.line, message });
        }
        self.documents.push(node);
        Ok(())
    }

    fn copy(&mut self, anchor: usize, line: u32) -> Result<(), YamlError> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return Err(YamlError {
                line,
                message: "the alias stands inside of what it refers to".to_owned(),
            });
        };
        let (node, size) = (&anchored.node, anchored.size);
        // The price is checked before the copy is made.
        let spent = paid(self.spent, size, self.stack.len(), line)?;
        let mut node = node.clone();
        node.line = line;
        self.spent = spent;
        self.add(node, 0)
    }

    fn pay(&mut self, size: Size, line: u32) -> Result<(), YamlError> {
        self.spent = paid(self.spent, size, self.stack.len(), line)?;
        Ok(())
    }

    fn expects_key(&self) -> bool {
        matches!(self.stack.last(), Some(Open { value: OpenValue::Map { key: None, .. }, .. }))
    }
}

/// Returns what is spent after a node, or which bound it breaks.
fn paid(spent: Size, size: Size, depth: usize, line: u32) -> Result<Size, YamlError> {
    let after = Size {
        nodes: spent.nodes.saturating_add(size.nodes),
        bytes: spent.bytes.saturating_add(size.bytes),
        depth: 0,
    };
    let message = if depth.saturating_add(size.depth) > MANIFEST_DEPTH_MAX {
        format!("nested deeper than {MANIFEST_DEPTH_MAX} levels")
    } else if after.nodes > MANIFEST_NODES_MAX {
        format!("more than {MANIFEST_NODES_MAX} nodes once aliases are expanded; apply it in parts")
    } else if after.bytes > MANIFEST_BYTES_MAX {
        format!("more than {MANIFEST_BYTES_MAX} bytes of text once aliases are expanded")
    } else {
        return Ok(after);
    };
    Err(YamlError { line, message })
}

fn measure(node: &Node) -> Size {
    let mut size = Size { nodes: 1, bytes: 0, depth: 1 };
    let mut add = |child: Size| {
        size.nodes = size.nodes.saturating_add(child.nodes);
        size.bytes = size.bytes.saturating_add(child.bytes);
        size.depth = size.depth.max(child.depth.saturating_add(1));
    };
    match &node.value {
        NodeValue::Null | NodeValue::Bool(_) => {}
        NodeValue::Number(text) | NodeValue::Text(text) => {
            add(Size { nodes: 0, bytes: text.len(), depth: 0 })
        }
        NodeValue::List(items) => items.iter().for_each(|item| add(measure(item))),
        NodeValue::Map(entries) => {
            for (key, item) in entries {
                add(Size { nodes: 1, bytes: key.text.len(), depth: 0 });
                add(measure(item));
            }
        }
    }
    size
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: u32) -> Result<NodeValue, YamlError> {
    let is_text = match tag {
        None => style != ScalarStyle::Plain,
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => true,
        Some(tag) => return Err(unsupported(tag, line)),
    };
    Ok(if is_text { NodeValue::Text(text.to_owned()) } else { resolve_plain(text) })
}

fn unsupported(tag: &Tag, line: u32) -> YamlError {
    YamlError { line, message: format!("tag {} is not supported; leave it out", quoted(&tag.to_string())) }
}

fn as_key(node: Node) -> Result<Key, YamlError> {
    let line = node.line;
    let text = match node.value {
        NodeValue::Text(text) | NodeValue::Number(text) => text,
        NodeValue::Bool(value) => value.to_string(),
        NodeValue::Null | NodeValue::List(_) | NodeValue::Map(_) => {
            return Err(YamlError { line, message: "a key must be a text".to_owned() });
        }
    };
    Ok(Key { line, text })
}
