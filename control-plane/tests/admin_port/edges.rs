//! What hostile and careless clients meet, and what tools look at.

use std::collections::BTreeSet;

use breakwater_proto::v1::provider_service_client::ProviderServiceClient;
use breakwater_proto::v1::{CreateProviderRequest, Provider};
use http::Method;
use prost::Message;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic_reflection::pb::{v1, v1alpha};

use crate::kit::{Node, SOON, authorized, provider};

#[tokio::test]
async fn reflection_answers_in_both_versions() {
    let node = Node::start().await;
    let (channel, token) = (node.channel().await, node.app.admin_token());
    let ask = v1::server_reflection_request::MessageRequest::ListServices(String::new());
    let request = v1::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let stream = authorized(tokio_stream::once(request), token);
    let mut answers = client.server_reflection_info(stream).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1::server_reflection_response::MessageResponse::ListServicesResponse(list) = answer else {
        panic!("no list")
    };
    let names: BTreeSet<String> = list.service.into_iter().map(|service| service.name).collect();
    for name in ["breakwater.v1.RouteService", "breakwater.v1.ProxyService", "grpc.health.v1.Health"] {
        assert!(names.contains(name), "{names:?}");
    }

    let ask = v1alpha::server_reflection_request::MessageRequest::FileContainingSymbol(
        "breakwater.v1.ProviderService".to_owned(),
    );
    let request = v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(ask) };
    let mut client = v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let stream = authorized(tokio_stream::once(request.clone()), token);
    let mut answers = client.server_reflection_info(stream).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let v1alpha::server_reflection_response::MessageResponse::FileDescriptorResponse(file) = answer else {
        panic!("no file")
    };
    assert!(!file.file_descriptor_proto.is_empty());
    let refused = client.server_reflection_info(tokio_stream::once(request)).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::Unauthenticated);
    node.stop().await;
}

#[tokio::test]
async fn a_field_of_a_newer_release_is_refused_not_dropped() {
    let node = Node::start().await;
    let known = CreateProviderRequest {
        provider: Some(Provider { name: "p".to_owned(), ..Provider::default() }),
        ..CreateProviderRequest::default()
    };
    // Field 200, a varint: 0xc0 0x0c is the tag.
    let bytes = [known.encode_to_vec(), vec![0xc0, 0x0c, 1]].concat();
    let framed = [&[0][..], &u32::try_from(bytes.len()).unwrap().to_be_bytes(), &bytes].concat();
    let bearer = node.bearer();
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/grpc")];
    let path = "/breakwater.v1.ProviderService/CreateProvider";
    let request = http::Request::post(format!("{}{path}", node.app.admin_url()))
        .header(headers[0].0, headers[0].1)
        .header(headers[1].0, headers[1].1)
        .body(tonic::body::Body::new(http_body_util::Full::new(framed.into())))
        .unwrap();
    let mut channel = node.channel().await;
    let response = tower::ServiceExt::ready(&mut channel).await.unwrap();
    let response = tower::Service::call(response, request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "3");
    assert!(response.headers()["grpc-message"].to_str().unwrap().contains("200"));
    let unknown = ProviderServiceClient::new(node.channel().await)
        .create_provider(authorized(known, node.app.admin_token()))
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), tonic::Code::InvalidArgument);
    node.stop().await;
}

#[tokio::test]
async fn a_header_flood_ends_its_connection_alone() {
    let node = Node::start().await;
    let mut stream = TcpStream::connect(node.app.admin_addr()).await.unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    for number in 0..2_000 {
        // The server may close before the flood ends.
        if stream.write_all(format!("x-{number}: {}\r\n", "y".repeat(64)).as_bytes()).await.is_err() {
            break;
        }
    }
    let mut answer = Vec::new();
    let read = tokio::time::timeout(SOON, stream.read_to_end(&mut answer)).await.expect("the server closes");
    let text = String::from_utf8_lossy(&answer);
    assert!(read.is_err() || text.is_empty() || text.starts_with("HTTP/1.1 431"), "{text}");
    assert_eq!(node.send(Method::GET, "/healthz", &[], None).await.status, 200);
    node.stop().await;
}

#[tokio::test]
async fn a_client_that_leaves_in_its_body_loses_nothing() {
    let node = Node::start().await;
    let mut stream = TcpStream::connect(node.app.admin_addr()).await.unwrap();
    let head = format!(
        "POST /v1/providers HTTP/1.1\r\nhost: x\r\nauthorization: {}\r\ncontent-length: 100\r\n\r\n{{\"name\"",
        node.bearer()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    drop(stream);
    assert_eq!(node.create_provider("p").await.status, 200);
    let listed = node.rest(Method::GET, "/v1/providers", None).await.json;
    assert_eq!(listed["providers"].as_array().unwrap().len(), 1);
    node.stop().await;
}

#[tokio::test]
async fn an_apply_of_the_largest_size_is_taken() {
    let node = Node::start().await;
    let manifests: Vec<_> =
        (0..1_024).map(|number| json!({"provider": provider(&format!("p{number:04}"))})).collect();
    let answer = node.rest(Method::POST, "/v1/resources:apply", Some(json!({"manifests": manifests}))).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json["changes"].as_array().unwrap().len(), 1_024);
    node.stop().await;
}
