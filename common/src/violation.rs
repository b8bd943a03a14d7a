//! One reason why something was refused, said so that a person can mend it.

use std::fmt;

/// One reason of a refusal: where it is and what to do. Never carries secret or prompt text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Violation {
    /// Number of the document in its file or list, from 1; none if no document in particular.
    pub document: Option<u32>,
    /// Line of the file, from 1; none if there is no file.
    pub line: Option<u32>,
    /// The resource, `Kind/name`; empty if it has no name yet.
    pub resource: String,
    /// The field from the resource's root: `spec.rules[0].conditions[1].operator`. Empty if the whole is meant.
    pub field_path: String,
    /// What is wrong and what would be right. Lower case, no full stop.
    pub message: String,
}

impl Violation {
    /// Makes a violation of one field.
    #[must_use]
    pub fn at(field_path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field_path: field_path.into(), message: message.into(), ..Self::default() }
    }
}

impl fmt::Display for Violation {
    /// `document 3, line 41: Route/prod-chat: spec.policies[0]: no Policy named "x"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.document, self.line) {
            (Some(document), Some(line)) => write!(f, "document {document}, line {line}: ")?,
            (Some(document), None) => write!(f, "document {document}: ")?,
            (None, Some(line)) => write!(f, "line {line}: ")?,
            (None, None) => {}
        }
        for part in [&self.resource, &self.field_path] {
            if !part.is_empty() {
                write!(f, "{part}: ")?;
            }
        }
        f.write_str(&self.message)
    }
}
