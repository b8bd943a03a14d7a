//! Who may do what, from the outside.

use breakwater_proto::v1::proxy_service_client::ProxyServiceClient;
use breakwater_proto::v1::system_service_client::SystemServiceClient;
use breakwater_proto::v1::{GetVersionRequest, PingRequest, WatchRulesetsRequest};
use http::Method;
use serde_json::json;
use tonic::Code;

use crate::kit::{Node, authorized, provider};

#[tokio::test]
async fn no_token_and_a_wrong_token_are_unauthenticated() {
    let node = Node::start().await;
    let wrong = format!("Bearer bwt-{}{}", "0".repeat(16), "a".repeat(43));
    for headers in [vec![], vec![("authorization", wrong.as_str())], vec![("authorization", "Basic x")]] {
        for path in ["/v1/providers", "/metrics", "/v1/nothing", "/api/system/version", "/v1/ledger/records"]
        {
            let answer = node.send(Method::GET, path, &headers, None).await;
            assert_eq!(answer.status, 401, "{path} {}", answer.text);
            assert_eq!(answer.json["error"]["status"], "UNAUTHENTICATED");
        }
    }
    for path in ["/healthz", "/readyz", "/api/health/ping"] {
        assert_eq!(node.send(Method::GET, path, &[], None).await.status, 200, "{path}");
    }
    let mut system = SystemServiceClient::new(node.channel().await);
    assert_eq!(system.ping(PingRequest {}).await.unwrap().into_inner().status, "ok");
    assert_eq!(system.get_version(GetVersionRequest {}).await.unwrap_err().code(), Code::Unauthenticated);
    node.stop().await;
}

#[tokio::test]
async fn each_role_may_do_its_part_and_no_more() {
    let node = Node::start().await;
    node.create_provider("p").await;
    let asks = [
        (Method::GET, "/v1/providers/p", None),
        (Method::POST, "/v1/providers?validate_only=true", Some(provider("q"))),
        (Method::GET, "/v1/keys", None),
        (Method::POST, "/v1/keys/0000000000000000:revoke", Some(json!({}))),
        (Method::GET, "/v1/ledger/records", None),
        (Method::POST, "/v1/tokens", Some(json!({"subject": "x", "role": "viewer"}))),
        (Method::GET, "/metrics", None),
    ];
    // 404: the role may, but there is no such key.
    let expect = [
        ("viewer", [200, 403, 200, 403, 403, 403, 200]),
        ("operator", [200, 200, 200, 404, 403, 403, 200]),
        ("auditor", [200, 403, 200, 403, 200, 403, 200]),
        ("admin", [200, 200, 200, 404, 200, 200, 200]),
        ("proxy", [403, 403, 403, 403, 403, 403, 403]),
    ];
    for (role, statuses) in expect {
        let bearer = node.token(role).await;
        for ((method, path, body), status) in asks.iter().zip(statuses) {
            let answer = node.send(method.clone(), path, &[("authorization", &bearer)], body.clone()).await;
            assert_eq!(answer.status, status, "{role} {method} {path}: {}", answer.text);
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn an_admin_is_no_proxy_and_a_revoked_token_is_nobody() {
    let node = Node::start().await;
    let mut client = ProxyServiceClient::new(node.channel().await);
    let nothing = tokio_stream::empty::<WatchRulesetsRequest>();
    let refused = client.watch_rulesets(authorized(nothing, node.app.admin_token())).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let bearer = node.token("viewer").await;
    let id = bearer.split_at("Bearer bwt-".len()).1[..16].to_owned();
    let headers = [("authorization", bearer.as_str())];
    let read = || node.send(Method::GET, "/v1/providers", &headers, None);
    assert_eq!(read().await.status, 200);
    let revoked = node.rest(Method::POST, &format!("/v1/tokens/{id}:revoke"), None).await;
    assert_eq!(revoked.json["state"], "revoked", "{}", revoked.text);
    assert_eq!(read().await.status, 401);
    node.stop().await;
}
