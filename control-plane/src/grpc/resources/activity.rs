//! Providers and models taken out and back: the same update of `disabled` that the standard method makes, under its own name.

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;
use breakwater_control_core::Action;
use breakwater_proto::DESCRIPTORS;
use breakwater_proto::v1::{
    Provider, ProviderActivity, ProviderSpec, SetModelActiveRequest, SetProviderActiveRequest,
    UpdateProviderRequest,
};
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use tonic::Status;

use super::super::status::{from_admin, refused};
use super::Resources;
use super::read::not_found;
use crate::caller::Caller;

impl Resources {
    /// Takes a provider out of every route, or takes it back.
    pub(in crate::grpc) async fn provider_active(
        &self,
        caller: &Caller,
        request: &SetProviderActiveRequest,
    ) -> Result<ProviderActivity, Status> {
        let is_active = asked_for(request.is_active)?;
        let update = UpdateProviderRequest {
            provider: provider(&request.id, ProviderSpec { disabled: !is_active, ..ProviderSpec::default() }),
            update_mask: "spec.disabled".to_owned(),
            expected_revision: request.expected_revision,
            ..UpdateProviderRequest::default()
        };
        self.activity(caller, "SetProviderActive", request, update, is_active).await
    }

    /// Takes one model out of every route, or takes it back.
    pub(in crate::grpc) async fn model_active(
        &self,
        caller: &Caller,
        request: &SetModelActiveRequest,
    ) -> Result<ProviderActivity, Status> {
        let is_active = asked_for(request.is_active)?;
        let state = self.admin.read(&caller.principal, Action::WriteResources).map_err(from_admin)?;
        let Some(stored) = state.resource(Kind::Provider, &request.provider) else {
            return Err(not_found(Kind::Provider, &request.provider));
        };
        let mut spec = ProviderSpec::decode(stored.spec.as_slice())
            .map_err(|_| Status::internal("a stored spec does not decode"))?;
        let Some(model) = spec.models.iter_mut().find(|model| model.name == request.model) else {
            let why = format!("Provider \"{}\" lists no such model", request.provider);
            return Err(refused(ErrorKind::NotFound, &[Violation::at("model", why)]));
        };
        model.disabled = !is_active;
        let update = UpdateProviderRequest {
            provider: provider(
                &request.provider,
                ProviderSpec { models: spec.models, ..ProviderSpec::default() },
            ),
            update_mask: "spec.models".to_owned(),
            // The list is written whole: another write in between is told, not overwritten.
            expected_revision: request.expected_revision.or(Some(stored.revision)),
            ..UpdateProviderRequest::default()
        };
        self.activity(caller, "SetModelActive", request, update, is_active).await
    }

    async fn activity(
        &self,
        caller: &Caller,
        method: &str,
        request: &impl Message,
        update: UpdateProviderRequest,
        is_active: bool,
    ) -> Result<ProviderActivity, Status> {
        let method = method_of("breakwater.v1.RerouteService", method)?;
        let standard = method_of("breakwater.v1.ProviderService", "UpdateProvider")?;
        let asked = self.asked(&method, caller, &dynamic(&method, request)?);
        let changed = self.update(Kind::Provider, &asked, &dynamic(&standard, &update)?).await?;
        let Provider { kind, name, spec, revision, .. } =
            Provider::decode(changed.encode_to_vec().as_slice())
                .map_err(|_| Status::internal("the provider does not decode"))?;
        let none = Vec::new;
        Ok(ProviderActivity {
            kind,
            name,
            spec,
            revision,
            is_active,
            acknowledged_proxies: none(),
            pending_proxies: none(),
        })
    }
}

fn asked_for(is_active: Option<bool>) -> Result<bool, Status> {
    let missing = || refused(ErrorKind::InvalidArgument, &[Violation::at("isActive", "is required")]);
    is_active.ok_or_else(missing)
}

fn provider(name: &str, spec: ProviderSpec) -> Option<Provider> {
    Some(Provider { name: name.to_owned(), spec: Some(spec), ..Provider::default() })
}

fn method_of(service: &str, method: &str) -> Result<MethodDescriptor, Status> {
    let service = DESCRIPTORS.get_service_by_name(service);
    let found = service.and_then(|service| service.methods().find(|found| found.name() == method));
    found.ok_or_else(|| Status::internal("a method has no descriptor"))
}

fn dynamic(method: &MethodDescriptor, request: &impl Message) -> Result<DynamicMessage, Status> {
    DynamicMessage::decode(method.input(), request.encode_to_vec().as_slice())
        .map_err(|_| Status::internal("a message does not decode by its descriptor"))
}
