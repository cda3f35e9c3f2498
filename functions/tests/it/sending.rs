//! `messages`, `send_message`, `chats`: the database side of a send.

use serde_json::{Value, json};
use windi_functions::history;

use crate::harness::{Stage, http, read};

#[tokio::test]
async fn a_late_retry_is_recognised_after_an_edit_and_after_a_deletion() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let body = json!({"chat_id": chat_id, "text": "first", "client_message_id": "k"});
    assert_eq!(stage.send(&alice, body.clone()).await.0, 201);
    sqlx::query("update messages set text = 'edited'").execute(&stage.db).await.unwrap();
    let (status, message) = stage.send(&alice, body.clone()).await;
    assert_eq!((status, &message["text"]), (200, &json!("edited")));
    sqlx::query("update messages set text = null, deleted_at = now()").execute(&stage.db).await.unwrap();
    let (status, message) = stage.send(&alice, body).await;
    assert_eq!((status, &message["text"]), (200, &Value::Null));
    let other = json!({"chat_id": chat_id, "text": "edited", "client_message_id": "k"});
    assert_eq!(stage.send(&alice, other).await.0, 409);
}

#[tokio::test]
async fn a_repetition_goes_to_the_others_only_while_the_first_fan_out_may_be_missing() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let (alices, bobs) = (stage.connected(&alice, "a=").await, stage.connected(&bob, "b=").await);
    let body = json!({"chat_id": chat_id, "text": "once", "client_message_id": "k"});
    for _ in 0..2 {
        stage.send(&alice, body.clone()).await;
    }
    assert_eq!((stage.posts.to(&alices).len(), stage.posts.to(&bobs).len()), (2, 2));
    sqlx::query("update messages set created_at = created_at - interval '31 seconds'")
        .execute(&stage.db)
        .await
        .unwrap();
    assert_eq!(stage.send(&alice, body).await.0, 200);
    assert_eq!((stage.posts.to(&alices).len(), stage.posts.to(&bobs).len()), (3, 2));
}

#[tokio::test]
async fn a_send_that_cannot_get_the_chats_lock_is_unavailable_and_stores_nothing() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let mut hog = stage.db.begin().await.unwrap();
    sqlx::query("select 1 from chats for update").execute(&mut *hog).await.unwrap();
    let body = json!({"chat_id": chat_id, "text": "x", "client_message_id": "k"});
    let (status, answer) = stage.send(&alice, body.clone()).await;
    assert_eq!((status, &answer["code"], &answer["retry_after"]), (503, &json!("unavailable"), &json!(1)));
    drop(hog);
    let (status, message) = stage.send(&alice, body).await;
    assert_eq!((status, &message["id"]), (201, &json!(1)), "the refused send used up no number");
}

#[tokio::test]
async fn history_far_from_the_beginning_reads_only_its_page() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    sqlx::query(
        "insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
         select $1::uuid, n, $2::uuid, n::text, 'x', '', now(), n + 1 from generate_series(1, 20000) n",
    )
    .bind(chat_id.parse::<uuid::Uuid>().unwrap())
    .bind(alice.caller.user_id.0)
    .execute(&stage.db)
    .await
    .unwrap();
    sqlx::query("update chats set last_message_id = 20000, revision = 20001").execute(&stage.db).await.unwrap();
    let request =
        http(&format!("GET /messages/history/{{chat_id={chat_id}}}?limit=2&before=20001"), Some(&bob.token), None);
    let (status, page) = read(history::handle(&stage.db, &stage.tokens, request).await);
    assert_eq!(status, 200);
    let ids: Vec<_> =
        page["messages"].as_array().unwrap().iter().map(|message| message["id"].as_i64().unwrap()).collect();
    assert_eq!((ids, &page["has_more"]), (vec![19_999, 20_000], &json!(true)));
}
