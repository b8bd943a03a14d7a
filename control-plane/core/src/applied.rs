//! What comes of a proposal.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;

/// What comes of a proposal: the answer, and every row that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Applied {
    /// The answer to who asked.
    pub outcome: Result<Receipt, Refusal>,
    /// Every row that changed, by key, each key once; the ledger leaves that were made are among them. Empty if nothing
    /// changed. To be stored in one batch.
    pub rows: Vec<RowChange>,
}

/// A command was carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Revision of the state after it; that before if nothing changed.
    pub revision: u64,
    /// Its record in the ledger (the first, if there are several); none if nothing changed.
    pub ledger_index: Option<u64>,
    /// What happened to each resource written or pruned, in that order.
    pub changes: Vec<Change>,
}

/// A command was not carried out, by a rule. Nothing changed but the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of rule.
    pub kind: ErrorKind,
    /// Every reason, at most 100; at least one.
    pub violations: Vec<Violation>,
    /// Its record in the ledger; none if it was refused before it could be one (malformed, or only checked).
    pub ledger_index: Option<u64>,
}

impl Refusal {
    /// Makes a refusal for one reason.
    #[must_use]
    pub fn because(kind: ErrorKind, violation: Violation) -> Self {
        Self { kind, violations: vec![violation], ledger_index: None }
    }
}

/// What happened to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What happened.
    pub change: ChangeKind,
}

/// What happened to a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It is new.
    Created,
    /// Its spec is another.
    Updated,
    /// Its spec was the same already; its revision stays.
    Unchanged,
    /// It is gone.
    Deleted,
}

impl ChangeKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Unchanged, Self::Deleted];

    /// Returns the word of answers and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Deleted => "deleted",
        }
    }

    /// Returns the kind of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One row that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Its key, table prefix first.
    pub key: Vec<u8>,
    /// Its value now; none if it is gone.
    pub value: Option<Vec<u8>>,
}
