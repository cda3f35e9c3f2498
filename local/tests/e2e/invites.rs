//! Links into groups, their rules, and their end.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::answers::code;
use crate::harness::{Person, World, text};

async fn invite(who: &Person, chat_id: &str, body: Value) -> (u16, Value) {
    who.post(&format!("/chats/{chat_id}/invites"), body).await
}

async fn join(who: &Person, code: &str) -> (u16, Value) {
    who.post(&format!("/invites/{code}"), Value::Null).await
}

#[tokio::test]
async fn people_join_by_a_link_and_everybody_is_told() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    alice.say(&chat_id, "before").await;
    let (status, link) = invite(&alice, &chat_id, json!({})).await;
    assert_eq!((status, &link["expires_at"], &link["max_uses"]), (201, &Value::Null, &Value::Null));
    let link = text(&link["code"]);
    let preview = charlie.get(&format!("/invites/{link}")).await;
    assert_eq!(
        (&preview["name"], &preview["member_count"], &preview["is_member"]),
        (&json!("Friends"), &json!(2), &json!(false))
    );
    let (mut bobs, mut charlies) = (bob.device().await, charlie.device().await);
    let (status, chat) = join(&charlie, &link).await;
    assert_eq!((status, chat["members"].as_array().unwrap().len()), (201, 3));
    for device in [&mut bobs, &mut charlies] {
        let told = device.next_of("member_added").await["data"].clone();
        assert_eq!((&told["member"]["id"], &told["by"]), (&json!(charlie.id), &json!(charlie.id)));
        assert_eq!(told["entry"]["event"], json!({"type": "member_joined"}));
    }
    assert_eq!(join(&charlie, &link).await.0, 200, "once more changes nothing");
    assert_eq!(charlie.history(&chat_id).await.len(), 2);
    assert_eq!(alice.get(&format!("/chats/{chat_id}/invites")).await["invites"][0]["uses"], 1);
}

#[tokio::test]
async fn a_link_works_for_as_many_and_as_long_as_it_says() {
    let world = World::new().await;
    let [alice, bob, charlie, dora] = world.people(["alice", "bob", "charlie", "dora"]).await;
    let chat_id = alice.group("Friends", &[]).await;
    let (_, link) = invite(&alice, &chat_id, json!({"max_uses": 1, "expires_in": 3600})).await;
    let link = text(&link["code"]);
    // Of many at once, one gets in.
    let attempts = join_all([join(&bob, &link), join(&charlie, &link), join(&dora, &link)]).await;
    let mut statuses: Vec<_> = attempts.iter().map(|(status, _)| *status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 404, 404]);
    let (_, link) = invite(&alice, &chat_id, json!({"expires_in": 60})).await;
    let link = text(&link["code"]);
    sqlx::query("update invites set expires_at = now() - interval '1 second' where code = $1")
        .bind(&link)
        .execute(&world.app.db)
        .await
        .unwrap();
    let late = world.person("late").await;
    assert_eq!(code(&join(&late, &link).await), (404, "invite_not_found"));
    let (_, link) = invite(&alice, &chat_id, json!({})).await;
    let link = text(&link["code"]);
    let path = format!("/chats/{chat_id}/invites/{link}");
    assert_eq!(alice.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(code(&alice.call(Method::DELETE, &path, None).await), (404, "invite_not_found"));
    assert_eq!(code(&join(&late, &link).await), (404, "invite_not_found"));
    assert_eq!(code(&late.call(Method::GET, &format!("/invites/{link}"), None).await), (404, "invite_not_found"));
    assert_eq!(alice.get(&format!("/chats/{chat_id}/invites")).await["invites"], json!([]));
    for wrong in [json!({"expires_in": 1}), json!({"max_uses": 0}), json!({"forever": true})] {
        assert_eq!(invite(&alice, &chat_id, wrong).await.0, 422);
    }
    for _ in 0..20 {
        assert_eq!(invite(&alice, &chat_id, json!({})).await.0, 201);
    }
    assert_eq!(code(&invite(&alice, &chat_id, json!({})).await), (409, "too_many_invites"));
}

#[tokio::test]
async fn whoever_was_removed_does_not_come_back_by_a_link() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    let (_, link) = invite(&alice, &chat_id, json!({})).await;
    let link = text(&link["code"]);
    let membership = format!("/chats/{chat_id}/members/{}", bob.id);
    bob.call(Method::DELETE, &membership, None).await;
    assert_eq!(join(&bob, &link).await.0, 201, "whoever has left by themselves does");
    alice.call(Method::DELETE, &membership, None).await;
    assert_eq!(code(&join(&bob, &link).await), (404, "invite_not_found"));
    assert_eq!(code(&bob.call(Method::GET, &format!("/invites/{link}"), None).await), (404, "invite_not_found"));
    alice.post(&format!("/chats/{chat_id}/members"), json!({"user_id": bob.id})).await;
    bob.call(Method::DELETE, &membership, None).await;
    assert_eq!(join(&bob, &link).await.0, 201, "an admin has let them in again");
}

#[tokio::test]
async fn a_group_says_what_it_is_about_and_who_writes() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("News", &[&bob]).await;
    let path = format!("/chats/{chat_id}");
    let mut bobs = bob.device().await;
    let change = json!({"description": " What is\r\nnew ", "posting": "admins"});
    let (status, chat) = alice.call(Method::PATCH, &path, Some(change.clone())).await;
    assert_eq!((status, &chat["description"], &chat["posting"]), (200, &json!("What is\nnew"), &json!("admins")));
    for (revision, event) in [(2, "description_changed"), (3, "posting_changed")] {
        let told = bobs.next_of("chat_updated").await["data"].clone();
        assert_eq!((&told["revision"], &told["entry"]["event"]["type"]), (&json!(revision), &json!(event)));
        assert_eq!(told["chat"]["description"], "What is\nnew");
    }
    assert_eq!(alice.call(Method::PATCH, &path, Some(change)).await.1["revision"], 3, "the same again changes nothing");
    let refused = bob.post("/messages", json!({"chat_id": chat_id, "text": "me too", "client_message_id": "k"})).await;
    assert_eq!(code(&refused), (403, "forbidden"));
    alice.say(&chat_id, "first news").await;
    alice.call(Method::PATCH, &format!("{path}/members/{}", bob.id), Some(json!({"role": "admin"}))).await;
    bob.say(&chat_id, "as an admin").await;
    let (_, chat) = bob.call(Method::PATCH, &path, Some(json!({"description": null, "posting": "everyone"}))).await;
    assert_eq!((chat.get("description"), chat.get("posting")), (None, None));
    assert_eq!(bob.call(Method::PATCH, &path, Some(json!({"slow_seconds": 3601}))).await.0, 422);
}

#[tokio::test]
async fn in_slow_mode_a_member_waits_and_a_retry_does_not() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Slow", &[&bob]).await;
    alice.call(Method::PATCH, &format!("/chats/{chat_id}"), Some(json!({"slow_seconds": 600}))).await;
    let send = async |who: &Person, key: &str| {
        who.post("/messages", json!({"chat_id": chat_id, "text": "hello", "client_message_id": key})).await
    };
    assert_eq!(send(&bob, "first").await.0, 201);
    let refused = send(&bob, "second").await;
    assert_eq!(code(&refused), (429, "slow_mode"));
    let wait = refused.1["retry_after"].as_i64().unwrap();
    assert!((590..=600).contains(&wait), "{wait}");
    assert_eq!(send(&bob, "first").await.0, 200, "a repetition is found");
    for key in ["one", "two"] {
        assert_eq!(send(&alice, key).await.0, 201, "the owner need not wait");
    }
    sqlx::query("update chat_members set sent_at = sent_at - interval '10 minutes'")
        .execute(&world.app.db)
        .await
        .unwrap();
    let (status, message) = send(&bob, "second").await;
    assert_eq!((status, &message["id"]), (201, &json!(5)), "the refused send took no number");
}

#[tokio::test]
async fn an_owner_ends_a_group_for_everybody() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Party", &[&bob]).await;
    let (_, link) = invite(&alice, &chat_id, json!({})).await;
    let mut bobs = bob.device().await;
    let path = format!("/chats/{chat_id}");
    assert_eq!(code(&bob.call(Method::DELETE, &path, None).await), (403, "forbidden"));
    assert_eq!(alice.call(Method::DELETE, &path, None).await.0, 204);
    let told = bobs.next_of("chat_dissolved").await["data"].clone();
    assert_eq!((&told["chat_id"], &told["revision"], &told["by"]), (&json!(chat_id), &json!(2), &json!(alice.id)));
    for who in [&alice, &bob] {
        assert_eq!(code(&who.call(Method::GET, &path, None).await), (404, "chat_not_found"));
        assert_eq!(code(&join(who, &text(&link["code"])).await), (404, "invite_not_found"));
    }
    bobs.send(json!({"action": "ping", "data": {"chats": {&chat_id: 1}}})).await;
    assert_eq!(bobs.next_of("pong").await["data"]["stale"][&chat_id], 0);
    let private = alice.private_chat(&bob).await;
    assert_eq!(alice.call(Method::DELETE, &format!("/chats/{private}"), None).await.0, 403);
}

#[tokio::test]
async fn a_repeated_request_for_a_group_makes_no_second_one() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let body = json!({"kind": "group", "name": "Friends", "member_ids": [bob.id], "client_chat_id": "key"});
    let answers = join_all((0..6).map(|_| alice.post("/chats", body.clone()))).await;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 201).count(), 1);
    assert!(answers.iter().all(|(_, chat)| chat["id"] == answers[0].1["id"]));
    assert_eq!(alice.get("/chats").await["chats"].as_array().unwrap().len(), 1);
    // The key is each person's own.
    assert_eq!(bob.post("/chats", body).await.0, 201);
}

#[tokio::test]
async fn a_join_is_repeatable_and_an_emptied_group_lets_nobody_in() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[]).await;
    let (_, link) = invite(&alice, &chat_id, json!({"max_uses": 1})).await;
    let once = text(&link["code"]);
    assert_eq!(join(&bob, &once).await.0, 201);
    assert_eq!(join(&bob, &once).await.0, 200, "the answer may have been lost");
    assert_eq!(code(&join(&charlie, &once).await), (404, "invite_not_found"));
    let (_, link) = invite(&alice, &chat_id, json!({})).await;
    for who in [&bob, &alice] {
        who.call(Method::DELETE, &format!("/chats/{chat_id}/members/{}", who.id), None).await;
    }
    assert_eq!(code(&join(&charlie, &text(&link["code"])).await), (404, "invite_not_found"));
    for malformed in ["x", "%00", "5cfe2d5f"] {
        assert_eq!(code(&join(&charlie, malformed).await), (404, "invite_not_found"));
    }
}
