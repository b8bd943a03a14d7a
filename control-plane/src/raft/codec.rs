//! Raft's own small things as bytes: votes, log ids, memberships, entries. Versioned and explicit, because openraft promises
//! no stable encoding of its types. Numbers are big endian; the proposal inside an entry is protobuf (`control_core::wire`).

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
};

use breakwater_control_core::wire;
use bytes::Bytes;
use openraft::{EntryPayload, Membership, impls::BasicNode, vote::leader_id_std::CommittedLeaderId};

use super::types::{Entry, LogId, Payload, StoredMembership, Vote};

const FORMAT: u8 = 1;
const BLANK: u8 = 0;
const NORMAL: u8 = 1;
const MEMBERSHIP: u8 = 2;

/// How far a state is, and who votes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) applied: Option<LogId>,
    pub(crate) membership: StoredMembership,
}

pub(crate) fn encode_vote(vote: &Vote) -> Bytes {
    let mut bytes = vec![FORMAT];
    put(&mut bytes, vote.leader_id.term);
    put(&mut bytes, vote.leader_id.voted_for);
    bytes.push(u8::from(vote.committed));
    bytes.into()
}

pub(crate) fn decode_vote(bytes: &[u8]) -> io::Result<Vote> {
    let mut input = Input::begin(bytes)?;
    let (term, node) = (input.u64()?, input.u64()?);
    let committed = input.u8()? == 1;
    input.end()?;
    Ok(if committed { Vote::new_committed(term, node) } else { Vote::new(term, node) })
}

pub(crate) fn encode_log_id(log_id: Option<&LogId>) -> Bytes {
    let mut bytes = vec![FORMAT];
    put_log_id(&mut bytes, log_id);
    bytes.into()
}

pub(crate) fn decode_log_id(bytes: &[u8]) -> io::Result<Option<LogId>> {
    let mut input = Input::begin(bytes)?;
    let log_id = input.log_id()?;
    input.end()?;
    Ok(log_id)
}

pub(crate) fn encode_position(position: &Position) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    put_log_id(&mut bytes, position.applied.as_ref());
    put_log_id(&mut bytes, position.membership.log_id().as_ref());
    put_membership(&mut bytes, position.membership.membership());
    bytes
}

pub(crate) fn decode_position(bytes: &[u8]) -> io::Result<Position> {
    let mut input = Input::begin(bytes)?;
    let applied = input.log_id()?;
    let membership_id = input.log_id()?;
    let membership = StoredMembership::new(membership_id, input.membership()?);
    input.end()?;
    Ok(Position { applied, membership })
}

pub(crate) fn encode_entry(entry: &Entry) -> Bytes {
    let mut bytes = vec![FORMAT];
    put_log_id(&mut bytes, Some(&entry.log_id));
    match &entry.payload {
        EntryPayload::Blank => bytes.push(BLANK),
        EntryPayload::Normal(payload) => {
            bytes.push(NORMAL);
            bytes.extend_from_slice(&payload.bytes);
        }
        EntryPayload::Membership(membership) => {
            bytes.push(MEMBERSHIP);
            put_membership(&mut bytes, membership);
        }
    }
    bytes.into()
}

pub(crate) fn decode_entry(bytes: &Bytes) -> io::Result<Entry> {
    let mut input = Input::begin(bytes)?;
    let log_id = input.log_id()?.ok_or_else(|| damaged("an entry has no log id"))?;
    let payload = match input.u8()? {
        BLANK => EntryPayload::Blank,
        NORMAL => {
            let bytes = bytes.slice_ref(input.rest());
            let proposal = wire::decode_proposal(&bytes)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            return Ok(Entry {
                log_id,
                payload: EntryPayload::Normal(Payload { proposal: Arc::new(proposal), bytes }),
            });
        }
        MEMBERSHIP => EntryPayload::Membership(input.membership()?),
        _ => {
            return Err(damaged(
                "an entry of a kind that this release does not know; use the release that wrote it",
            ));
        }
    };
    input.end()?;
    Ok(Entry { log_id, payload })
}

/// Reads only the log id of an entry.
pub(crate) fn decode_entry_log_id(bytes: &[u8]) -> io::Result<LogId> {
    Input::begin(bytes)?.log_id()?.ok_or_else(|| damaged("an entry has no log id"))
}

fn put(bytes: &mut Vec<u8>, number: u64) {
    bytes.extend_from_slice(&number.to_be_bytes());
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    put(bytes, u64::try_from(count).unwrap_or(u64::MAX));
}

fn put_log_id(bytes: &mut Vec<u8>, log_id: Option<&LogId>) {
    bytes.push(u8::from(log_id.is_some()));
    if let Some(log_id) = log_id {
        put(bytes, log_id.leader_id.term);
        put(bytes, log_id.index);
    }
}

fn put_membership(bytes: &mut Vec<u8>, membership: &Membership<u64, BasicNode>) {
    let configs = membership.get_joint_config();
    put_count(bytes, configs.len());
    for voters in configs {
        put_count(bytes, voters.len());
        voters.iter().for_each(|voter| put(bytes, *voter));
    }
    put_count(bytes, membership.nodes().count());
    for (id, node) in membership.nodes() {
        put(bytes, *id);
        put_count(bytes, node.addr.len());
        bytes.extend_from_slice(node.addr.as_bytes());
    }
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn begin(bytes: &'a [u8]) -> io::Result<Self> {
        match bytes.split_first() {
            Some((&FORMAT, bytes)) => Ok(Self { bytes }),
            _ => Err(damaged("Raft's data has another format; use the release that wrote it")),
        }
    }

    fn u8(&mut self) -> io::Result<u8> {
        let (first, rest) = self.bytes.split_first().ok_or_else(|| damaged("Raft's data ends early"))?;
        self.bytes = rest;
        Ok(*first)
    }

    fn u64(&mut self) -> io::Result<u64> {
        let (first, rest) =
            self.bytes.split_first_chunk::<8>().ok_or_else(|| damaged("Raft's data ends early"))?;
        self.bytes = rest;
        Ok(u64::from_be_bytes(*first))
    }

    fn log_id(&mut self) -> io::Result<Option<LogId>> {
        if self.u8()? == 0 {
            return Ok(None);
        }
        let (term, index) = (self.u64()?, self.u64()?);
        Ok(Some(LogId { leader_id: CommittedLeaderId::new(term), index }))
    }

    fn membership(&mut self) -> io::Result<Membership<u64, BasicNode>> {
        let mut configs = Vec::new();
        for _ in 0..self.u64()? {
            let mut voters = BTreeSet::new();
            for _ in 0..self.u64()? {
                voters.insert(self.u64()?);
            }
            configs.push(voters);
        }
        let mut nodes = BTreeMap::new();
        for _ in 0..self.u64()? {
            let id = self.u64()?;
            let length = usize::try_from(self.u64()?).map_err(|_| damaged("an address is too long"))?;
            let (addr, rest) =
                self.bytes.split_at_checked(length).ok_or_else(|| damaged("Raft's data ends early"))?;
            self.bytes = rest;
            let addr = String::from_utf8(addr.to_vec()).map_err(|_| damaged("an address is not UTF-8"))?;
            nodes.insert(id, BasicNode { addr });
        }
        // A state that has seen no membership has none: openraft's constructor refuses that, its default is that.
        if configs.is_empty() && nodes.is_empty() {
            return Ok(Membership::default());
        }
        Membership::new(configs, nodes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
    }

    const fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    fn end(&self) -> io::Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { Err(damaged("Raft's data is longer than it should be")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_id(term: u64, index: u64) -> LogId {
        LogId { leader_id: CommittedLeaderId::new(term), index }
    }

    #[test]
    fn everything_survives_and_cut_bytes_are_refused() {
        let membership = Membership::new(
            vec![BTreeSet::from([1, 2]), BTreeSet::from([2, 3])],
            BTreeMap::from([1, 2, 3, 4].map(|id| (id, BasicNode { addr: format!("node-{id}:7946") }))),
        )
        .unwrap();
        for vote in [Vote::new(3, 1), Vote::new_committed(u64::MAX, 2)] {
            assert_eq!(decode_vote(&encode_vote(&vote)).unwrap(), vote);
        }
        for id in [None, Some(log_id(2, 9))] {
            assert_eq!(decode_log_id(&encode_log_id(id.as_ref())).unwrap(), id);
        }
        let position = Position {
            applied: Some(log_id(2, 9)),
            membership: StoredMembership::new(Some(log_id(1, 1)), membership.clone()),
        };
        let bytes = encode_position(&position);
        assert_eq!(decode_position(&bytes).unwrap(), position);
        assert_eq!(decode_position(&encode_position(&Position::default())).unwrap(), Position::default());
        for length in 0..bytes.len() {
            assert!(decode_position(&bytes[..length]).is_err());
        }
        for payload in [EntryPayload::Blank, EntryPayload::Membership(membership)] {
            let bytes = encode_entry(&Entry { log_id: log_id(4, 7), payload });
            let entry = decode_entry(&bytes).unwrap();
            assert_eq!(entry.log_id, log_id(4, 7));
            assert_eq!(encode_entry(&entry), bytes);
            assert_eq!(decode_entry_log_id(&bytes).unwrap(), log_id(4, 7));
        }
        assert!(decode_vote(&[2, 0]).unwrap_err().to_string().contains("another format"));
    }
}
