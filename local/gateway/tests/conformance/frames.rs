//! Frames: which function they go to, and what comes back.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sam_gateway::state::Limits;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::harness::{Answer, Stage, TEMPLATE, text};

const RESPONSE: &str = "
  Answers:
    Type: AWS::ApiGatewayV2::RouteResponse
    Properties: { ApiId: !Ref Socket, RouteId: !Ref SocketSendmessageRoute, RouteResponseKey: $default }
";

#[tokio::test]
async fn the_selection_expression_chooses_and_all_else_goes_to_default() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    socket.send(r#"{"action": "sendmessage"}"#).await;
    assert_eq!(stage.functions.event("Send").await["requestContext"]["routeKey"], "sendmessage");
    for other in
        ["no JSON", "{}", "[]", r#"{"action": "sendMessage"}"#, r#"{"action": "$connect"}"#, r#"{"action": 7}"#]
    {
        socket.send(other).await;
        let event = stage.functions.event("Default").await;
        // The key of the route that was taken, not the one asked for.
        assert_eq!(
            (text(&event["requestContext"]["routeKey"]), text(&event["body"])),
            ("$default".to_owned(), other.to_owned())
        );
    }
    assert!(stage.functions.events_so_far("Disconnect").await.is_empty());
}

#[tokio::test]
async fn an_expression_may_be_composed() {
    let composed = TEMPLATE.replace("$request.body.action", "${request.body.service}${request.body.to.what}");
    let stage = Stage::with(&composed).await;
    let mut socket = stage.connect().await;
    socket.send(r#"{"service": "send", "to": {"what": "message"}}"#).await;
    stage.functions.event("Send").await;
}

#[tokio::test]
async fn without_a_default_route_the_client_is_told_forbidden_to_the_byte() {
    let template = TEMPLATE.replace("        $default: { FunctionArn: !GetAtt Default.Arn }\n", "");
    let stage = Stage::with(&template).await;
    let mut socket = stage.connect().await;
    socket.send("anything").await;
    let frame = socket.text().await;
    let request_id = text(&serde_json::from_str::<Value>(&frame).unwrap()["requestId"]);
    let id = &socket.id;
    assert_eq!(frame, format!(r#"{{"message": "Forbidden", "connectionId":"{id}", "requestId":"{request_id}"}}"#));
    assert_eq!(request_id.len(), 16);
    // The socket stays open.
    socket.send(r#"{"action": "sendmessage"}"#).await;
    stage.functions.event("Send").await;
}

#[tokio::test]
async fn a_function_that_fails_is_told_as_an_internal_server_error_to_the_byte() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    for answer in [
        Answer::Fails("boom"),
        Answer::FailsIn500("boom"),
        Answer::Garbage,
        Answer::Json(json!(null)),
        Answer::Json(json!({"statusCode": "many"})),
    ] {
        stage.functions.set("Send", answer);
        socket.send(r#"{"action": "sendmessage"}"#).await;
        let request_id = text(&stage.functions.event("Send").await["requestContext"]["requestId"]);
        let id = &socket.id;
        let expected =
            format!(r#"{{"message": "Internal server error", "connectionId":"{id}", "requestId":"{request_id}"}}"#);
        assert_eq!(socket.text().await, expected);
    }
}

#[tokio::test]
async fn a_function_that_does_not_answer_in_time_is_told_likewise() {
    let limits = Limits { integration: Duration::from_secs(1), ..Limits::default() };
    let stage = Stage::with_limits(TEMPLATE, limits).await;
    let mut socket = stage.connect().await;
    stage.functions.set("Send", Answer::Hangs);
    socket.send(r#"{"action": "sendmessage"}"#).await;
    assert!(socket.text().await.starts_with(r#"{"message": "Internal server error", "#));
}

#[tokio::test]
async fn the_body_of_an_answer_reaches_the_client_only_with_a_route_response() {
    let stage = Stage::with(&(TEMPLATE.to_owned() + RESPONSE)).await;
    let mut socket = stage.connect().await;
    stage.functions.set("Default", Answer::Json(json!({"statusCode": 200, "body": "from a one-way route"})));
    stage.functions.set("Send", Answer::Json(json!({"statusCode": 200, "body": "an answer"})));
    socket.send("to the default").await;
    stage.functions.event("Default").await;
    socket.send(r#"{"action": "sendmessage"}"#).await;
    assert_eq!(socket.text().await, "an answer");
    // The status never reaches the client, and without a body there is no frame.
    stage.functions.set("Send", Answer::Json(json!({"statusCode": 500})));
    socket.send(r#"{"action": "sendmessage"}"#).await;
    stage.functions.event("Send").await;
    stage.functions.event("Send").await;
    stage.functions.set("Send", Answer::Json(json!({"statusCode": 404, "body": "the next frame"})));
    socket.send(r#"{"action": "sendmessage"}"#).await;
    assert_eq!(socket.text().await, "the next frame");
}

#[tokio::test]
async fn frames_of_one_connection_run_in_parallel() {
    let stage = Stage::with(&(TEMPLATE.to_owned() + RESPONSE)).await;
    let mut socket = stage.connect().await;
    stage.functions.set("Default", Answer::Hangs);
    stage.functions.set("Send", Answer::Json(json!({"statusCode": 200, "body": "the second"})));
    socket.send("the first, never answered").await;
    stage.functions.event("Default").await;
    socket.send(r#"{"action": "sendmessage"}"#).await;
    assert_eq!(socket.text().await, "the second");
}

#[tokio::test]
async fn a_binary_frame_closes_with_1003() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    socket.stream.send(Message::binary(b"bytes".to_vec())).await.unwrap();
    assert_eq!(socket.closed().await.0, 1003);
    assert_eq!(stage.functions.event("Disconnect").await["requestContext"]["disconnectStatusCode"], 1003);
}

#[tokio::test]
async fn a_frame_of_32_kb_passes_and_one_more_byte_closes_with_1009() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    socket.send("x".repeat(32 * 1024)).await;
    assert_eq!(text(&stage.functions.event("Default").await["body"]).len(), 32 * 1024);
    socket.send("x".repeat(32 * 1024 + 1)).await;
    assert_eq!(socket.closed().await.0, 1009);
    // The same holds for a frame that is still being sent when it is refused.
    let (mut write, mut read) = stage.connect().await.stream.split();
    let sending = tokio::spawn(async move { write.send(Message::text("x".repeat(8 * 1024 * 1024))).await });
    let Message::Close(Some(frame)) = read.next().await.unwrap().unwrap() else { panic!("not a closing frame") };
    assert_eq!(u16::from(frame.code), 1009);
    sending.abort();
}

#[tokio::test]
async fn a_message_of_128_kb_in_frames_passes_and_one_more_byte_closes_with_1009() {
    let stage = Stage::new().await;
    for (frames, passes) in [(4, true), (5, false)] {
        let mut socket = stage.connect().await;
        for number in 1..=frames {
            let code = OpCode::Data(if number == 1 { Data::Text } else { Data::Continue });
            // The fifth frame is one byte.
            let size = if number == 5 { 1 } else { 32 * 1024 };
            let frame = Frame::message(vec![b'x'; size], code, number == frames);
            socket.stream.send(Message::Frame(frame)).await.unwrap();
        }
        if passes {
            assert_eq!(text(&stage.functions.event("Default").await["body"]).len(), 128 * 1024);
        } else {
            assert_eq!(socket.closed().await.0, 1009);
        }
    }
}

#[tokio::test]
async fn pings_are_answered_by_the_gateway_and_reach_no_function() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    socket.stream.send(Message::Ping(b"are you there"[..].into())).await.unwrap();
    assert_eq!(socket.next().await, Message::Pong(b"are you there"[..].into()));
    socket.stream.send(Message::Pong(Vec::new().into())).await.unwrap();
    socket.send("a message").await;
    assert_eq!(text(&stage.functions.event("Default").await["body"]), "a message");
}
