//! One record: what its leaf says, and its one canonical form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::tree::{Hash, hex, unhex};
use crate::limits::LEDGER_LEAF_BYTES_MAX;

/// Version of the leaf's form.
pub const VERSION: u32 = 1;

/// What one leaf says.
///
/// The fields stand in order of their names, because that is RFC 8785's order and they are written as they stand. All
/// numbers stay below 2^53; there are no floats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What was done: `resources.change`, `key.create`, `breaker.transition`.
    pub action: String,
    /// Who did it.
    pub actor: Actor,
    /// SHA-256 of the command's bytes in the log.
    #[serde(with = "hexadecimal")]
    pub body_sha256: Hash,
    /// The cluster's id.
    pub cluster: String,
    /// More, as short texts.
    pub detail: BTreeMap<String, String>,
    /// To what it was done: `Provider/openai`, `Key/0123456789abcdef`, `resources` if there were several.
    pub object: String,
    /// How it ended.
    pub outcome: Outcome,
    /// Leaf hash of the record before; zeros in the first.
    #[serde(with = "hexadecimal")]
    pub prev: Hash,
    /// Why, as a code; empty if nothing is to be said.
    pub reason: String,
    /// The asker's; empty if none was given.
    pub request_id: String,
    /// The revision after it.
    pub rev_after: u64,
    /// The revision before it.
    pub rev_before: u64,
    /// Its place, from 0.
    pub seq: u64,
    /// When, by the state's clock: RFC 3339, UTC, milliseconds.
    pub ts: String,
    /// Version of this form: 1.
    pub v: u32,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Token id, or `system:NAME`.
    pub id: String,
    /// Its role.
    pub role: String,
    /// Who holds the token.
    pub subject: String,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was carried out.
    Accepted,
    /// A rule forbade it; nothing changed.
    Refused,
}

/// Bytes that are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// More than 32 KiB.
    #[error("the record is {bytes} bytes long, more than {LEDGER_LEAF_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not JSON, or not these fields.
    #[error("the record does not read as JSON of version {VERSION}: {why}")]
    Json {
        /// The reader's words: a position, never the text.
        why: String,
    },
    /// A version that is not known here.
    #[error("the record is of version {found}, which this release does not know")]
    Version {
        /// Its version.
        found: u32,
    },
    /// The same content in other bytes.
    #[error("the record is not in its canonical form (RFC 8785)")]
    NotCanonical,
}

impl Record {
    /// Writes the leaf: JSON in RFC 8785 form.
    ///
    /// serde_json escapes text exactly as RFC 8785, 3.2.2.2 asks, and the fields stand in the order of 3.2.3.
    #[must_use]
    #[expect(clippy::expect_used, reason = "texts, integers and maps with text keys always have a JSON form")]
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a record has a JSON form")
    }

    /// Reads a leaf, strictly: known fields only, each once, in the one canonical form.
    ///
    /// # Errors
    ///
    /// If the bytes are anything but what [`Self::encode`] writes.
    pub fn parse(leaf: &[u8]) -> Result<Self, RecordError> {
        if leaf.len() > LEDGER_LEAF_BYTES_MAX {
            return Err(RecordError::TooLong { bytes: leaf.len() });
        }
        let at = |error: &serde_json::Error| format!("at byte {}", error.column());
        let record: Self =
            serde_json::from_slice(leaf).map_err(|error| RecordError::Json { why: at(&error) })?;
        if record.v != VERSION {
            return Err(RecordError::Version { found: record.v });
        }
        if record.encode() == leaf { Ok(record) } else { Err(RecordError::NotCanonical) }
    }
}

/// Hashes as 64 digits of lower-case hexadecimal.
mod hexadecimal {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Hash, hex, unhex};

    pub(super) fn serialize<S: Serializer>(hash: &Hash, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(hash))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
        let text = String::deserialize(deserializer)?;
        unhex(&text).ok_or_else(|| Error::custom("not 64 digits of hexadecimal"))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::Head;
    use super::*;

    pub(crate) fn sample(seq: u64, prev: Hash) -> Record {
        Record {
            action: "resources.change".to_owned(),
            actor: Actor {
                id: "0123456789abcdef".to_owned(),
                role: "operator".to_owned(),
                subject: "alice".to_owned(),
            },
            body_sha256: [0xab; 32],
            cluster: "c1".to_owned(),
            detail: BTreeMap::from([("updated".to_owned(), "Provider/openai".to_owned())]),
            object: "Provider/openai".to_owned(),
            outcome: Outcome::Accepted,
            prev,
            reason: String::new(),
            request_id: format!("r-{seq}"),
            rev_after: seq + 2,
            rev_before: seq + 1,
            seq,
            ts: "2026-11-20T14:35:00.000Z".to_owned(),
            v: VERSION,
        }
    }

    pub(crate) fn chain(count: u64) -> Vec<(u64, Vec<u8>)> {
        let mut head = Head::default();
        let mut next = |seq| {
            let leaf = sample(seq, head.last_leaf).encode();
            head.append(&leaf);
            (seq, leaf)
        };
        (0..count).map(&mut next).collect()
    }

    #[test]
    fn the_leaf_is_this_text() {
        let expect = format!(
            concat!(
                r#"{{"action":"resources.change","actor":{{"id":"0123456789abcdef","role":"operator","subject":"alice"}},"#,
                r#""body_sha256":"{}","cluster":"c1","detail":{{"updated":"Provider/openai"}},"object":"Provider/openai","#,
                r#""outcome":"accepted","prev":"{}","reason":"","request_id":"r-0","rev_after":2,"rev_before":1,"seq":0,"#,
                r#""ts":"2026-11-20T14:35:00.000Z","v":1}}"#
            ),
            "ab".repeat(32),
            "0".repeat(64),
        );
        assert_eq!(String::from_utf8(sample(0, [0; 32]).encode()).unwrap(), expect);
    }

    #[test]
    fn escapes_are_those_of_rfc_8785() {
        // The string of RFC 8785, 3.2.2: Euro sign, $, U+000F, U+000A, A'B"\\\"/.
        let mut record = sample(0, [0; 32]);
        record.reason = "\u{20ac}$\u{f}\nA'B\"\\\\\"/".to_owned();
        let text = String::from_utf8(record.encode()).unwrap();
        assert!(text.contains("\"reason\":\"\u{20ac}$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\""), "{text}");
        assert_eq!(Record::parse(text.as_bytes()), Ok(record));
    }

    #[test]
    fn only_the_canonical_form_is_read() {
        let leaf = String::from_utf8(sample(3, [1; 32]).encode()).unwrap();
        assert!(Record::parse(leaf.as_bytes()).is_ok());
        let check = |from: &str, to: &str, expect: fn(&RecordError) -> bool| {
            assert!(leaf.contains(from));
            let error = Record::parse(leaf.replacen(from, to, 1).as_bytes()).unwrap_err();
            assert!(expect(&error), "{to}: {error}");
        };
        check(r#""v":1"#, r#""v": 1"#, |error| *error == RecordError::NotCanonical);
        check(r#""v":1"#, r#""v":2"#, |error| *error == RecordError::Version { found: 2 });
        check("alice", "\\u0061lice", |error| *error == RecordError::NotCanonical);
        check(r#""v":1"#, r#""v":1,"w":1"#, |error| matches!(error, RecordError::Json { .. }));
        check(r#""v":1"#, r#""v":1,"v":1"#, |error| matches!(error, RecordError::Json { .. }));
        check("01010101", "0101010G", |error| matches!(error, RecordError::Json { .. }));
        let long = vec![b' '; LEDGER_LEAF_BYTES_MAX + 1];
        assert_eq!(Record::parse(&long), Err(RecordError::TooLong { bytes: LEDGER_LEAF_BYTES_MAX + 1 }));
    }
}
