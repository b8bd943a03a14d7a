//! What answers on the admin port: probes, then the proof of the caller, then gRPC or REST.

use std::sync::Arc;

use breakwater_common::error_kind::ErrorKind;
use breakwater_control_core::Action;
use breakwater_runtime::Readiness;
use http::header::CONTENT_TYPE;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;
use tonic::body::Body;

use crate::admin::Admin;
use crate::caller::{Caller, prove};
use crate::grpc::Router;
use crate::grpc::status::{from_admin, plain};
use crate::metrics::Metrics;
use crate::rest::{self, Rest};

/// The port. Clones share all.
#[derive(Debug, Clone)]
pub struct Port {
    /// gRPC services.
    pub grpc: Router,
    /// REST over them.
    pub rest: Rest,
    /// The door.
    pub admin: Admin,
    /// What is missing.
    pub readiness: Readiness,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Port {
    /// Answers one request.
    pub async fn answer(&self, mut request: Request<Body>) -> Response<Body> {
        let is_grpc = is_grpc(&request);
        let response = match self.admit(&mut request) {
            Err(refused) => {
                let status = plain(ErrorKind::Unauthenticated, &refused.to_string());
                if is_grpc { status.into_http() } else { rest::status(&status) }
            }
            Ok(_) if is_grpc => self.grpc.call(request).await,
            Ok(caller) => match (request.method(), request.uri().path()) {
                (&Method::GET | &Method::HEAD, "/healthz") => rest::ok(&json!({"status": "ok"})),
                (&Method::GET | &Method::HEAD, "/readyz") => self.ready(),
                (&Method::GET, "/metrics") => self.metrics(caller.as_ref()),
                _ => self.rest.answer(request).await,
            },
        };
        self.metrics.answered(is_grpc, &response);
        response
    }

    /// Proves the caller and puts it into the request. Whatever a request brought in its place is gone: extensions do not
    /// come over the wire.
    fn admit(&self, request: &mut Request<Body>) -> Result<Option<Caller>, crate::caller::Refused> {
        let caller = prove(request.method(), request.uri().path(), request.headers(), &self.admin.state())?;
        if let Some(caller) = &caller {
            request.extensions_mut().insert(caller.clone());
        }
        Ok(caller)
    }

    fn ready(&self) -> Response<Body> {
        let missing = self.readiness.missing();
        if missing.is_empty() {
            return rest::ok(&json!({"status": "ready"}));
        }
        let mut response = rest::ok(&json!({"status": "not ready", "missing": missing}));
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
        response
    }

    fn metrics(&self, caller: Option<&Caller>) -> Response<Body> {
        let Some(caller) = caller else {
            return rest::status(&plain(ErrorKind::Unauthenticated, "no token"));
        };
        match self.admin.read(&caller.principal, Action::ReadFleet) {
            Ok(state) => rest::text(breakwater_runtime::metrics::CONTENT_TYPE, self.metrics.encode(&state)),
            Err(error) => rest::status(&from_admin(error)),
        }
    }
}

fn is_grpc(request: &Request<Body>) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"application/grpc"))
}
