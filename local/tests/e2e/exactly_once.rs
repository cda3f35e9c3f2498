//! A send may be repeated any number of times and is stored once.

use reqwest::Method;
use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn a_repeated_send_returns_the_same_message_and_tells_it_again() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (mut alices, mut bobs) = (alice.device().await, bob.device().await);
    alices.say(&chat_id, "once", "k1").await;
    let first = alices.next_of("new_message").await["data"].clone();
    alices.say(&chat_id, "once", "k1").await;
    assert_eq!(alices.next_of("new_message").await["data"], first);
    let body = json!({"chat_id": chat_id, "text": "once", "client_message_id": "k1"});
    assert_eq!(alice.post("/messages", body).await, (200, first.clone()));
    for _ in 0..3 {
        assert_eq!(bobs.next_of("new_message").await["data"], first);
    }
    assert_eq!(world.stored_messages().await, 1);
}

#[tokio::test]
async fn a_key_belongs_to_its_text_its_sender_and_its_chat() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let with_bob = alice.private_chat(&bob).await;
    let with_charlie = alice.private_chat(&charlie).await;
    let message = |chat_id: &str, text: &str| json!({"chat_id": chat_id, "text": text, "client_message_id": "k"});
    assert_eq!(alice.post("/messages", message(&with_bob, "a")).await.0, 201);
    let (status, body) = alice.post("/messages", message(&with_bob, "b")).await;
    assert_eq!((status, &body["code"]), (409, &json!("idempotency_conflict")));
    assert_eq!(bob.post("/messages", message(&with_bob, "b")).await.0, 201, "another sender's key");
    assert_eq!(alice.post("/messages", message(&with_charlie, "b")).await.0, 201, "another chat's key");
    // A refused send does not use up a number.
    assert_eq!(alice.say(&with_bob, "next").await["id"], 3);
}

#[tokio::test]
async fn sixty_four_parallel_identical_sends_store_one_message_and_return_it_to_all() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let body = json!({"chat_id": chat_id, "text": "the same", "client_message_id": "k"});
    let over_http = (0..48).map(|_| alice.call(Method::POST, "/messages", Some(body.clone())));
    // A user may have at most twenty connections.
    let over_sockets = (0..16).map(|_| async {
        let mut device = alice.device().await;
        device.send(json!({"action": "sendMessage", "request_id": "mine", "data": body})).await;
        loop {
            let frame = device.next_of("new_message").await;
            if frame["request_id"] == "mine" {
                return frame["data"].clone();
            }
        }
    });
    let (http, sockets) = futures_util::future::join(
        futures_util::future::join_all(over_http),
        futures_util::future::join_all(over_sockets),
    )
    .await;
    let first = &alice.history(&chat_id).await[0];
    assert!(http.iter().filter(|(status, _)| *status == 201).count() <= 1);
    assert!(http.iter().all(|(status, message)| *status < 300 && message == first));
    assert!(sockets.iter().all(|message| message == first));
    assert_eq!(world.stored_messages().await, 1);
}
