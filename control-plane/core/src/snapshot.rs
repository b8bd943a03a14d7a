//! The state as rows and back.
//!
//! A row is a key (table prefix first) and a value. The durable image and the Raft snapshot are both made of these rows,
//! so there is one encoding and one reader. Ledger leaves are rows too, but memory holds only the ledger's head.

use std::sync::Arc;

use breakwater_common::ledger::hex;
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;
use sha2::{Digest, Sha256};

use crate::state::State;
use crate::wire::overrides::{decode_override, encode_override};
use crate::wire::{WireError, rows as wire};

/// Prefix of the one meta row.
pub const TABLE_META: u8 = 0x00;
/// Prefix of resources: kind, 0x00, name.
pub const TABLE_RESOURCE: u8 = 0x01;
/// Prefix of keys: id.
pub const TABLE_KEY: u8 = 0x02;
/// Prefix of tokens: id.
pub const TABLE_TOKEN: u8 = 0x03;
/// Prefix of request ids: principal's id, 0x00, request id.
pub const TABLE_REQUEST: u8 = 0x04;
/// Prefix of generations of acts: boot id, 0x00, object.
pub const TABLE_ACT: u8 = 0x05;
/// Prefix of ledger leaves: index in 8 bytes, big-endian.
pub const TABLE_LEDGER: u8 = 0x06;
/// Prefix of routes' overrides: the route's name.
pub const TABLE_OVERRIDE: u8 = 0x0a;

/// Rows that are not a state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RowsError {
    /// There is no meta row.
    #[error("the meta row is missing: check that the snapshot is whole")]
    NoMeta,
    /// A key is of no table, or not well made.
    #[error("row key {key} is of no known table: run a newer release")]
    Key {
        /// The key, in hexadecimal.
        key: String,
    },
    /// A value does not decode.
    #[error("row {key}: {source}")]
    Value {
        /// The key, in hexadecimal.
        key: String,
        /// Why.
        source: WireError,
    },
}

/// Returns the key of a ledger leaf's row.
#[must_use]
pub fn ledger_key(index: u64) -> Vec<u8> {
    key(TABLE_LEDGER, &index.to_be_bytes())
}

pub(crate) fn key(table: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(rest.len() + 1);
    key.push(table);
    key.extend_from_slice(rest);
    key
}

pub(crate) fn resource_key(kind: Kind, name: &str) -> Vec<u8> {
    key(TABLE_RESOURCE, format!("{}\0{name}", kind.as_str()).as_bytes())
}

impl State {
    /// Returns every row but the ledger's leaves, sorted by key.
    #[must_use]
    pub fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let meta = [(vec![TABLE_META], wire::encode_meta(self))];
        let resources = self
            .resources
            .values()
            .map(|resource| (resource_key(resource.kind, &resource.name), wire::encode_resource(resource)));
        let keys = self.keys.iter().map(|(id, row)| (key(TABLE_KEY, id.as_bytes()), wire::encode_key(row)));
        let tokens =
            self.tokens.iter().map(|(id, row)| (key(TABLE_TOKEN, id.as_bytes()), wire::encode_token(row)));
        let requests = self.requests.iter().map(|(id, (at, answered))| {
            (key(TABLE_REQUEST, id.as_bytes()), wire::encode_answered(*at, answered))
        });
        let acts = self
            .acts
            .iter()
            .map(|(id, (at, generation))| (key(TABLE_ACT, id.as_bytes()), act_value(*at, *generation)));
        let overrides = self
            .overrides
            .iter()
            .map(|(route, over)| (key(TABLE_OVERRIDE, route.as_bytes()), encode_override(over)));
        let named = meta.into_iter().chain(resources).chain(keys).chain(tokens).chain(overrides);
        let mut rows: Vec<_> = named.chain(requests).chain(acts).collect();
        rows.sort_unstable();
        rows
    }

    /// Reads a state from its rows, in any order; rows of ledger leaves are passed over.
    ///
    /// # Errors
    ///
    /// If a row is of no known table or does not decode, or if there is no meta row: the rows are damaged or of a newer
    /// release.
    pub fn from_rows(rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> Result<Self, RowsError> {
        let mut state = Self::default();
        let mut has_meta = false;
        for (key, value) in rows {
            has_meta |= key == [TABLE_META];
            state.read_row(&key, &value)?;
        }
        if has_meta { Ok(state) } else { Err(RowsError::NoMeta) }
    }

    fn read_row(&mut self, key: &[u8], value: &[u8]) -> Result<(), RowsError> {
        let bad_key = || RowsError::Key { key: hex(key) };
        let bad_value = |source| RowsError::Value { key: hex(key), source };
        let (table, rest) = key.split_first().ok_or_else(bad_key)?;
        let id = || std::str::from_utf8(rest).map(str::to_owned).map_err(|_| bad_key());
        match *table {
            TABLE_META => wire::decode_meta(value, self).map_err(bad_value)?,
            TABLE_RESOURCE => {
                let id = id()?;
                let (kind, name) = id.split_once('\0').ok_or_else(bad_key)?;
                let kind = Kind::parse(kind).ok_or_else(bad_key)?;
                let resource = wire::decode_resource(kind, name, value).map_err(bad_value)?;
                self.resources.insert((kind, name.to_owned()), Arc::new(resource));
            }
            TABLE_KEY => self.put_key(Arc::new(wire::decode_key(value).map_err(bad_value)?)),
            TABLE_TOKEN => self.put_token(Arc::new(wire::decode_token(value).map_err(bad_value)?)),
            TABLE_REQUEST => {
                let (at, answered) = wire::decode_answered(value).map_err(bad_value)?;
                self.requests.insert(id()?, at, Arc::new(answered));
            }
            TABLE_ACT => {
                let (at, generation) = read_act_value(value)
                    .ok_or_else(|| bad_value(WireError::Decode { what: "an act's generation" }))?;
                self.acts.insert(id()?, at, generation);
            }
            TABLE_OVERRIDE => {
                let route = id()?;
                let over = decode_override(&route, value).map_err(bad_value)?;
                self.overrides.insert(route, Arc::new(over));
            }
            TABLE_LEDGER => {}
            _ => return Err(bad_key()),
        }
        Ok(())
    }

    /// Returns the SHA-256 over all rows but the ledger's leaves (which the head in the meta row stands for). Two nodes
    /// that applied the same proposals have the same.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new_with_prefix(b"breakwater-state-v1");
        for part in self.rows().iter().flat_map(|(key, value)| [key, value]) {
            hasher.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}

/// Time and generation, 8 bytes each, big-endian.
pub(crate) fn act_value(at: UnixMillis, generation: u64) -> Vec<u8> {
    [at.0.to_be_bytes(), generation.to_be_bytes()].concat()
}

fn read_act_value(bytes: &[u8]) -> Option<(UnixMillis, u64)> {
    let (at, generation) = bytes.split_first_chunk::<8>()?;
    Some((UnixMillis(u64::from_be_bytes(*at)), u64::from_be_bytes(generation.try_into().ok()?)))
}
