//! Read state: cursors, receipts and unread counts.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{World, text};

#[tokio::test]
async fn the_senders_of_what_was_read_are_told_once_and_the_readers_devices_too() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob, &charlie]).await;
    alice.say(&chat_id, "one").await;
    alice.say(&chat_id, "two").await;
    let (mut alices, mut charlies) = (alice.device().await, charlie.device().await);
    let (mut phone, mut laptop) = (bob.device().await, bob.device().await);
    phone.send(json!({"action": "markRead", "request_id": "r", "data": {"chat_id": chat_id, "message_id": 2}})).await;
    let reply = phone.next_of("message_read").await;
    assert_eq!(reply["request_id"], "r");
    for device in [&mut alices, &mut laptop] {
        let told = device.next_of("message_read").await["data"].clone();
        assert_eq!(
            (text(&told["user_id"]), &told["message_id"], told["read_at"].is_string()),
            (bob.id.clone(), &json!(2), true)
        );
    }
    // Going backwards or repeating a read moves nothing and notifies nobody.
    for message_id in [1, 2] {
        phone.send(json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": message_id}})).await;
        phone.next_of("message_read").await;
    }
    let is_receipt = |frame: &Value| frame["type"] == "message_read";
    assert!(!alices.drain().await.iter().any(is_receipt));
    assert!(!charlies.drain().await.iter().any(is_receipt), "a member who wrote nothing must get no receipt");
    let history = alice.history(&chat_id).await;
    assert!(history.iter().all(|message| message["is_read"] == true));
    let chat = alice.get(&format!("/chats/{chat_id}")).await;
    let cursor = |person: &crate::harness::Person| {
        chat["members"].as_array().unwrap().iter().find(|m| m["id"] == person.id.as_str()).unwrap()["last_read_id"]
            .clone()
    };
    assert_eq!((cursor(&alice), cursor(&bob), cursor(&charlie)), (json!(2), json!(2), json!(0)));
}

#[tokio::test]
async fn over_http_a_cursor_moves_the_same_and_never_past_the_last_message() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    for number in 1..=3 {
        alice.say(&chat_id, &format!("message {number}")).await;
    }
    let unread = async || bob.get("/chats").await["chats"][0]["unread_count"].clone();
    assert_eq!(unread().await, 3);
    let read = async |id: &str| bob.call(Method::POST, &format!("/messages/{chat_id}/{id}/read"), None).await;
    assert_eq!(read("2").await.0, 200);
    assert_eq!(unread().await, 1);
    for id in ["0", "-1", "4", "9223372036854775807", "x"] {
        let (status, body) = read(id).await;
        assert_eq!((status, &body["code"]), (404, &json!("message_not_found")), "{id}");
    }
    assert_eq!(read("1").await.0, 200);
    assert_eq!(unread().await, 1);
}

#[tokio::test]
async fn a_late_receipt_answers_with_the_cursor_as_it_is_and_notifies_nobody() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    for words in ["one", "two", "three"] {
        alice.say(&chat_id, words).await;
    }
    let mut alices = alice.device().await;
    let read = async |id: i64| bob.call(Method::POST, &format!("/messages/{chat_id}/{id}/read"), None).await.1;
    assert_eq!(read(3).await["message_id"], 3);
    assert_eq!(alices.next_of("message_read").await["data"]["message_id"], 3);
    assert_eq!(read(1).await["message_id"], 3);
    let mut bobs = bob.device().await;
    bobs.send(json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": 2}})).await;
    assert_eq!(bobs.next_of("message_read").await["data"]["message_id"], 3);
    assert!(alices.drain().await.iter().all(|frame| frame["type"] != "message_read"));
}
