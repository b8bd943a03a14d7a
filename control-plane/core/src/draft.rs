//! A change in the making: a copy of the state, and the rows in which it differs. Whoever gives it up has changed nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use breakwater_common::ledger::Record;
use breakwater_common::limits;
use breakwater_common::resource::Kind;
use breakwater_common::time::UnixMillis;

use crate::applied::RowChange;
use crate::snapshot::{self, TABLE_ACT, TABLE_KEY, TABLE_META, TABLE_OVERRIDE, TABLE_REQUEST, TABLE_TOKEN};
use crate::state::{Answered, Key, Resource, RouteOverride, State, Token};
use crate::wire::overrides::encode_override;
use crate::wire::rows as wire;

/// A change in the making.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The state as it will be.
    pub(crate) state: State,
    /// The time that holds for this change.
    pub(crate) now: UnixMillis,
    rows: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl Draft {
    pub(crate) fn new(state: &State, now: UnixMillis) -> Self {
        Self { state: state.clone(), now, rows: BTreeMap::new() }
    }

    /// Returns the revision that this change will have.
    pub(crate) fn revision(&self) -> u64 {
        self.state.revision + 1
    }

    pub(crate) fn put_resource(&mut self, resource: Resource) {
        let (kind, name) = (resource.kind, resource.name.clone());
        self.rows.insert(snapshot::resource_key(kind, &name), Some(wire::encode_resource(&resource)));
        self.state.resources.insert((kind, name), Arc::new(resource));
    }

    pub(crate) fn delete_resource(&mut self, kind: Kind, name: &str) {
        self.rows.insert(snapshot::resource_key(kind, name), None);
        self.state.resources.remove(&(kind, name.to_owned()));
    }

    pub(crate) fn put_key(&mut self, key: Key) {
        let row = snapshot::key(TABLE_KEY, key.made.id.as_bytes());
        self.rows.insert(row, Some(wire::encode_key(&key)));
        self.state.put_key(Arc::new(key));
    }

    pub(crate) fn put_token(&mut self, token: Token) {
        let row = snapshot::key(TABLE_TOKEN, token.made.id.as_bytes());
        self.rows.insert(row, Some(wire::encode_token(&token)));
        self.state.put_token(Arc::new(token));
    }

    pub(crate) fn put_override(&mut self, over: RouteOverride) {
        let row = snapshot::key(TABLE_OVERRIDE, over.route.as_bytes());
        self.rows.insert(row, Some(encode_override(&over)));
        self.state.overrides.insert(over.route.clone(), Arc::new(over));
    }

    pub(crate) fn delete_override(&mut self, route: &str) {
        self.rows.insert(snapshot::key(TABLE_OVERRIDE, route.as_bytes()), None);
        self.state.overrides.remove(route);
    }

    pub(crate) fn put_generation(&mut self, origin: String, generation: u64) {
        let row = snapshot::key(TABLE_ACT, origin.as_bytes());
        self.rows.insert(row, Some(snapshot::act_value(self.now, generation)));
        self.state.acts.insert(origin, self.now, generation);
    }

    pub(crate) fn remember(&mut self, request: String, answered: Answered) {
        let row = snapshot::key(TABLE_REQUEST, request.as_bytes());
        self.rows.insert(row, Some(wire::encode_answered(self.now, &answered)));
        self.state.requests.insert(request, self.now, Arc::new(answered));
    }

    /// Puts a record into the ledger and returns its index.
    pub(crate) fn append(&mut self, record: &Record) -> u64 {
        let leaf = record.encode();
        let index = self.state.ledger.size;
        self.state.ledger.append(&leaf);
        self.rows.insert(snapshot::ledger_key(index), Some(leaf));
        index
    }

    /// Ends the draft: forgets what is old, moves the clock, and returns the new state with its changed rows. With nothing
    /// changed the state is that from before, clock included, so that memory and rows never differ.
    pub(crate) fn finish(mut self) -> (State, Vec<RowChange>) {
        if self.rows.is_empty() {
            return (self.state, Vec::new());
        }
        let now = self.now;
        let requests = self.state.requests.evict(now, limits::REQUEST_ID_AGE_MS_MAX, limits::REQUEST_IDS_MAX);
        let acts = self.state.acts.evict(now, limits::ACT_ORIGIN_AGE_MS_MAX, limits::ACT_ORIGINS_MAX);
        for (table, gone) in [(TABLE_REQUEST, requests), (TABLE_ACT, acts)] {
            self.rows.extend(gone.iter().map(|id| (snapshot::key(table, id.as_bytes()), None)));
        }
        self.state.clock = now;
        self.rows.insert(vec![TABLE_META], Some(wire::encode_meta(&self.state)));
        let rows = self.rows.into_iter().map(|(key, value)| RowChange { key, value }).collect();
        (self.state, rows)
    }
}
