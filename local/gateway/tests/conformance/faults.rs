//! The faults that happen on purpose.

use std::time::Duration;

use reqwest::Method;
use sam_gateway::faults::Faults;
use sam_gateway::state::Limits;
use serde_json::{Value, json};

use crate::harness::{Stage, TEMPLATE, text};

async fn stage(faults: Faults) -> Stage {
    Stage::with_all(TEMPLATE, Limits::default(), Some(faults)).await
}

#[tokio::test]
async fn the_test_api_is_there_only_for_those_who_asked() {
    let stage = Stage::new().await;
    assert_eq!(stage.http.get(format!("{}/@faults", stage.base)).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn faults_can_be_read_and_changed_while_it_runs() {
    let stage = stage(Faults::default()).await;
    let url = format!("{}/@faults", stage.base);
    let put = async |body: &str| stage.http.put(&url).body(body.to_owned()).send().await.unwrap();
    assert_eq!(put(r#"{"seed": 3, "lose_pushes": 0.5}"#).await.status(), 200);
    let now: Faults = stage.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(now, Faults { seed: 3, lose_pushes: 0.5, ..Faults::default() });
    for wrong in [r#"{"lose_pushes": 2}"#, r#"{"unknown": 1}"#, "no JSON"] {
        let answer = put(wrong).await;
        assert_eq!(answer.status(), 400);
        assert!(answer.json::<Value>().await.unwrap()["message"].is_string());
    }
    assert_eq!(stage.http.delete(&url).send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_disconnect_can_be_lost_or_late() {
    let stage = stage(Faults { lose_disconnects: 1.0, ..Faults::default() }).await;
    let mut lost = stage.connect().await;
    lost.stream.close(None).await.unwrap();
    lost.closed().await;
    stage.http.put(format!("{}/@faults", stage.base)).body(r#"{"delay_disconnects_ms": 50}"#).send().await.unwrap();
    let mut late = stage.connect().await;
    late.stream.close(None).await.unwrap();
    let event = stage.functions.event("Disconnect").await;
    assert_eq!(text(&event["requestContext"]["connectionId"]), late.id);
}

#[tokio::test]
async fn frames_and_pushes_overtake_each_other_with_a_seed() {
    let faults = Faults { seed: 1, delay_frames_ms: 1000, delay_pushes_ms: 1000, ..Faults::default() };
    let stage = stage(faults).await;
    let mut socket = stage.connect().await;
    let (mut frames, mut pushes) = (Vec::new(), Vec::new());
    for number in 0..20 {
        socket.send(number.to_string()).await;
        assert_eq!(stage.management(Method::POST, &socket.id, number.to_string()).await.status(), 200);
    }
    for _ in 0..20 {
        frames.push(text(&stage.functions.event("Default").await["body"]).parse::<u32>().unwrap());
        pushes.push(socket.text().await.parse::<u32>().unwrap());
    }
    for mut order in [frames, pushes] {
        assert!(!order.is_sorted(), "{order:?}");
        order.sort_unstable();
        assert_eq!(order, (0..20).collect::<Vec<_>>(), "none is lost");
    }
}

#[tokio::test]
async fn pushes_can_be_lost_after_they_were_answered() {
    let stage = stage(Faults { seed: 1, lose_pushes: 0.5, ..Faults::default() }).await;
    let mut socket = stage.connect().await;
    for number in 0..40 {
        assert_eq!(stage.management(Method::POST, &socket.id, number.to_string()).await.status(), 200);
    }
    stage.http.put(format!("{}/@faults", stage.base)).body("{}").send().await.unwrap();
    stage.management(Method::POST, &socket.id, "end").await;
    let mut arrived = 0;
    while socket.text().await != "end" {
        arrived += 1;
    }
    assert!((5..35).contains(&arrived), "{arrived}");
}

#[tokio::test]
async fn a_share_of_calls_hangs_and_the_caller_gives_up() {
    let stage = stage(Faults { hang: 1.0, ..Faults::default() }).await;
    let socket = stage.connect().await;
    let call = stage.management(Method::POST, &socket.id, "x");
    assert!(tokio::time::timeout(Duration::from_millis(200), call).await.is_err());
    stage.http.put(format!("{}/@faults", stage.base)).json(&json!({})).send().await.unwrap();
    assert_eq!(stage.management(Method::POST, &socket.id, "x").await.status(), 200);
}
