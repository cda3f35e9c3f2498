//! Editing and deleting messages.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::World;

#[tokio::test]
async fn an_author_edits_and_deletes_and_everybody_is_told() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "frist").await;
    let mut bobs = bob.device().await;
    let path = format!("/messages/{chat_id}/1");

    let (status, edited) = alice.call(Method::PATCH, &path, Some(json!({"text": "first"}))).await;
    assert_eq!((status, &edited["text"], &edited["revision"]), (200, &json!("first"), &json!(3)));
    assert!(edited["edited_at"].is_string());
    assert_eq!(bobs.next_of("message_edited").await["data"], edited);
    // The same text again changes nothing.
    assert_eq!(alice.call(Method::PATCH, &path, Some(json!({"text": "first"}))).await, (200, edited));

    let (status, deleted) = alice.call(Method::DELETE, &path, None).await;
    assert_eq!((status, &deleted["text"], &deleted["revision"]), (200, &Value::Null, &json!(4)));
    assert_eq!(bobs.next_of("message_deleted").await["data"], deleted);
    assert_eq!(alice.call(Method::DELETE, &path, None).await, (200, deleted.clone()));
    assert_eq!(bob.history(&chat_id).await, [deleted]);
    let (status, body) = alice.call(Method::PATCH, &path, Some(json!({"text": "undead"}))).await;
    assert_eq!((status, &body["code"]), (409, &json!("message_deleted")));
    let told: Vec<_> = bobs.drain().await.into_iter().filter(|frame| frame["type"] != "user_status").collect();
    assert_eq!(told, Vec::<Value>::new());
}

#[tokio::test]
async fn nobody_edits_anothers_words_and_only_admins_delete_them() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let group = alice.group("Friends", &[&bob]).await;
    let private = alice.private_chat(&bob).await;
    for chat_id in [&group, &private] {
        alice.say(chat_id, "Alice's").await;
        bob.say(chat_id, "Bob's").await;
        let (status, _) =
            alice.call(Method::PATCH, &format!("/messages/{chat_id}/2"), Some(json!({"text": "x"}))).await;
        assert_eq!(status, 403);
        let (status, _) = bob.call(Method::DELETE, &format!("/messages/{chat_id}/1"), None).await;
        assert_eq!(status, 403);
        let (status, body) = bob.call(Method::DELETE, &format!("/messages/{chat_id}/9"), None).await;
        assert_eq!((status, &body["code"]), (404, &json!("message_not_found")));
    }
    assert_eq!(alice.call(Method::DELETE, &format!("/messages/{group}/2"), None).await.0, 200);
    assert_eq!(alice.call(Method::DELETE, &format!("/messages/{private}/2"), None).await.0, 403);
}
