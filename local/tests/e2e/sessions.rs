//! Sessions: refresh, logout, the list and a new password.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Person, World, refused, text};

async fn login(world: &World, password: &str) -> (u16, Value) {
    let login = json!({"username": "alice", "password": password});
    world.call(Method::POST, "/auth/login", None, Some(login)).await
}

async fn refresh(world: &World, token: &Value) -> (u16, Value) {
    world.call(Method::POST, "/auth/refresh", None, Some(json!({"refresh_token": token}))).await
}

fn with(person: &Person, token: &Value) -> Person {
    person.with_token(&text(token))
}

#[tokio::test]
async fn a_refresh_token_works_once_and_its_reuse_ends_the_session() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let (_, first) = login(&world, PASSWORD).await;
    let (status, second) = refresh(&world, &first["refresh_token"]).await;
    assert_eq!(status, 200);
    let alice = with(&alice, &second["access_token"]);
    let mut device = alice.device().await;
    assert_ne!(first["refresh_token"], second["refresh_token"]);
    let (_, third) = refresh(&world, &second["refresh_token"]).await;
    // Somebody has a copy of the first token, so the session ends for everybody.
    assert_eq!(refresh(&world, &first["refresh_token"]).await.0, 401);
    assert_eq!(device.dismissed().await, "session_ended");
    assert_eq!(refresh(&world, &second["refresh_token"]).await.0, 401);
    assert_eq!(refresh(&world, &third["refresh_token"]).await.0, 401);
    assert_eq!(alice.call(Method::GET, "/auth/me", None).await.0, 401);
    assert_eq!(refresh(&world, &json!("made up")).await.0, 401);
}

#[tokio::test]
async fn two_simultaneous_refreshes_get_the_same_token_and_go_on() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let (_, tokens) = login(&world, PASSWORD).await;
    let (a, b) = futures_util::future::join(
        refresh(&world, &tokens["refresh_token"]),
        refresh(&world, &tokens["refresh_token"]),
    )
    .await;
    assert_eq!((a.0, b.0), (200, 200));
    assert_eq!(a.1["refresh_token"], b.1["refresh_token"]);
    for tokens in [&a.1, &b.1] {
        with(&alice, &tokens["access_token"]).get("/auth/me").await;
    }
    assert_eq!(refresh(&world, &a.1["refresh_token"]).await.0, 200);
}

#[tokio::test]
async fn a_logout_closes_the_sessions_sockets_at_once_and_no_others() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let elsewhere = with(&alice, &login(&world, PASSWORD).await.1["access_token"]);
    let (mut here, mut there) = (alice.device().await, elsewhere.device().await);
    assert_eq!(alice.call(Method::POST, "/auth/logout", None).await.0, 204);
    assert_eq!(here.dismissed().await, "session_ended");
    assert_eq!(refused(alice.try_device().await), 401);
    assert_eq!(alice.call(Method::POST, "/auth/logout", None).await.0, 401);
    assert!(there.drain().await.is_empty());
}

#[tokio::test]
async fn one_sees_ones_sessions_and_may_end_another() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let (_, tokens) = login(&world, PASSWORD).await;
    refresh(&world, &tokens["refresh_token"]).await;
    let elsewhere = with(&alice, &tokens["access_token"]);
    let list = alice.get("/auth/sessions").await;
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "a refreshed session is still one session: {list}");
    let other = sessions.iter().find(|session| session["id"] != list["current"]).unwrap();
    let mut device = elsewhere.device().await;
    let path = format!("/auth/sessions/{}", text(&other["id"]));
    assert_eq!(bob.call(Method::DELETE, &path, None).await.0, 404, "somebody else's session");
    assert_eq!(alice.call(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(device.dismissed().await, "session_ended");
    let (status, body) = alice.call(Method::DELETE, &path, None).await;
    assert_eq!((status, &body["code"]), (404, &json!("session_not_found")));
    assert_eq!(alice.get("/auth/sessions").await["sessions"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let elsewhere = with(&alice, &login(&world, PASSWORD).await.1["access_token"]);
    let mut device = elsewhere.device().await;
    let change = |current: &str| json!({"current_password": current, "new_password": "another password"});
    let (status, body) = alice.call(Method::POST, "/auth/password", Some(change("wrong"))).await;
    assert_eq!((status, &body["code"]), (403, &json!("wrong_password")));
    assert_eq!(alice.call(Method::POST, "/auth/password", Some(change(PASSWORD))).await.0, 204);
    assert_eq!(device.dismissed().await, "password_changed");
    assert_eq!(elsewhere.call(Method::GET, "/auth/me", None).await.0, 401);
    alice.get("/auth/me").await;
    assert_eq!(login(&world, PASSWORD).await.0, 401);
    assert_eq!(login(&world, "another password").await.0, 200);
}
