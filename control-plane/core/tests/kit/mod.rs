//! Builders for the tests of apply: a cluster with its first tokens, proposals, specs, and a store that is fed with changed
//! rows only.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a kit for tests")]

use std::collections::BTreeMap;

use breakwater_common::ledger::{Record, verify_chain};
use breakwater_common::resource::{Kind, RerouteKind};
use breakwater_common::time::UnixMillis;
use breakwater_control_core::snapshot::TABLE_LEDGER;
use breakwater_control_core::{
    Act, Applied, Command, CreateKey, CreateToken, Principal, Proposal, Receipt, Refusal, ResourceWrite,
    Role, SetRouteOverride, State,
};
use breakwater_proto::v1;
use prost::Message;

pub(crate) const ADMIN: &str = "000000000000000a";
pub(crate) const OPERATOR: &str = "000000000000000b";
pub(crate) const VIEWER: &str = "000000000000000c";

pub(crate) fn principal(id: &str, role: Role) -> Principal {
    Principal { id: id.to_owned(), subject: format!("who-{}", role.as_str()), role }
}

pub(crate) fn admin() -> Principal {
    principal(ADMIN, Role::Admin)
}

pub(crate) fn proposal(principal: Principal, request_id: &str, at: u64, command: Command) -> Proposal {
    Proposal {
        request_id: request_id.to_owned(),
        principal,
        stamped: UnixMillis(at),
        request_digest: None,
        command,
    }
}

pub(crate) fn token(id: &str, role: Role) -> CreateToken {
    CreateToken { id: id.to_owned(), sha256: secret(id), subject: format!("who-{}", role.as_str()), role }
}

/// A SHA-256 for an id.
pub(crate) fn secret(id: &str) -> [u8; 32] {
    let mut bytes = [0x5a; 32];
    for (to, from) in bytes.iter_mut().zip(id.bytes()) {
        *to = from;
    }
    bytes
}

pub(crate) fn bootstrap() -> Proposal {
    let tokens =
        vec![token(ADMIN, Role::Admin), token(OPERATOR, Role::Operator), token(VIEWER, Role::Viewer)];
    let command = Command::Bootstrap { cluster_id: "c1".to_owned(), tokens };
    proposal(Principal::system("bootstrap"), "", 1_000, command)
}

pub(crate) fn write(kind: Kind, name: &str, spec: Vec<u8>) -> ResourceWrite {
    ResourceWrite { kind, name: name.to_owned(), spec: Some(spec), expected_revision: None }
}

pub(crate) fn delete(kind: Kind, name: &str) -> ResourceWrite {
    ResourceWrite { kind, name: name.to_owned(), spec: None, expected_revision: None }
}

pub(crate) fn change(writes: Vec<ResourceWrite>) -> Command {
    Command::ChangeResources { writes, prune: false }
}

pub(crate) fn provider(name: &str, api_key: &str) -> ResourceWrite {
    let credentials = vec![v1::Credential { name: "main".to_owned(), api_key: api_key.to_owned() }];
    let spec = v1::ProviderSpec {
        r#type: "openai_compatible".to_owned(),
        base_url: "http://127.0.0.1:1/v1".to_owned(),
        credentials,
        ..v1::ProviderSpec::default()
    };
    write(Kind::Provider, name, spec.encode_to_vec())
}

pub(crate) fn sealed(name: &str) -> ResourceWrite {
    provider(name, "sealed:v1:AAAA")
}

pub(crate) fn endpoint(name: &str, provider: &str) -> ResourceWrite {
    let spec = v1::EndpointSpec { provider: provider.to_owned(), model: "gpt-4o".to_owned() };
    write(Kind::Endpoint, name, spec.encode_to_vec())
}

pub(crate) fn policy(name: &str, mode: &str) -> ResourceWrite {
    let spec = v1::PolicySpec { mode: mode.to_owned(), ..v1::PolicySpec::default() };
    write(Kind::Policy, name, spec.encode_to_vec())
}

pub(crate) fn route(name: &str, endpoint: &str, policies: &[&str]) -> ResourceWrite {
    let spec = v1::RouteSpec {
        endpoint: Some(v1::EndpointRef { name: endpoint.to_owned(), ..v1::EndpointRef::default() }),
        policies: policies.iter().map(|policy| (*policy).to_owned()).collect(),
        ..v1::RouteSpec::default()
    };
    write(Kind::Route, name, spec.encode_to_vec())
}

pub(crate) fn tenant(name: &str, routes: &[&str]) -> ResourceWrite {
    let routes = routes.iter().map(|route| (*route).to_owned()).collect();
    let spec = v1::TenantSpec { routes, ..v1::TenantSpec::default() };
    write(Kind::Tenant, name, spec.encode_to_vec())
}

/// A whole small configuration.
pub(crate) fn config() -> Vec<ResourceWrite> {
    vec![
        sealed("openai"),
        endpoint("primary", "openai"),
        policy("pii", "enforce"),
        route("chat", "primary", &["pii"]),
        tenant("acme", &["chat"]),
    ]
}

pub(crate) fn key(id: &str, tenant: &str) -> CreateKey {
    CreateKey {
        id: id.to_owned(),
        sha256: secret(id),
        tenant: tenant.to_owned(),
        attributes: BTreeMap::from([("department".to_owned(), "sales".to_owned())]),
        expire: None,
        replaces: None,
    }
}

/// A failover of a route for an hour.
pub(crate) fn to(route: &str, endpoint: Option<&str>) -> SetRouteOverride {
    SetRouteOverride {
        route: route.to_owned(),
        kind: RerouteKind::Failover,
        endpoint: endpoint.map(str::to_owned),
        reason: "latency_degradation".to_owned(),
        ttl_ms: 3_600_000,
        expected_revision: None,
    }
}

pub(crate) fn moved(route: &str, endpoint: Option<&str>) -> Command {
    Command::SetRouteOverride(to(route, endpoint))
}

pub(crate) fn act(boot_id: &str, object: &str, generation: u64) -> Act {
    Act {
        proxy: "proxy-1".to_owned(),
        boot_id: boot_id.to_owned(),
        action: "breaker.transition".to_owned(),
        object: object.to_owned(),
        from: "closed".to_owned(),
        to: "open".to_owned(),
        reason: "threshold_reached".to_owned(),
        at: UnixMillis(5_000),
        generation,
    }
}

/// A state with the rows that a store would hold: those that came back from apply, and nothing else.
#[derive(Debug, Clone, Default)]
pub(crate) struct Node {
    pub(crate) state: State,
    pub(crate) rows: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) clock: u64,
}

impl Node {
    /// A node after its bootstrap.
    pub(crate) fn new() -> Self {
        let mut node = Self { clock: 1_000, ..Self::default() };
        node.apply(&bootstrap()).outcome.unwrap();
        node
    }

    /// A node with the whole small configuration.
    pub(crate) fn configured() -> Self {
        let mut node = Self::new();
        node.ask(change(config())).unwrap();
        node
    }

    pub(crate) fn apply(&mut self, proposal: &Proposal) -> Applied {
        let applied = self.state.apply(proposal);
        for row in &applied.rows {
            match &row.value {
                Some(value) => self.rows.insert(row.key.clone(), value.clone()),
                None => self.rows.remove(&row.key),
            };
        }
        applied
    }

    /// Asks as admin, a second later than before.
    pub(crate) fn ask(&mut self, command: Command) -> Result<Receipt, Refusal> {
        self.ask_as(admin(), command)
    }

    pub(crate) fn ask_as(&mut self, who: Principal, command: Command) -> Result<Receipt, Refusal> {
        self.clock += 1_000;
        let proposal = proposal(who, "", self.clock, command);
        self.apply(&proposal).outcome
    }

    pub(crate) fn leaves(&self) -> Vec<(u64, Vec<u8>)> {
        let of_ledger = |key: &&Vec<u8>| key.first() == Some(&TABLE_LEDGER);
        let keys = self.rows.keys().filter(of_ledger);
        keys.map(|key| {
            let index = u64::from_be_bytes(key.get(1..).unwrap().try_into().unwrap());
            (index, self.rows.get(key).unwrap().clone())
        })
        .collect()
    }

    pub(crate) fn records(&self) -> Vec<Record> {
        self.leaves().iter().map(|(_, leaf)| Record::parse(leaf).unwrap()).collect()
    }

    pub(crate) fn last_record(&self) -> Record {
        self.records().pop().unwrap()
    }

    /// Panics unless what is stored, what is in memory and what the ledger says are one.
    pub(crate) fn assert_whole(&self) {
        let stored: Vec<_> = self
            .rows
            .iter()
            .filter(|(key, _)| key.first() != Some(&TABLE_LEDGER))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        assert_eq!(stored, self.state.rows());
        let read = State::from_rows(self.rows.clone()).unwrap();
        assert_eq!(read.rows(), self.state.rows());
        assert_eq!(read.digest(), self.state.digest());
        assert_eq!(verify_chain(self.leaves()).unwrap(), *self.state.ledger());
    }
}

pub(crate) fn messages(refusal: &Refusal) -> Vec<String> {
    refusal.violations.iter().map(ToString::to_string).collect()
}
