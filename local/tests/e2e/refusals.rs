//! What is refused, how, and that a refusal leaves nothing behind.

use futures_util::SinkExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::harness::World;

const NO_CHAT: &str = "0199a1b2-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_stranger_cannot_tell_a_chat_that_exists_from_one_that_does_not() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "secret").await;
    let mut eves = eve.device().await;
    let mut answers: Vec<Vec<(u16, Value)>> = Vec::new();
    for chat in [chat_id.as_str(), NO_CHAT, "not-an-id"] {
        let mut seen = vec![
            eve.call(Method::GET, &format!("/chats/{chat}"), None).await,
            eve.call(Method::GET, &format!("/messages/history/{chat}"), None).await,
        ];
        if chat != "not-an-id" {
            let data = json!({"chat_id": chat, "text": "let me in", "client_message_id": "k"});
            seen.push(eve.post("/messages", data.clone()).await);
            eves.send(json!({"action": "sendMessage", "data": data, "request_id": "r"})).await;
            seen.push((404, eves.next_of("error").await));
        }
        for (status, body) in &mut seen {
            assert_eq!(*status, 404);
            // Only the request's id may differ.
            if body["request_id"] != "r" {
                body["request_id"] = Value::Null;
            }
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0][..2], answers[2][..]);
    assert_eq!(answers[0][3].1["data"]["code"], "chat_not_found");
    assert_eq!(world.stored_messages().await, 1);
}

#[tokio::test]
async fn bad_bodies_get_a_documented_error_each() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let message = |field: &str, value: Value| {
        let mut message = json!({"chat_id": chat_id, "text": "x"});
        message[field] = value;
        message.to_string()
    };
    let documented = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/protocol.md")).unwrap();
    for (body, status, code) in [
        ("{".to_owned(), 400, "malformed_json"),
        ("".to_owned(), 400, "malformed_json"),
        ("[]".to_owned(), 422, "invalid_field"),
        ("null".to_owned(), 422, "invalid_field"),
        (format!(r#"["{chat_id}", "x"]"#), 422, "invalid_field"),
        ("{}".to_owned(), 422, "invalid_field"),
        (message("text", json!(7)), 422, "invalid_field"),
        (message("text", json!(["x"])), 422, "invalid_field"),
        (message("text", json!("")), 422, "invalid_field"),
        (message("text", json!("   ")), 422, "invalid_field"),
        (message("text", json!("a\u{0}b")), 422, "invalid_field"),
        (message("text", json!("x".repeat(5000))), 422, "invalid_field"),
        (message("text", json!("x".repeat(200_000))), 413, "payload_too_large"),
        (message("extra", json!(1)), 422, "invalid_field"),
        (message("chat_id", json!(1)), 422, "invalid_field"),
        (message("client_message_id", json!("")), 422, "invalid_field"),
        (message("client_message_id", json!("k".repeat(129))), 422, "invalid_field"),
        (r#"{"text":"\ud800"}"#.to_owned(), 400, "malformed_json"),
    ] {
        let request = world.http.post(format!("{}/messages", world.base)).bearer_auth(&alice.token);
        let response = request.header("content-type", "application/json").body(body.clone()).send().await.unwrap();
        let (got, answer) = (response.status().as_u16(), response.json::<Value>().await.unwrap());
        let shown: String = body.chars().take(80).collect();
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{shown}: {answer}");
        assert!(documented.contains(&format!("`{code}`")), "{code} is not in docs/protocol.md");
    }
    let request = world.http.post(format!("{}/messages", world.base)).bearer_auth(&alice.token);
    let response = request.header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_eq!(response.status(), 415);
    let request = world.http.post(format!("{}/messages", world.base)).bearer_auth(&alice.token);
    let response = request.header("content-type", "application/json").body(vec![0xff, 0xfe]).send().await.unwrap();
    assert_eq!(response.status(), 400);
    assert_eq!(world.stored_messages().await, 0);
}

#[tokio::test]
async fn bad_frames_get_an_error_frame_and_the_socket_stays_open() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let mut device = alice.device().await;
    for (frame, code) in [
        ("hello".to_owned(), "malformed_json"),
        ("".to_owned(), "malformed_json"),
        ("[]".to_owned(), "invalid_field"),
        ("{}".to_owned(), "invalid_field"),
        (r#"{"action":"fly"}"#.to_owned(), "unknown_action"),
        (r#"{"action":7}"#.to_owned(), "invalid_field"),
        (r#"{"action":"$connect"}"#.to_owned(), "unknown_action"),
        (r#"{"action":"sendMessage"}"#.to_owned(), "invalid_field"),
        (r#"{"action":"sendMessage","data":[]}"#.to_owned(), "invalid_field"),
        (format!(r#"{{"action":"sendMessage","data":{{"chat_id":"{chat_id}","text":"a\u0000b"}}}}"#), "invalid_field"),
        (
            format!(r#"{{"action":"sendMessage","data":{{"chat_id":"{chat_id}","text":"x","to":"y"}}}}"#),
            "invalid_field",
        ),
        (
            format!(r#"{{"action":"sendMessage","data":{{"chat_id":"{chat_id}","text":"{}"}}}}"#, "x".repeat(5000)),
            "invalid_field",
        ),
        (r#"{"action":"ping","data":{"chats":[]}}"#.to_owned(), "invalid_field"),
    ] {
        device.send_raw(frame.clone()).await;
        let error = device.next_of("error").await;
        assert_eq!(error["data"]["code"], code, "{frame}: {error}");
    }
    device.say(&chat_id, "still here", "k").await;
    assert_eq!(device.next_of("new_message").await["data"]["id"], 1);
}

#[tokio::test]
async fn an_error_frame_names_the_send_it_is_about() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let mut device = alice.device().await;
    let data = json!({"chat_id": NO_CHAT, "text": "x", "client_message_id": "k7"});
    device.send(json!({"action": "sendMessage", "data": data, "request_id": "r7"})).await;
    let error = device.next_of("error").await;
    assert_eq!(error["data"]["client_message_id"], "k7");
    assert_eq!((&error["data"]["action"], &error["data"]["request_id"]), (&json!("sendMessage"), &json!("r7")));
    assert_eq!(error["request_id"], "r7");
}

#[tokio::test]
async fn binary_and_oversized_frames_close_only_their_own_socket() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let mut bystander = bob.device().await;
    let mut device = alice.device().await;
    device.stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(device.closed().await, 1003);
    let mut device = alice.device().await;
    device.say(&chat_id, &"x".repeat(40 * 1024), "k").await;
    assert_eq!(device.closed().await, 1009);
    alice.say(&chat_id, "the others are well").await;
    assert_eq!(bystander.next_of("new_message").await["data"]["id"], 1);
}
