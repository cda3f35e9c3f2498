//! Sockets: who may open one, how long it lives, and what functions can do with it.

use std::time::Duration;

use aws_sdk_apigatewaymanagement::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use reqwest::Method;
use sam_gateway::state::Limits;
use serde_json::json;
use windi_shared::auth::Caller;
use windi_shared::ids::{SessionId, UserId};

use crate::harness::{Device, World, refused, tokens};

#[tokio::test]
async fn a_socket_opens_only_with_a_good_token() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let url = world.socket_url();
    let stranger = Caller { user_id: UserId::new(), session_id: SessionId::new() };
    let bad = [
        None,
        Some("garbage".to_owned()),
        Some(tokens().issue_at(stranger, 1_700_000_000).unwrap()),
        Some(tokens().issue(stranger).unwrap()),
    ];
    for token in bad {
        let headers: Vec<_> = token.iter().map(|token| ("authorization", format!("Bearer {token}"))).collect();
        assert_eq!(refused(Device::open(&url, &headers).await), 401, "{token:?}");
    }
    // The three ways to pass the token; a browser gets its sub-protocol echoed.
    alice.device().await;
    Device::open(&format!("{url}?token={}", alice.token), &[]).await.unwrap();
    let offered = [("sec-websocket-protocol", format!("windi, {}", alice.token))];
    let device = Device::open(&url, &offered).await.unwrap();
    assert_eq!(device.handshake["sec-websocket-protocol"], "windi");
}

#[tokio::test]
async fn a_ping_tells_which_chats_the_client_is_behind_on() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let known = alice.private_chat(&bob).await;
    let unknown = alice.group("Friends", &[&bob]).await;
    alice.say(&known, "one").await;
    let mut device = bob.device().await;
    device.send(json!({"action": "ping", "data": {"chats": {&known: 2}}, "request_id": "p"})).await;
    let pong = device.next_of("pong").await;
    assert_eq!((&pong["data"]["stale"], &pong["request_id"]), (&json!({&unknown: 1}), &json!("p")));
    device.send(json!({"action": "ping", "data": {"chats": {&known: 1, &unknown: 1}}})).await;
    assert_eq!(device.next_of("pong").await["data"]["stale"], json!({&known: 2}));
    // A client that missed its removal learns that it has something to ask, and then that the chat is not there; a chat
    // it is not in and one that does not exist look the same.
    alice.call(Method::DELETE, &format!("/chats/{unknown}/members/{}", bob.id), None).await;
    let made_up = uuid::Uuid::now_v7().to_string();
    device.send(json!({"action": "ping", "data": {"chats": {&known: 2, &unknown: 1, &made_up: 1}}})).await;
    assert_eq!(device.next_of("pong").await["data"]["stale"], json!({&unknown: 0, &made_up: 0}));
    assert_eq!(bob.call(Method::GET, &format!("/chats/{unknown}/changes?after=0"), None).await.0, 404);
}

#[tokio::test]
async fn idle_sockets_and_old_sockets_are_closed_as_going_away() {
    let short = Duration::from_millis(300);
    for limits in [Limits { idle: short, ..Limits::default() }, Limits { life: short, ..Limits::default() }] {
        let world = World::with_limits(limits).await;
        let alice = world.person("alice").await;
        assert_eq!(alice.device().await.closed().await, 1001);
    }
}

#[tokio::test]
async fn a_closed_socket_is_forgotten() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let user_id: UserId = alice.id.parse().unwrap();
    let mut device = alice.device().await;
    assert_eq!(world.app.connections.of_users(&[user_id]).await.unwrap().len(), 1);
    device.stream.close(None).await.unwrap();
    device.closed().await;
    let gone = async {
        while !world.app.connections.of_users(&[user_id]).await.unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.expect("$disconnect was called");
}

#[tokio::test]
async fn an_entry_of_a_vanished_connection_harms_nobody() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let user_id: UserId = bob.id.parse().unwrap();
    world.ghost(user_id, chrono::Utc::now()).await;
    let mut bobs = bob.device().await;
    alice.say(&chat_id, "hello").await;
    bobs.next_of("new_message").await;
    // Too young to be treated as gone: its $connect might not have answered yet.
    assert_eq!(world.app.connections.of_users(&[user_id]).await.unwrap().len(), 2);
}

#[tokio::test]
async fn the_sdk_understands_what_connections_answers() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let mut device = alice.device().await;
    let user_id: UserId = alice.id.parse().unwrap();
    let id = world.app.connections.of_users(&[user_id]).await.unwrap().remove(0).id.0;
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("a", "b", None, None, "test"))
        .endpoint_url(format!("{}/ws", world.base));
    let client = aws_sdk_apigatewaymanagement::Client::from_conf(config.build());

    client.post_to_connection().connection_id(&id).data(Blob::new(r#"{"message":"hello"}"#)).send().await.unwrap();
    assert_eq!(device.next().await["message"], "hello");
    let info = client.get_connection().connection_id(&id).send().await.unwrap();
    assert!(info.connected_at().is_some() && info.last_active_at().is_some());
    assert_eq!(info.identity().unwrap().source_ip(), Some(world.seen_as.to_string().as_str()));
    let too_large =
        client.post_to_connection().connection_id(&id).data(Blob::new(vec![b'x'; 128 * 1024 + 1])).send().await;
    assert!(too_large.unwrap_err().into_service_error().is_payload_too_large_exception());
    client.delete_connection().connection_id(&id).send().await.unwrap();
    assert_eq!(device.closed().await, 1000);
    let gone = client.post_to_connection().connection_id("unknown=").data(Blob::new("x")).send().await;
    assert!(gone.unwrap_err().into_service_error().is_gone_exception());
    let unsigned = world.http.post(format!("{}/ws/@connections/{id}", world.base)).body("x").send().await.unwrap();
    assert_eq!(unsigned.status(), 403);
}
