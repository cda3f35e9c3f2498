//! `@connections`, and how the official SDK understands it.

use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, Config};
use reqwest::Method;
use sam_gateway::faults::Faults;
use sam_gateway::state::Limits;
use serde_json::Value;

use crate::harness::{Stage, TEMPLATE};

fn sdk(endpoint: &str) -> Client {
    let config = Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .endpoint_url(endpoint);
    Client::from_conf(config.build())
}

#[tokio::test]
async fn a_post_is_an_empty_200_and_a_text_frame() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    let answer = stage.management(Method::POST, &socket.id, "hello").await;
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, ""));
    assert_eq!(socket.text().await, "hello");
    // A text frame must be UTF-8, so anything else is replaced.
    stage.management(Method::POST, &socket.id, vec![b'a', 0xFF, b'b']).await;
    assert_eq!(socket.text().await, "a\u{FFFD}b");
}

#[tokio::test]
async fn a_get_tells_who_is_connected_and_since_when() {
    let stage = Stage::new().await;
    let socket = stage.try_connect(&stage.url(), &[("user-agent", "test")]).await.unwrap();
    let answer: Value = stage.management(Method::GET, &socket.id, "").await.json().await.unwrap();
    for name in ["connectedAt", "lastActiveAt"] {
        assert!(chrono::DateTime::parse_from_rfc3339(answer[name].as_str().unwrap()).is_ok(), "{answer}");
    }
    assert_eq!(
        (&answer["identity"]["sourceIp"], &answer["identity"]["userAgent"]),
        (&"127.0.0.1".into(), &"test".into())
    );
}

#[tokio::test]
async fn a_delete_is_a_204_and_closes_with_1000() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    assert_eq!(stage.management(Method::DELETE, &socket.id, "").await.status(), 204);
    // It is gone at once, however long the client takes to answer.
    assert_eq!(stage.management(Method::POST, &socket.id, "x").await.status(), 410);
    assert_eq!(socket.closed().await.0, 1000);
    let disconnect = stage.functions.event("Disconnect").await;
    assert_eq!(disconnect["requestContext"]["disconnectStatusCode"], 1000);
    assert_eq!(disconnect["requestContext"]["disconnectReason"], "Connection Closed Normally");
}

#[tokio::test]
async fn the_sdk_reaches_a_socket_in_all_three_ways() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    let client = sdk(&format!("{}/prod", stage.base));
    client.post_to_connection().connection_id(&socket.id).data(Blob::new("hello")).send().await.unwrap();
    assert_eq!(socket.text().await, "hello");
    let info = client.get_connection().connection_id(&socket.id).send().await.unwrap();
    assert!(info.connected_at().is_some() && info.last_active_at() >= info.connected_at());
    assert_eq!(info.identity().unwrap().source_ip(), Some("127.0.0.1"));
    client.delete_connection().connection_id(&socket.id).send().await.unwrap();
    assert_eq!(socket.closed().await.0, 1000);
}

#[tokio::test]
async fn the_sdk_tells_every_error_by_its_type() {
    let stage = Stage::with_all(TEMPLATE, Limits::default(), Some(Faults::default())).await;
    let client = sdk(&format!("{}/prod", stage.base));
    let post =
        |id: &str, size: usize| client.post_to_connection().connection_id(id).data(Blob::new(vec![b'x'; size])).send();

    let mut closed = stage.connect().await;
    closed.stream.close(None).await.unwrap();
    stage.functions.event("Disconnect").await;
    for gone in [&closed.id, "AAAAAAAAAAAAAAA=", "no id at all"] {
        let error = post(gone, 1).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), 410);
        assert!(error.into_service_error().is_gone_exception(), "{gone}");
        let error = client.get_connection().connection_id(gone).send().await.unwrap_err();
        assert!(error.into_service_error().is_gone_exception());
        let error = client.delete_connection().connection_id(gone).send().await.unwrap_err();
        assert!(error.into_service_error().is_gone_exception());
    }

    let mut socket = stage.connect().await;
    post(&socket.id, 128 * 1024).await.unwrap();
    assert_eq!(socket.text().await.len(), 128 * 1024);
    let error = post(&socket.id, 128 * 1024 + 1).await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 413);
    assert!(error.into_service_error().is_payload_too_large_exception());

    let wrong_stage = sdk(&format!("{}/other", stage.base));
    let error = wrong_stage.get_connection().connection_id(&socket.id).send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    assert!(error.into_service_error().is_forbidden_exception());

    let faults = format!("{}/@faults", stage.base);
    for (fault, status) in [("fail_429", 429), ("fail_410", 410), ("fail_500", 500)] {
        let set = stage.http.put(&faults).body(format!(r#"{{"{fault}": 1}}"#)).send().await.unwrap();
        assert_eq!(set.status(), 200);
        let error = post(&socket.id, 1).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        let error = error.into_service_error();
        assert_eq!((error.is_limit_exceeded_exception(), error.is_gone_exception()), (status == 429, status == 410));
    }
}

#[tokio::test]
async fn a_call_nobody_signed_is_a_403() {
    let stage = Stage::new().await;
    let socket = stage.connect().await;
    let url = format!("{}/prod/@connections/{}", stage.base, socket.id);
    let answer = stage.http.post(url).body("x").send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert!(answer.headers().contains_key("x-amzn-errortype"));
}

#[tokio::test]
async fn a_client_that_never_reads_gets_its_posts_refused_and_costs_nobody_else_anything() {
    let stage = Stage::new().await;
    let (silent, mut other) = (stage.connect().await, stage.connect().await);
    let frame = "x".repeat(64 * 1024);
    // Posts are accepted until the kernel's buffers and ours are full.
    let mut taken = 0;
    let refused = loop {
        let answer = stage.management(Method::POST, &silent.id, frame.clone()).await;
        if answer.status() != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 1000, "64 MB were accepted for a client that does not read");
    };
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["x-amzn-errortype"], "LimitExceededException");
    for number in 0..100 {
        stage.management(Method::POST, &other.id, number.to_string()).await;
        assert_eq!(other.text().await, number.to_string());
    }
}
