//! The proxies as operators see them.

use std::collections::BTreeMap;
use std::sync::Arc;

use breakwater_common::breaker::Force;
use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::{Kind, Spec};
use breakwater_control_core::{Action, State};
use breakwater_proto::v1::fleet_service_server::FleetService;
use breakwater_proto::v1::{
    self as pb, CallExplanation, ExplainCallRequest, GetProviderStatusRequest, ListProxiesRequest,
    ListProxiesResponse, ProviderStatus, ProviderStatusResponse,
};
use tonic::{Request, Response, Status};

use super::message::{caller, checked, timestamp};
use super::status::{from_admin, plain};
use crate::admin::Admin;
use crate::fleet::{
    BreakerState, Credential, Deployment, ExplainError, Explainer, ProviderView, Registry, providers,
};
use crate::publish::Book;

#[derive(Debug)]
pub(super) struct Fleet {
    pub(super) admin: Admin,
    pub(super) registry: Arc<Registry>,
    pub(super) book: Arc<Book>,
    pub(super) explainer: Explainer<CallExplanation>,
}

#[tonic::async_trait]
impl FleetService for Fleet {
    async fn get_provider_status(
        &self,
        request: Request<GetProviderStatusRequest>,
    ) -> Result<Response<ProviderStatusResponse>, Status> {
        let state = self.read(&request)?;
        let views = provider_views(&state, &self.registry);
        let data = views.into_iter().map(|(name, view)| status_of(&state, name, view)).collect();
        Ok(Response::new(ProviderStatusResponse { data }))
    }

    async fn list_proxies(
        &self,
        request: Request<ListProxiesRequest>,
    ) -> Result<Response<ListProxiesResponse>, Status> {
        self.read(&request)?;
        let mut proxies: BTreeMap<String, pb::Proxy> = BTreeMap::new();
        for (id, entry) in self.book.entries() {
            let rejection = entry.parked.map(|parked| parked.why).unwrap_or_default();
            let proxy = pb::Proxy {
                id: id.clone(),
                version: entry.version,
                connected: entry.sessions > 0,
                revision: entry.revision,
                rejection,
                ..pb::Proxy::default()
            };
            proxies.insert(id, proxy);
        }
        for reported in self.registry.proxies() {
            let id = reported.report.proxy;
            let proxy = proxies.entry(id.clone()).or_insert_with(|| pb::Proxy { id, ..pb::Proxy::default() });
            proxy.last_report = Some(timestamp(reported.at));
            proxy.calls = reported.report.calls;
            proxy.failed_calls = reported.report.failed_calls;
            if !proxy.connected {
                proxy.revision = reported.report.revision;
            }
        }
        // A proxy without a stream is shown as long as its last report is remembered.
        proxies.retain(|_, proxy| proxy.connected || proxy.last_report.is_some());
        Ok(Response::new(ListProxiesResponse { proxies: proxies.into_values().collect() }))
    }

    async fn explain_call(
        &self,
        request: Request<ExplainCallRequest>,
    ) -> Result<Response<CallExplanation>, Status> {
        self.read(&request)?;
        let request = request.into_inner();
        checked("ExplainCallRequest", &request)?;
        let explained = self.explainer.ask(&request.request_id).await;
        explained.map(Response::new).map_err(|error| {
            let kind = match &error {
                ExplainError::NotFound => ErrorKind::NotFound,
                ExplainError::Incomplete { .. } => ErrorKind::DeadlineExceeded,
                ExplainError::Busy => ErrorKind::ResourceExhausted,
            };
            plain(kind, &error.to_string())
        })
    }
}

impl Fleet {
    fn read<T>(&self, request: &Request<T>) -> Result<Arc<State>, Status> {
        self.admin.read(&caller(request)?.principal, Action::ReadFleet).map_err(from_admin)
    }
}

/// Views the breakers of all configured providers.
pub(crate) fn provider_views(state: &State, registry: &Registry) -> BTreeMap<String, ProviderView> {
    let names = state.resources().filter(|resource| resource.kind == Kind::Provider);
    providers(names.map(|resource| resource.name.as_str()), &registry.proxies())
}

fn status_of(state: &State, provider: String, view: ProviderView) -> ProviderStatus {
    let spec = state.resource(Kind::Provider, &provider).and_then(|resource| match &resource.decoded {
        Spec::Provider(provider) => Some(provider),
        Spec::Endpoint(_) | Spec::Policy(_) | Spec::Route(_) | Spec::Tenant(_) | Spec::Stored(_) => None,
    });
    let disabled = spec.is_some_and(|spec| spec.disabled);
    let force = spec.and_then(|spec| spec.breaker.force).map(Force::as_str).unwrap_or_default().to_owned();
    let count = |state: BreakerState| {
        u32::try_from(view.proxies.iter().filter(|proxy| proxy.state == state).count()).unwrap_or(u32::MAX)
    };
    ProviderStatus {
        provider,
        state: view.state.as_str().to_owned(),
        failures: view.failures,
        last_failure: view.last_failure.map(timestamp),
        disabled,
        proxies_closed: count(BreakerState::Closed),
        proxies_half_open: count(BreakerState::HalfOpen),
        proxies_open: count(BreakerState::Open),
        proxies: view
            .proxies
            .iter()
            .map(|proxy| pb::ProxyBreaker {
                proxy: proxy.proxy.clone(),
                state: proxy.state.as_str().to_owned(),
                failures: proxy.failures,
                last_failure: proxy.last_failure.map(timestamp),
                open_until: proxy.open_until.map(timestamp),
                force: proxy.force.clone(),
                deployments: proxy.deployments.iter().map(deployment).collect(),
                credentials: proxy.credentials.iter().map(credential).collect(),
            })
            .collect(),
        force,
    }
}

fn deployment(deployment: &Deployment) -> pb::DeploymentBreaker {
    pb::DeploymentBreaker {
        model: deployment.model.clone(),
        state: deployment.state.as_str().to_owned(),
        failures: deployment.failures,
        last_failure: deployment.last_failure.map(timestamp),
        open_until: deployment.open_until.map(timestamp),
    }
}

fn credential(credential: &Credential) -> pb::CoolingCredential {
    pb::CoolingCredential {
        name: credential.name.clone(),
        model: credential.model.clone(),
        reason: credential.reason.clone(),
        until: credential.until.map(timestamp),
    }
}
