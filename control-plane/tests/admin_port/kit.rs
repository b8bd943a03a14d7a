//! A node, and clients of it.

use std::time::Duration;

use breakwater_control_plane::{App, Config};
use breakwater_proto::v1::proxy_service_client::ProxyServiceClient;
use breakwater_proto::v1::watch_rulesets_request::Message as Up;
use breakwater_proto::v1::watch_rulesets_response::Message as Down;
use breakwater_proto::v1::{Hello, RulesetResource, WatchRulesetsRequest, WatchRulesetsResponse};
use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;
use tonic::metadata::MetadataValue;
use tonic::transport::Channel;

pub const SOON: Duration = Duration::from_secs(10);

pub struct Node {
    pub app: App,
    pub dir: TempDir,
    http: Client<HttpConnector, Full<Bytes>>,
}

pub struct Answer {
    pub status: StatusCode,
    pub json: Value,
    pub text: String,
}

impl Node {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    pub async fn start_in(dir: TempDir) -> Self {
        let app = App::start(Config::development(dir.path())).await.unwrap();
        Self { app, dir, http: Client::builder(TokioExecutor::new()).build_http() }
    }

    pub async fn stop(self) -> TempDir {
        self.app.shutdown().await;
        self.dir
    }

    pub async fn rest(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.send(method, path, &[("authorization", &self.bearer())], body).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.send_bytes(method, path, headers, body.into()).await
    }

    pub async fn send_bytes(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.app.admin_url()));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.http.request(request.body(Full::new(body)).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status, json: serde_json::from_str(&text).unwrap_or(Value::Null), text }
    }

    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.app.admin_token())
    }

    pub async fn channel(&self) -> Channel {
        Channel::from_shared(self.app.admin_url()).unwrap().connect().await.unwrap()
    }

    /// Makes a token of a role and returns its header.
    pub async fn token(&self, role: &str) -> String {
        let body = json!({"subject": role, "role": role});
        let answer = self.rest(Method::POST, "/v1/tokens", Some(body)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        format!("Bearer {}", answer.json["secret"].as_str().unwrap())
    }

    pub async fn create_provider(&self, name: &str) -> Answer {
        self.rest(Method::POST, "/v1/providers", Some(provider(name))).await
    }

    /// Opens a proxy's configuration stream.
    pub async fn watch(&self, hello: Hello) -> Watch {
        let (up, receiver) = mpsc::channel(8);
        send_up(&up, Up::Hello(hello)).await;
        let request = authorized(ReceiverStream::new(receiver), self.app.proxy_token());
        let mut client = ProxyServiceClient::new(self.channel().await);
        let down = client.watch_rulesets(request).await.unwrap().into_inner();
        Watch { up, down }
    }
}

pub fn provider(name: &str) -> Value {
    json!({"name": name, "spec": {
        "type": "openai",
        "base_url": "http://127.0.0.1:1/v1",
        "credentials": [{"name": "main", "api_key": "sk-canary"}],
    }})
}

pub fn hello(proxy: &str) -> Hello {
    Hello {
        proxy_id: proxy.to_owned(),
        boot_id: "b1".to_owned(),
        version: "0.1.0".to_owned(),
        ..Hello::default()
    }
}

/// A request with a bearer token.
pub fn authorized<T>(message: T, token: &str) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    let value = MetadataValue::try_from(format!("Bearer {token}")).unwrap();
    request.metadata_mut().insert("authorization", value);
    request
}

pub struct Watch {
    pub up: mpsc::Sender<WatchRulesetsRequest>,
    pub down: Streaming<WatchRulesetsResponse>,
}

pub struct Received {
    pub revision: u64,
    pub digest: Vec<u8>,
    pub resources: Vec<RulesetResource>,
}

impl Watch {
    pub async fn next(&mut self) -> Option<Down> {
        let next = tokio::time::timeout(SOON, self.down.message()).await.expect("a message in time");
        next.unwrap().map(|response| response.message.unwrap())
    }

    /// Waits for the next whole ruleset.
    pub async fn ruleset(&mut self) -> Received {
        let mut resources = Vec::new();
        loop {
            match self.next().await.expect("the stream goes on") {
                Down::Chunk(chunk) => resources.extend(chunk.resources),
                Down::End(end) => {
                    return Received { revision: end.revision, digest: end.digest, resources };
                }
                Down::Begin(_) | Down::Welcome(_) | Down::Heartbeat(_) => {}
                Down::Drain(_) => panic!("drained"),
            }
        }
    }

    pub async fn say(&self, message: Up) {
        send_up(&self.up, message).await;
    }
}

async fn send_up(up: &mpsc::Sender<WatchRulesetsRequest>, message: Up) {
    up.send(WatchRulesetsRequest { message: Some(message) }).await.unwrap();
}

/// Waits until a condition holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let wait = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(SOON, wait).await.unwrap_or_else(|_| panic!("{what} did not come"));
}
