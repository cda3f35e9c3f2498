//! `session`: an ended session loses its sockets, whatever fails on the way.

use serde_json::{Value, json};
use windi_functions::posts::Posts;
use windi_functions::push::Push;
use windi_functions::{login, send_message, session, typing};
use windi_shared::connections::Connections;
use windi_shared::db::sessions;

use crate::harness::{NOWHERE, PASSWORD, Person, Stage, http, read, sdk_config, socket_event};

async fn call(stage: &Stage, push: &Push, route: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
    read(session::handle(&stage.db, &stage.tokens, push, http(route, token, body)).await)
}

/// Logs in a second time; also returns the refresh token.
async fn login(stage: &Stage) -> (Person, Value) {
    let body = json!({"username": "alice", "password": PASSWORD});
    let (_, tokens) = read(login::handle(&stage.db, &stage.tokens, http("POST /auth/login", None, Some(body))).await);
    let token = tokens["access_token"].as_str().unwrap().to_owned();
    (Person { caller: stage.tokens.check(&token).await.unwrap(), token }, tokens["refresh_token"].clone())
}

/// Backdates every rotation, as if the seconds in which a refresh token may be used again had passed.
async fn past_the_grace(stage: &Stage) {
    let statement = "update sessions set rotated_at = rotated_at - make_interval(secs => $1)";
    let seconds = f64::from(windi_shared::auth::refresh::GRACE_SECONDS) + 1.0;
    sqlx::query(statement).bind(seconds).execute(&stage.db).await.unwrap();
}

/// A `Push` for which DynamoDB is unavailable.
async fn without_dynamodb(stage: &Stage) -> Push {
    Push::new(
        Posts::new(&sdk_config(NOWHERE), &stage.posts.serve().await),
        Connections::new(&sdk_config(NOWHERE), "connections"),
    )
}

#[tokio::test]
async fn a_logout_that_cannot_close_a_socket_says_so_and_its_repetition_closes_it() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let socket = stage.connected(&alice, "a=").await;
    stage.posts.answer_close(&socket, &[500; 9]);
    let logout = || call(&stage, &stage.push, "POST /auth/logout", Some(&alice.token), None);
    let (status, body) = logout().await;
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
    assert!(stage.posts.closed().is_empty());
    stage.posts.answer_close(&socket, &[]);
    // The session has already ended, so the client gets a 401, but its socket is closed.
    assert_eq!(logout().await.0, 401);
    assert_eq!(stage.posts.closed(), ["a="]);
    assert_eq!(stage.posts.to(&socket)[0]["data"]["code"], "session_ended");
}

#[tokio::test]
async fn ending_another_session_likewise() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let (elsewhere, _) = login(&stage).await;
    let socket = stage.connected(&elsewhere, "b=").await;
    stage.posts.answer_close(&socket, &[500; 9]);
    let route = format!("DELETE /auth/sessions/{{session_id={}}}", elsewhere.caller.session_id);
    let end = || call(&stage, &stage.push, &route, Some(&alice.token), None);
    assert_eq!(end().await.0, 503);
    stage.posts.answer_close(&socket, &[]);
    assert_eq!(end().await.0, 404);
    assert_eq!(stage.posts.closed(), ["b="]);
}

#[tokio::test]
async fn a_reused_refresh_token_closes_the_sessions_sockets_at_the_latest_when_it_comes_again() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    let (alice, token) = login(&stage).await;
    stage.connected(&alice, "a=").await;
    let refresh = |push: Push| {
        let (stage, body) = (&stage, json!({"refresh_token": token}));
        async move { call(stage, &push, "POST /auth/refresh", None, Some(body)).await }
    };
    assert_eq!(refresh(stage.push.clone()).await.0, 200);
    past_the_grace(&stage).await;
    let (status, body) = refresh(without_dynamodb(&stage).await).await;
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
    assert!(!sessions::is_live(&stage.db, alice.caller.session_id).await.unwrap());
    assert!(stage.posts.closed().is_empty());
    assert_eq!(refresh(stage.push.clone()).await.0, 401);
    assert_eq!(stage.posts.closed(), ["a="]);
}

#[tokio::test]
async fn ending_ones_own_session_likewise() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let socket = stage.connected(&alice, "a=").await;
    stage.posts.answer_close(&socket, &[500; 9]);
    let route = format!("DELETE /auth/sessions/{{session_id={}}}", alice.caller.session_id);
    let end = || call(&stage, &stage.push, &route, Some(&alice.token), None);
    assert_eq!(end().await.0, 503);
    stage.posts.answer_close(&socket, &[]);
    assert_eq!(end().await.0, 404);
    assert_eq!(stage.posts.closed(), ["a="]);
}

#[tokio::test]
async fn a_change_of_password_that_cannot_close_the_others_can_be_repeated() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let (elsewhere, _) = login(&stage).await;
    let (here, there) = (stage.connected(&alice, "a=").await, stage.connected(&elsewhere, "b=").await);
    let change = |push: Push, current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        let (stage, token) = (&stage, alice.token.clone());
        async move { call(stage, &push, "POST /auth/password", Some(&token), Some(body)).await }
    };
    let away = without_dynamodb(&stage).await;
    let (status, body) = change(away, PASSWORD, "another password").await;
    assert_eq!((status, &body["code"]), (503, &json!("unavailable")));
    assert!(!sessions::is_live(&stage.db, elsewhere.caller.session_id).await.unwrap());
    assert_eq!(change(stage.push.clone(), PASSWORD, "another password").await.0, 204);
    assert_eq!(stage.posts.closed(), ["b="]);
    assert_eq!(stage.posts.to(&there)[0]["data"]["code"], "password_changed");
    assert!(stage.posts.to(&here).is_empty());
    // Repeating the change did not make the old password right again.
    let (status, body) = change(stage.push.clone(), PASSWORD, "yet another password").await;
    assert_eq!((status, &body["code"]), (403, &json!("wrong_password")));
}

#[tokio::test]
async fn nonsense_does_not_keep_the_socket_of_an_ended_session_open() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let socket = stage.connected(&alice, "a=").await;
    sessions::end(&stage.db, alice.caller.user_id, alice.caller.session_id).await.unwrap();
    let event = socket_event("$default", Some(&alice), &socket, Some(json!({"action": "x"})));
    windi_functions::default::handle(&stage.db, stage.push.posts(), event).await.unwrap();
    assert_eq!(stage.posts.to(&socket)[0]["data"]["code"], "session_ended");
    assert_eq!(stage.posts.closed(), ["a="]);
}

#[tokio::test]
async fn a_socket_that_was_not_closed_is_cut_off_when_its_session_is_found_to_have_ended() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let socket = stage.connected(&alice, "a=").await;
    sessions::end(&stage.db, alice.caller.user_id, alice.caller.session_id).await.unwrap();
    let send = json!({"action": "sendMessage", "request_id": "r", "data": {"chat_id": chat_id, "text": "still me"}});
    let event = socket_event("sendMessage", Some(&alice), &socket, Some(send));
    send_message::handle(&stage.db, &stage.push, &stage.web_push, event).await.unwrap();
    let type_ = json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": true}});
    let event = socket_event("typing", Some(&alice), &socket, Some(type_));
    typing::handle(&stage.db, &stage.push, event).await.unwrap();
    let frames = stage.posts.to(&socket);
    assert_eq!((&frames[0]["data"]["code"], &frames[0]["request_id"]), (&json!("session_ended"), &json!("r")));
    assert_eq!(stage.posts.closed(), ["a=", "a="]);
    let stored: i64 = sqlx::query_scalar("select count(*) from messages").fetch_one(&stage.db).await.unwrap();
    assert_eq!(stored, 0);
}

#[tokio::test]
async fn a_refresh_token_used_twice_at_once_gets_the_same_successor_and_later_ends_the_session() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    let (alice, first) = login(&stage).await;
    let refresh = async |token: &Value| {
        let body = Some(json!({"refresh_token": token}));
        call(&stage, &stage.push, "POST /auth/refresh", None, body).await
    };
    // As with two tabs, or after an answer that was lost.
    let (a, b) = futures_util::future::join(refresh(&first), refresh(&first)).await;
    assert_eq!((a.0, b.0), (200, 200));
    let second = a.1["refresh_token"].clone();
    assert_eq!(b.1["refresh_token"], second);
    assert_ne!(second, first);
    // The two uses created only one session row, and it is still live.
    let live: i64 = sqlx::query_scalar("select count(*) from sessions where family = $1 and rotated_at is null")
        .bind(alice.caller.session_id.0)
        .fetch_one(&stage.db)
        .await
        .unwrap();
    assert_eq!(live, 1);

    past_the_grace(&stage).await;
    let (status, body) = refresh(&first).await;
    assert_eq!((status, &body["code"]), (401, &json!("unauthorized")));
    assert_eq!(refresh(&second).await.0, 401, "the session has ended for everybody");
}

#[tokio::test]
async fn within_the_grace_a_token_whose_successor_was_used_betrays_a_copy() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    let (_, first) = login(&stage).await;
    let refresh = async |token: &Value| {
        let body = Some(json!({"refresh_token": token}));
        call(&stage, &stage.push, "POST /auth/refresh", None, body).await
    };
    let second = refresh(&first).await.1["refresh_token"].clone();
    let third = refresh(&second).await.1["refresh_token"].clone();
    assert_eq!(refresh(&first).await.0, 401);
    assert_eq!(refresh(&third).await.0, 401, "the session has ended for everybody");
}
