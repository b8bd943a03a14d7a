//! Resources over both edges.

use breakwater_proto::v1::apply_service_client::ApplyServiceClient;
use breakwater_proto::v1::fleet_service_client::FleetServiceClient;
use breakwater_proto::v1::provider_service_client::ProviderServiceClient;
use breakwater_proto::v1::system_service_client::SystemServiceClient;
use breakwater_proto::v1::{
    ApplyRequest, GetAuthzInventoryRequest, GetProviderStatusRequest, GetResourceRequest,
    ListResourcesRequest, Manifest,
};
use http::Method;
use serde_json::json;

use crate::kit::{Node, authorized, provider};

#[tokio::test]
async fn grpc_and_rest_read_the_same() {
    let node = Node::start().await;
    for name in ["b", "a", "c"] {
        assert_eq!(node.create_provider(name).await.status, 200);
    }
    let (channel, token) = (node.channel().await, node.app.admin_token());
    let mut providers = ProviderServiceClient::new(channel.clone());
    let request = authorized(GetResourceRequest { name: "a".to_owned() }, token);
    let grpc = providers.get_provider(request).await.unwrap().into_inner();
    let rest = node.rest(Method::GET, "/v1/providers/a", None).await.json;
    assert_eq!(rest["name"], grpc.name);
    assert_eq!(rest["revision"], grpc.revision);
    assert_eq!(rest["spec"]["base_url"], grpc.spec.as_ref().unwrap().base_url);
    assert_eq!(rest["spec"]["credentials"][0]["api_key"], "(sealed)");
    assert_eq!(grpc.spec.unwrap().credentials[0].api_key, "(sealed)");

    let request = authorized(ListResourcesRequest { page_size: 2, ..ListResourcesRequest::default() }, token);
    let grpc = providers.list_providers(request).await.unwrap().into_inner();
    let rest = node.rest(Method::GET, "/v1/providers?page_size=2", None).await.json;
    assert_eq!(rest["providers"].as_array().unwrap().len(), grpc.providers.len());
    assert_eq!(rest["next_page_token"], grpc.next_page_token);
    let path = format!("/v1/providers?page_size=2&page_token={}", grpc.next_page_token);
    let last = node.rest(Method::GET, &path, None).await.json;
    assert_eq!((&last["providers"][0]["name"], &last["next_page_token"]), (&json!("c"), &json!("")));

    let request = authorized(GetProviderStatusRequest {}, token);
    let grpc =
        FleetServiceClient::new(channel.clone()).get_provider_status(request).await.unwrap().into_inner();
    let rest = node.rest(Method::GET, "/v1/admin/providers/status", None).await.json;
    let names = rest["data"].as_array().unwrap().iter().map(|status| status["provider"].as_str().unwrap());
    assert!(names.eq(grpc.data.iter().map(|status| status.provider.as_str())));

    let request = authorized(GetAuthzInventoryRequest {}, token);
    let grpc = SystemServiceClient::new(channel).get_authz_inventory(request).await.unwrap().into_inner();
    let rest = node.rest(Method::GET, "/api/settings/authz-inventory", None).await.json;
    assert_eq!((&rest["revision"], &rest["digest"]), (&json!(grpc.revision), &json!(grpc.digest)));
    node.stop().await;
}

#[tokio::test]
async fn an_unknown_field_is_refused_with_every_violation() {
    let node = Node::start().await;
    let body = json!({"name": "x", "spec": {"type": "openai", "base_url": "u", "no_such": 1, "nor_this": 2}});
    let answer = node.rest(Method::POST, "/v1/providers", Some(body)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert_eq!(answer.json["error"]["status"], "INVALID_ARGUMENT");
    let violations = answer.json["error"]["details"][0]["field_violations"].as_array().unwrap();
    let fields: Vec<&str> = violations.iter().map(|violation| violation["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"spec.no_such") && fields.contains(&"spec.nor_this"), "{fields:?}");

    let body = json!({"name": "x", "spec": {"type": "opena", "base_url": "u"}});
    let answer = node.rest(Method::POST, "/v1/providers", Some(body)).await;
    let violations = answer.json["error"]["details"][0]["field_violations"].as_array().unwrap();
    let fields: Vec<&str> = violations.iter().map(|violation| violation["field"].as_str().unwrap()).collect();
    assert!(fields.contains(&"spec.type") && fields.contains(&"spec.base_url"), "{fields:?}");
    node.stop().await;
}

#[tokio::test]
async fn an_idempotency_key_returns_the_first_answer() {
    let node = Node::start().await;
    let bearer = node.bearer();
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "k-1")];
    let create = || node.send(Method::POST, "/v1/providers", &headers, Some(provider("once")));
    let (first, second) = (create().await, create().await);
    assert_eq!(
        (first.status, second.status),
        (200.try_into().unwrap(), 200.try_into().unwrap()),
        "{}",
        second.text
    );
    assert_eq!(first.json, second.json);
    let other = node.send(Method::POST, "/v1/providers", &headers, Some(provider("other"))).await;
    assert_eq!(other.status, 409, "{}", other.text);
    let without = node.create_provider("once").await;
    assert_eq!((without.status.as_u16(), &without.json["error"]["status"]), (409, &json!("ALREADY_EXISTS")));
    node.stop().await;
}

#[tokio::test]
async fn a_stale_expected_revision_is_aborted() {
    let node = Node::start().await;
    let made = node.create_provider("p").await.json["revision"].as_u64().unwrap();
    let mut body = provider("p");
    body["spec"]["region"] = json!("us-east");
    let patch = |revision: u64, body| {
        let path = format!("/v1/providers/p?expected_revision={revision}");
        let node = &node;
        async move { node.rest(Method::PATCH, &path, Some(body)).await }
    };
    assert_eq!(patch(made, body.clone()).await.status, 200);
    body["spec"]["region"] = json!("eu-west");
    let stale = patch(made, body).await;
    assert_eq!((stale.status.as_u16(), &stale.json["error"]["status"]), (409, &json!("ABORTED")));
    let now = node.rest(Method::GET, "/v1/providers/p", None).await;
    assert_eq!(now.json["spec"]["region"], "us-east");
    node.stop().await;
}

#[tokio::test]
async fn a_masked_update_changes_that_field_and_keeps_secrets() {
    let node = Node::start().await;
    node.create_provider("p").await;
    let body = json!({"spec": {"disabled": true}});
    let answer = node.rest(Method::PATCH, "/v1/providers/p?update_mask=spec.disabled", Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["spec"]["disabled"], true);
    assert_eq!(answer.json["spec"]["base_url"], "http://127.0.0.1:1/v1");
    // The whole of what was read can be written back: nothing changes, and the secret stays.
    let read = node.rest(Method::GET, "/v1/providers/p", None).await.json;
    let back = node.rest(Method::PATCH, "/v1/providers/p", Some(read.clone())).await;
    assert_eq!((back.status.as_u16(), &back.json["revision"]), (200, &read["revision"]), "{}", back.text);
    let unknown = node.rest(Method::PATCH, "/v1/providers/p?update_mask=spec.no", Some(json!({}))).await;
    assert_eq!(unknown.status, 400, "{}", unknown.text);
    let missing = node.rest(Method::PATCH, "/v1/providers/none", Some(provider("none"))).await;
    assert_eq!(missing.status, 404);
    let allowed =
        node.rest(Method::PATCH, "/v1/providers/none?allow_missing=true", Some(provider("none"))).await;
    assert_eq!(allowed.status, 200, "{}", allowed.text);
    node.stop().await;
}

#[tokio::test]
async fn a_sealed_placeholder_without_a_stored_secret_is_refused() {
    let node = Node::start().await;
    let mut body = provider("p");
    body["spec"]["credentials"][0]["api_key"] = json!("(sealed)");
    let answer = node.rest(Method::POST, "/v1/providers", Some(body)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("spec.credentials[main].api_key"), "{}", answer.text);
    node.stop().await;
}

#[tokio::test]
async fn validate_only_checks_and_changes_nothing() {
    let node = Node::start().await;
    let answer = node.rest(Method::POST, "/v1/providers?validate_only=true", Some(provider("p"))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(node.rest(Method::GET, "/v1/providers/p", None).await.status, 404);
    let dangling = json!({"name": "e", "spec": {"provider": "none", "model": "m"}});
    let answer = node.rest(Method::POST, "/v1/endpoints?validate_only=true", Some(dangling)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("spec.provider"), "{}", answer.text);
    node.stop().await;
}

#[tokio::test]
async fn apply_is_all_or_none_and_numbers_its_violations() {
    let node = Node::start().await;
    let good = json!({"provider": provider("p")});
    let bad = json!({"route": {"name": "r", "spec": {"endpoint": {"name": "none"}}}});
    let body = json!({"manifests": [good, bad]});
    let answer = node.rest(Method::POST, "/v1/resources:apply", Some(body)).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("manifests[1].spec.endpoint"), "{}", answer.text);
    assert_eq!(node.rest(Method::GET, "/v1/providers/p", None).await.status, 404);
    let twice = json!({"manifests": [good, good]});
    let answer = node.rest(Method::POST, "/v1/resources:apply", Some(twice)).await;
    assert!(answer.status == 400 && answer.text.contains("twice"), "{}", answer.text);
    let apply = || node.rest(Method::POST, "/v1/resources:apply", Some(json!({"manifests": [good]})));
    assert_eq!(apply().await.json["changes"][0]["change"], "created");
    assert_eq!(apply().await.json["changes"][0]["change"], "unchanged");
    let empty = ApplyRequest { manifests: vec![Manifest { resource: None }], ..ApplyRequest::default() };
    let mut client = ApplyServiceClient::new(node.channel().await);
    let refused = client.apply(authorized(empty, node.app.admin_token())).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    node.stop().await;
}

#[tokio::test]
async fn delete_is_refused_while_referred_to() {
    let node = Node::start().await;
    node.create_provider("p").await;
    let endpoint = json!({"name": "e", "spec": {"provider": "p", "model": "m"}});
    assert_eq!(node.rest(Method::POST, "/v1/endpoints", Some(endpoint)).await.status, 200);
    let refused = node.rest(Method::DELETE, "/v1/providers/p", None).await;
    assert_eq!(&refused.json["error"]["status"], "FAILED_PRECONDITION", "{}", refused.text);
    assert_eq!(node.rest(Method::DELETE, "/v1/endpoints/e", None).await.status, 200);
    assert_eq!(node.rest(Method::DELETE, "/v1/providers/p", None).await.status, 200);
    assert_eq!(node.rest(Method::DELETE, "/v1/providers/p", None).await.status, 404);
    node.stop().await;
}

#[tokio::test]
async fn bad_requests_are_told_apart() {
    let node = Node::start().await;
    let bearer = node.bearer();
    let auth = [("authorization", bearer.as_str())];
    assert_eq!(node.rest(Method::GET, "/v1/nothing", None).await.status, 404);
    assert_eq!(node.rest(Method::PUT, "/v1/providers/p", None).await.status, 405);
    let large = vec![b' '; 8 * 1024 * 1024 + 1];
    assert_eq!(node.send_bytes(Method::POST, "/v1/providers", &auth, large.into()).await.status, 413);
    for body in [&b"{\"name\": \"x\""[..], b"\xff\xfe", b"[]", b"7"] {
        let answer = node.send_bytes(Method::POST, "/v1/providers", &auth, body.into()).await;
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    let answer = node.rest(Method::GET, "/v1/providers?page_sise=2", None).await;
    assert!(answer.status == 400 && answer.text.contains("page_sise"), "{}", answer.text);
    let differs = node.rest(Method::PATCH, "/v1/providers/p", Some(provider("q"))).await;
    assert_eq!(differs.status, 400, "{}", differs.text);
    node.stop().await;
}

#[tokio::test]
async fn field_that_stands_twice_in_a_body_is_refused_by_name() {
    let node = Node::start().await;
    let body =
        r#"{"name":"p","spec":{"type":"openai","base_url":"http://a.test/","base_url":"http://b.test/"}}"#;
    let headers = [("authorization", node.bearer())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = node.send_bytes(Method::POST, "/v1/providers", &headers, body.into()).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    let violation = &answer.json["error"]["details"][0]["field_violations"][0];
    assert_eq!(violation["field"], "spec.base_url", "{}", answer.text);
    node.stop().await;
}

#[tokio::test]
async fn a_repeated_write_gets_its_first_answer_whatever_became_of_the_resource() {
    let node = Node::start().await;
    assert_eq!(node.create_provider("p").await.status, 200);
    let bearer = node.bearer();
    let ask = async |method: Method, path: &str, key: &str, body| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", key)];
        let answer = node.send(method, path, &headers, body).await;
        assert_eq!(answer.status, 200, "{key}: {}", answer.text);
        answer.json
    };
    let region = || Some(json!({"spec": {"region": "eu"}}));
    let masked =
        async || ask(Method::PATCH, "/v1/providers/p?update_mask=spec.region", "mask", region()).await;
    let kept = || {
        let mut body = provider("p");
        body["spec"]["credentials"][0]["api_key"] = json!("(sealed)");
        Some(body)
    };
    let whole = async || ask(Method::PATCH, "/v1/providers/p", "whole", kept()).await;
    let manifests = || Some(json!({"manifests": [{"provider": kept()}]}));
    let applied = async || ask(Method::POST, "/v1/resources:apply", "apply", manifests()).await;
    let gone = async || ask(Method::DELETE, "/v1/providers/p", "gone", None).await;
    let first = masked().await;
    assert_eq!(masked().await, first);
    let firsts = [first, whole().await, applied().await, gone().await];
    let again = [masked().await, whole().await, applied().await, gone().await];
    for (first, again) in firsts.iter().zip(&again) {
        assert_eq!(first["revision"], again["revision"]);
        assert_eq!(first["name"], again["name"]);
    }
    assert_eq!(again[0]["spec"], json!({"region": "eu"}), "of a masked update, what it wrote");
    assert_eq!(again[1]["spec"], firsts[1]["spec"]);
    assert_eq!(again[2..], firsts[2..]);
    let headers = [("authorization", bearer.as_str()), ("idempotency-key", "mask")];
    let other = node.send(Method::DELETE, "/v1/providers/p", &headers, None).await;
    assert_eq!(other.status, 409, "{}", other.text);
    node.stop().await;
}
