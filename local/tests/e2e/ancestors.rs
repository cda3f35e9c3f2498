//! What messengers of this kind are expected to do, as scenarios from the first step to the last. `docs/ancestors.md`
//! has the table.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, World, ids, text};

/// Registration, a private chat, joining it, sending with an idempotency key, typing, receipts and history.
#[tokio::test]
async fn two_people_talk_in_a_private_chat() {
    let world = World::new().await;
    let ivan = json!({"name": "Иван Иванов", "email": "ivan@example.com", "password": "securepassword"});
    let (status, ivan) = world.call(Method::POST, "/auth/register", None, Some(ivan)).await;
    assert_eq!((status, &ivan["name"]), (201, &json!("Иван Иванов")));
    let login = json!({"email": "ivan@example.com", "password": "securepassword"});
    let (status, tokens) = world.call(Method::POST, "/auth/login", None, Some(login)).await;
    assert_eq!(status, 200);
    let maria = world.person("maria").await;
    let ivan = world.person("other").await.with_token(&text(&tokens["access_token"]));
    let chat_id = ivan.private_chat(&maria).await;
    assert_eq!(ivan.get("/chats").await["chats"][0]["id"], chat_id.as_str());

    let (mut ivans, mut marias) = (ivan.device().await, maria.device().await);
    for device in [&mut ivans, &mut marias] {
        device.send(json!({"action": "joinChat", "data": {"chat_id": chat_id}})).await;
        device.next_of("chat_joined").await;
    }
    ivans.send(json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": true}})).await;
    marias.next_of("typing_indicator").await;
    for _ in 0..2 {
        ivans.say(&chat_id, "Привет, как дела?", "уникальный_идентификатор_сообщения").await;
        ivans.next_of("new_message").await;
    }
    assert_eq!(marias.next_of("new_message").await["data"]["text"], "Привет, как дела?");
    marias.send(json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": 1}})).await;
    assert_eq!(ivans.next_of("message_read").await["data"]["message_id"], 1);
    marias.send(json!({"action": "leaveChat", "data": {"chat_id": chat_id}})).await;
    marias.next_of("chat_left").await;
    let history = ivan.get(&format!("/messages/history/{chat_id}?limit=50&offset=0")).await;
    assert_eq!(
        (ids(history["messages"].as_array().unwrap()), &history["messages"][0]["is_read"]),
        (vec![1], &json!(true))
    );
}

/// Login with the OAuth2 form, a socket opened with `?token=`, sends without duplicates, receipts, and history by
/// offset and limit.
#[tokio::test]
async fn a_client_of_the_oauth2_form_talks_in_a_group() {
    let world = World::new().await;
    let [user, other] = world.people(["user", "other"]).await;
    let form = [("username", "user@example.com"), ("password", PASSWORD)];
    let answer = world.http.post(format!("{}/auth/login", world.base)).form(&form).send().await.unwrap();
    let tokens: Value = answer.json().await.unwrap();
    let user = user.with_token(&text(&tokens["access_token"]));
    let chat_id = user.group("Комната", &[&other]).await;
    let url = format!("{}?token={}", world.socket_url(), user.token);
    let mut users = crate::harness::Device::open(&url, &[]).await.unwrap();
    let mut others = other.device().await;
    users.say(&chat_id, "Some text", "msg-1").await;
    users.say(&chat_id, "Some text", "msg-1").await;
    let message = others.next_of("new_message").await["data"].clone();
    assert_eq!(others.next_of("new_message").await["data"], message, "pushed twice, stored once");
    others.send(json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": message["id"]}})).await;
    users.next_of("message_read").await;
    user.say(&chat_id, "second").await;
    let history = other.get(&format!("/messages/history/{chat_id}?offset=1&limit=100")).await;
    assert_eq!(ids(history["messages"].as_array().unwrap()), [2]);
    assert_eq!(world.call(Method::GET, "/health", None, None).await.0, 200);
}

/// Sending and receipts over HTTP, presence, typing, search for messages and people, and health.
#[tokio::test]
async fn everything_works_over_http_too() {
    let world = World::new().await;
    let [anna, petr] = world.people(["anna", "petr"]).await;
    assert_eq!(anna.get("/auth/me").await["username"], "anna");
    let found = anna.get("/users?search=pet").await;
    assert_eq!(found["users"][0]["id"], petr.id.as_str());
    let chat_id = anna.private_chat(&petr).await;
    let mut annas = anna.device().await;
    let message = json!({"chat_id": chat_id, "text": "Отчёт готов", "client_message_id": "client-1732060800"});
    assert_eq!(anna.post("/messages", message.clone()).await.0, 201);
    assert_eq!(anna.post("/messages", message).await.0, 200);
    let (status, _) = petr.call(Method::POST, &format!("/messages/{chat_id}/1/read"), None).await;
    assert_eq!(status, 200);
    assert_eq!(annas.next_of("message_read").await["data"]["user_id"], petr.id.as_str());
    let mut petrs = petr.device().await;
    assert_eq!(annas.next_of("user_status").await["data"]["online"], true);
    petrs.send(json!({"action": "joinChat", "data": {"chat_id": chat_id}})).await;
    let joined = petrs.next_of("chat_joined").await["data"].clone();
    assert!(joined["presence"].as_array().unwrap().iter().all(|status| status["online"] == true));
    annas.send(json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": true}})).await;
    petrs.next_of("typing_indicator").await;
    assert_eq!(petr.get("/messages/search?q=отчёты").await["messages"][0]["id"], 1);
    assert_eq!(world.call(Method::GET, "/health", None, None).await.0, 200);
}

/// Creating a group, adding and removing members; every member sees the same on every device.
#[tokio::test]
async fn a_group_is_managed_by_its_owner() {
    let world = World::new().await;
    let [owner, first, second] = world.people(["owner", "first", "second"]).await;
    let chat_id = owner.group("Команда", &[&first]).await;
    let (status, _) = owner.post(&format!("/chats/{chat_id}/members"), json!({"user_id": second.id})).await;
    assert_eq!(status, 201);
    let (mut phone, mut laptop, mut seconds) = (first.device().await, first.device().await, second.device().await);
    owner.say(&chat_id, "всем привет").await;
    let told = seconds.next_of("new_message").await["data"].clone();
    for device in [&mut phone, &mut laptop] {
        assert_eq!(device.next_of("new_message").await["data"], told);
    }
    let (status, _) = owner.call(Method::DELETE, &format!("/chats/{chat_id}/members/{}", first.id), None).await;
    assert_eq!(status, 200);
    assert_eq!(first.post("/messages", json!({"chat_id": chat_id, "text": "x"})).await.0, 404);
    let chats = second.get("/chats").await;
    assert_eq!((&chats["chats"][0]["name"], &chats["chats"][0]["unread_count"]), (&json!("Команда"), &json!(1)));
}

/// The demo data: five people with the same password and three chats with messages. Creating it twice changes nothing.
#[tokio::test]
async fn the_demo_data_is_made_once() {
    let world = World::new().await;
    for _ in 0..2 {
        windi_local::demo::fill(&world.base).await.unwrap();
    }
    let mut chats = std::collections::BTreeSet::new();
    for (username, name) in windi_local::demo::PEOPLE {
        let login = json!({"username": username, "password": windi_local::demo::PASSWORD});
        let (status, tokens) = world.call(Method::POST, "/auth/login", None, Some(login)).await;
        assert_eq!(status, 200);
        let token = text(&tokens["access_token"]);
        let (_, me) = world.call(Method::GET, "/auth/me", Some(&token), None).await;
        assert_eq!(me["name"], name);
        let (_, list) = world.call(Method::GET, "/chats", Some(&token), None).await;
        chats.extend(list["chats"].as_array().unwrap().iter().map(|chat| text(&chat["id"])));
    }
    assert_eq!((chats.len(), world.stored_messages().await), (3, 9));
}
