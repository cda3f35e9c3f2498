//! Everything of one's own, page by page.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Person, World, text};

/// All pages, with everything of a kind together.
async fn exported(who: &Person, limit: usize) -> Value {
    let mut all = json!({"sessions": [], "blocked": [], "chats": [], "messages": []});
    let mut after = String::new();
    loop {
        let page = who.get(&format!("/export?limit={limit}{after}")).await;
        if let Some(account) = page.get("account") {
            assert!(after.is_empty(), "only the first page has the account");
            all["account"] = account.clone();
        }
        for kind in ["sessions", "blocked", "chats", "messages"] {
            let found = page.get(kind).and_then(Value::as_array).cloned().unwrap_or_default();
            assert!(kind == "sessions" || kind == "blocked" || found.len() <= limit, "{kind}");
            all[kind].as_array_mut().unwrap().extend(found);
        }
        let Some(next) = page["next"].as_str() else { return all };
        after = format!("&after={next}");
    }
}

#[tokio::test]
async fn an_export_has_everything_of_ones_own_and_nothing_that_others_said() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let private = alice.private_chat(&bob).await;
    let groups = [alice.group("One", &[&bob]).await, alice.group("Two", &[]).await, bob.group("Left", &[&alice]).await];
    for number in 1..=5 {
        alice.say(&private, &format!("mine {number}")).await;
        bob.say(&private, "his").await;
    }
    alice.say(&groups[0], "in a group").await;
    let gone = alice.say(&groups[0], "taken back").await;
    alice.call(Method::DELETE, &format!("/messages/{}/{}", groups[0], gone["id"]), None).await;
    alice.say(&groups[2], "before I left").await;
    alice.call(Method::DELETE, &format!("/chats/{}/members/{}", groups[2], alice.id), None).await;
    alice.call(Method::PUT, &format!("/users/{}/block", eve.id), None).await;
    let settings = format!("/chats/{private}/settings");
    alice.call(Method::PATCH, &settings, Some(json!({"archived": true, "hidden": true}))).await;

    let whole = exported(&alice, 100).await;
    for limit in [1, 2, 3] {
        assert_eq!(exported(&alice, limit).await, whole, "in pages of {limit}");
    }
    assert_eq!(whole["account"], alice.get("/auth/me").await);
    assert_eq!(whole["sessions"], alice.get("/auth/sessions").await["sessions"]);
    assert_eq!(whole["blocked"], alice.get("/users/blocked").await["users"]);
    assert_eq!(whole["chats"], alice.get("/chats?hidden=true").await["chats"]);
    let hidden = whole["chats"].as_array().unwrap().iter().find(|chat| chat["id"] == private.as_str()).unwrap();
    assert_eq!((&hidden["archived"], &hidden["hidden"]), (&json!(true), &json!(true)));
    let said = |chat_id: &str| -> Vec<String> {
        let messages = whole["messages"].as_array().unwrap().iter();
        messages.filter(|message| message["chat_id"] == chat_id).map(|message| text(&message["text"])).collect()
    };
    assert_eq!(said(&private), ["mine 1", "mine 2", "mine 3", "mine 4", "mine 5"]);
    assert_eq!(said(&groups[0]), ["in a group"]);
    assert_eq!(whole["messages"].as_array().unwrap().len(), 6);
    assert!(whole["messages"].as_array().unwrap().iter().all(|message| message["sender_id"] == alice.id.as_str()));
    for wrong in ["x", "messages_x_1", "chats_1", &format!("messages_{private}_-1")] {
        assert_eq!(alice.call(Method::GET, &format!("/export?after={wrong}"), None).await.0, 422, "{wrong}");
    }
    // Where somebody else's page goes on, there is nothing but one's own.
    let page = eve.get(&format!("/export?after=messages_{private}_0")).await;
    assert_eq!(page, json!({"next": null}));
}
