//! A caller.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::soon;

/// Calls one proxy with one key.
#[derive(Clone)]
pub struct Caller {
    client: Client<HttpConnector, Full<Bytes>>,
    addr: SocketAddr,
    key: Option<&'static str>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Caller {
    pub fn new(addr: SocketAddr, key: &'static str) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), addr, key: Some(key) }
    }

    /// Speaks HTTP/2 by prior knowledge.
    pub fn http2(&self) -> Self {
        Self { client: Client::builder(TokioExecutor::new()).http2_only(true).build_http(), ..self.clone() }
    }

    pub fn with_key(&self, key: Option<&'static str>) -> Self {
        Self { key, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    pub async fn chat(&self, model: &str) -> Answer {
        self.ask(Method::POST, "/v1/chat/completions", chat(model, false)).await
    }

    pub async fn post(&self, body: impl Into<Bytes>) -> Answer {
        self.ask(Method::POST, "/v1/chat/completions", body.into()).await
    }

    /// Begins a stream.
    pub async fn stream(&self, model: &str) -> Response<Incoming> {
        self.send(Method::POST, "/v1/chat/completions", chat(model, true)).await
    }

    pub async fn ask(&self, method: Method, path: &str, body: Bytes) -> Answer {
        let (parts, body) = self.send(method, path, body).await.into_parts();
        let body = soon("the answer ends", body.collect()).await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Posts with these headers and no other key.
    pub async fn post_with(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let mut request = Request::post(format!("http://{}{path}", self.addr));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.client.request(request.body(Full::new(body.into())).unwrap());
        let (parts, body) = soon("an answer begins", sent).await.unwrap().into_parts();
        let body = soon("the answer ends", body.collect()).await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn send(&self, method: Method, path: &str, body: Bytes) -> Response<Incoming> {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.addr));
        if let Some(key) = self.key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        let request = request.header("x-canary", "of-the-caller").body(Full::new(body)).unwrap();
        soon("an answer begins", self.client.request(request)).await.unwrap()
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Returns status and code of an error.
    pub fn error(&self) -> (u16, String) {
        let code = self.json()["error"]["code"].as_str().unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A call's body.
pub fn chat(model: &str, stream: bool) -> Bytes {
    let messages = json!([{ "role": "user", "content": "hello" }]);
    json!({ "model": model, "messages": messages, "stream": stream }).to_string().into()
}
