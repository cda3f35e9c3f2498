//! The events, compared field by field with the samples in `golden/`. They are from AWS's documentation, except that
//! the message is from a log of the real service.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Stage, TEMPLATE, text};

const HOST: &str = "abcd1234.execute-api.us-east-1.amazonaws.com";

/// Whether a value has the right form.
type Shape = fn(&Value) -> bool;

/// Fields with values that only the gateway can know, and the form these must have. Everything else must be equal.
const GENERATED: &[(&str, Shape)] = &[
    ("X-Amzn-Trace-Id", is_trace),
    ("x-amzn-trace-id", is_trace),
    ("X-Forwarded-For", |value| value == "127.0.0.1" || value == ""),
    ("x-forwarded-for", |value| value == "127.0.0.1"),
    ("X-Forwarded-Port", |value| value.as_str().is_some_and(|port| port.parse::<u16>().is_ok())),
    ("x-forwarded-port", |value| value.as_str().is_some_and(|port| port.parse::<u16>().is_ok())),
    ("X-Forwarded-Proto", |value| value == "http"),
    ("x-forwarded-proto", |value| value == "http"),
    ("sourceIp", |value| value == "127.0.0.1"),
    ("accountId", |value| value.as_str().is_some_and(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()))),
    ("apiId", |value| value.as_str().is_some_and(|id| id.len() == 10)),
    ("connectionId", is_id),
    ("requestId", is_id),
    ("extendedRequestId", is_id),
    ("messageId", is_id),
    ("requestTime", is_time),
    ("time", is_time),
    ("timeEpoch", is_now),
    ("requestTimeEpoch", is_now),
    ("connectedAt", is_now),
    ("methodArn", |value| {
        let parts: Vec<_> = value.as_str().unwrap_or_default().split([':', '/']).collect();
        parts.len() == 8 && parts[..3] == ["arn", "aws", "execute-api"] && parts[6..] == ["prod", "$connect"]
    }),
];

fn is_trace(value: &Value) -> bool {
    value.as_str().is_some_and(|trace| trace.len() == 40 && trace.starts_with("Root=1-"))
}

/// 16 characters of URL-safe base64 with one `=` for padding: 11 bytes.
fn is_id(value: &Value) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    value.as_str().is_some_and(|id| id.len() == 16 && id.ends_with('=') && id.bytes().take(15).all(allowed))
}

/// A time such as `09/Feb/2024:18:11:43 +0000`.
fn is_time(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|time| chrono::DateTime::parse_from_str(time, "%d/%b/%Y:%H:%M:%S %z").is_ok() && time.len() == 26)
}

/// Milliseconds since 1970, within a minute of now.
fn is_now(value: &Value) -> bool {
    value.as_i64().is_some_and(|time| chrono::Utc::now().timestamp_millis().abs_diff(time) < 60_000)
}

/// Checks that the fields are exactly those of the sample, and that each value is equal or has the right form.
fn compare(golden: &Value, actual: &Value, path: &str, name: &str) {
    match (golden, actual) {
        (Value::Object(golden), Value::Object(actual)) => {
            let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
            assert_eq!(names(actual), names(golden), "the fields of {path}");
            for (name, value) in golden {
                compare(value, &actual[name], &format!("{path}.{name}"), name);
            }
        }
        (Value::Array(golden), Value::Array(actual)) => {
            assert_eq!(golden.len(), actual.len(), "{path}");
            golden.iter().zip(actual).for_each(|(golden, actual)| compare(golden, actual, path, name));
        }
        _ => match GENERATED.iter().find(|(generated, _)| *generated == name) {
            Some((_, has_shape)) => assert!(has_shape(actual), "{path}: {actual}, in AWS's sample {golden}"),
            None => assert_eq!(actual, golden, "{path}"),
        },
    }
}

/// Sends a handshake written out byte by byte, and returns the open connection.
async fn handshake(stage: &Stage, target: &str, more: &str) -> TcpStream {
    let mut stream = TcpStream::connect(stage.gateway.address()).await.unwrap();
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    let answer = String::from_utf8(answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    // The key and its accept value are the example of RFC 6455.
    assert!(answer.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="), "{answer}");
    stream
}

/// A short masked frame.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
    bytes.extend(payload);
    bytes
}

#[tokio::test]
async fn the_events_of_a_socket_are_those_of_awss_samples() {
    let stage = Stage::new().await;
    let extensions = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";
    let mut socket = handshake(&stage, "/prod", extensions).await;
    let connect = stage.functions.event("Connect").await;
    let body = br#"{"action":"sendmessage","data":"hello"}"#;
    socket.write_all(&frame(0x81, body)).await.unwrap();
    let message = stage.functions.event("Send").await;
    // A closing frame without a code.
    socket.write_all(&frame(0x88, b"")).await.unwrap();
    let disconnect = stage.functions.event("Disconnect").await;
    for (golden, actual) in [
        (include_str!("golden/connect.json"), &connect),
        (include_str!("golden/message.json"), &message),
        (include_str!("golden/disconnect.json"), &disconnect),
    ] {
        compare(&serde_json::from_str(golden).unwrap(), actual, "event", "");
    }
    // All three are about one connection. The two request ids of an event are equal; the message's id is separate.
    let context = |event: &Value, name: &str| event["requestContext"][name].clone();
    for name in ["connectionId", "connectedAt", "apiId"] {
        assert_eq!(context(&connect, name), context(&message, name));
        assert_eq!(context(&connect, name), context(&disconnect, name));
    }
    assert_eq!(context(&message, "requestId"), context(&message, "extendedRequestId"));
    assert_ne!(context(&message, "requestId"), context(&message, "messageId"));
    assert_ne!(context(&message, "requestId"), context(&connect, "requestId"));
}

#[tokio::test]
async fn the_authorizers_event_is_that_of_awss_sample() {
    let auth = "Auth: { AuthType: CUSTOM, AuthArn: !GetAtt Authorize.Arn }";
    let stage = Stage::with(&TEMPLATE.replace("#more", auth)).await;
    let statement = json!({"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    stage
        .functions
        .set("Authorize", crate::harness::Answer::Json(json!({"principalId": "p", "policyDocument": policy})));
    let _socket = handshake(&stage, "/prod?QueryString1=queryValue1", "HeaderAuth1: headerValue1\r\n").await;
    let mut event = stage.functions.event("Authorize").await;
    // The one thing that is lost is the case of letters within a word of a header's name.
    for headers in ["headers", "multiValueHeaders"] {
        let value = event[headers].as_object_mut().unwrap().remove("Headerauth1").unwrap();
        event[headers]["HeaderAuth1"] = value;
    }
    compare(&serde_json::from_str(include_str!("golden/authorizer.json")).unwrap(), &event, "event", "");
}

#[tokio::test]
async fn the_event_of_an_http_route_is_that_of_awss_sample() {
    let stage = Stage::with(
        "
Resources:
  Hello: { Type: AWS::Serverless::Function, Properties: { Events: { All: { Type: HttpApi } } } }
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: { StageVariables: { stageVariable1: value1, stageVariable2: value2 } }
",
    )
    .await;
    let mut stream = TcpStream::connect(stage.gateway.address()).await.unwrap();
    let body = "Hello from Lambda";
    let request = format!(
        "POST /my/path?parameter1=value1&parameter1=value2&parameter2=value HTTP/1.1\r\n\
        Host: id.execute-api.us-east-1.amazonaws.com\r\nUser-Agent: agent\r\nHeader1: value1\r\nHeader2: value1\r\n\
        Header2: value2\r\nCookie: cookie1; cookie2\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let event = stage.functions.event("Hello").await;
    let mut golden: Value = serde_json::from_str(include_str!("golden/http.json")).unwrap();
    // The sample leaves out headers that every real request has.
    for (name, value) in [
        ("host", "id.execute-api.us-east-1.amazonaws.com"),
        ("user-agent", "agent"),
        ("content-type", "text/plain"),
        ("content-length", "17"),
        ("x-amzn-trace-id", ""),
        ("x-forwarded-for", ""),
        ("x-forwarded-port", ""),
        ("x-forwarded-proto", ""),
    ] {
        golden["headers"][name] = value.into();
    }
    compare(&golden, &event, "event", "");
}

#[tokio::test]
async fn absent_things_have_no_keys() {
    let stage = Stage::new().await;
    let socket =
        stage.try_connect(&format!("{}?a=1&b=2&a=3&empty", stage.url()), &[("user-agent", "test")]).await.unwrap();
    assert_eq!(socket.id.len(), 16);
    let _ = handshake(&stage, "/prod", "").await;
    let bare = stage.functions.event("Connect").await;
    for absent in ["queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "body"] {
        assert_eq!(bare.get(absent), None, "{absent}");
    }
    assert_eq!(bare["requestContext"]["identity"].get("userAgent"), None);
    assert_eq!(bare["requestContext"].get("authorizer"), None);
}

#[tokio::test]
async fn a_handshakes_query_comes_singly_and_in_full() {
    let stage = Stage::new().await;
    let _first = handshake(&stage, "/prod?a=1&b=%20x&a=3", "User-Agent: test\r\n").await;
    let event = stage.functions.event("Connect").await;
    assert_eq!(event["queryStringParameters"], json!({"a": "3", "b": " x"}));
    assert_eq!(event["multiValueQueryStringParameters"], json!({"a": ["1", "3"], "b": [" x"]}));
    assert_eq!(text(&event["requestContext"]["identity"]["userAgent"]), "test");
    for name in ["Connection", "Upgrade"] {
        assert_eq!(event["headers"].get(name), None, "{name}");
    }
}

#[tokio::test]
async fn stage_variables_are_on_the_events_that_have_headers() {
    let stage = Stage::with(&TEMPLATE.replace("#more", "StageVariables: { colour: blue }")).await;
    let _socket = handshake(&stage, "/prod", "").await;
    assert_eq!(stage.functions.event("Connect").await["stageVariables"], json!({"colour": "blue"}));
}
