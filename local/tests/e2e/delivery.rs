//! A message reaches every device of every member, in one order.

use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::harness::{World, ids};

#[tokio::test]
async fn every_device_of_every_member_sees_the_same_message() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (mut phone, mut laptop, mut bobs) = (alice.device().await, alice.device().await, bob.device().await);
    let data = json!({"chat_id": chat_id, "text": "hello", "client_message_id": "k1"});
    phone.send(json!({"action": "sendMessage", "data": data, "request_id": "r1"})).await;

    let acknowledgement = phone.next_of("new_message").await;
    assert_eq!(acknowledgement["request_id"], "r1");
    let message = &acknowledgement["data"];
    assert_eq!(
        (&message["id"], &message["text"], &message["client_message_id"]),
        (&json!(1), &json!("hello"), &json!("k1"))
    );
    assert_eq!(
        (&message["sender_id"], &message["is_read"], &message["revision"]),
        (&json!(alice.id), &json!(false), &json!(2))
    );
    for device in [&mut laptop, &mut bobs] {
        let push = device.next_of("new_message").await;
        assert_eq!((&push["data"], &push["request_id"]), (message, &json!(null)));
    }
    assert_eq!(&bob.history(&chat_id).await[0], message);
}

#[tokio::test]
async fn a_message_over_http_is_pushed_like_any_other() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (mut alices, mut bobs) = (alice.device().await, bob.device().await);
    let message = alice.say(&chat_id, "over HTTP").await;
    assert_eq!(alices.next_of("new_message").await["data"], message);
    assert_eq!(bobs.next_of("new_message").await["data"], message);
}

#[tokio::test]
async fn those_outside_the_chat_hear_nothing() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let mut eves = eve.device().await;
    let chat_id = alice.private_chat(&bob).await;
    let mut bobs = bob.device().await;
    alice.say(&chat_id, "for Bob only").await;
    bobs.next_of("new_message").await;
    assert_eq!(eves.drain().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_thousand_sends_from_twenty_connections_have_one_order_without_holes() {
    const CONNECTIONS: usize = 20;
    const EACH: usize = 50;
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let mut listener = bob.device().await;

    let mut devices = Vec::new();
    for connection in 0..CONNECTIONS {
        let person = if connection % 2 == 0 { &alice } else { &bob };
        devices.push(person.device().await);
    }
    // Twenty sends are under way at any time: each sender waits for its own message to come back.
    let sending = devices.iter_mut().enumerate().map(|(connection, device)| {
        let chat_id = &chat_id;
        async move {
            let mut seen = Vec::new();
            for message in 0..EACH {
                let key = format!("{connection}-{message}");
                device.say(chat_id, &key, &key).await;
                while seen.last().is_none_or(|message: &Value| message["client_message_id"] != key.as_str()) {
                    seen.push(device.next_of("new_message").await["data"].clone());
                }
            }
            device.messages(seen, CONNECTIONS * EACH).await
        }
    });
    // Senders receive all of them too; the device that only listens receives them at the same time.
    let listening = listener.messages(Vec::new(), CONNECTIONS * EACH);
    let (received, listened) = join(join_all(sending), listening).await;

    let history = without_receipts(alice.history(&chat_id).await);
    assert_eq!(ids(&history), (1..=(CONNECTIONS * EACH) as i64).collect::<Vec<_>>());
    for messages in received.into_iter().chain([listened]) {
        assert!(without_receipts(messages) == history, "every receiver must hold exactly what history holds");
    }
    assert_eq!(world.stored_messages().await, (CONNECTIONS * EACH) as i64);
}

/// Only `is_read` may have changed since a message was pushed.
fn without_receipts(mut messages: Vec<Value>) -> Vec<Value> {
    for message in &mut messages {
        message["is_read"] = Value::Null;
    }
    messages
}
