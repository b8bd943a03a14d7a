//! The channel to a control plane, the token, the deadline, and what each way of failing means for the caller.

use std::{path::PathBuf, time::Duration};

use breakwater_common::{error_kind::ErrorKind, violation::Violation};
use http::uri::PathAndQuery;
use prost_reflect::DynamicMessage;
use serde_json::Value;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};

use crate::{
    failure::{Exit, Failure},
    rpc::{Method, to_json},
    status,
};

/// Time for the connection itself.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Bytes of a reply: a page of the largest resources.
const REPLY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Where the control plane is and who asks.
#[derive(Debug, Clone)]
pub struct Connection {
    /// `http://` or `https://`, host and port.
    pub server: String,
    /// The admin token, if one is given.
    pub token: Option<String>,
    /// PEM file of the authority that signed the server's certificate.
    pub ca: Option<PathBuf>,
    /// Time for one call.
    pub timeout: Duration,
}

/// A connected client.
#[derive(Debug, Clone)]
pub struct Client {
    grpc: Grpc<Channel>,
    token: Option<MetadataValue<Ascii>>,
    server: String,
    timeout: Duration,
}

impl Client {
    /// Connects. Errors: wrong settings (exit 2), nobody there (exit 3).
    pub async fn connect(connection: &Connection) -> Result<Self, Failure> {
        let server = connection.server.clone();
        let token = match connection.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            None => None,
            Some(token) => Some(bearer(token)?),
        };
        let endpoint = endpoint(connection)?;
        let channel = tokio::time::timeout(CONNECT_MAX, endpoint.connect()).await;
        let channel = match channel {
            Ok(Ok(channel)) => channel,
            Ok(Err(error)) => return Err(unreachable(&server, &deepest(&error))),
            Err(_) => return Err(unreachable(&server, "no answer within 5 s")),
        };
        let grpc = Grpc::new(channel).max_decoding_message_size(REPLY_BYTES_MAX);
        Ok(Self { grpc, token, server, timeout: connection.timeout })
    }

    /// Calls an RPC that changes nothing.
    pub async fn read(&mut self, service: &str, method: &str, request: &Value) -> Result<Value, Failure> {
        let method = Method::find(service, method)?;
        let request = method.request(request)?;
        self.call(&method, request, None).await
    }

    /// Calls an RPC that changes something. `request_id` must be in the request; a failure whose outcome is unknown
    /// names it.
    pub async fn write(
        &mut self,
        service: &str,
        method: &str,
        request: &Value,
        request_id: &str,
    ) -> Result<Value, Failure> {
        let method = Method::find(service, method)?;
        let request = method.request(request)?;
        self.call(&method, request, Some(request_id)).await
    }

    async fn call(
        &mut self,
        method: &Method,
        message: DynamicMessage,
        write: Option<&str>,
    ) -> Result<Value, Failure> {
        self.call_located(method, message, write, &ToString::to_string).await
    }

    /// Calls an RPC with a message. `write` is the request id of a write; `locate` words a violation.
    pub async fn call_located(
        &mut self,
        method: &Method,
        message: DynamicMessage,
        write: Option<&str>,
        locate: &(dyn Fn(&Violation) -> String + Sync),
    ) -> Result<Value, Failure> {
        let path =
            PathAndQuery::try_from(method.path()).map_err(|error| Failure::failed(error.to_string()))?;
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", token.clone());
        }
        request.set_timeout(self.timeout);
        // Nothing has left this machine before the channel is ready.
        if let Err(error) = self.grpc.ready().await {
            return Err(unreachable(&self.server, &deepest(&error)));
        }
        let reply = tokio::time::timeout(self.timeout, self.grpc.unary(request, path, method.codec())).await;
        match reply {
            Ok(Ok(reply)) => Ok(to_json(reply.get_ref())),
            Ok(Err(status)) => Err(self.failure(&status, write, locate)),
            Err(_) => Err(self.late(write)),
        }
    }

    fn late(&self, write: Option<&str>) -> Failure {
        let line = format!("no answer from {} within {} s", self.server, self.timeout.as_secs());
        match write {
            Some(id) => unknown(line, id),
            None => Failure::new(Exit::Unreachable, line).hint("a longer wait: --timeout 2m"),
        }
    }

    fn failure(
        &self,
        status: &Status,
        write: Option<&str>,
        locate: &dyn Fn(&Violation) -> String,
    ) -> Failure {
        let broken = std::error::Error::source(status).is_some();
        let kind = ErrorKind::from_grpc_code(status.code().into());
        match (write, status.code()) {
            // A reply that is no gRPC and says 404: nothing there took the call, also if it was a write.
            _ if is_foreign(status) => not_a_control_plane(&self.server),
            // The server may have acted before the connection broke.
            (Some(id), _) if broken => {
                unknown(format!("the connection to {} broke: {}", self.server, status.message()), id)
            }
            (Some(id), Code::DeadlineExceeded | Code::Cancelled) => unknown(status.message().to_owned(), id),
            (None, _) if broken => unreachable(&self.server, status.message()),
            (None, Code::DeadlineExceeded | Code::Cancelled) => self.late(None),
            (_, Code::Unauthenticated) => unauthenticated(&self.server, self.token.is_some()),
            (_, _) => {
                let exit = Exit::of_code(kind.faces().3);
                let reasons = status::violations(status).iter().map(locate).collect();
                refusal(exit, status.message().trim_end(), reasons)
            }
        }
    }
}

fn endpoint(connection: &Connection) -> Result<Endpoint, Failure> {
    let server = &connection.server;
    let wrong = |why: &str| {
        Failure::usage(format!("the server address {server:?} is wrong: {why}")).hint(ADDRESS_HINT)
    };
    let secure = server.starts_with("https://");
    if !secure && !server.starts_with("http://") {
        return Err(wrong("it must begin with http:// or https://"));
    }
    let mut endpoint = Endpoint::from_shared(server.clone()).map_err(|error| wrong(&error.to_string()))?;
    endpoint = endpoint
        .connect_timeout(CONNECT_MAX)
        .user_agent(concat!("breakwater/", env!("CARGO_PKG_VERSION")))
        .map_err(|error| wrong(&error.to_string()))?;
    if !secure {
        return Ok(endpoint);
    }
    let Some(path) = &connection.ca else {
        return Err(Failure::usage(format!("{server} speaks TLS, and no authority to trust is given")).hint(
            "set BREAKWATER_CA (or --ca) to the PEM file of the authority that signed its certificate",
        ));
    };
    let pem = std::fs::read(path).map_err(|error| {
        Failure::usage(format!("cannot read the authority's file {}: {error}", path.display()))
    })?;
    let tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem));
    endpoint.tls_config(tls).map_err(|error| {
        Failure::usage(format!("{} is no PEM file of certificates: {error}", path.display()))
    })
}

const ADDRESS_HINT: &str = "set BREAKWATER_SERVER (or --server) to, for example, http://127.0.0.1:8090";

fn bearer(token: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value = MetadataValue::try_from(format!("Bearer {token}")).map_err(|_| {
        Failure::usage("the token in BREAKWATER_TOKEN (or --token) has characters that no token has")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// One reason stands alone; several stand under a line that counts them.
fn refusal(exit: Exit, message: &str, mut reasons: Vec<String>) -> Failure {
    match reasons.len() {
        0 => return Failure::new(exit, message),
        1 => {}
        count => reasons.insert(0, format!("refused for {count} reasons, and nothing was changed")),
    }
    Failure { exit, lines: reasons }
}

fn unreachable(server: &str, why: &str) -> Failure {
    Failure::new(Exit::Unreachable, format!("cannot reach the control plane at {server}: {why}"))
        .hint("is it running? on one machine: breakwater dev")
        .hint("is it elsewhere? set BREAKWATER_SERVER (or --server)")
}

/// Whether whoever answered does not know gRPC. tonic tells it by words alone.
fn is_foreign(status: &Status) -> bool {
    status.code() == Code::Internal && status.message().ends_with("with status: 404 Not Found")
}

fn not_a_control_plane(server: &str) -> Failure {
    Failure::new(Exit::Unreachable, format!("what answers at {server} is not a control plane"))
        .hint("set BREAKWATER_SERVER (or --server) to the admin port, 8090 if not chosen otherwise; 8080 is the proxy's")
}

fn unknown(line: String, request_id: &str) -> Failure {
    Failure::new(Exit::Unknown, line)
        .hint("the outcome is unknown: the change may have been made or not")
        .hint(format!("ask again with the same id, which makes it at most once: --request-id {request_id}"))
}

fn unauthenticated(server: &str, had_token: bool) -> Failure {
    let line = if had_token {
        format!(
            "{server} does not accept the token in BREAKWATER_TOKEN (or --token): it is unknown or revoked"
        )
    } else {
        format!("{server} wants a token, and BREAKWATER_TOKEN (or --token) is not set")
    };
    Failure::failed(line)
        .hint("breakwater dev prints one when it starts; an admin makes more: breakwater tokens create")
}

fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map(ToString::to_string)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(server: &str) -> Connection {
        Connection { server: server.to_owned(), token: None, ca: None, timeout: Duration::from_secs(1) }
    }

    #[tokio::test]
    async fn wrong_settings_and_nobody_there_are_told_apart() {
        let check = async |server: &str, exit: Exit, part: &str| {
            let failure = Client::connect(&connection(server)).await.unwrap_err();
            assert_eq!(failure.exit, exit, "{failure}");
            assert!(failure.to_string().contains(part), "{failure}");
        };
        check("127.0.0.1:8090", Exit::Usage, "http:// or https://").await;
        check("https://127.0.0.1:8090", Exit::Usage, "BREAKWATER_CA").await;
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        check(&format!("http://{free}"), Exit::Unreachable, "breakwater dev").await;
    }

    #[tokio::test]
    async fn a_server_that_never_answers_leaves_a_write_unknown_and_a_read_unreachable() {
        // A listener whose backlog takes the connection, and that nobody serves.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let mut client = Client::connect(&connection(&server)).await.unwrap();
        let request = serde_json::json!({"id": "x", "request_id": "r-1"});
        let failure = client.write("KeyService", "RevokeKey", &request, "r-1").await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unknown);
        assert!(failure.to_string().contains("--request-id r-1"), "{failure}");
        let failure = client.read("FleetService", "ListProxies", &serde_json::json!({})).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Unreachable);
    }
}
