//! How fast people may do things.

use std::time::Duration;

use serde_json::{Value, json};
use windi_functions::search;
use windi_shared::Error;
use windi_shared::db::rates::{self, Deed};

use crate::harness::{Person, Stage, http, read};

async fn send(stage: &Stage, who: &Person, chat_id: &str, key: usize) -> (u16, Value) {
    let body = json!({"chat_id": chat_id, "text": "hello", "client_message_id": key.to_string()});
    stage.send(who, body).await
}

#[tokio::test]
async fn whoever_sends_too_fast_has_to_wait_and_nothing_of_it_is_stored() {
    let stage = Stage::with_limits(true).await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let mut stored = 0;
    let refused = loop {
        match send(&stage, &alice, &chat_id, stored + 1).await {
            (201, message) => {
                stored += 1;
                assert_eq!(message["id"], stored);
                assert!(stored < 60, "sixty at once are too many");
            }
            (status, error) => break (status, error),
        }
    };
    assert!(stored >= 30);
    assert_eq!((refused.0, &refused.1["code"], &refused.1["retry_after"]), (429, &json!("rate_limited"), &json!(1)));
    // A repetition of what was stored is found, the other one is not kept from writing, and no number was burned.
    assert_eq!(send(&stage, &alice, &chat_id, stored).await.0, 200);
    let (status, message) = send(&stage, &bob, &chat_id, 1).await;
    assert_eq!((status, &message["id"]), (201, &json!(stored + 1)));
    sqlx::query("update chat_members set send_tokens_at = send_tokens_at - interval '2 seconds'")
        .execute(&stage.db)
        .await
        .unwrap();
    assert_eq!(send(&stage, &alice, &chat_id, stored + 1).await.0, 201, "after the wait it is stored");
}

#[tokio::test]
async fn what_asks_the_database_most_is_limited_and_the_bucket_fills_again() {
    let stage = Stage::with_limits(true).await;
    let alice = stage.person("alice").await;
    let ask = || async {
        let request = http("GET /messages/search?q=x", Some(&alice.token), None);
        read(search::handle(&stage.db, &stage.tokens, request).await)
    };
    let mut asked = 0;
    let refused = loop {
        match ask().await {
            (200, _) => asked += 1,
            refused => break refused,
        }
        assert!(asked < 300, "a search is never refused");
    };
    assert!(asked >= 30);
    assert_eq!((refused.0, &refused.1["code"]), (429, &json!("rate_limited")));
    sqlx::query("update buckets set filled_at = filled_at - interval '1 second'").execute(&stage.db).await.unwrap();
    assert_eq!(ask().await.0, 200);
}

#[tokio::test]
async fn a_bucket_that_cannot_be_asked_lets_everybody_through() {
    let stage = Stage::with_limits(true).await;
    let alice = stage.person("alice").await.caller.user_id;
    let take = || rates::take(&stage.db, alice, Deed::Account);
    for _ in 0..20 {
        take().await.unwrap();
    }
    let refused = take().await.unwrap_err();
    assert!(
        matches!(refused, Error::RateLimited { retry_after } if retry_after == Duration::from_secs(60)),
        "{refused}"
    );
    sqlx::query("alter table buckets rename to lost").execute(&stage.db).await.unwrap();
    take().await.unwrap();
}
