//! Creating, listing and reading chats.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{World, text};

#[tokio::test]
async fn the_same_pair_always_gets_the_same_chat() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let open = |me: crate::harness::Person, other: String| async move {
        me.post("/chats", json!({"kind": "private", "user_id": other})).await
    };
    // Both sides ask at once: one request creates the chat, and all of them get it.
    let mut attempts = Vec::new();
    for _ in 0..8 {
        attempts.push(open(alice.clone(), bob.id.clone()));
        attempts.push(open(bob.clone(), alice.id.clone()));
    }
    let answers = futures_util::future::join_all(attempts).await;
    let made = answers.iter().filter(|(status, _)| *status == 201).count();
    assert_eq!(made, 1);
    let first = &answers[0].1["id"];
    assert!(answers.iter().all(|(_, chat)| &chat["id"] == first));
}

#[tokio::test]
async fn a_group_has_its_maker_as_owner_and_tells_everybody() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let (mut on_alice, mut on_bob) = (alice.device().await, bob.device().await);
    let chat_id = alice.group("Friends", &[&bob, &charlie, &alice]).await;
    for device in [&mut on_alice, &mut on_bob] {
        let told = device.next_of("chat_created").await["data"].clone();
        assert_eq!(
            (text(&told["chat_id"]), &told["revision"], &told["chat"]["id"]),
            (chat_id.clone(), &json!(1), &told["chat_id"])
        );
    }
    let chat = bob.get(&format!("/chats/{chat_id}")).await;
    let mut roles: Vec<_> =
        chat["members"].as_array().unwrap().iter().map(|m| (text(&m["id"]), text(&m["role"]))).collect();
    roles.sort();
    let mut expected = vec![
        (alice.id.clone(), "owner".to_owned()),
        (bob.id.clone(), "member".to_owned()),
        (charlie.id.clone(), "member".to_owned()),
    ];
    expected.sort();
    assert_eq!(roles, expected);
}

#[tokio::test]
async fn the_list_shows_the_latest_first_with_unread_counts_and_pages() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let with_bob = alice.private_chat(&bob).await;
    let with_charlie = alice.private_chat(&charlie).await;
    let group = alice.group("Friends", &[&bob]).await;
    bob.say(&with_bob, "one").await;
    bob.say(&with_bob, "two").await;
    charlie.say(&with_charlie, "three").await;

    let list = alice.get("/chats").await;
    let chats = list["chats"].as_array().unwrap();
    let row = |chat: &Value| {
        (
            text(&chat["id"]),
            chat["unread_count"].as_i64().unwrap(),
            chat["peer"]["username"].as_str().map(str::to_owned),
        )
    };
    let mut rows: Vec<_> = chats.iter().map(row).collect();
    assert_eq!(rows[0], (with_charlie.clone(), 1, Some("charlie".to_owned())));
    rows.sort();
    let mut expected = vec![
        (with_charlie, 1, Some("charlie".to_owned())),
        (with_bob.clone(), 2, Some("bob".to_owned())),
        (group, 0, None),
    ];
    expected.sort();
    assert_eq!(rows, expected);
    let last = chats.iter().find(|chat| chat["id"] == with_bob.as_str()).unwrap();
    assert_eq!((&last["last_message"]["text"], &last["last_message"]["id"]), (&json!("two"), &json!(2)));

    // Pages of one chat each give the same chats in the same order.
    let mut paged = Vec::new();
    let mut after = String::new();
    loop {
        let page = alice.get(&format!("/chats?limit=1{after}")).await;
        paged.extend(page["chats"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(&paged, chats);
    // A made-up cursor to a time before the database's calendar begins.
    let made_up = format!("/chats?after=-8000000000000000_{with_bob}");
    assert_eq!(alice.call(Method::GET, &made_up, None).await.0, 422);
}

#[tokio::test]
async fn a_chat_needs_what_its_kind_needs() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let unknown = "0199a1b2-0000-7000-8000-000000000001";
    for (body, status, code) in [
        (json!({"kind": "private"}), 422, "invalid_field"),
        (json!({"kind": "private", "user_id": alice.id}), 422, "invalid_field"),
        (json!({"kind": "private", "user_id": bob.id, "name": "x"}), 422, "invalid_field"),
        (json!({"kind": "private", "user_id": unknown}), 404, "user_not_found"),
        (json!({"kind": "group", "member_ids": []}), 422, "invalid_field"),
        (json!({"kind": "group", "name": " ", "member_ids": []}), 422, "invalid_field"),
        (json!({"kind": "group", "name": "x", "member_ids": [unknown]}), 404, "user_not_found"),
        (json!({"kind": "channel", "name": "x"}), 422, "invalid_field"),
        (json!({"kind": "group", "name": "x", "member_ids": ["bob"]}), 422, "invalid_field"),
    ] {
        let (got, answer) = alice.call(Method::POST, "/chats", Some(body.clone())).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{body}: {answer}");
    }
    assert_eq!(alice.get("/chats").await["chats"], json!([]));
}
