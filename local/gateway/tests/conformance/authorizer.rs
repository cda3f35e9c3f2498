//! The Lambda REQUEST authorizer of `$connect`.

use serde_json::{Value, json};

use crate::harness::{Answer, Stage, TEMPLATE, text};

const AUTH: &str = "Auth: { AuthType: CUSTOM, AuthArn: !GetAtt Authorize.Arn }";

fn policy(effect: &str, resource: &str) -> Value {
    let statement = json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource});
    json!({"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}})
}

#[tokio::test]
async fn a_missing_identity_source_is_a_401_without_asking() {
    let sources =
        "IdentitySource: [route.request.header.Auth, route.request.querystring.key, stageVariables.v, context.stage]";
    let more = format!("StageVariables: {{ v: x }}\n      {}", AUTH.replace(" }", &format!(", {sources} }}")));
    let stage = Stage::with(&TEMPLATE.replace("#more", &more)).await;
    stage.functions.set("Authorize", Answer::Json(policy("Allow", "*")));
    let with_key = format!("{}?key=1", stage.url());
    for (url, headers) in [
        (&stage.url(), &[][..]),
        (&with_key, &[]),
        (&stage.url(), &[("auth", "x")]),
        (&with_key, &[("auth", "")]),
        (&format!("{}?key=", stage.url()), &[("auth", "x")]),
    ] {
        let (status, body) = stage.refused(url, headers).await;
        assert_eq!((status, body.as_str()), (401, r#"{"message":"Unauthorized"}"#), "{url} {headers:?}");
    }
    assert!(stage.functions.events_so_far("Authorize").await.is_empty());
    stage.try_connect(&with_key, &[("auth", "x")]).await.unwrap();
}

#[tokio::test]
async fn each_answer_of_the_authorizer_has_its_status() {
    let stage = Stage::with(&TEMPLATE.replace("#more", AUTH)).await;
    let nested =
        json!({"principalId": "me", "policyDocument": policy("Allow", "*")["policyDocument"], "context": {"a": [1]}});
    let mut large = policy("Allow", "*");
    large["context"] = json!({"a": "x".repeat(9000)});
    for (answer, status) in [
        (Answer::Fails("Unauthorized"), 401),
        (Answer::FailsIn500("Unauthorized"), 401),
        (Answer::Json(policy("Deny", "*")), 403),
        (Answer::Json(policy("Allow", "arn:aws:execute-api:*:*:another/*")), 403),
        (Answer::Fails("unauthorized"), 500),
        (Answer::Fails("boom"), 500),
        (Answer::Garbage, 500),
        (Answer::Json(json!(null)), 500),
        // Simple responses are for HTTP APIs only.
        (Answer::Json(json!({"isAuthorized": true})), 500),
        (Answer::Json(nested), 500),
        (Answer::Json(large), 500),
    ] {
        stage.functions.set("Authorize", answer);
        assert_eq!(stage.refused(&stage.url(), &[]).await.0, status);
    }
    assert!(stage.functions.events_so_far("Connect").await.is_empty());
}

#[tokio::test]
async fn its_context_is_on_every_later_event_as_text_beside_the_latency_as_a_number() {
    let stage = Stage::with(&TEMPLATE.replace("#more", AUTH)).await;
    let mut answer = policy("Allow", "*");
    answer["context"] = json!({"name": "Ann", "number": 7, "truth": true});
    stage.functions.set("Authorize", Answer::Json(answer));
    let mut socket = stage.try_connect(&stage.url(), &[]).await.unwrap();
    socket.send("hello").await;
    let message = stage.functions.event("Default").await;
    socket.stream.close(None).await.unwrap();
    let disconnect = stage.functions.event("Disconnect").await;
    for event in [&message, &disconnect] {
        let context = &event["requestContext"]["authorizer"];
        for (name, value) in [("principalId", "me"), ("name", "Ann"), ("number", "7"), ("truth", "true")] {
            assert_eq!(text(&context[name]), value);
        }
        assert!(context["integrationLatency"].is_u64());
    }
}

#[tokio::test]
async fn its_context_is_on_connect_too_and_its_answers_are_not_cached() {
    let stage = Stage::with(&TEMPLATE.replace("#more", AUTH)).await;
    stage.functions.set("Authorize", Answer::Json(policy("Allow", "*")));
    stage.functions.set("Connect", Answer::Json(json!({"statusCode": 403})));
    for _ in 0..3 {
        stage.refused(&stage.url(), &[("auth", "the same")]).await;
        let connect = stage.functions.event("Connect").await;
        assert_eq!(connect["requestContext"]["authorizer"]["principalId"], "me");
    }
    assert_eq!(stage.functions.events_so_far("Authorize").await.len(), 3);
}
