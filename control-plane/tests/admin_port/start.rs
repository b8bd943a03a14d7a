//! Start and restart, keys, the ledger, reflection.

use breakwater_common::ledger::{Checkpoint, VerifierKey, unhex, verify_inclusion};
use breakwater_control_plane::config::Mode;
use breakwater_control_plane::{App, Config};
use http::Method;
use serde_json::json;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::kit::Node;

#[tokio::test]
async fn a_restart_finds_everything_as_it_was() {
    let node = Node::start().await;
    let before = node.create_provider("p").await.json;
    let tokens = (node.app.admin_token().to_owned(), node.app.proxy_token().to_owned());
    let node = Node::start_in(node.stop().await).await;
    assert_eq!((node.app.admin_token(), node.app.proxy_token()), (tokens.0.as_str(), tokens.1.as_str()));
    let after = node.rest(Method::GET, "/v1/providers/p", None).await.json;
    assert_eq!(before, after);
    node.stop().await;
}

#[tokio::test]
async fn keys_are_shown_once_rotated_and_revoked() {
    let node = Node::start().await;
    node.rest(Method::POST, "/v1/tenants", Some(json!({"name": "acme", "spec": {}}))).await;
    let none = node.rest(Method::POST, "/v1/keys", Some(json!({"tenant": "none"}))).await;
    assert!(none.status.is_client_error(), "{}", none.text);
    let bad = node.rest(Method::POST, "/v1/keys", Some(json!({"tenant": "acme", "ttl": "90x"}))).await;
    assert!(bad.status == 400 && bad.text.contains("ttl"), "{}", bad.text);
    let body = json!({"tenant": "acme", "attributes": {"department": "legal"}, "ttl": "90d"});
    let made = node.rest(Method::POST, "/v1/keys", Some(body)).await;
    assert_eq!(made.status, 200, "{}", made.text);
    let key = made.json["api_key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("bw-") && key.len() == 62);
    let id = made.json["key"]["id"].as_str().unwrap();
    let rotated =
        node.rest(Method::POST, &format!("/v1/keys/{id}:rotate"), Some(json!({"grace": "1h"}))).await;
    assert_eq!(rotated.json["key"]["attributes"]["department"], "legal", "{}", rotated.text);
    let revoked = node.rest(Method::POST, &format!("/v1/keys/{id}:revoke"), None).await;
    assert_eq!(revoked.json["state"], "revoked", "{}", revoked.text);
    let listed = node.rest(Method::GET, "/v1/keys?tenant=acme", None).await;
    assert_eq!(listed.json["keys"].as_array().unwrap().len(), 2);
    assert!(!listed.text.contains(&key));
    let ledger = node.rest(Method::GET, "/v1/ledger/records", None).await.text;
    assert!(!ledger.contains(&key) && ledger.contains("key.rotate") || ledger.contains("key.create"));
    node.stop().await;
}

#[tokio::test]
async fn every_record_is_proven_by_the_signed_checkpoint() {
    let node = Node::start().await;
    for name in ["a", "b", "c"] {
        node.create_provider(name).await;
    }
    let page = node.rest(Method::GET, "/v1/ledger/records", None).await.json;
    let size = page["tree_size"].as_u64().unwrap();
    assert_eq!((size, page["records"].as_array().unwrap().len()), (4, 4), "{page}");
    let newest = node.rest(Method::GET, "/v1/ledger/records?newest_first=true&page_size=1", None).await.json;
    assert_eq!(newest["records"][0]["index"], size - 1);
    for index in 0..size {
        let proof = node.rest(Method::GET, &format!("/v1/ledger/proof/{index}"), None).await.json;
        let key = VerifierKey::parse(proof["checkpoint"]["public_key"].as_str().unwrap()).unwrap();
        let head = Checkpoint::open(proof["checkpoint"]["note"].as_str().unwrap(), &key).unwrap();
        let hashes = proof["hashes"].as_array().unwrap().iter();
        let hashes: Vec<_> = hashes.map(|hash| unhex(hash.as_str().unwrap()).unwrap()).collect();
        let leaf =
            unhex(page["records"][usize::try_from(index).unwrap()]["leaf_hash"].as_str().unwrap()).unwrap();
        assert!(verify_inclusion(&leaf, index, head.size, &hashes, &head.root));
    }
    let none = node.rest(Method::GET, &format!("/v1/ledger/proof/{size}"), None).await;
    assert_eq!(none.status, 404);
    let leaves = page.to_string();
    assert!(!leaves.contains("sk-canary"));
    node.stop().await;
}

#[tokio::test]
async fn health_says_serving_when_ready() {
    let node = Node::start().await;
    let mut health = HealthClient::new(node.channel().await);
    let answer = health.check(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    assert_eq!(answer.status, 1);
    assert_eq!(node.send(Method::GET, "/readyz", &[], None).await.json["status"], "ready");
    node.stop().await;
}

#[tokio::test]
async fn production_does_not_start_without_what_it_needs() {
    let dir = tempfile::tempdir().unwrap();
    let config = Config { mode: Mode::Production, ..Config::development(dir.path()) };
    let error = App::start(config.clone()).await.unwrap_err().to_string();
    assert!(error.contains("secrets.sealing_key_file") && error.contains("admin.tls_cert_file"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let node = Node::start().await;
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::development(dir.path());
    config.admin.listen = node.app.admin_addr();
    let error = format!("{:#}", App::start(config).await.unwrap_err());
    assert!(error.contains(&node.app.admin_addr().to_string()), "{error}");
    node.stop().await;
}

#[tokio::test]
async fn a_node_with_another_sealing_key_is_up_and_not_ready() {
    let node = Node::start().await;
    node.create_provider("p").await;
    let dir = node.stop().await;
    let key = dir.path().join("sealing-key");
    std::fs::remove_file(&key).unwrap();
    let node = Node::start_in(dir).await;
    let ready = node.send(Method::GET, "/readyz", &[], None).await;
    assert_eq!(ready.status, 503, "{}", ready.text);
    assert!(ready.text.contains("Provider|p|spec.credentials[main].api_key"), "{}", ready.text);
    // Writing the secret anew mends it.
    let written = node.rest(Method::PATCH, "/v1/providers/p", Some(crate::kit::provider("p"))).await;
    assert_eq!(written.status, 200, "{}", written.text);
    crate::kit::eventually("readiness", || async {
        node.send(Method::GET, "/readyz", &[], None).await.status == 200
    })
    .await;
    node.stop().await;
}
