//! Pushes: what each answer from `@connections` leads to.

use serde_json::{Value, json};
use windi_shared::protocol::{Pong, ServerFrame};

use crate::harness::{Stage, somebody};

fn frame() -> ServerFrame {
    ServerFrame::Pong(Pong { stale: Default::default() })
}

#[tokio::test]
async fn a_busy_connection_is_tried_again_and_a_failing_one_stays_listed() {
    let stage = Stage::new().await;
    let bob = somebody();
    let (busy, failing) = (stage.connected(&bob, "busy=").await, stage.connected(&bob, "failing=").await);
    stage.posts.answer(&busy, &[429, 500]);
    stage.posts.answer(&failing, &[500; 9]);
    stage.push.to_users(&[bob.caller.user_id], &frame(), None).await;
    assert_eq!(stage.posts.to(&busy), [json!({"type": "pong", "data": {"stale": {}}})]);
    assert_eq!(stage.posts.to(&failing), Vec::<Value>::new());
    assert_eq!(stage.live(&bob).await.len(), 2);
}

#[tokio::test]
async fn a_gone_connection_is_forgotten_unless_it_is_young() {
    let stage = Stage::new().await;
    let bob = somebody();
    let user_id = bob.caller.user_id;
    let young = stage.connected(&bob, "young=").await;
    let eleven_seconds_ago = chrono::Utc::now() - chrono::TimeDelta::seconds(11);
    let old = stage.connected_at(&bob, "old=", eleven_seconds_ago).await;
    for id in [&young, &old] {
        stage.posts.answer(id, &[410]);
    }
    stage.push.to_users(&[user_id], &frame(), None).await;
    assert_eq!(stage.live(&bob).await, ["young="]);
}

#[tokio::test]
async fn more_people_than_one_batch_takes_are_all_reached() {
    let stage = Stage::new().await;
    let people: Vec<_> = (0..230).map(|_| somebody()).collect();
    let mut ids = Vec::new();
    for (number, person) in people.iter().enumerate() {
        ids.push(stage.connected(person, &format!("c{number}=")).await);
    }
    let users: Vec<_> = people.iter().map(|person| person.caller.user_id).collect();
    stage.push.to_users(&users, &frame(), Some(&ids[0])).await;
    assert_eq!(ids.iter().filter(|id| stage.posts.to(id).len() == 1).count(), 229);
    assert!(stage.posts.to(&ids[0]).is_empty());
}
