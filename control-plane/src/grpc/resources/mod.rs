//! The standard methods of all kinds of resources, and Apply. One implementation reads and writes messages by their
//! descriptors, so that a kind added to the proto files has its methods here already.

mod activity;
mod admission;
mod apply;
mod change;
mod mask;
mod proof;
mod read;
mod repeated;
mod view;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use breakwater_common::error_kind::ErrorKind;
use breakwater_common::limits::ADMIN_BODY_BYTES_MAX;
use breakwater_common::resource::Kind;
use breakwater_common::violation::Violation;
use breakwater_control_core::{Receipt, Refusal, State};
use breakwater_proto::DESCRIPTORS;
use breakwater_runtime::Tasks;
use http::{Request, Response};
use prost::Message;
use prost_reflect::{DynamicMessage, MethodDescriptor, ServiceDescriptor};
use tonic::Status;
use tonic::body::Body;
use tower::{Service, service_fn};

use self::proof::prove;
use super::codec::BytesCodec;
use super::message::{caller, unknown_field};
use super::router::Builder;
use super::status::{plain, refused};
use crate::admin::{Admin, AdminError, Ask};
use crate::caller::Caller;
use crate::seal::Sealer;

/// What the methods need.
#[derive(Debug, Clone)]
pub(super) struct Resources {
    pub(super) admin: Admin,
    pub(super) sealer: Arc<Sealer>,
    pub(super) tasks: Tasks,
}

/// One method of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Get(Kind),
    List(Kind),
    Create(Kind),
    Update(Kind),
    Delete(Kind),
    Apply,
}

/// The service of one kind, or of Apply.
#[derive(Debug, Clone)]
struct Methods {
    resources: Resources,
    service: ServiceDescriptor,
}

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// Mounts the services of all kinds and of Apply.
pub(super) fn mount(mut builder: Builder, resources: &Resources) -> Builder {
    let kinds = Kind::ALL.into_iter().map(|kind| format!("breakwater.v1.{}Service", kind.as_str()));
    for name in kinds.chain(["breakwater.v1.ApplyService".to_owned()]) {
        if let Some(service) = DESCRIPTORS.get_service_by_name(&name) {
            builder = builder.mount(&name, Methods { resources: resources.clone(), service });
        }
    }
    builder
}

impl Service<Request<Body>> for Methods {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        let name = request.uri().path().rsplit('/').next().unwrap_or_default();
        let method = self.service.methods().find(|method| method.name() == name);
        let resources = self.resources.clone();
        Box::pin(async move {
            let Some((verb, method)) = method.and_then(|method| Some((verb_of(&method)?, method))) else {
                return Ok(Status::unimplemented("there is no such method").into_http());
            };
            let unary = service_fn(move |request: tonic::Request<Vec<u8>>| {
                answer(resources.clone(), verb, method.clone(), request)
            });
            let mut grpc = tonic::server::Grpc::new(BytesCodec)
                .apply_max_message_size_config(Some(ADMIN_BODY_BYTES_MAX), None);
            Ok(grpc.unary(unary, request).await)
        })
    }
}

async fn answer(
    resources: Resources,
    verb: Verb,
    method: MethodDescriptor,
    request: tonic::Request<Vec<u8>>,
) -> Result<tonic::Response<Vec<u8>>, Status> {
    let caller = caller(&request)?;
    let message = DynamicMessage::decode(method.input(), request.get_ref().as_slice()).map_err(|error| {
        plain(ErrorKind::InvalidArgument, &format!("the request does not decode: {error}"))
    })?;
    if let Some(path) = unknown_field(&message, "") {
        let violation = Violation::at(path, "is not known to this release: check the release of who calls");
        return Err(refused(ErrorKind::InvalidArgument, &[violation]));
    }
    let answer = resources.run(verb, &method, &caller, &message).await?;
    Ok(tonic::Response::new(answer))
}

impl Resources {
    async fn run(
        &self,
        verb: Verb,
        method: &MethodDescriptor,
        caller: &Caller,
        request: &DynamicMessage,
    ) -> Result<Vec<u8>, Status> {
        match verb {
            Verb::Get(kind) => self.get(kind, caller, request).map(|message| message.encode_to_vec()),
            Verb::List(kind) => {
                self.list(kind, &method.output(), caller, request).map(|message| message.encode_to_vec())
            }
            Verb::Create(kind) => {
                let asked = self.asked(method, caller, request);
                self.create(kind, &asked, request).await.map(|message| message.encode_to_vec())
            }
            Verb::Update(kind) => {
                let asked = self.asked(method, caller, request);
                self.update(kind, &asked, request).await.map(|message| message.encode_to_vec())
            }
            Verb::Delete(kind) => {
                let asked = self.asked(method, caller, request);
                self.delete(kind, &asked, request).await.map(|message| message.encode_to_vec())
            }
            Verb::Apply => {
                let asked = self.asked(method, caller, request);
                self.apply(&asked, request).await.map(|message| message.encode_to_vec())
            }
        }
    }
}

impl Resources {
    /// Submits a change of resources that proxies will accept.
    async fn submit(&self, state: Arc<State>, ask: Ask) -> Result<Receipt, AdminError> {
        let proposal = self.admin.proposal(&ask);
        let proven = self.tasks.blocking("ruleset proof", move || prove(&state, &proposal)).await;
        if let Some(Err(violations)) = proven {
            return Err(AdminError::Refused(Refusal {
                kind: ErrorKind::InvalidArgument,
                violations,
                ledger_index: None,
            }));
        }
        self.admin.submit(ask).await
    }
}

fn verb_of(method: &MethodDescriptor) -> Option<Verb> {
    if method.name() == "Apply" {
        return Some(Verb::Apply);
    }
    let service = method.parent_service();
    let kind = service.name().strip_suffix("Service").and_then(Kind::parse)?;
    let starts = |word| method.name().starts_with(word);
    match () {
        () if starts("Get") => Some(Verb::Get(kind)),
        () if starts("List") => Some(Verb::List(kind)),
        () if starts("Create") => Some(Verb::Create(kind)),
        () if starts("Update") => Some(Verb::Update(kind)),
        () if starts("Delete") => Some(Verb::Delete(kind)),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_the_five_standard_methods() {
        for kind in Kind::ALL {
            let name = format!("breakwater.v1.{}Service", kind.as_str());
            let service = DESCRIPTORS.get_service_by_name(&name).unwrap();
            let verbs: Vec<Verb> = service.methods().filter_map(|method| verb_of(&method)).collect();
            let expect = [
                Verb::Get(kind),
                Verb::List(kind),
                Verb::Create(kind),
                Verb::Update(kind),
                Verb::Delete(kind),
            ];
            assert_eq!(verbs, expect);
        }
    }
}
