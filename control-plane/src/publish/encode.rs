//! A ruleset in the chunks that go over the wire. Small ones: a large message stays in the memory of each HTTP/2
//! connection that carried it (measured: 256 KiB in one message keeps 291 KiB a stream, 16 KiB chunks keep 82).

use breakwater_common::limits::RULESET_CHUNK_BYTES_MAX;
use breakwater_common::ruleset::{Ruleset, digest};
use breakwater_control_core::State;
use breakwater_proto::v1::{RulesetChunk, RulesetResource};
use prost::Message;

/// A ruleset ready to be sent.
#[derive(Default)]
pub struct Encoded {
    /// Its revision; 0 before the first.
    pub revision: u64,
    /// SHA-256 over its items.
    pub digest: [u8; 32],
    /// Items in all chunks.
    pub resources: u32,
    pub(super) cluster_id: String,
    pub(super) chunks: Vec<RulesetChunk>,
}

impl Encoded {
    /// Cuts a ruleset into chunks of at most [`RULESET_CHUNK_BYTES_MAX`], unless one item alone is larger.
    #[must_use]
    pub fn new(cluster_id: &str, ruleset: Ruleset) -> Self {
        let digest = digest(ruleset.revision, &ruleset.items);
        let resources = u32::try_from(ruleset.items.len()).unwrap_or(u32::MAX);
        let mut chunks: Vec<RulesetChunk> = Vec::new();
        let mut room = 0;
        for item in ruleset.items {
            let resource = RulesetResource {
                kind: item.kind,
                name: item.name,
                revision: item.revision,
                body: item.body,
            };
            let chunk = RulesetChunk { resources: vec![resource] };
            let bytes = chunk.encoded_len();
            match chunks.last_mut() {
                Some(last) if bytes <= room => last.resources.extend(chunk.resources),
                _ => {
                    chunks.push(chunk);
                    room = RULESET_CHUNK_BYTES_MAX;
                }
            }
            room = room.saturating_sub(bytes);
        }
        Self { revision: ruleset.revision, digest, resources, cluster_id: cluster_id.to_owned(), chunks }
    }

    pub(super) fn is_of(&self, state: &State) -> bool {
        self.revision == state.revision() && self.cluster_id == state.cluster_id()
    }
}

impl std::fmt::Debug for Encoded {
    /// Leaves the chunks out: secrets are open in them.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoded")
            .field("revision", &self.revision)
            .field("resources", &self.resources)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use breakwater_common::ruleset::Item;

    use super::*;

    #[test]
    fn chunks_hold_everything_in_order_and_stay_small() {
        let item = |number: usize, bytes| Item {
            kind: "Provider".to_owned(),
            name: format!("{number:04}"),
            revision: 1,
            body: vec![7; bytes],
        };
        let mut items: Vec<Item> = (0..200).map(|number| item(number, 1_000)).collect();
        items.push(item(200, 40_000));
        items.push(item(201, 10));
        let encoded = Encoded::new("c", Ruleset { revision: 1, items });
        let names: Vec<&str> =
            encoded.chunks.iter().flat_map(|chunk| &chunk.resources).map(|item| item.name.as_str()).collect();
        assert!(names.is_sorted() && names.len() == 202 && encoded.resources == 202);
        let large: Vec<usize> = encoded
            .chunks
            .iter()
            .filter(|chunk| chunk.encoded_len() > RULESET_CHUNK_BYTES_MAX)
            .map(|chunk| chunk.resources.len())
            .collect();
        assert_eq!(large, [1]);
        assert!(encoded.chunks.len() >= 7);
    }
}
