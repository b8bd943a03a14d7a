//! A caller: plain HTTP, as an application or `curl` would send it.

use std::net::SocketAddr;
use std::path::Path;

use breakwater_runtime::tls;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Version};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio_rustls::rustls;

/// A caller of one server with one bearer credential.
#[derive(Debug, Clone)]
pub struct Caller {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    root: String,
    bearer: String,
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// What was spoken.
    pub version: Version,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!("{}: {error}: {}", self.status, String::from_utf8_lossy(&self.body))
        })
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// `error.code` of an error answer; empty if there is none.
    #[must_use]
    pub fn code(&self) -> String {
        self.json().pointer("/error/code").and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Caller {
    /// Makes a caller of the server at `addr`; an empty bearer sends no credential.
    #[must_use]
    pub fn new(addr: SocketAddr, bearer: &str) -> Self {
        // Nothing is spoken to over TLS, so it does not matter whom this trusts.
        let connector = HttpsConnectorBuilder::new().with_tls_config(trusting(None)).https_or_http();
        Self::with(connector.enable_http1().build(), format!("http://{addr}"), bearer)
    }

    /// Makes one that speaks TLS and trusts only the authority of this PEM file. It offers HTTP/2 and HTTP/1.1.
    #[must_use]
    pub fn over_tls(addr: SocketAddr, bearer: &str, ca_file: &Path) -> Self {
        let connector = HttpsConnectorBuilder::new().with_tls_config(trusting(Some(ca_file))).https_only();
        Self::with(connector.enable_all_versions().build(), format!("https://{addr}"), bearer)
    }

    /// The same, which does not know HTTP/2.
    #[must_use]
    pub fn over_tls_without_http2(addr: SocketAddr, bearer: &str, ca_file: &Path) -> Self {
        let connector = HttpsConnectorBuilder::new().with_tls_config(trusting(Some(ca_file))).https_only();
        Self::with(connector.enable_http1().build(), format!("https://{addr}"), bearer)
    }

    fn with(connector: HttpsConnector<HttpConnector>, root: String, bearer: &str) -> Self {
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            root,
            bearer: bearer.to_owned(),
        }
    }

    /// Sends a request and returns the answer's head and its body as it comes.
    pub async fn send(&self, method: Method, path: &str, body: impl Into<Bytes>) -> http::Response<Incoming> {
        let sent = self.try_send(method, path, body).await;
        sent.unwrap_or_else(|error| panic!("{}{path}: {error:?}", self.root))
    }

    /// Sends a request to a server that may not be reached.
    pub async fn try_send(
        &self,
        method: Method,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<http::Response<Incoming>, Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.root));
        if !self.bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.bearer));
        }
        let request =
            request.header("content-type", "application/json").body(Full::new(body.into())).expect("valid");
        self.client.request(request).await
    }

    /// Sends a request and reads the answer whole.
    pub async fn call(&self, method: Method, path: &str, body: impl Into<Bytes>) -> Answer {
        let response = self.send(method, path, body).await;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        Answer { status: head.status, version: head.version, headers: head.headers, body }
    }

    /// `GET`s a path.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, Bytes::new()).await
    }

    /// `POST`s JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call(Method::POST, path, body.to_string()).await
    }

    /// Asks for a chat completion.
    pub async fn chat(&self, model: &str, text: &str, stream: bool) -> Answer {
        let body = serde_json::json!({
            "model": model, "stream": stream, "messages": [{"role": "user", "content": text}],
        });
        self.post("/v1/chat/completions", &body).await
    }
}

/// What a client trusts: the authorities of a PEM file, or nobody.
fn trusting(ca_file: Option<&Path>) -> rustls::ClientConfig {
    match ca_file {
        Some(ca_file) => (*tls::client_config(ca_file, &[]).expect("a PEM file of ours")).clone(),
        None => {
            let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
            let versions =
                rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let roots = rustls::RootCertStore::empty();
            versions.expect("ring's own").with_root_certificates(roots).with_no_client_auth()
        }
    }
}

/// The JSON of each event of a stream, without `[DONE]`.
#[must_use]
pub fn events(text: &str) -> Vec<Value> {
    text.lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| *data != "[DONE]")
        .map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}")))
        .collect()
}

/// The text that a stream says, over all its events.
#[must_use]
pub fn streamed_text(text: &str) -> String {
    events(text)
        .iter()
        .filter_map(|event| {
            event.pointer("/choices/0/delta/content").and_then(Value::as_str).map(str::to_owned)
        })
        .collect()
}
