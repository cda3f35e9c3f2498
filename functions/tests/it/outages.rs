//! What still works while a part behind the functions is down.

use serde_json::json;
use windi_functions::posts::Posts;
use windi_functions::push::Push;
use windi_functions::{connect, health, messages, send_message, users};
use windi_shared::config;
use windi_shared::connections::Connections;
use windi_shared::db::{self, MIGRATOR};
use windi_shared::ids::ConnectionId;

use crate::harness::{NOWHERE, Stage, http, read, sdk_config, socket_event, somebody};

#[tokio::test]
async fn without_dynamodb_a_send_is_stored_and_acknowledged() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;

    let connections = Connections::new(&sdk_config(NOWHERE), "connections");
    let push = Push::new(Posts::new(&sdk_config(NOWHERE), &stage.posts.serve().await), connections.clone());
    let body = json!({"chat_id": chat_id, "text": "over HTTP"});
    let request = http("POST /messages", Some(&alice.token), Some(body));
    assert_eq!(read(messages::handle(&stage.db, &stage.tokens, &push, &stage.web_push, request).await).0, 201);

    let id = ConnectionId("a=".to_owned());
    let frame = json!({"action": "sendMessage", "data": {"chat_id": chat_id, "text": "over the socket"}});
    let event = socket_event("sendMessage", Some(&alice), &id, Some(frame));
    send_message::handle(&stage.db, &push, &stage.web_push, event).await.unwrap();
    assert_eq!(stage.posts.to(&id)[0]["data"]["id"], 2);

    // A socket that could not be recorded must not open: it would receive nothing.
    let event = socket_event("$connect", Some(&alice), &id, None);
    assert_eq!(connect::handle(&stage.db, &push, event).await.unwrap().status_code, 503);
    let (status, answer) = read(health::handle(&stage.db, &connections, http("GET /health", None, None)).await);
    assert_eq!((status, &answer["database"], &answer["connections"]), (503, &json!("ok"), &json!("unavailable")));
}

#[tokio::test]
async fn without_postgresql_every_answer_says_try_again() {
    let stage = Stage::new().await;
    let url = "postgres://nobody@127.0.0.1:9/nothing".to_owned();
    let away = db::connect(&config::database_at(url).unwrap()).unwrap();
    let token = stage.tokens.issue(somebody().caller).unwrap();
    let request = http("GET /auth/me", Some(&token), None);
    let response = users::handle(&away, &stage.tokens, &stage.push, request).await;
    assert_eq!(response.headers()["retry-after"], "5");
    let (status, answer) = read(response);
    assert_eq!((status, &answer["code"]), (503, &json!("unavailable")));
    assert!(!answer.to_string().contains("127.0.0.1"), "{answer}");
    let (status, answer) = read(health::handle(&away, &stage.connections, http("GET /health", None, None)).await);
    assert_eq!((status, &answer["database"], &answer["connections"]), (503, &json!("unavailable"), &json!("ok")));
}

#[tokio::test]
async fn without_postgresql_a_socket_is_told_to_come_back() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let url = "postgres://nobody@127.0.0.1:9/nothing".to_owned();
    let away = db::connect(&config::database_at(url).unwrap()).unwrap();
    let event = socket_event("$connect", Some(&alice), &ConnectionId("a=".to_owned()), None);
    assert_eq!(connect::handle(&away, &stage.push, event).await.unwrap().status_code, 503);
    // And leaves nothing behind.
    assert!(stage.live(&alice).await.is_empty());
}

/// Each Lambda environment keeps one connection while it is frozen. The server ends those, so that others get in.
#[tokio::test]
async fn the_ninth_environment_gets_in_where_eight_connections_are_allowed() {
    let url = windi_backing::testing::database_of_limited_role(8, &MIGRATOR).await;
    db::migrate(&url).await.unwrap();
    let environment = || db::connect(&config::database_at(url.clone()).unwrap()).unwrap();
    let mut environments = Vec::new();
    for _ in 0..8 {
        let db = environment();
        db::ping(&db).await.unwrap();
        environments.push(db);
    }
    let held: i64 = sqlx::query_scalar("select count(*) from pg_stat_activity where datname = current_database()")
        .fetch_one(&environments[0])
        .await
        .unwrap();
    assert_eq!(held, 8);
    db::ping(&environment()).await.unwrap();
    // A thawed one finds its connection gone and opens another.
    db::ping(&environments[0]).await.unwrap();
}

/// A thawed environment may believe that it used its connection a moment ago.
#[tokio::test]
async fn an_environment_whose_connection_has_just_been_closed_opens_another() {
    let url = windi_backing::testing::database(&MIGRATOR).await;
    let connect = || db::connect(&config::database_at(url.clone()).unwrap()).unwrap();
    let (environment, other) = (connect(), connect());
    let used: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&environment).await.unwrap();
    let end = sqlx::query_scalar::<_, bool>("select pg_terminate_backend($1, 10000)").bind(used).fetch_one(&other);
    assert!(end.await.unwrap(), "the server has closed it");
    db::ping(&environment).await.unwrap();
}
