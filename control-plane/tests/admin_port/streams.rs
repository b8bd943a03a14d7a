//! What proxies get, and what they say.

use breakwater_common::ruleset::{Item, digest};
use breakwater_proto::v1::proxy_service_client::ProxyServiceClient;
use breakwater_proto::v1::report_health_request::Message as Up;
use breakwater_proto::v1::report_health_response::Message as Down;
use breakwater_proto::v1::watch_rulesets_request::Message;
use breakwater_proto::v1::watch_rulesets_response::Message as FromServer;
use breakwater_proto::v1::{
    Ack, BreakerTransition, CallExplanation, CredentialReport, DeploymentReport, ExplainAnswer, HealthReport,
    Hello, Nack, ProviderSpec, Rejection, ReportHealthRequest, UpstreamReport,
};
use http::Method;
use prost::Message as _;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::kit::{Node, authorized, eventually, hello, provider};

#[tokio::test]
async fn a_change_reaches_a_proxy_with_its_secret_open_and_is_acknowledged() {
    let node = Node::start().await;
    let mut watch = node.watch(hello("p1")).await;
    let Some(FromServer::Welcome(welcome)) = watch.next().await else { panic!("no welcome") };
    assert!(welcome.cluster_id.starts_with("bw-"));
    watch.ruleset().await;
    let revision = node.create_provider("openai").await.json["revision"].as_u64().unwrap();
    let received = watch.ruleset().await;
    assert_eq!(received.revision, revision);
    let [resource] = received.resources.as_slice() else { panic!("one resource") };
    let spec = ProviderSpec::decode(resource.body.as_slice()).unwrap();
    assert_eq!(spec.credentials[0].api_key, "sk-canary");
    let items: Vec<Item> = received
        .resources
        .iter()
        .map(|resource| Item {
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            revision: resource.revision,
            body: resource.body.clone(),
        })
        .collect();
    assert_eq!(received.digest, digest(revision, &items));
    watch.say(Message::Ack(Ack { revision, apply_us: 1 })).await;
    eventually("the acknowledgement", || async { proxy(&node).await["revision"] == revision }).await;
    assert_eq!(proxy(&node).await["connected"], true);
    drop(watch);
    node.stop().await;
}

#[tokio::test]
async fn a_refused_ruleset_is_parked_until_the_next_one() {
    let node = Node::start().await;
    let mut watch = node.watch(hello("p1")).await;
    watch.ruleset().await;
    node.create_provider("a").await;
    let refused = watch.ruleset().await.revision;
    let rejection =
        Rejection { resource: "Provider/a".to_owned(), message: "no".to_owned(), ..Rejection::default() };
    let nack = Nack { revision: refused, running_revision: refused - 1, rejections: vec![rejection] };
    watch.say(Message::Nack(nack)).await;
    eventually("the refusal", || async { proxy(&node).await["rejection"] != "" }).await;
    assert!(proxy(&node).await["rejection"].as_str().unwrap().contains("Provider/a: no"));
    // It came back with the same process and the older revision: the refused one is not sent again, heartbeats are.
    drop(watch);
    let mut watch = node.watch(Hello { revision: refused - 1, ..hello("p1") }).await;
    for _ in 0..3 {
        let next = watch.next().await.unwrap();
        assert!(matches!(next, FromServer::Welcome(_) | FromServer::Heartbeat(_)), "{next:?}");
    }
    node.create_provider("b").await;
    let next = watch.ruleset().await;
    assert_eq!(next.revision, refused + 1);
    watch.say(Message::Ack(Ack { revision: next.revision, apply_us: 1 })).await;
    eventually("the acknowledgement", || async { proxy(&node).await["rejection"] == "" }).await;
    node.stop().await;
}

#[tokio::test]
async fn a_proxy_that_holds_the_newest_is_sent_nothing() {
    let node = Node::start().await;
    let mut watch = node.watch(hello("p1")).await;
    let Some(FromServer::Welcome(welcome)) = watch.next().await else { panic!("no welcome") };
    let held = watch.ruleset().await;
    drop(watch);
    let again =
        Hello { revision: held.revision, digest: held.digest, cluster_id: welcome.cluster_id, ..hello("p1") };
    let mut watch = node.watch(again).await;
    for _ in 0..3 {
        let next = watch.next().await.unwrap();
        assert!(matches!(next, FromServer::Welcome(_) | FromServer::Heartbeat(_)), "{next:?}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_revoked_proxy_token_ends_its_stream_and_shutdown_drains() {
    let node = Node::start().await;
    let mut watch = node.watch(hello("p1")).await;
    watch.ruleset().await;
    let mut other = node.watch(hello("p2")).await;
    other.ruleset().await;
    let stopping = tokio::time::timeout(crate::kit::SOON, node.stop());
    let drained = async {
        loop {
            match watch.next().await {
                Some(FromServer::Drain(drain)) => return drain.max_wait_ms,
                Some(_) => {}
                None => panic!("ended without a drain"),
            }
        }
    };
    let (dir, wait) = tokio::join!(stopping, drained);
    assert!(wait > 0);
    drop(other);
    let node = Node::start_in(dir.expect("a stop in time")).await;
    let mut watch = node.watch(hello("p1")).await;
    watch.ruleset().await;
    let id = node.app.proxy_token()["bwt-".len()..][..16].to_owned();
    node.rest(Method::POST, &format!("/v1/tokens/{id}:revoke"), None).await;
    let ended = async {
        loop {
            match watch.down.message().await {
                Ok(Some(_)) => {}
                Ok(None) => panic!("ended without a word"),
                Err(status) => return status,
            }
        }
    };
    assert_eq!(ended.await.code(), tonic::Code::Unauthenticated);
    node.stop().await;
}

#[tokio::test]
async fn reports_show_breakers_and_their_transitions_are_in_the_ledger_once() {
    let node = Node::start().await;
    node.create_provider("openai").await;
    let (up, _down) = report(&node).await;
    let transition = BreakerTransition {
        provider: "openai".to_owned(),
        from: "closed".to_owned(),
        to: "open".to_owned(),
        reason: "threshold".to_owned(),
        time: None,
        generation: 1,
        ..BreakerTransition::default()
    };
    let of_a_model = BreakerTransition { model: "gpt-4o".to_owned(), generation: 2, ..transition.clone() };
    let deployment = DeploymentReport {
        model: "gpt-4o".to_owned(),
        state: "half-open".to_owned(),
        ..DeploymentReport::default()
    };
    let credential = CredentialReport {
        name: "main".to_owned(),
        reason: "rate_limited".to_owned(),
        ..CredentialReport::default()
    };
    let upstream = UpstreamReport {
        provider: "openai".to_owned(),
        state: "open".to_owned(),
        consecutive_failures: 5,
        force: "open".to_owned(),
        deployments: vec![deployment],
        credentials: vec![credential],
        ..UpstreamReport::default()
    };
    let report = HealthReport {
        proxy_id: "p1".to_owned(),
        boot_id: "b1".to_owned(),
        upstreams: vec![upstream],
        // A malformed act comes first: it must not take the sound one with it.
        transitions: vec![
            BreakerTransition { reason: "not a code".to_owned(), ..transition.clone() },
            transition,
            of_a_model,
        ],
        ..HealthReport::default()
    };
    for _ in 0..2 {
        up.send(ReportHealthRequest { message: Some(Up::Report(report.clone())) }).await.unwrap();
    }
    let state =
        || async { node.rest(Method::GET, "/v1/admin/providers/status", None).await.json["data"][0].clone() };
    eventually("the report", || async { state().await["state"] == "open" }).await;
    assert_eq!((&state().await["failures"], &state().await["proxies_open"]), (&json!(5), &json!(1)));
    let seen = state().await["proxies"][0].clone();
    assert_eq!((&seen["force"], &seen["deployments"][0]["state"]), (&json!("open"), &json!("half-open")));
    assert_eq!(seen["credentials"][0]["reason"], "rate_limited", "{seen}");
    let metrics = node.rest(Method::GET, "/metrics", None).await.text;
    assert!(metrics.contains("breakwater_circuit_breaker_state{provider=\"openai\"} 2"), "{metrics}");
    let recorded = || async {
        let records = node.rest(Method::GET, "/v1/ledger/records", None).await.json;
        let records = records["records"].as_array().unwrap().clone();
        records
            .iter()
            .filter(|record| record["leaf"].as_str().unwrap().contains("breaker.transition"))
            .count()
    };
    eventually("the record", || async { recorded().await > 0 }).await;
    // A change after it proves that the second report was worked off too.
    node.create_provider("other").await;
    assert_eq!(recorded().await, 1);
    node.stop().await;
}

#[tokio::test]
async fn a_call_is_explained_by_the_proxy_that_took_it() {
    let node = Node::start().await;
    let missing = node.rest(Method::GET, "/v1/calls/r-1", None).await;
    assert_eq!(missing.status, 404, "{}", missing.text);
    let (up, mut down) = report(&node).await;
    let answers = async {
        let Some(Down::Explain(question)) = down.message().await.unwrap().unwrap().message else {
            panic!("no question")
        };
        assert_eq!(question.request_id, "r-1");
        let explanation =
            CallExplanation { request_id: "r-1".to_owned(), status: 200, ..CallExplanation::default() };
        let answer = ExplainAnswer { question_id: question.question_id, explanation: Some(explanation) };
        up.send(ReportHealthRequest { message: Some(Up::Answer(answer)) }).await.unwrap();
    };
    let (answer, ()) = tokio::join!(node.rest(Method::GET, "/v1/calls/r-1", None), answers);
    assert_eq!((answer.status.as_u16(), &answer.json["status"]), (200, &json!(200)), "{}", answer.text);
    node.stop().await;
}

async fn report(
    node: &Node,
) -> (mpsc::Sender<ReportHealthRequest>, tonic::Streaming<breakwater_proto::v1::ReportHealthResponse>) {
    let (up, receiver) = mpsc::channel(8);
    let request = authorized(ReceiverStream::new(receiver), node.app.proxy_token());
    let mut client = ProxyServiceClient::new(node.channel().await);
    (up, client.report_health(request).await.unwrap().into_inner())
}

async fn proxy(node: &Node) -> Value {
    node.rest(Method::GET, "/v1/proxies", None).await.json["proxies"][0].clone()
}

#[tokio::test]
async fn a_proxy_without_a_hello_is_told() {
    let node = Node::start().await;
    let mut watch = node.watch(Hello::default()).await;
    assert_eq!(watch.down.message().await.unwrap_err().code(), tonic::Code::InvalidArgument);
    assert_eq!(node.rest(Method::POST, "/v1/providers", Some(provider("x"))).await.status, 200);
    node.stop().await;
}
