//! The HTTP API, apart from its event.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use sam_gateway::state::Limits;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Answer, PATIENCE, Stage, text};

const TEMPLATE: &str = "
Resources:
  Literal:
    Type: AWS::Serverless::Function
    Properties: { Events: { A: { Type: HttpApi, Properties: { Method: get, Path: /pets/dog } } } }
  Variable:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        A: { Type: HttpApi, Properties: { Method: get, Path: '/pets/{id}' } }
        B: { Type: HttpApi, Properties: { Method: any, Path: '/pets/{id}' } }
  Greedy:
    Type: AWS::Serverless::Function
    Properties: { Events: { A: { Type: HttpApi, Properties: { Method: any, Path: '/{proxy+}' } } } }
";

async fn stage() -> Stage {
    Stage::with(TEMPLATE).await
}

impl Stage {
    async fn get(&self, path: &str) -> (u16, String, String) {
        let answer = self.http.get(format!("{}{path}", self.base)).send().await.unwrap();
        let kind = answer.headers().get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    }
}

#[tokio::test]
async fn the_most_specific_route_takes_the_request() {
    let stage = stage().await;
    for (method, path, function, key, parameters) in [
        (Method::GET, "/pets/dog", "Literal", "GET /pets/dog", json!(null)),
        (Method::GET, "/pets/cat%20x", "Variable", "GET /pets/{id}", json!({"id": "cat x"})),
        (Method::PUT, "/pets/dog", "Variable", "ANY /pets/{id}", json!({"id": "dog"})),
        (Method::GET, "/pets/dog/1", "Greedy", "ANY /{proxy+}", json!({"proxy": "pets/dog/1"})),
    ] {
        let url = format!("{}{path}", stage.base);
        stage.http.request(method, url).send().await.unwrap();
        let event = stage.functions.event(function).await;
        assert_eq!(event["routeKey"], key);
        assert_eq!(event.get("pathParameters").cloned().unwrap_or_default(), parameters, "{path}");
    }
}

#[tokio::test]
async fn no_route_is_a_404_with_awss_body() {
    let stage = stage().await;
    assert_eq!(stage.get("/").await, (404, "application/json".to_owned(), r#"{"message":"Not Found"}"#.to_owned()));
}

#[tokio::test]
async fn a_function_that_fails_or_makes_no_sense_is_a_500_with_awss_body() {
    let stage = stage().await;
    for answer in [
        Answer::Fails("boom"),
        Answer::FailsIn500("boom"),
        Answer::Garbage,
        Answer::Json(json!({"statusCode": "ok"})),
        Answer::Json(json!({"statusCode": 200, "body": "!", "isBase64Encoded": true})),
    ] {
        stage.functions.set("Literal", answer);
        let (status, _, body) = stage.get("/pets/dog").await;
        assert_eq!((status, body.as_str()), (500, r#"{"message":"Internal Server Error"}"#));
    }
}

#[tokio::test]
async fn a_function_that_does_not_answer_in_time_is_a_503_with_awss_body() {
    let limits = Limits { integration: Duration::from_millis(100), ..Limits::default() };
    let stage = Stage::with_limits(TEMPLATE, limits).await;
    stage.functions.set("Literal", Answer::Hangs);
    let (status, _, body) = stage.get("/pets/dog").await;
    assert_eq!((status, body.as_str()), (503, r#"{"message":"Service Unavailable"}"#));
}

#[tokio::test]
async fn an_answer_without_a_status_is_itself_the_body() {
    let stage = stage().await;
    for (answer, body) in [(json!({"hello": 1}), r#"{"hello":1}"#), (json!("text"), r#""text""#), (json!([1]), "[1]")] {
        stage.functions.set("Literal", Answer::Json(answer));
        let expected = (200, "application/json".to_owned(), body.to_owned());
        assert_eq!(stage.get("/pets/dog").await, expected);
    }
}

#[tokio::test]
async fn a_structured_answer_has_its_status_headers_cookies_and_decoded_body() {
    let stage = stage().await;
    stage.functions.set(
        "Literal",
        Answer::Json(json!({"statusCode": 201, "headers": {"X-One": "1", "X-Number": 7, "Content-Length": "99"}, "cookies": ["a=1", "b=2"],
            "body": STANDARD.encode([0, 1, 255]), "isBase64Encoded": true})),
    );
    let answer = stage.http.get(format!("{}/pets/dog", stage.base)).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(
        (&answer.headers()["x-one"], &answer.headers()["x-number"]),
        (&"1".parse().unwrap(), &"7".parse().unwrap())
    );
    let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    assert_eq!(answer.bytes().await.unwrap()[..], [0, 1, 255]);
}

#[tokio::test]
async fn bodies_that_are_no_text_come_in_base64() {
    let stage = stage().await;
    let url = format!("{}/bodies", stage.base);
    for (kind, body, encoded) in [
        ("application/json", &b"{}"[..], false),
        ("text/html; charset=utf-8", "ä".as_bytes(), false),
        ("application/octet-stream", &[0, 255], true),
        ("application/x-www-form-urlencoded", b"a=b", true),
        ("text/plain", &[0xFF], true),
    ] {
        stage.http.post(&url).header("content-type", kind).body(body.to_vec()).send().await.unwrap();
        let event = stage.functions.event("Greedy").await;
        assert_eq!(event["isBase64Encoded"], encoded, "{kind}");
        let given = text(&event["body"]);
        let given = if encoded { STANDARD.decode(given).unwrap() } else { given.into_bytes() };
        assert_eq!(given, body);
    }
    stage.http.get(&url).send().await.unwrap();
    let event = stage.functions.event("Greedy").await;
    for absent in ["body", "cookies", "queryStringParameters", "stageVariables"] {
        assert_eq!(event.get(absent), None, "{absent}");
    }
    assert_eq!(event["isBase64Encoded"], false);
    assert_eq!(event["rawQueryString"], "");
}

#[tokio::test]
async fn what_is_too_large_is_refused_in_both_directions() {
    let stage = stage().await;
    let send = async |size: usize| {
        let request = stage.http.post(format!("{}/large", stage.base)).header("content-type", "text/plain");
        let answer = request.body("x".repeat(size)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(send(5 * 1024 * 1024).await.0, 200);
    let too_large = (413, r#"{"message":"Request Entity Too Large"}"#.to_owned());
    assert_eq!(send(6 * 1024 * 1024).await, too_large, "Lambda accepts 6 MB");
    assert_eq!(send(10 * 1024 * 1024 + 1).await, too_large);
    let respond = async |size: usize| {
        stage.functions.set("Literal", Answer::Json(json!({"statusCode": 200, "body": "x".repeat(size)})));
        stage.get("/pets/dog").await.0
    };
    assert_eq!((respond(5 * 1024 * 1024).await, respond(6 * 1024 * 1024).await), (200, 500));
    let long = "x".repeat(10_240);
    let answer = stage.http.get(format!("{}/pets/dog", stage.base)).header("x-long", long).send().await.unwrap();
    assert_eq!(answer.status(), 431);
}

#[tokio::test]
async fn a_named_stage_is_the_first_segment_of_the_path() {
    let api = "  Api: { Type: AWS::Serverless::HttpApi, Properties: { StageName: v1 } }\n";
    let stage = Stage::with(&(TEMPLATE.to_owned() + api)).await;
    assert_eq!(stage.get("/pets/dog").await.0, 404);
    assert_eq!(stage.get("/v1/pets/dog").await.0, 200);
    let event: Value = stage.functions.event("Literal").await;
    let context = &event["requestContext"];
    assert_eq!((text(&event["rawPath"]), text(&context["stage"])), ("/v1/pets/dog".to_owned(), "v1".to_owned()));
}

#[tokio::test]
async fn a_request_that_stops_in_the_middle_is_cut_off() {
    let limits = Limits { request: Duration::from_millis(300), ..Limits::default() };
    let stage = Stage::with_limits(TEMPLATE, limits).await;
    let address = stage.base.trim_start_matches("http://");
    for sent in [
        "GET /pets/d",
        "GET /pets/dog HTTP/1.1\r\nHost: x\r\n",
        "GET /prod HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: up",
        "POST /pets/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
        "POST /pets/1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut received = String::new();
        let read = stream.read_to_string(&mut received);
        tokio::time::timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("still open: {sent}")).unwrap();
        let is_body = sent.contains("\r\n\r\n");
        assert!(received.starts_with("HTTP/1.1 408") || (received.is_empty() && !is_body), "{sent}: {received}");
    }
    assert_eq!(stage.get("/pets/dog").await.0, 200);
    assert!(stage.functions.events_so_far("Variable").await.is_empty(), "half a request reaches no function");
}
