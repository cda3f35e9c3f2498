//! Being left alone: blocking, muting, archiving, and who may add somebody to groups.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answers::{code, listed};
use crate::harness::{Person, World, text};

async fn block(who: &Person, whom: &Person, method: Method) -> (u16, Value) {
    who.call(method, &format!("/users/{}/block", whom.id), None).await
}

const UNREACHABLE: (u16, &str) = (403, "not_reachable");

#[tokio::test]
async fn whoever_is_blocked_causes_nothing_in_the_private_chat_of_the_two() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "hello").await;
    bob.say(&chat_id, "go away").await;
    let mut alices = alice.device().await;
    let mut bobs = bob.device().await;
    alices.send(json!({"action": "joinChat", "data": {"chat_id": chat_id}})).await;
    alices.next_of("chat_joined").await;
    assert_eq!(block(&alice, &bob, Method::PUT).await.0, 204);
    assert_eq!(block(&alice, &bob, Method::PUT).await.0, 204, "once more changes nothing");
    alices.drain().await;
    bobs.drain().await;

    for who in [&alice, &bob] {
        let send = who.post("/messages", json!({"chat_id": chat_id, "text": "x"})).await;
        let edit = who.call(Method::PATCH, &format!("/messages/{chat_id}/2"), Some(json!({"text": "y"}))).await;
        let react = who
            .call(Method::PUT, &format!("/messages/{chat_id}/1/reactions"), Some(json!({"reactions": ["👍"]})))
            .await;
        let pin = who.call(Method::PUT, &format!("/messages/{chat_id}/1/pin"), None).await;
        let forward = who.post(&format!("/messages/{chat_id}/1/forward"), json!({"chat_id": chat_id})).await;
        for answer in [&send, &edit, &react, &pin, &forward] {
            assert_eq!(code(answer), UNREACHABLE);
        }
    }
    bobs.say(&chat_id, "x", "k").await;
    assert_eq!(bobs.next_of("error").await["data"]["code"], "not_reachable");
    bobs.send(json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": true}})).await;
    bobs.send(json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": 1}})).await;
    bobs.send(json!({"action": "joinChat", "request_id": "j", "data": {"chat_id": chat_id}})).await;
    let joined = bobs.next_of("chat_joined").await;
    let there: Vec<_> =
        joined["data"]["presence"].as_array().unwrap().iter().map(|one| text(&one["user_id"])).collect();
    assert_eq!(there, std::slice::from_ref(&bob.id), "nobody sees whether the other is there");
    // Coming and going is not told either, and the chat's revision has not moved.
    drop(bobs);
    let mut bobs = bob.device().await;
    bobs.drain().await;
    assert_eq!(alices.drain().await, Vec::<Value>::new());
    assert_eq!(bob.get(&format!("/chats/{chat_id}")).await["revision"], 3);
    // Not even a new name is told there; sync would bring it.
    bob.call(Method::PATCH, "/users/me", Some(json!({"name": "Look at me"}))).await;
    assert_eq!(alices.drain().await, Vec::<Value>::new());
    // What was said can still be taken back, and read.
    assert_eq!(bob.history(&chat_id).await.len(), 2);
    assert_eq!(bob.call(Method::DELETE, &format!("/messages/{chat_id}/2"), None).await.0, 200);

    assert_eq!(alice.get("/users/blocked").await["users"][0]["id"], bob.id.as_str());
    assert_eq!(bob.get("/users/blocked").await["users"], json!([]));
    assert_eq!(block(&alice, &bob, Method::DELETE).await.0, 204);
    bob.say(&chat_id, "sorry").await;
}

#[tokio::test]
async fn a_block_lasts_until_both_have_taken_it_back() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    block(&alice, &bob, Method::PUT).await;
    block(&bob, &alice, Method::PUT).await;
    block(&alice, &bob, Method::DELETE).await;
    assert_eq!(code(&alice.post("/messages", json!({"chat_id": chat_id, "text": "x"})).await), UNREACHABLE);
    block(&bob, &alice, Method::DELETE).await;
    alice.say(&chat_id, "hello again").await;
    assert_eq!(block(&alice, &alice, Method::PUT).await.0, 403);
    let nobody = format!("/users/{}/block", uuid::Uuid::now_v7());
    assert_eq!(code(&alice.call(Method::PUT, &nobody, None).await), (404, "user_not_found"));
}

#[tokio::test]
async fn those_who_are_blocked_are_listed_page_by_page() {
    let world = World::new().await;
    let [alice, bob, charlie, dave] = world.people(["alice", "bob", "charlie", "dave"]).await;
    for other in [&bob, &charlie, &dave] {
        block(&alice, other, Method::PUT).await;
    }
    let first = alice.get("/users/blocked?limit=2").await;
    let ids: Vec<_> = first["users"].as_array().unwrap().iter().map(|user| text(&user["id"])).collect();
    assert_eq!(ids, [dave.id.clone(), charlie.id.clone()]);
    // Whoever was the last of the page goes.
    block(&alice, &charlie, Method::DELETE).await;
    let second = alice.get(&format!("/users/blocked?after={}", text(&first["next"]))).await;
    assert_eq!((&second["users"][0]["id"], &second["next"]), (&json!(bob.id), &Value::Null));
    assert_eq!(second["users"].as_array().unwrap().len(), 1);
    assert_eq!(alice.call(Method::GET, "/users/blocked?after=x", None).await.0, 422);
}

#[tokio::test]
async fn whoever_is_blocked_can_neither_open_a_chat_nor_add_the_other_but_groups_go_on() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let group = charlie.group("Friends", &[&alice, &bob]).await;
    block(&alice, &bob, Method::PUT).await;
    for (who, whom) in [(&bob, &alice), (&alice, &bob)] {
        let private = who.post("/chats", json!({"kind": "private", "user_id": whom.id})).await;
        assert_eq!(code(&private), UNREACHABLE);
    }
    let made = bob.post("/chats", json!({"kind": "group", "name": "Mine", "member_ids": [alice.id, charlie.id]})).await;
    assert_eq!(code(&made), UNREACHABLE);
    let mine = bob.group("Mine", &[&charlie]).await;
    let add = bob.post(&format!("/chats/{mine}/members"), json!({"user_id": alice.id})).await;
    assert_eq!(code(&add), UNREACHABLE);
    assert_eq!(world.call(Method::GET, "/chats", Some(&bob.token), None).await.1["chats"].as_array().unwrap().len(), 2);
    // In a group that both are in, they hear each other.
    bob.say(&group, "hello all").await;
    assert_eq!(alice.history(&group).await.len(), 1);
}

#[tokio::test]
async fn people_say_who_may_add_them_to_groups() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    assert_eq!(alice.get("/auth/me").await["who_may_add"], "everyone");
    bob.private_chat(&alice).await;
    let (bobs, charlies) = (bob.group("Bob's", &[]).await, charlie.group("Charlie's", &[]).await);
    let set = async |who: &str| alice.call(Method::PATCH, "/users/me", Some(json!({"who_may_add": who}))).await.0;
    let add = async |by: &Person, chat_id: &str| {
        let answer = by.post(&format!("/chats/{chat_id}/members"), json!({"user_id": alice.id})).await;
        by.call(Method::DELETE, &format!("/chats/{chat_id}/members/{}", alice.id), None).await;
        answer
    };
    assert_eq!(set("contacts").await, 200);
    let private = bob.private_chat(&alice).await;
    assert_eq!(code(&add(&bob, &bobs).await), UNREACHABLE, "whoever only opens a chat is no contact");
    alice.say(&private, "hello").await;
    assert_eq!(add(&bob, &bobs).await.0, 201);
    assert_eq!(code(&add(&charlie, &charlies).await), UNREACHABLE);
    assert_eq!(set("nobody").await, 200);
    assert_eq!(code(&add(&bob, &bobs).await), UNREACHABLE);
    assert_eq!(set("everyone").await, 200);
    assert_eq!(add(&charlie, &charlies).await.0, 201);
    assert_eq!(set("somebody").await, 422);
}

#[tokio::test]
async fn muting_archiving_and_marking_are_told_to_ones_own_devices_only() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "hello").await;
    let (mut alices, mut bobs) = (alice.device().await, bob.device().await);
    let path = format!("/chats/{chat_id}/settings");
    let change = json!({"muted_until": "2999-01-01T00:00:00Z", "archived": true});
    let (status, settings) = alice.call(Method::PATCH, &path, Some(change)).await;
    let expected = json!({"chat_id": chat_id, "muted_until": "2999-01-01T00:00:00.000Z", "archived": true,
        "marked_unread": false});
    assert_eq!((status, &settings), (200, &expected));
    assert_eq!(alices.next_of("chat_settings").await["data"], expected);
    let (_, settings) = alice.call(Method::PATCH, &path, Some(json!({"marked_unread": true}))).await;
    assert_eq!((&settings["archived"], &settings["marked_unread"]), (&json!(true), &json!(true)));
    let (_, settings) = alice.call(Method::PATCH, &path, Some(json!({"muted_until": null}))).await;
    assert_eq!((&settings["archived"], &settings["muted_until"]), (&json!(true), &Value::Null));
    // Reading on ends the mark, and messages do not end the rest.
    bob.say(&chat_id, "hello yourself").await;
    alice.post(&format!("/messages/{chat_id}/2/read"), Value::Null).await;
    let mine = listed(&alice, &chat_id).await;
    assert_eq!((&mine["archived"], &mine["marked_unread"]), (&json!(true), &json!(false)));
    alice.call(Method::PATCH, &path, Some(json!({"marked_unread": true}))).await;
    alice.say(&chat_id, "and now I have read it").await;
    assert_eq!(listed(&alice, &chat_id).await["marked_unread"], false);
    assert_eq!(listed(&bob, &chat_id).await["archived"], false);
    let told = bobs.drain().await;
    assert!(told.iter().all(|frame| frame["type"] != "chat_settings"), "{told:?}");
    for wrong in
        [json!({"muted_until": "soon"}), json!({"muted_until": "+12026-01-01T00:00:00Z"}), json!({"loud": true})]
    {
        assert_eq!(alice.call(Method::PATCH, &path, Some(wrong)).await.0, 422);
    }
    let eve = world.person("eve").await;
    assert_eq!(code(&eve.call(Method::PATCH, &path, Some(json!({"archived": true}))).await), (404, "chat_not_found"));
}

#[tokio::test]
async fn a_chat_that_is_hidden_is_off_the_list_until_its_next_message() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.group("Notes", &[]).await;
    bob.say(&chat_id, "hello").await;
    let (mut alices, mut bobs) = (alice.device().await, bob.device().await);
    let path = format!("/chats/{chat_id}/settings");
    let set = async |change: Value| alice.call(Method::PATCH, &path, Some(change)).await;
    let listed = async |who: &Person, query: &str| -> Vec<bool> {
        let page = who.get(&format!("/chats{query}")).await;
        let chats = page["chats"].as_array().unwrap().iter().filter(|chat| chat["id"] == chat_id.as_str());
        chats.map(|chat| chat["hidden"] == true).collect()
    };
    let unread = async || alice.get("/chats/unread").await["unread_count"].as_i64().unwrap();
    assert_eq!((listed(&alice, "").await, unread().await), (vec![false], 1));

    let expected = json!({"chat_id": chat_id, "muted_until": null, "archived": true, "marked_unread": false,
        "hidden": true, "hidden_at_id": 1});
    assert_eq!(set(json!({"hidden": true, "archived": true})).await, (200, expected.clone()));
    assert_eq!(alices.next_of("chat_settings").await["data"], expected);
    assert_eq!((listed(&alice, "").await, unread().await), (vec![], 0));
    assert_eq!(alice.get("/chats?limit=1").await["next"], Value::Null, "one page has the other chat");
    assert_eq!(listed(&alice, "?hidden=true").await, [true]);
    assert_eq!(listed(&bob, "").await, [false]);
    assert!(bobs.drain().await.iter().all(|frame| frame["type"] != "chat_settings"));
    assert_eq!(alice.history(&chat_id).await.len(), 1, "its history stays");
    // A client that does not know the chat is not told of it, one that does is.
    for (held, stale) in
        [(json!({}), Value::Null), (json!({&chat_id: 1}), json!(2)), (json!({&chat_id: 2}), Value::Null)]
    {
        alices.send(json!({"action": "ping", "data": {"chats": held}})).await;
        assert_eq!(alices.next_of("pong").await["data"]["stale"][&chat_id], stale);
    }
    // What changes nothing that is said does not bring it back.
    bob.call(Method::PATCH, "/users/me", Some(json!({"name": "Robert"}))).await;
    set(json!({"archived": false})).await;
    assert_eq!(listed(&alice, "").await, Vec::<bool>::new());

    bob.say(&chat_id, "are you there?").await;
    assert_eq!((listed(&alice, "").await, unread().await), (vec![false], 2));
    set(json!({"hidden": true})).await;
    assert_eq!(set(json!({"hidden": false})).await.1.get("hidden"), None);
    assert_eq!(listed(&alice, "").await, [false]);
    for wrong in ["yes", "1"] {
        assert_eq!(alice.call(Method::GET, &format!("/chats?hidden={wrong}"), None).await.0, 422);
    }
}

#[tokio::test]
async fn one_call_says_who_of_ones_chats_is_there() {
    let world = World::new().await;
    let [alice, bob, charlie, _eve] = world.people(["alice", "bob", "charlie", "eve"]).await;
    alice.private_chat(&bob).await;
    alice.group("Friends", &[&charlie]).await;
    let bobs = bob.device().await;
    let presence = alice.get("/users/presence").await["presence"].clone();
    let mut there: Vec<_> =
        presence.as_array().unwrap().iter().map(|one| (text(&one["user_id"]), one["online"].clone())).collect();
    there.sort_by(|one, other| one.0.cmp(&other.0));
    let mut expected = vec![(bob.id.clone(), json!(true)), (charlie.id.clone(), json!(false))];
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(there, expected);
    drop(bobs);
}

#[tokio::test]
async fn a_new_name_is_told_in_every_chat_and_brought_by_sync() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chats = [alice.private_chat(&bob).await, alice.group("Friends", &[&bob]).await];
    let mut bobs = bob.device().await;
    let (status, account) =
        alice.call(Method::PATCH, "/users/me", Some(json!({"name": "Alice Archer", "username": null}))).await;
    assert_eq!((status, &account["name"], &account["username"]), (200, &json!("Alice Archer"), &Value::Null));
    for _ in &chats {
        let told = bobs.next_of("member_updated").await["data"].clone();
        assert_eq!(
            (&told["member"]["name"], &told["revision"], told.get("entry")),
            (&json!("Alice Archer"), &json!(2), None)
        );
    }
    for chat_id in &chats {
        let changes = bob.get(&format!("/chats/{chat_id}/changes?after=1")).await;
        assert_eq!((&changes["revision"], &changes["messages"]), (&json!(2), &json!([])));
        assert!(changes["chat"]["members"].to_string().contains("Alice Archer"));
    }
    assert_eq!(bob.get(&format!("/users/{}", alice.id)).await["name"], "Alice Archer");
    // What nobody sees takes no revision.
    alice.call(Method::PATCH, "/users/me", Some(json!({"who_may_add": "nobody", "name": "Alice Archer"}))).await;
    assert_eq!(bob.get(&format!("/chats/{}", chats[0])).await["revision"], 2);
    assert_eq!(
        code(&alice.call(Method::PATCH, "/users/me", Some(json!({"username": "bob"}))).await),
        (409, "username_taken")
    );
}
