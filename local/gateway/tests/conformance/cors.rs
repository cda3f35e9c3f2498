//! Cross-origin requests, as the template allows them.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Answer, Stage};

const TEMPLATE: &str = "
Resources:
  Hello:
    Type: AWS::Serverless::Function
    Properties: { Events: { A: { Type: HttpApi, Properties: { Method: post, Path: /hello } } } }
  Api:
    Type: AWS::Serverless::HttpApi
    Properties:
      CorsConfiguration:
        AllowOrigins: [https://app.example.com]
        AllowMethods: [GET, POST]
        AllowHeaders: [authorization, content-type]
        ExposeHeaders: [x-one]
        AllowCredentials: true
        MaxAge: 600
";

#[tokio::test]
async fn the_gateway_answers_preflights_itself() {
    let stage = Stage::with(TEMPLATE).await;
    let preflight = async |origin: &str| {
        let request = stage.http.request(Method::OPTIONS, format!("{}/hello", stage.base)).header("origin", origin);
        request.header("access-control-request-method", "POST").send().await.unwrap()
    };
    let answer = preflight("https://app.example.com").await;
    assert_eq!(answer.status(), 204);
    for (name, value) in [
        ("access-control-allow-origin", "https://app.example.com"),
        ("access-control-allow-methods", "GET,POST"),
        ("access-control-allow-headers", "authorization,content-type"),
        ("access-control-allow-credentials", "true"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.headers()[name], value);
    }
    let other = preflight("https://evil.example.com").await;
    assert!(other.headers().get("access-control-allow-origin").is_none());
    assert!(stage.functions.events_so_far("Hello").await.is_empty());
}

#[tokio::test]
async fn its_headers_stand_in_the_place_of_the_functions_own() {
    let stage = Stage::with(TEMPLATE).await;
    let own = json!({"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "DELETE", "X-One": "1"});
    stage.functions.set("Hello", Answer::Json(json!({"statusCode": 200, "headers": own})));
    let post = async |origin: &str| {
        let request = stage.http.post(format!("{}/hello", stage.base)).header("origin", origin);
        request.send().await.unwrap().headers().clone()
    };
    let headers = post("https://app.example.com").await;
    assert_eq!(headers["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(headers["access-control-expose-headers"], "x-one");
    assert_eq!((headers.get("access-control-allow-methods"), &headers["x-one"]), (None, &"1".parse().unwrap()));
    assert!(post("https://evil.example.com").await.get("access-control-allow-origin").is_none());
}

#[tokio::test]
async fn without_a_configuration_the_function_sees_to_it() {
    let stage = Stage::with(&TEMPLATE.split("  Api:").next().unwrap().replace("post", "any")).await;
    let own = json!({"access-control-allow-origin": "*"});
    stage.functions.set("Hello", Answer::Json(json!({"statusCode": 200, "headers": own})));
    let request = stage.http.request(Method::OPTIONS, format!("{}/hello", stage.base));
    let answer =
        request.header("origin", "https://a.example").header("access-control-request-method", "POST").send().await;
    assert_eq!(answer.unwrap().headers()["access-control-allow-origin"], "*");
    stage.functions.event("Hello").await;
}
