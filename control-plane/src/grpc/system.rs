//! The control plane about itself.

use std::sync::Arc;

use breakwater_common::ledger::hex;
use breakwater_common::resource::{Mode, Spec};
use breakwater_control_core::{Action, State};
use breakwater_proto::v1::system_service_server::SystemService;
use breakwater_proto::v1::{
    AuthzInventory, ClusterStatus, GetAuthzInventoryRequest, GetClusterStatusRequest, GetVersionRequest,
    PingRequest, PingResponse, RoleBinding, RouteInventory, Version,
};
use tonic::{Request, Response, Status};

use super::message::caller;
use super::status::from_admin;
use crate::admin::Admin;
use crate::replica::Replica;

/// Said at build time by whoever builds; a checkout's build says nothing.
const GIT_SHA: Option<&str> = option_env!("BREAKWATER_GIT_SHA");
const BUILT_AT: Option<&str> = option_env!("BREAKWATER_BUILT_AT");
const UNKNOWN: &str = "unknown";

#[derive(Debug)]
pub(super) struct System {
    pub(super) admin: Admin,
    pub(super) replica: Arc<dyn Replica>,
}

#[tonic::async_trait]
impl SystemService for System {
    async fn get_version(&self, request: Request<GetVersionRequest>) -> Result<Response<Version>, Status> {
        let state = self.read(&request, Action::ReadFleet)?;
        Ok(Response::new(Version {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            git_sha: GIT_SHA.unwrap_or(UNKNOWN).to_owned(),
            built_at: BUILT_AT.unwrap_or(UNKNOWN).to_owned(),
            node_id: self.replica.status().node_id.to_string(),
            cluster_revision: state.revision(),
        }))
    }

    async fn ping(&self, _request: Request<PingRequest>) -> Result<Response<PingResponse>, Status> {
        Ok(Response::new(PingResponse { status: "ok".to_owned() }))
    }

    async fn get_authz_inventory(
        &self,
        request: Request<GetAuthzInventoryRequest>,
    ) -> Result<Response<AuthzInventory>, Status> {
        let state = self.read(&request, Action::ReadTokens)?;
        Ok(Response::new(inventory(&state)))
    }

    async fn get_cluster_status(
        &self,
        request: Request<GetClusterStatusRequest>,
    ) -> Result<Response<ClusterStatus>, Status> {
        let state = self.read(&request, Action::ReadFleet)?;
        let status = self.replica.status();
        Ok(Response::new(ClusterStatus {
            cluster_id: state.cluster_id().to_owned(),
            node_id: status.node_id,
            leader_id: status.leader_id.unwrap_or_default(),
            term: status.term,
            last_log_index: status.last_log_index,
            applied_index: status.applied_index,
            revision: state.revision(),
            digest: hex(&state.digest()),
            voters: status.voters,
        }))
    }
}

impl System {
    fn read<T>(&self, request: &Request<T>, action: Action) -> Result<Arc<State>, Status> {
        self.admin.read(&caller(request)?.principal, action).map_err(from_admin)
    }
}

fn inventory(state: &State) -> AuthzInventory {
    let mut routes = Vec::new();
    for resource in state.resources() {
        let Spec::Route(route) = &resource.decoded else { continue };
        let calls_it =
            |spec: &Spec| matches!(spec, Spec::Tenant(tenant) if tenant.routes.contains(&resource.name));
        let tenants = state.resources().filter(|tenant| calls_it(&tenant.decoded));
        routes.push(RouteInventory {
            route: resource.name.clone(),
            aliases: route.aliases_of(&resource.name).into_iter().map(str::to_owned).collect(),
            policies: route.policies.clone(),
            tenants: tenants.map(|tenant| tenant.name.clone()).collect(),
        });
    }
    let named = |name: &String| routes.iter().any(|route| route.policies.contains(name));
    let enforced = state.resources().filter(|resource| {
        matches!(&resource.decoded, Spec::Policy(policy) if policy.mode == Mode::Enforce)
            && named(&resource.name)
    });
    let policies_active = enforced.map(|resource| resource.name.clone()).collect();
    let active = state.tokens().filter(|token| !token.revoked);
    let role_bindings = active.map(|token| RoleBinding {
        token: token.made.id.clone(),
        subject: token.made.subject.clone(),
        role: token.made.role.as_str().to_owned(),
    });
    AuthzInventory {
        policies_active,
        role_bindings: role_bindings.collect(),
        routes,
        revision: state.revision(),
        digest: hex(&state.digest()),
    }
}
