//! `authorize`, `connect`, `disconnect`, `default`.

use aws_lambda_events::apigw::ApiGatewayCustomAuthorizerRequestTypeRequest;
use serde_json::{Value, json};
use windi_functions::{authorize, connect, default, disconnect};
use windi_shared::db::sessions;
use windi_shared::ids::ConnectionId;

use crate::harness::{Stage, socket_event};

fn handshake(headers: Value) -> ApiGatewayCustomAuthorizerRequestTypeRequest {
    let context = socket_event("$connect", None, &ConnectionId("c=".to_owned()), None).request_context;
    let event = json!({"type": "REQUEST", "methodArn": "arn:aws:execute-api:r:a:api/ws/$connect", "headers": headers,
        "queryStringParameters": {}, "requestContext": context});
    serde_json::from_value(event).unwrap()
}

#[tokio::test]
async fn the_authorizer_allows_exactly_this_connection_and_names_its_owner() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let event = handshake(json!({"Authorization": format!("Bearer {}", alice.token)}));
    let answer = authorize::handle(&stage.tokens, event).await.unwrap();
    let answer = serde_json::to_value(answer).unwrap();
    assert_eq!(answer["context"]["user_id"], json!(alice.caller.user_id));
    assert_eq!(answer["context"]["session_id"], json!(alice.caller.session_id));
    let statement = &answer["policyDocument"]["Statement"][0];
    assert_eq!(
        (&statement["Effect"], &statement["Resource"]),
        (&json!("Allow"), &json!(["arn:aws:execute-api:r:a:api/ws/$connect"]))
    );
}

#[tokio::test]
async fn the_authorizer_says_unauthorized_to_the_letter() {
    let stage = Stage::new().await;
    for headers in [json!({}), json!({"Authorization": "Bearer x"}), json!({"Sec-WebSocket-Protocol": "windi"})] {
        let refusal = authorize::handle(&stage.tokens, handshake(headers)).await.unwrap_err();
        assert_eq!(refusal.error_message, "Unauthorized");
    }
}

#[tokio::test]
async fn connections_come_and_go() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let ids = ["a=", "b="].map(|id| ConnectionId(id.to_owned()));
    for id in &ids {
        let answer =
            connect::handle(&stage.db, &stage.push, socket_event("$connect", Some(&alice), id, None)).await.unwrap();
        assert_eq!(answer.status_code, 200);
    }
    assert_eq!(stage.live(&alice).await, ["a=", "b="]);
    // Twice: API Gateway promises at most one call, but a second one must do no harm.
    for _ in 0..2 {
        disconnect::handle(&stage.db, &stage.push, socket_event("$disconnect", Some(&alice), &ids[0], None))
            .await
            .unwrap();
        assert_eq!(stage.live(&alice).await, ["b="]);
    }
}

#[tokio::test]
async fn a_socket_does_not_open_if_its_session_ends_while_it_opens() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    // The authorizer has let it through, then the session ends, then `$connect` runs.
    sessions::end(&stage.db, alice.caller.user_id, alice.caller.session_id).await.unwrap();
    let event = socket_event("$connect", Some(&alice), &ConnectionId("a=".to_owned()), None);
    assert_eq!(connect::handle(&stage.db, &stage.push, event).await.unwrap().status_code, 401);
    assert!(stage.live(&alice).await.is_empty());
}

#[tokio::test]
async fn an_event_without_an_authorizers_context_is_our_failure() {
    let stage = Stage::new().await;
    let id = ConnectionId("a=".to_owned());
    assert!(connect::handle(&stage.db, &stage.push, socket_event("$connect", None, &id, None)).await.is_err());
}

#[tokio::test]
async fn what_is_no_action_is_answered_with_an_error_frame() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let id = stage.connected(&alice, "a=").await;
    let frame = json!({"action": "fly", "request_id": "r"});
    let answer =
        default::handle(&stage.db, stage.push.posts(), socket_event("$default", Some(&alice), &id, Some(frame))).await;
    assert_eq!(answer.unwrap().status_code, 200);
    let told = stage.posts.to(&id);
    assert_eq!(
        (&told[0]["type"], &told[0]["data"]["code"], &told[0]["request_id"]),
        (&json!("error"), &json!("unknown_action"), &json!("r"))
    );
}
