//! gRPC services by name. A path leads to its service; one that leads nowhere is UNIMPLEMENTED.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;

use http::{Request, Response};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt};

type Mounted = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The gRPC services of the port. Clones share them.
#[derive(Clone, Default)]
pub struct Router {
    services: Arc<BTreeMap<String, Mounted>>,
}

/// Services on their way into a router.
#[derive(Default)]
pub(super) struct Builder {
    services: BTreeMap<String, Mounted>,
}

impl Builder {
    /// Adds a generated service.
    pub(super) fn add<S>(self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.mount(S::NAME, service)
    }

    /// Adds a service under a name.
    pub(super) fn mount<S>(mut self, name: &str, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.services.insert(name.to_owned(), BoxCloneSyncService::new(service));
        self
    }

    pub(super) fn build(self) -> Router {
        Router { services: Arc::new(self.services) }
    }
}

impl Router {
    /// Answers one request.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        let path = request.uri().path();
        let name = path.strip_prefix('/').and_then(|path| path.split_once('/')).map(|(service, _)| service);
        let Some(service) = name.and_then(|name| self.services.get(name)).cloned() else {
            return Status::unimplemented("there is no such service: see the server's reflection")
                .into_http();
        };
        match service.oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    /// Returns the names of all services.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.services.keys().map(String::as_str)
    }
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}
