//! `$connect`, and the handshake that it decides.

use std::time::Duration;

use sam_gateway::state::Limits;
use serde_json::json;

use crate::harness::{Answer, Stage, TEMPLATE};

#[tokio::test]
async fn any_status_but_2xx_becomes_that_of_the_handshake() {
    let stage = Stage::new().await;
    for status in [301, 401, 403, 404, 429, 500, 501] {
        stage.functions.set("Connect", Answer::Json(json!({"statusCode": status})));
        assert_eq!(stage.refused(&stage.url(), &[]).await.0, status);
    }
    for status in [200, 201, 204] {
        stage.functions.set("Connect", Answer::Json(json!({"statusCode": status})));
        stage.connect().await;
    }
}

#[tokio::test]
async fn a_connect_function_that_fails_or_answers_nonsense_is_a_502() {
    let stage = Stage::new().await;
    for answer in [
        Answer::Fails("boom"),
        Answer::FailsIn500("boom"),
        Answer::Garbage,
        Answer::Json(json!(null)),
        Answer::Json(json!({"ok": true})),
    ] {
        stage.functions.set("Connect", answer);
        assert_eq!(stage.refused(&stage.url(), &[]).await.0, 502);
    }
}

#[tokio::test]
async fn a_connect_function_that_does_not_answer_in_time_is_a_504() {
    let limits = Limits { integration: Duration::from_millis(100), ..Limits::default() };
    let stage = Stage::with_limits(TEMPLATE, limits).await;
    stage.functions.set("Connect", Answer::Hangs);
    assert_eq!(stage.refused(&stage.url(), &[]).await.0, 504);
}

#[tokio::test]
async fn without_a_connect_route_everybody_is_let_in() {
    let template = TEMPLATE.replace("        $connect: { FunctionArn: !GetAtt Connect.Arn }\n", "");
    let stage = Stage::with(&template).await;
    let mut socket = stage.connect().await;
    socket.send("hello").await;
    stage.functions.event("Default").await;
    assert!(stage.functions.events_so_far("Connect").await.is_empty());
}

#[tokio::test]
async fn a_socket_does_not_exist_before_connect_has_answered() {
    let stage = Stage::new().await;
    stage.functions.set("Connect", Answer::PostsToItself);
    let mut socket = stage.try_connect(&stage.url(), &[("sec-websocket-protocol", "got-410")]).await.unwrap();
    assert_eq!(socket.headers["sec-websocket-protocol"], "got-410");
    // What was posted too early is not kept for later.
    stage.management(reqwest::Method::POST, &socket.id, "late").await;
    assert_eq!(socket.text().await, "late");
}

#[tokio::test]
async fn a_subprotocol_is_accepted_by_the_functions_header_alone() {
    let stage = Stage::new().await;
    let offer = [("sec-websocket-protocol", "chat, other")];
    stage
        .functions
        .set("Connect", Answer::Json(json!({"statusCode": 200, "headers": {"Sec-WebSocket-Protocol": "chat"}})));
    let socket = stage.try_connect(&stage.url(), &offer).await.unwrap();
    assert_eq!(socket.headers["sec-websocket-protocol"], "chat");
    // Without that header no sub-protocol is accepted, and the client gives up as a browser would.
    stage.functions.set("Connect", Answer::Json(json!({"statusCode": 200})));
    let refused = stage.try_connect(&stage.url(), &offer).await.err().unwrap().to_string();
    assert!(refused.contains("SubProtocol"), "{refused}");
}

#[tokio::test]
async fn what_is_no_handshake_of_version_13_or_not_the_stage_is_refused() {
    let stage = Stage::new().await;
    for path in ["/", "/other", "/prod/more"] {
        let url = format!("{}{path}", stage.base.replace("http:", "ws:"));
        assert_eq!(stage.refused(&url, &[]).await.0, 403, "{path}");
    }
    assert_eq!(stage.refused(&stage.url(), &[("sec-websocket-version", "8")]).await.0, 400);
    assert!(stage.functions.events_so_far("Connect").await.is_empty());
}
