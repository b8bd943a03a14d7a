//! Routes moved by operators. What is legal is decided when the command is applied; here a request becomes a command, and the
//! answer waits for the proxies.

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::{REROUTE_ANSWER_MS_MAX, ROUTE_OVERRIDE_DEFAULT_MS};
use breakwater_common::resource::{RerouteKind, quantity};
use breakwater_common::time::UnixMillis;
use breakwater_common::violation::Violation;
use breakwater_control_core::{Action, Command, Receipt, RouteOverride, SetRouteOverride, State};
use breakwater_proto::v1::reroute_service_server::RerouteService;
use breakwater_proto::v1::{
    ActivateContainmentPolicyRequest, ListRouteOverridesRequest, ListRouteOverridesResponse,
    ProviderActivity, RevertFailoverRequest, RouteOverrideAnswer, RouteOverrideView, SetModelActiveRequest,
    SetProviderActiveRequest, TriggerFailoverRequest,
};
use tonic::{Request, Response, Status};

use super::message::{caller, checked, timestamp};
use super::resources::Resources;
use super::status::{from_admin, plain, refused};
use crate::admin::{Admin, AdminError, Ask};
use crate::caller::Caller;
use crate::publish::{Book, Reached};

#[derive(Debug)]
pub(super) struct Reroutes {
    pub(super) admin: Admin,
    pub(super) resources: Resources,
    pub(super) book: Arc<Book>,
}

#[tonic::async_trait]
impl RerouteService for Reroutes {
    async fn trigger_failover(
        &self,
        request: Request<TriggerFailoverRequest>,
    ) -> Result<Response<RouteOverrideAnswer>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("TriggerFailoverRequest", &request)?;
        let set = SetRouteOverride {
            route: request.route_id,
            kind: RerouteKind::Failover,
            endpoint: Some(request.fallback_endpoint),
            reason: request.reason,
            ttl_ms: ttl_ms(&request.expires_after)?,
            expected_revision: request.expected_revision,
        };
        self.set(caller, request.request_id, request.validate_only, set).await.map(Response::new)
    }

    async fn revert_failover(
        &self,
        request: Request<RevertFailoverRequest>,
    ) -> Result<Response<RouteOverrideAnswer>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("RevertFailoverRequest", &request)?;
        self.clear(caller, request).await.map(Response::new)
    }

    async fn activate_containment_policy(
        &self,
        request: Request<ActivateContainmentPolicyRequest>,
    ) -> Result<Response<RouteOverrideAnswer>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("ActivateContainmentPolicyRequest", &request)?;
        let Some(kind) = RerouteKind::parse(&request.policy) else {
            let why = "is not enforced for a route yet: use failover or circuit_breaking";
            return Err(refused(ErrorKind::FailedPrecondition, &[Violation::at("policy", why)]));
        };
        let set = SetRouteOverride {
            route: request.route_id,
            kind,
            endpoint: Some(request.fallback_endpoint).filter(|name| !name.is_empty()),
            reason: request.reason,
            ttl_ms: ttl_ms(&request.expires_after)?,
            expected_revision: request.expected_revision,
        };
        self.set(caller, request.request_id, request.validate_only, set).await.map(Response::new)
    }

    async fn list_route_overrides(
        &self,
        request: Request<ListRouteOverridesRequest>,
    ) -> Result<Response<ListRouteOverridesResponse>, Status> {
        let caller = caller(&request)?;
        let state = self.admin.read(&caller.principal, Action::ReadResources).map_err(from_admin)?;
        let now = self.admin.now();
        let overrides = state.route_overrides().map(|over| view(over, now)).collect();
        Ok(Response::new(ListRouteOverridesResponse { overrides }))
    }

    async fn set_provider_active(
        &self,
        request: Request<SetProviderActiveRequest>,
    ) -> Result<Response<ProviderActivity>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("SetProviderActiveRequest", &request)?;
        let (change, validate_only) =
            (self.resources.provider_active(&caller, &request), request.validate_only);
        self.settled(change.await?, validate_only).await.map(Response::new)
    }

    async fn set_model_active(
        &self,
        request: Request<SetModelActiveRequest>,
    ) -> Result<Response<ProviderActivity>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        checked("SetModelActiveRequest", &request)?;
        let (change, validate_only) = (self.resources.model_active(&caller, &request), request.validate_only);
        self.settled(change.await?, validate_only).await.map(Response::new)
    }
}

impl Reroutes {
    async fn set(
        &self,
        caller: Caller,
        request_id: String,
        validate_only: bool,
        set: SetRouteOverride,
    ) -> Result<RouteOverrideAnswer, Status> {
        let route = set.route.clone();
        let command = Command::SetRouteOverride(set);
        let ask =
            Ask { principal: caller.principal, request_id, request_digest: None, validate_only, command };
        if validate_only {
            return self.would(&route, &ask).map_err(from_admin);
        }
        let receipt = self.admin.submit(ask).await.map_err(from_admin)?;
        let state = self.admin.state();
        let made = state.route_override(&route).filter(|over| over.revision == receipt.revision);
        let Some(over) = made else {
            let why = format!("it was activated at revision {}, and changed again since", receipt.revision);
            return Err(plain(ErrorKind::Aborted, &why));
        };
        let reached = self.reached(receipt.revision).await;
        Ok(answer("activated", over, over.create, &receipt, reached))
    }

    /// Says what an override would be.
    fn would(&self, route: &str, ask: &Ask) -> Result<RouteOverrideAnswer, AdminError> {
        let mut state = State::clone(&*self.admin.read(&ask.principal, ask.command.action())?);
        let outcome = state.apply(&self.admin.proposal(ask)).outcome;
        let refusal = |refusal| breakwater_control_core::Refusal { ledger_index: None, ..refusal };
        let receipt = outcome.map_err(|found| AdminError::Refused(refusal(found)))?;
        let receipt = Receipt { ledger_index: None, ..receipt };
        let over = state.route_override(route).cloned();
        let valid = over.map(|over| answer("valid", &over, over.create, &receipt, Reached::default()));
        Ok(valid.unwrap_or_default())
    }

    async fn clear(
        &self,
        caller: Caller,
        request: RevertFailoverRequest,
    ) -> Result<RouteOverrideAnswer, Status> {
        let RevertFailoverRequest { route_id, reason, automation_id, request_id } = request;
        let made_by_revision = match automation_id.strip_prefix("auto-").map(str::parse::<u64>) {
            Some(Ok(revision)) => Some(revision),
            None if automation_id.is_empty() => None,
            _ => {
                let why =
                    Violation::at("automation_id", "must be the automation_id of an answer: auto-NUMBER");
                return Err(refused(ErrorKind::InvalidArgument, &[why]));
            }
        };
        let before = self.admin.state().route_override(&route_id).cloned();
        let reason = if reason.is_empty() { "reverted".to_owned() } else { reason };
        let command = Command::ClearRouteOverride { route: route_id.clone(), reason, made_by_revision };
        let ask = Ask {
            principal: caller.principal,
            request_id,
            request_digest: None,
            validate_only: false,
            command,
        };
        let receipt = self.admin.submit(ask).await.map_err(from_admin)?;
        let reached = self.reached(receipt.revision).await;
        let now = self.admin.now();
        Ok(match before {
            Some(over) => answer("reverted", &over, now, &receipt, reached),
            // The first answer to a request that comes again: what was ended is gone.
            None => RouteOverrideAnswer {
                status: "reverted".to_owned(),
                route_id,
                revision: receipt.revision,
                ledger_index: receipt.ledger_index.unwrap_or_default(),
                timestamp: Some(timestamp(now)),
                acknowledged_proxies: reached.acknowledged,
                pending_proxies: reached.pending,
                ..RouteOverrideAnswer::default()
            },
        })
    }

    async fn settled(
        &self,
        activity: ProviderActivity,
        validate_only: bool,
    ) -> Result<ProviderActivity, Status> {
        if validate_only {
            return Ok(activity);
        }
        let reached = self.reached(activity.revision).await;
        let Reached { acknowledged: acknowledged_proxies, pending: pending_proxies } = reached;
        Ok(ProviderActivity { acknowledged_proxies, pending_proxies, ..activity })
    }

    async fn reached(&self, revision: u64) -> Reached {
        self.book.reached(revision, Duration::from_millis(REROUTE_ANSWER_MS_MAX)).await
    }
}

/// Reads how long an override holds; its form was checked with the request.
fn ttl_ms(text: &str) -> Result<u64, Status> {
    if text.is_empty() {
        return Ok(ROUTE_OVERRIDE_DEFAULT_MS);
    }
    let ttl = quantity::duration(text).map_err(|error| {
        refused(ErrorKind::InvalidArgument, &[Violation::at("expires_after", error.to_string())])
    })?;
    Ok(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))
}

fn answer(
    status: &str,
    over: &RouteOverride,
    at: UnixMillis,
    receipt: &Receipt,
    reached: Reached,
) -> RouteOverrideAnswer {
    RouteOverrideAnswer {
        status: status.to_owned(),
        route_id: over.route.clone(),
        original_endpoint: over.reroute.from.label(),
        fallback_endpoint: over.reroute.to.label(),
        timestamp: Some(timestamp(at)),
        automation_id: over.id(),
        expire_time: Some(timestamp(over.expire)),
        revision: receipt.revision,
        ledger_index: receipt.ledger_index.unwrap_or_default(),
        acknowledged_proxies: reached.acknowledged,
        pending_proxies: reached.pending,
    }
}

fn view(over: &RouteOverride, now: UnixMillis) -> RouteOverrideView {
    RouteOverrideView {
        route_id: over.route.clone(),
        kind: over.reroute.kind.as_str().to_owned(),
        original_endpoint: over.reroute.from.label(),
        fallback_endpoint: over.reroute.to.label(),
        reason: over.reason.clone(),
        made_by: over.made_by.clone(),
        automation_id: over.id(),
        create_time: Some(timestamp(over.create)),
        expire_time: Some(timestamp(over.expire)),
        revision: over.revision,
        expired: over.expire <= now,
    }
}
