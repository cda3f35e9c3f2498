//! Focus, typing and presence.

use std::time::Duration;

use sam_gateway::state::Limits;
use serde_json::{Value, json};
use windi_shared::ids::UserId;

use crate::harness::{Device, World, text};

async fn join(device: &mut Device, chat_id: &str) -> Value {
    device.send(json!({"action": "joinChat", "data": {"chat_id": chat_id}})).await;
    device.next_of("chat_joined").await["data"].clone()
}

async fn typing(device: &mut Device, chat_id: &str, is_typing: bool) {
    device.send(json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": is_typing}})).await;
}

fn of_type(frames: &[Value], kind: &str) -> usize {
    frames.iter().filter(|frame| frame["type"] == kind).count()
}

#[tokio::test]
async fn typing_in_a_small_chat_reaches_every_device_of_the_others() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (mut alices, mut bobs, mut eves) = (alice.device().await, bob.device().await, eve.device().await);
    typing(&mut alices, &chat_id, true).await;
    assert_eq!(bobs.next_of("typing_indicator").await["data"]["user_id"], alice.id.as_str());
    for device in [&mut alices, &mut eves] {
        assert_eq!(of_type(&device.drain().await, "typing_indicator"), 0);
    }
}

#[tokio::test]
async fn typing_in_a_large_group_reaches_only_devices_with_the_chat_open_and_is_throttled() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Large", &[&bob]).await;
    sqlx::query(
        "with people as (
            insert into users (user_id, name, email, password_hash)
            select gen_random_uuid(), 'n', 'u' || n || '@example.com', '' from generate_series(1, 19) n returning user_id
        )
        insert into chat_members (chat_id, user_id, role) select $1, user_id, 'member' from people",
    )
    .bind(uuid::Uuid::parse_str(&chat_id).unwrap())
    .execute(&world.app.db)
    .await
    .unwrap();
    let mut alices = alice.device().await;
    let (mut open, mut closed) = (bob.device().await, bob.device().await);
    join(&mut alices, &chat_id).await;
    join(&mut open, &chat_id).await;
    for _ in 0..5 {
        typing(&mut alices, &chat_id, true).await;
    }
    let told = open.next_of("typing_indicator").await["data"].clone();
    assert_eq!((text(&told["user_id"]), &told["is_typing"]), (alice.id.clone(), &json!(true)));
    alices.drain().await;
    for _ in 0..2 {
        typing(&mut alices, &chat_id, false).await;
    }
    assert_eq!(open.next_of("typing_indicator").await["data"]["is_typing"], false);
    assert_eq!(of_type(&alices.drain().await, "typing_indicator"), 0, "not sent back to the person who types");
    assert_eq!(of_type(&open.drain().await, "typing_indicator"), 0, "a second start or stop at once must not be sent");
    assert_eq!(of_type(&closed.drain().await, "typing_indicator"), 0);

    open.send(json!({"action": "leaveChat", "data": {"chat_id": chat_id}})).await;
    assert_eq!(open.next_of("chat_left").await["data"]["chat_id"], chat_id.as_str());
    let mut bobs = open;
    typing(&mut bobs, &chat_id, true).await;
    alices.next_of("typing_indicator").await;
    bobs.drain().await;
    assert_eq!(of_type(&bobs.drain().await, "typing_indicator"), 0);
}

#[tokio::test]
async fn the_first_device_brings_somebody_online_and_the_last_takes_them_off() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (mut alices, mut eves) = (alice.device().await, eve.device().await);
    let status = |joined: &Value, who: &str| {
        joined["presence"].as_array().unwrap().iter().find(|status| status["user_id"] == who).unwrap().clone()
    };
    assert_eq!(
        status(&join(&mut alices, &chat_id).await, &bob.id),
        json!({"user_id": bob.id, "online": false, "last_seen_at": null})
    );

    let (mut phone, mut laptop) = (bob.device().await, bob.device().await);
    let online = alices.next_of("user_status").await["data"].clone();
    assert_eq!((text(&online["user_id"]), &online["online"]), (bob.id.clone(), &json!(true)));
    assert_eq!(status(&join(&mut alices, &chat_id).await, &bob.id)["online"], true);
    laptop.stream.close(None).await.unwrap();
    laptop.closed().await;
    phone.stream.close(None).await.unwrap();
    let offline = alices.next_of("user_status").await["data"].clone();
    assert_eq!(
        (text(&offline["user_id"]), &offline["online"], offline["last_seen_at"].is_string()),
        (bob.id.clone(), &json!(false), true)
    );
    assert_eq!(status(&join(&mut alices, &chat_id).await, &bob.id)["last_seen_at"], offline["last_seen_at"]);
    // Somebody who is online has no last-seen time.
    let _again = bob.device().await;
    let online = alices.next_of("user_status").await["data"].clone();
    assert_eq!((&online["online"], &online["last_seen_at"]), (&json!(true), &Value::Null));
    let joined = status(&join(&mut alices, &chat_id).await, &bob.id);
    assert_eq!((&joined["online"], &joined["last_seen_at"]), (&json!(true), &Value::Null));
    assert_eq!(of_type(&alices.drain().await, "user_status"), 0, "the second device must come and go in silence");
    assert_eq!(of_type(&eves.drain().await, "user_status"), 0, "strangers must not be notified");
}

#[tokio::test]
async fn a_closed_laptop_lid_is_noticed_when_the_gateway_gives_up_on_it() {
    let idle = Duration::from_secs(2);
    let world = World::with_limits(Limits { idle, ..Limits::default() }).await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let mut alices = alice.device().await;
    // Bob's connection stays, but nobody reads from it or writes to it any more: to the server he has simply vanished.
    let vanished = bob.device().await;
    assert_eq!(alices.next_of("user_status").await["data"]["online"], true);
    alice.say(&chat_id, "are you there?").await;
    let told = loop {
        // Alice's own socket must not become idle.
        alices.send(json!({"action": "ping"})).await;
        if let Some(told) = alices.drain().await.into_iter().find(|frame| frame["type"] == "user_status") {
            break told["data"].clone();
        }
    };
    assert_eq!((text(&told["user_id"]), &told["online"]), (bob.id.clone(), &json!(false)));
    let user_id: UserId = bob.id.parse().unwrap();
    assert!(world.app.connections.of_users(&[user_id]).await.unwrap().is_empty());
    alice.say(&chat_id, "then later").await;
    drop(vanished);
}

#[tokio::test]
async fn somebody_whose_disconnect_was_lost_is_shown_offline_by_the_first_push_that_fails() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let user_id: UserId = bob.id.parse().unwrap();
    let mut alices = alice.device().await;
    world.ghost(user_id, chrono::Utc::now() - chrono::TimeDelta::minutes(1)).await;
    alice.say(&chat_id, "hello?").await;
    let told = alices.next_of("user_status").await["data"].clone();
    assert_eq!((text(&told["user_id"]), &told["online"]), (bob.id.clone(), &json!(false)));
    assert!(world.app.connections.of_users(&[user_id]).await.unwrap().is_empty());
}
