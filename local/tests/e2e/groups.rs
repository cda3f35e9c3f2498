//! Groups: roles, members, names, and who is notified of every change.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Device, Person, World, text};

async fn role(person: &Person, chat_id: &str, of: &Person) -> Value {
    let chat = person.get(&format!("/chats/{chat_id}")).await;
    let members = chat["members"].as_array().unwrap();
    members.iter().find(|member| member["id"] == of.id.as_str()).map_or(Value::Null, |member| member["role"].clone())
}

async fn members(
    person: &Person,
    method: Method,
    chat_id: &str,
    of: Option<&Person>,
    body: Option<Value>,
) -> (u16, Value) {
    let path = match of {
        None => format!("/chats/{chat_id}/members"),
        Some(of) => format!("/chats/{chat_id}/members/{}", of.id),
    };
    person.call(method, &path, body).await
}

async fn hears(device: &mut Device, kind: &str, revision: i64) -> Value {
    let told = device.next_of(kind).await["data"].clone();
    assert_eq!(told["revision"], revision, "{told}");
    told
}

#[tokio::test]
async fn every_change_takes_a_revision_and_is_told_to_the_person_concerned_too() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    let (mut bobs, mut charlies) = (bob.device().await, charlie.device().await);

    let (status, _) = members(&alice, Method::POST, &chat_id, None, Some(json!({"user_id": charlie.id}))).await;
    assert_eq!(status, 201);
    for device in [&mut bobs, &mut charlies] {
        let told = hears(device, "member_added", 2).await;
        assert_eq!((text(&told["member"]["id"]), text(&told["by"])), (charlie.id.clone(), alice.id.clone()));
    }
    // Adding somebody who is already a member changes nothing.
    let (status, _) = members(&alice, Method::POST, &chat_id, None, Some(json!({"user_id": charlie.id}))).await;
    assert_eq!(status, 200);

    let (status, member) =
        members(&alice, Method::PATCH, &chat_id, Some(&charlie), Some(json!({"role": "admin"}))).await;
    assert_eq!((status, &member["role"]), (200, &json!("admin")));
    hears(&mut charlies, "member_updated", 3).await;

    let (status, _) =
        charlie.call(Method::PATCH, &format!("/chats/{chat_id}"), Some(json!({"name": "Best friends"}))).await;
    assert_eq!(status, 200);
    assert_eq!(hears(&mut bobs, "chat_updated", 4).await["chat"]["name"], "Best friends");

    let (status, removed) = members(&charlie, Method::DELETE, &chat_id, Some(&bob), None).await;
    assert_eq!((status, &removed["revision"]), (200, &json!(5)));
    for device in [&mut bobs, &mut charlies] {
        assert_eq!(text(&hears(device, "member_removed", 5).await["user_id"]), bob.id);
    }
    assert_eq!(bob.call(Method::GET, &format!("/chats/{chat_id}"), None).await.0, 404);
}

#[tokio::test]
async fn roles_say_who_may_do_what_to_whom() {
    let world = World::new().await;
    let [owner, admin, other, member] = world.people(["owner", "admin", "other", "member"]).await;
    let chat_id = owner.group("Friends", &[&admin, &other, &member]).await;
    for person in [&admin, &other] {
        members(&owner, Method::PATCH, &chat_id, Some(person), Some(json!({"role": "admin"}))).await;
    }
    for (who, whom) in [(&admin, &other), (&admin, &owner), (&member, &admin)] {
        let (status, body) = members(who, Method::DELETE, &chat_id, Some(whom), None).await;
        assert_eq!((status, &body["code"]), (403, &json!("forbidden")));
    }
    let (status, _) = members(&owner, Method::PATCH, &chat_id, Some(&owner), Some(json!({"role": "member"}))).await;
    assert_eq!(status, 403, "an owner cannot step down without an heir");
    let (status, body) = members(&owner, Method::DELETE, &chat_id, Some(&world.person("nobody").await), None).await;
    assert_eq!((status, &body["code"]), (404, &json!("member_not_found")));

    // Ownership is handed over, so there is always exactly one owner.
    members(&owner, Method::PATCH, &chat_id, Some(&member), Some(json!({"role": "owner"}))).await;
    assert_eq!(
        (role(&owner, &chat_id, &member).await, role(&owner, &chat_id, &owner).await),
        (json!("owner"), json!("admin"))
    );
}

#[tokio::test]
async fn ownership_passes_on_when_the_owner_leaves_and_the_last_one_turns_off_the_light() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob, &charlie]).await;
    members(&alice, Method::PATCH, &chat_id, Some(&charlie), Some(json!({"role": "admin"}))).await;
    let mut bobs = bob.device().await;
    assert_eq!(members(&alice, Method::DELETE, &chat_id, Some(&alice), None).await.0, 200);
    let heir = hears(&mut bobs, "member_updated", 3).await;
    assert_eq!((text(&heir["member"]["id"]), &heir["member"]["role"]), (charlie.id.clone(), &json!("owner")));
    hears(&mut bobs, "member_removed", 4).await;
    for person in [&charlie, &bob] {
        assert_eq!(members(person, Method::DELETE, &chat_id, Some(person), None).await.0, 200);
    }
    for person in [&alice, &bob, &charlie] {
        assert_eq!(person.call(Method::GET, &format!("/chats/{chat_id}"), None).await.0, 404);
    }
}

#[tokio::test]
async fn a_removed_member_hears_nothing_more_on_any_device() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    let (mut alices, mut phone, mut laptop) = (alice.device().await, bob.device().await, bob.device().await);
    for device in [&mut phone, &mut laptop] {
        device.send(json!({"action": "joinChat", "data": {"chat_id": chat_id}})).await;
        device.next_of("chat_joined").await;
    }
    members(&alice, Method::DELETE, &chat_id, Some(&bob), None).await;
    for device in [&mut phone, &mut laptop] {
        device.next_of("member_removed").await;
        device.drain().await;
    }
    alice.say(&chat_id, "he is gone").await;
    alices.next_of("new_message").await;
    alices.send(json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": true}})).await;
    alices.drain().await;
    for device in [&mut phone, &mut laptop] {
        // Nor does a device receive the presence of people who share no chat with its user.
        assert_eq!(device.drain().await, Vec::<Value>::new());
        device.send(json!({"action": "joinChat", "data": {"chat_id": chat_id}})).await;
        assert_eq!(device.next_of("error").await["data"]["code"], "chat_not_found");
    }
}

#[tokio::test]
async fn what_is_said_of_the_largest_group_fits_into_a_frame() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    // The longest names allowed, with four bytes per letter.
    sqlx::query(
        "insert into users (user_id, name, username, email, password_hash)
        select gen_random_uuid(), repeat('𝕏', 100), 'user' || n, 'u' || n || '@example.com', '' from generate_series(1, 998) n",
    )
    .execute(&world.app.db)
    .await
    .unwrap();
    let others: Vec<uuid::Uuid> = sqlx::query_scalar("select user_id from users where username like 'user%'")
        .fetch_all(&world.app.db)
        .await
        .unwrap();
    let (mut alices, mut bobs) = (alice.device().await, bob.device().await);
    let ids: Vec<_> = others.iter().map(ToString::to_string).chain([bob.id.clone()]).collect();
    let (status, chat) = alice.post("/chats", json!({"kind": "group", "name": "All", "member_ids": ids})).await;
    assert_eq!((status, chat["members"].as_array().unwrap().len()), (201, 1000));
    let created = bobs.next_of("chat_created").await;
    assert_eq!((&created["data"]["chat"]["id"], created["data"]["chat"].get("members")), (&chat["id"], None));
    alices.send(json!({"action": "joinChat", "data": {"chat_id": chat["id"]}})).await;
    let joined = alices.next_of("chat_joined").await;
    assert_eq!(joined["data"]["chat"].get("members"), None);
    let mut there: Vec<_> =
        joined["data"]["presence"].as_array().unwrap().iter().map(|one| text(&one["user_id"])).collect();
    there.sort();
    let mut expected = [alice.id.clone(), bob.id.clone()];
    expected.sort();
    assert_eq!(there, expected);
    // And somebody with more chats than one frame can name.
    sqlx::query(
        "with made as (insert into chats (chat_id, kind, name, created_by)
            select gen_random_uuid(), 'group', 'g', $1::uuid from generate_series(1, 4000) returning chat_id)
        insert into chat_members (chat_id, user_id, role) select chat_id, $1::uuid, 'owner' from made",
    )
    .bind(uuid::Uuid::parse_str(&bob.id).unwrap())
    .execute(&world.app.db)
    .await
    .unwrap();
    bobs.send(json!({"action": "ping"})).await;
    assert_eq!(bobs.next_of("pong").await["data"]["stale"].as_object().unwrap().len(), 1000);
}

#[tokio::test]
async fn a_private_chat_keeps_its_two_members() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let attempts = [
        members(&alice, Method::POST, &chat_id, None, Some(json!({"user_id": charlie.id}))).await,
        members(&alice, Method::DELETE, &chat_id, Some(&bob), None).await,
        members(&alice, Method::DELETE, &chat_id, Some(&alice), None).await,
        members(&alice, Method::PATCH, &chat_id, Some(&bob), Some(json!({"role": "owner"}))).await,
        alice.call(Method::PATCH, &format!("/chats/{chat_id}"), Some(json!({"name": "x"}))).await,
    ];
    for (status, body) in attempts {
        assert_eq!((status, &body["code"]), (403, &json!("forbidden")));
    }
}
