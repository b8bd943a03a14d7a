//! The replicated state: maps that clone in constant time, so that readers, snapshots and checks take a copy and nobody
//! waits. Everything in it can be written as rows and read back to the same (see [`crate::snapshot`]); what can be
//! derived (indexes by digest, order of eviction, decoded specs) is derived, never stored.

use std::sync::Arc;

use breakwater_common::ledger::Head;
use breakwater_common::resource::{Kind, Reference, Reroute, Spec};
use breakwater_common::time::UnixMillis;
use imbl::OrdMap;

use crate::aging::Aging;
use crate::applied::{Receipt, Refusal};
use crate::command::{CreateKey, CreateToken};
use crate::proposal::Principal;

/// One resource as committed.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The revision that last changed it.
    pub revision: u64,
    /// When it was made.
    pub create: UnixMillis,
    /// When it was last changed.
    pub update: UnixMillis,
    /// Its encoded spec, secrets sealed: the very bytes of the command.
    pub spec: Vec<u8>,
    /// What the spec means.
    pub decoded: Spec,
    /// What it refers to.
    pub references: Vec<Reference>,
}

/// One key of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// As made.
    pub made: CreateKey,
    /// When it was made.
    pub create: UnixMillis,
    /// When it ends by itself; never if none.
    pub expire: Option<UnixMillis>,
    /// It was ended.
    pub revoked: bool,
    /// The revision that last changed it.
    pub revision: u64,
}

impl Key {
    /// Whether a call with it is let in at that time.
    #[must_use]
    pub fn is_active(&self, now: UnixMillis) -> bool {
        !self.revoked && self.expire.is_none_or(|expire| now < expire)
    }
}

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As made.
    pub made: CreateToken,
    /// When it was made.
    pub create: UnixMillis,
    /// It was ended.
    pub revoked: bool,
    /// The revision that last changed it.
    pub revision: u64,
}

/// A route that is moved for a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteOverride {
    /// Which.
    pub route: String,
    /// From where to where.
    pub reroute: Reroute,
    /// Why: a code.
    pub reason: String,
    /// Who: the token's holder.
    pub made_by: String,
    /// When it was made.
    pub create: UnixMillis,
    /// From when on the route's configuration holds again.
    pub expire: UnixMillis,
    /// The revision that made it.
    pub revision: u64,
}

impl RouteOverride {
    /// Returns its id: unlike that of any other of the cluster, and the same on every node.
    #[must_use]
    pub fn id(&self) -> String {
        format!("auto-{}", self.revision)
    }
}

/// The first answer to a request id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    /// What a repeated request is known by: its digest, or that of its command.
    pub(crate) asked: [u8; 32],
    pub(crate) outcome: Result<Receipt, Refusal>,
}

/// The replicated state. A clone is cheap (constant time) and never changes with the original.
#[derive(Debug, Clone, Default)]
pub struct State {
    pub(crate) cluster_id: String,
    pub(crate) revision: u64,
    pub(crate) clock: UnixMillis,
    pub(crate) ledger: Head,
    pub(crate) resources: OrdMap<(Kind, String), Arc<Resource>>,
    pub(crate) keys: OrdMap<String, Arc<Key>>,
    pub(crate) tokens: OrdMap<String, Arc<Token>>,
    pub(crate) requests: Aging<Arc<Answered>>,
    pub(crate) acts: Aging<u64>,
    /// By route.
    pub(crate) overrides: OrdMap<String, Arc<RouteOverride>>,
    /// Derived: token ids by SHA-256.
    pub(crate) tokens_by_sha256: OrdMap<[u8; 32], String>,
    /// Derived: key ids by SHA-256.
    pub(crate) keys_by_sha256: OrdMap<[u8; 32], String>,
}

impl State {
    /// Returns the cluster's id; empty before the bootstrap.
    #[must_use]
    pub fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    /// Returns the newest revision.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the state's own time: that of the newest proposal, never going back.
    #[must_use]
    pub fn clock(&self) -> UnixMillis {
        self.clock
    }

    /// Returns the head of the ledger: its size, its newest leaf's hash, its tree.
    #[must_use]
    pub fn ledger(&self) -> &Head {
        &self.ledger
    }

    /// Returns a resource.
    #[must_use]
    pub fn resource(&self, kind: Kind, name: &str) -> Option<&Arc<Resource>> {
        self.resources.get(&(kind, name.to_owned()))
    }

    /// Returns all resources by kind and name.
    pub fn resources(&self) -> impl Iterator<Item = &Arc<Resource>> {
        self.resources.values()
    }

    /// Returns a key by its public part.
    #[must_use]
    pub fn key(&self, id: &str) -> Option<&Arc<Key>> {
        self.keys.get(id)
    }

    /// Returns all keys by id, also those that ended.
    pub fn keys(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    /// Returns a token by its public part.
    #[must_use]
    pub fn token(&self, id: &str) -> Option<&Arc<Token>> {
        self.tokens.get(id)
    }

    /// Returns all tokens by id, also those that ended.
    pub fn tokens(&self) -> impl Iterator<Item = &Arc<Token>> {
        self.tokens.values()
    }

    /// Returns the override of a route, also one whose time is over.
    #[must_use]
    pub fn route_override(&self, route: &str) -> Option<&Arc<RouteOverride>> {
        self.overrides.get(route)
    }

    /// Returns all overrides by route, also those whose time is over.
    pub fn route_overrides(&self) -> impl Iterator<Item = &Arc<RouteOverride>> {
        self.overrides.values()
    }

    /// Returns who holds the token of that SHA-256; none if there is no such token or it ended.
    ///
    /// The look-up's time depends on the digest only. Who could learn from it would learn parts of SHA-256 digests of
    /// 256-bit random tokens, which lead to no token.
    #[must_use]
    pub fn authenticate(&self, token_sha256: &[u8; 32]) -> Option<Principal> {
        let token = self.tokens.get(self.tokens_by_sha256.get(token_sha256)?)?;
        (!token.revoked).then(|| Principal {
            id: token.made.id.clone(),
            subject: token.made.subject.clone(),
            role: token.made.role,
        })
    }

    pub(crate) fn put_key(&mut self, key: Arc<Key>) {
        self.keys_by_sha256.insert(key.made.sha256, key.made.id.clone());
        self.keys.insert(key.made.id.clone(), key);
    }

    pub(crate) fn put_token(&mut self, token: Arc<Token>) {
        self.tokens_by_sha256.insert(token.made.sha256, token.made.id.clone());
        self.tokens.insert(token.made.id.clone(), token);
    }
}
