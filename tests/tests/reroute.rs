//! Operators move traffic: the literal requests, every proxy at its next request, and back.

use breakwater_proto::v1::TriggerFailoverRequest;
use breakwater_proto::v1::reroute_service_client::RerouteServiceClient;
use breakwater_tests::caller::{Answer, Caller};
use breakwater_tests::cluster::Cluster;
use breakwater_tests::manifests::{provider, tenant};
use breakwater_tests::phases::{phase, until};
use breakwater_tests::upstream::{Script, ScriptedLlm};
use http::Method;
use serde_json::{Value, json};
use tonic::transport::Endpoint;

/// A cluster of two proxies whose route `prod-chat` goes to `primary-chat` and then to `backup-chat`.
struct Fleet {
    cluster: Cluster,
    second: breakwater_data_plane::App,
    _llms: Vec<ScriptedLlm>,
}

impl Fleet {
    async fn start() -> Self {
        let primary = ScriptedLlm::start(|_| Script::chat("from the primary")).await;
        let backup = ScriptedLlm::start(|_| Script::chat("from the backup")).await;
        let foreign = ScriptedLlm::start(|_| Script::chat("from abroad")).await;
        let endpoint = |name: &str, provider: &str| json!({"endpoint": {"name": name, "spec": {"provider": provider, "model": "vendor-model-1"}}});
        let cluster = Cluster::start(vec![
            tagged(provider("one", primary.addr(), 5, "60s"), &["jp_sovereign"]),
            tagged(provider("two", backup.addr(), 5, "60s"), &["jp_sovereign"]),
            provider("abroad", foreign.addr(), 5, "60s"),
            tagged(provider("behind", foreign.addr(), 5, "60s"), &["jp_sovereign", "china_gated"]),
            endpoint("primary-chat", "one"),
            endpoint("backup-chat", "two"),
            endpoint("abroad-chat", "abroad"),
            endpoint("gated-chat", "behind"),
            json!({"route": {"name": "prod-chat", "spec": {"aliases": ["prod-chat"], "endpoint": "primary-chat",
                "fallback_endpoints": ["backup-chat"], "sovereignty": "jp_sovereign"}}}),
            tenant("acme", &["prod-chat"]),
        ])
        .await;
        let control = cluster.control();
        let url = format!("http://{}", control.admin_addr());
        let mut config = breakwater_data_plane::Config::development(url, control.proxy_token());
        config.listen = "127.0.0.1:0".parse().expect("an address");
        config.proxy_id = "second".to_owned();
        let second = breakwater_data_plane::App::start(config).await.expect("the second proxy starts");
        second.ready().await;
        let fleet = Self { cluster, second, _llms: vec![primary, backup, foreign] };
        until("both proxies hold a stream", || async {
            let proxies = fleet.cluster.admin().get("/v1/proxies").await.json();
            proxies["proxies"]
                .as_array()
                .is_some_and(|proxies| proxies.iter().filter(|proxy| proxy["connected"] == true).count() == 2)
        })
        .await;
        fleet
    }

    /// What each proxy answers, at its very next request.
    async fn answers(&self) -> [String; 2] {
        let second = Caller::new(self.second.addr(), self.cluster.key());
        let mut answers = [String::new(), String::new()];
        for (caller, text) in [self.cluster.caller(), second].into_iter().zip(&mut answers) {
            let answer = caller.chat("prod-chat", "hello", false).await;
            *text = match answer.status.as_u16() {
                200 => answer.json()["choices"][0]["message"]["content"].as_str().unwrap_or("?").to_owned(),
                _ => answer.code(),
            };
        }
        answers
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.cluster.admin().post(path, body).await
    }

    async fn put(&self, path: &str, body: &'static str) -> Answer {
        self.cluster.admin().call(Method::PUT, path, body).await
    }

    async fn shutdown(self) {
        self.second.shutdown().await;
        self.cluster.shutdown().await;
    }
}

fn tagged(mut provider: Value, tags: &[&str]) -> Value {
    provider["provider"]["spec"]["tags"] = json!(tags);
    provider
}

fn both(text: &str) -> [String; 2] {
    [text.to_owned(), text.to_owned()]
}

fn acknowledged(answer: &Value) -> usize {
    assert_eq!(answer["pending_proxies"].as_array().map_or(0, Vec::len), 0, "{answer}");
    answer["acknowledged_proxies"].as_array().map_or(0, Vec::len)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failover_holds_at_every_proxy_when_it_is_answered_and_is_undone() {
    let fleet = Fleet::start().await;
    assert_eq!(fleet.answers().await, both("from the primary"));

    phase("the literal request of the first seed");
    let request =
        r#"{"route_id": "prod-chat", "reason": "latency_degradation", "fallback_endpoint": "backup-chat"}"#;
    let answer = fleet.cluster.admin().call(Method::POST, "/v1/failover/trigger", request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let made = answer.json();
    assert_eq!(made["status"], "activated");
    assert_eq!(made["original_endpoint"], "primary-chat");
    assert_eq!(made["fallback_endpoint"], "backup-chat");
    assert!(made["timestamp"].is_string() && made["automation_id"].is_string(), "{made}");
    assert_eq!(acknowledged(&made), 2, "{made}");
    assert_eq!(fleet.answers().await, both("from the backup"), "each proxy at its very next request");

    phase("why says it, the ledger says it, the list says it");
    let caller = fleet.cluster.caller();
    let call = caller.chat("prod-chat", "hello", false).await;
    let id = call.headers["x-breakwater-request-id"].to_str().expect("ASCII").to_owned();
    let why = fleet.cluster.admin().get(&format!("/v1/calls/{id}")).await.json();
    assert_eq!(why["attempts"][0]["provider"], "one", "{why}");
    assert_eq!(why["attempts"][0]["reason"], "route_override", "{why}");
    assert_eq!(why["attempts"][1]["provider"], "two", "{why}");
    let index = made["ledger_index"].as_u64().expect("a number");
    let records = fleet.cluster.admin().get(&format!("/v1/ledger/records?start={index}&page_size=1")).await;
    assert!(records.text().contains("route.override"), "{}", records.text());
    let listed = fleet.cluster.admin().get("/v1/failover/overrides").await.json();
    assert_eq!(listed["overrides"][0]["automation_id"], made["automation_id"]);

    phase("undone");
    let reverted = fleet.post("/v1/failover/revert", &json!({"route_id": "prod-chat"})).await;
    assert_eq!(reverted.status, 200, "{}", reverted.text());
    assert_eq!(reverted.json()["automation_id"], made["automation_id"]);
    assert_eq!(acknowledged(&reverted.json()), 2);
    assert_eq!(fleet.answers().await, both("from the primary"));
    let again = fleet.post("/v1/failover/revert", &json!({"route_id": "prod-chat"})).await;
    assert_eq!(again.status, 404, "{}", again.text());

    phase("over gRPC");
    let url = format!("http://{}", fleet.cluster.control().admin_addr());
    let channel = Endpoint::from_shared(url).expect("a URL").connect().await.expect("it listens");
    let mut client = RerouteServiceClient::new(channel);
    let mut request = tonic::Request::new(TriggerFailoverRequest {
        route_id: "prod-chat".to_owned(),
        reason: "latency_degradation".to_owned(),
        fallback_endpoint: "backup-chat".to_owned(),
        ..TriggerFailoverRequest::default()
    });
    let bearer = format!("Bearer {}", fleet.cluster.control().admin_token());
    request.metadata_mut().insert("authorization", bearer.parse().expect("ASCII"));
    let made = client.trigger_failover(request).await.expect("it is legal").into_inner();
    assert_eq!((made.status.as_str(), made.acknowledged_proxies.len()), ("activated", 2));
    assert_eq!(fleet.answers().await, both("from the backup"));
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_legal_is_refused_and_moves_nothing() {
    let fleet = Fleet::start().await;
    let refused = async |body: Value, status: u16, field: &str| {
        let answer = fleet.post("/v1/failover/trigger", &body).await;
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(field), "{field}: {}", answer.text());
    };
    let to = |endpoint: &str| json!({"route_id": "prod-chat", "reason": "r", "fallback_endpoint": endpoint});
    refused(to("nothing"), 404, "fallback_endpoint").await;
    refused(to("abroad-chat"), 400, "lacks the tag").await;
    refused(to("gated-chat"), 400, "china_gated").await;
    refused(to("primary-chat"), 400, "goes there already").await;
    refused(json!({"route_id": "none", "reason": "r", "fallback_endpoint": "backup-chat"}), 404, "route_id")
        .await;
    refused(json!({"route_id": "prod-chat", "fallback_endpoint": "backup-chat"}), 400, "reason").await;
    refused(
        json!({"route_id": "prod-chat", "reason": "r", "fallback_endpoint": "backup-chat", "x": 1}),
        400,
        "x",
    )
    .await;
    let checked = fleet.post("/v1/failover/trigger?validate_only=true", &to("backup-chat")).await;
    assert_eq!((checked.status.as_u16(), checked.json()["status"].as_str()), (200, Some("valid")));
    assert_eq!(fleet.answers().await, both("from the primary"));
    let listed = fleet.cluster.admin().get("/v1/failover/overrides").await.json();
    assert_eq!(listed["overrides"].as_array().map_or(0, Vec::len), 0, "{listed}");
    fleet.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn containment_policies_providers_and_models_are_taken_out_and_back() {
    let fleet = Fleet::start().await;

    phase("the literal request of the second seed");
    let request = r#"{"route_id": "prod-chat", "policy": "failover", "reason": "latency_degradation"}"#;
    let answer = fleet.cluster.admin().call(Method::POST, "/v1/policies/containment/activate", request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let made = answer.json();
    assert_eq!((made["status"].as_str(), acknowledged(&made)), (Some("activated"), 2));
    assert_eq!(made["original_endpoint"], "primary-chat");
    assert_eq!(made["fallback_endpoint"], "backup-chat");
    assert_eq!(fleet.answers().await, both("from the backup"));

    phase("a failover asks the original when the rest is out; circuit breaking does not");
    let out = fleet.put("/api/providers/two", r#"{"isActive": false}"#).await;
    assert_eq!(out.status, 200, "{}", out.text());
    assert_eq!((out.json()["name"].as_str(), out.json()["isActive"].as_bool()), (Some("two"), Some(false)));
    assert_eq!(acknowledged(&out.json()), 2);
    assert_eq!(fleet.answers().await, both("from the primary"));
    let back = fleet.put("/api/providers/two", r#"{"isActive": true}"#).await;
    assert_eq!(back.status, 200, "{}", back.text());
    let breaking = json!({"route_id": "prod-chat", "policy": "circuit_breaking", "reason": "errors"});
    let answer = fleet.post("/v1/policies/containment/activate", &breaking).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(fleet.answers().await, both("from the backup"));
    assert_eq!(fleet.put("/api/providers/two", r#"{"isActive": false}"#).await.status, 200);
    assert_eq!(fleet.answers().await, both("no_provider_available"));
    let throttling = json!({"route_id": "prod-chat", "policy": "throttling", "reason": "load"});
    let answer = fleet.post("/v1/policies/containment/activate", &throttling).await;
    assert_eq!(answer.status, 400, "what is not enforced is not accepted: {}", answer.text());

    phase("a model");
    assert_eq!(fleet.put("/api/providers/two", r#"{"isActive": true}"#).await.status, 200);
    let revert = fleet.post("/v1/failover/revert", &json!({"route_id": "prod-chat"})).await;
    assert_eq!(revert.status, 200, "{}", revert.text());
    assert_eq!(fleet.answers().await, both("from the primary"));
    let out = fleet.put("/api/models/one/vendor-model-1", r#"{"isActive": false}"#).await;
    assert_eq!((out.status.as_u16(), acknowledged(&out.json())), (200, 2), "{}", out.text());
    assert!(!out.text().contains("sk-canary"), "secrets stay sealed");
    assert_eq!(fleet.answers().await, both("from the backup"));
    assert_eq!(fleet.put("/api/models/one/vendor-model-1", r#"{"isActive": true}"#).await.status, 200);
    assert_eq!(fleet.answers().await, both("from the primary"), "its credential was kept");
    assert_eq!(fleet.put("/api/models/one/nothing", r#"{"isActive": true}"#).await.status, 404);
    assert_eq!(fleet.put("/api/providers/none", r#"{"isActive": true}"#).await.status, 404);
    assert_eq!(fleet.put("/api/providers/one", "{}").await.status, 400);
    fleet.shutdown().await;
}
