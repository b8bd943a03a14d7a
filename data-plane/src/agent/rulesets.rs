//! Takes rulesets off the stream: whole, right, compiled, in force, acknowledged; in this order. What is refused changes
//! nothing and is said with every reason.

use std::sync::Arc;

use breakwater_common::ruleset::{CompiledRuleset, Ruleset, compile};
use breakwater_common::time::MonoMillis;
use breakwater_common::violation::Violation;
use breakwater_proto::v1::rejection::Code;
use breakwater_proto::v1::watch_rulesets_request::Message;
use breakwater_proto::v1::{Ack, Heartbeat, Hello, Nack, Rejection};

use super::assembly::{Assembly, reject};
use super::{Handles, Identity};

/// Takes rulesets of one link.
#[derive(Debug)]
pub(super) struct Taker<'a> {
    handles: &'a Handles,
    cluster_id: &'a mut String,
    /// The control plane's word for where it is comes first; until then nothing is compared.
    same_cluster: bool,
    assembly: Option<Assembly>,
    last_byte: MonoMillis,
}

impl<'a> Taker<'a> {
    /// Makes the taker of a new link. `cluster_id` is that of the link before; empty if none was.
    pub(super) fn new(handles: &'a Handles, cluster_id: &'a mut String) -> Self {
        Self { handles, cluster_id, same_cluster: false, assembly: None, last_byte: MonoMillis::default() }
    }

    /// Says who calls and what it holds.
    pub(super) fn hello(&self, identity: &Identity) -> Hello {
        let held = self.handles.cell.pin();
        Hello {
            proxy_id: identity.proxy_id.clone(),
            boot_id: identity.boot_id.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: held.as_ref().map_or(0, |ruleset| ruleset.revision()),
            digest: held.map(|ruleset| ruleset.digest().to_vec()).unwrap_or_default(),
            cluster_id: self.cluster_id.clone(),
        }
    }

    /// Notes which cluster this is: revisions of another one do not compare.
    pub(super) fn welcome(&mut self, cluster_id: &str) {
        self.same_cluster = self.cluster_id == cluster_id;
        cluster_id.clone_into(self.cluster_id);
    }

    /// Takes in what a heartbeat says of the fleet.
    pub(super) fn beat(&self, beat: &Heartbeat) {
        self.handles.limiters.share_among(beat.proxies);
    }

    /// Starts a ruleset; one that was not ended is forgotten.
    pub(super) fn begin(&mut self, assembly: Assembly) {
        self.assembly = Some(assembly);
    }

    /// Adds to the ruleset that was begun.
    pub(super) fn add(&mut self, resources: Vec<breakwater_proto::v1::RulesetResource>) {
        if let Some(assembly) = &mut self.assembly {
            assembly.add(resources);
        }
    }

    /// Ends it and puts it in force; returns what is said about it. Nothing, if nothing was begun or if it is older than
    /// what runs.
    pub(super) async fn end(&mut self, end: &breakwater_proto::v1::RulesetEnd) -> Option<Message> {
        let assembly = self.assembly.take()?;
        self.last_byte = self.handles.clock.mono();
        let revision = assembly.revision();
        let running = self.handles.cell.revision();
        if self.same_cluster && revision < running {
            tracing::warn!(revision, running, "an older ruleset is not taken");
            return None;
        }
        let compiled = match assembly.end(end) {
            Ok(ruleset) => compiled(ruleset).await,
            Err(rejection) => Err(vec![rejection]),
        };
        Some(match compiled {
            Ok(compiled) => Message::Ack(self.activate(compiled)),
            Err(rejections) => Message::Nack(self.refuse(revision, rejections)),
        })
    }

    fn activate(&mut self, compiled: CompiledRuleset) -> Ack {
        let revision = compiled.revision();
        self.handles.breakers.follow(compiled.providers().values().map(Arc::as_ref));
        self.handles.limiters.follow(&compiled);
        self.handles.reroutes.follow(&compiled);
        self.handles.cell.store(Arc::new(compiled));
        self.handles.ruleset_ready.ready();
        self.handles.metrics.revision(revision);
        self.handles.metrics.ruleset("accepted");
        self.same_cluster = true;
        let apply_ms = self.handles.clock.mono().since(self.last_byte).as_millis();
        tracing::info!(revision, apply_ms, "ruleset in force");
        Ack { revision, apply_us: u32::try_from(apply_ms.saturating_mul(1_000)).unwrap_or(u32::MAX) }
    }

    fn refuse(&self, revision: u64, rejections: Vec<Rejection>) -> Nack {
        let running_revision = self.handles.cell.revision();
        self.handles.metrics.ruleset("refused");
        let first = rejections.first().map(|rejection| rejection.message.as_str());
        tracing::error!(revision, running_revision, reasons = rejections.len(), first, "ruleset refused");
        Nack { revision, running_revision, rejections }
    }
}

/// Compiles off the async threads. A compiler that panics refuses.
async fn compiled(ruleset: Ruleset) -> Result<CompiledRuleset, Vec<Rejection>> {
    match tokio::task::spawn_blocking(move || compile(&ruleset)).await {
        Ok(Ok(compiled)) => Ok(compiled),
        Ok(Err(violations)) => Err(violations.into_iter().map(rejection).collect()),
        Err(_panicked) => Err(vec![reject(Code::Compile, "the proxy's compiler failed on it".to_owned())]),
    }
}

fn rejection(violation: Violation) -> Rejection {
    let Violation { resource, field_path, message, .. } = violation;
    Rejection { resource, code: Code::Invalid.into(), field_path, message }
}
