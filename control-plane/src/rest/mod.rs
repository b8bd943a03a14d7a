//! REST, transcoded at run time: a path leads to an RPC by `google.api.http`; the body, path and query become its request
//! message by the one codec; the same gRPC services answer, in process; their reply becomes JSON. So REST has no rules of
//! its own. What it does not do: streams, which proxies use over gRPC alone.

mod reply;
mod request;
mod table;
mod template;
mod unary;

use std::sync::Arc;
use std::time::Duration;

use breakwater_common::limits::ADMIN_BODY_BYTES_MAX;
use breakwater_common::manifest::message_to_json;
use breakwater_proto::DESCRIPTORS;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use prost::Message;
use prost_reflect::DynamicMessage;
use tonic::body::Body;

use crate::caller::Caller;
use crate::grpc::Router;
use table::{Binding, Found, Table};

pub(crate) use reply::{ok, status, text};

/// Longest wait for the rest of a body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

/// The transcoder. Clones share the table.
#[derive(Debug, Clone)]
pub struct Rest {
    table: Arc<Table>,
    grpc: Router,
}

impl Rest {
    /// Reads the table of paths. The error is a mistake in the proto files.
    pub fn new(grpc: Router) -> Result<Self, String> {
        Ok(Self { table: Arc::new(Table::read(&DESCRIPTORS)?), grpc })
    }

    /// Answers one request. The caller is proven already (or the path is a probe).
    pub async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        let (binding, bound) = match self.table.find(&parts.method, path) {
            Found::Rpc(binding, bound) => (binding, bound),
            Found::OtherVerbs(verbs) => return reply::other_verbs(&verbs),
            Found::Nothing => return reply::no_path(path),
        };
        let body = match read_body(body).await {
            Ok(body) => body,
            Err(refusal) => return *refusal,
        };
        let query = parts.uri.query().unwrap_or_default();
        let caller = parts.extensions.get::<Caller>().cloned();
        match request::build(binding, bound, query, &parts.headers, &body) {
            Ok(message) => self.call(binding, &message, caller).await,
            Err(violations) => reply::violations(&violations),
        }
    }

    async fn call(
        &self,
        binding: &Binding,
        message: &DynamicMessage,
        caller: Option<Caller>,
    ) -> Response<Body> {
        let path = format!("/{}/{}", binding.rpc.parent_service().full_name(), binding.rpc.name());
        let bytes = Bytes::from(message.encode_to_vec());
        match unary::call(&self.grpc, &path, bytes, caller).await {
            Ok(bytes) => match DynamicMessage::decode(binding.rpc.output(), bytes) {
                Ok(message) => ok(&message_to_json(&message)),
                Err(_) => status(&tonic::Status::internal("the answer does not decode")),
            },
            Err(error) => status(&error),
        }
    }
}

async fn read_body(body: Body) -> Result<Bytes, Box<Response<Body>>> {
    let whole = Limited::new(body, ADMIN_BODY_BYTES_MAX).collect();
    match tokio::time::timeout(BODY_DEADLINE, whole).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Box::new(reply::too_large(ADMIN_BODY_BYTES_MAX)))
        }
        Ok(Err(_)) => Err(Box::new(reply::body_lost("the body ended early"))),
        Err(_) => Err(Box::new(reply::body_lost("the body did not come in time"))),
    }
}
