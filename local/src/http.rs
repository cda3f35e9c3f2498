//! The HTTP face: a request in, the event of payload format 2.0 out to the function, its answer back as a response.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, SET_COOKIE};
use http::{Response, StatusCode, request};
use serde_json::Value;

use crate::events::{self, Peer};
use crate::gateway::Shared;
use crate::routes;

/// The largest request an HTTP API takes, in bytes (API Gateway quotas: 10 MB).
pub const MAX_REQUEST: usize = 10 * 1024 * 1024;

/// Answers one request.
pub async fn answer(shared: &Shared, request: request::Parts, body: Bytes, peer: Peer) -> Response<Body> {
    let Some(matched) = routes::choose(&shared.template.http, request.method.as_str(), request.uri.path()) else {
        return message(StatusCode::NOT_FOUND, "Not Found");
    };
    let event = events::http(&request, &body, &matched, peer);
    let request_id = event["requestContext"]["requestId"].as_str().and_then(|id| HeaderValue::from_str(id).ok());
    let invoked = shared.invoker.invoke(&matched.route.function, event);
    let mut response = match tokio::time::timeout(shared.limits.integration, invoked).await {
        Err(_) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Ok(Err(_)) => internal_server_error(),
        Ok(Ok(answer)) => translate(answer).unwrap_or_else(internal_server_error),
    };
    if let Some(request_id) = request_id {
        response.headers_mut().insert("apigw-requestid", request_id);
    }
    response
}

/// `{"message":"…"}`, as API Gateway itself answers.
pub fn message(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(format!(r#"{{"message":"{text}"}}"#)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn internal_server_error() -> Response<Body> {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// The function's answer as a response; `None` if it makes no sense. An answer without `statusCode` is itself the body.
fn translate(answer: Value) -> Option<Response<Body>> {
    let Some(status) = answer.get("statusCode") else {
        let mut response = Response::new(Body::from(answer.to_string()));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        return Some(response);
    };
    let status = status.as_u64().and_then(|status| u16::try_from(status).ok());
    let body = match answer.get("body").and_then(Value::as_str).unwrap_or_default() {
        body if answer["isBase64Encoded"] == Value::Bool(true) => STANDARD.decode(body).ok()?,
        body => body.as_bytes().to_vec(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status?).ok()?;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        headers.insert(name.parse::<HeaderName>().ok()?, value.parse().ok()?);
    }
    for cookie in answer["cookies"].as_array().into_iter().flatten() {
        headers.append(SET_COOKIE, cookie.as_str()?.parse().ok()?);
    }
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain;charset=UTF-8"));
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_without_a_status_is_itself_the_body() {
        let response = translate(json!({"hello": 1})).expect("an answer");
        assert_eq!(
            (response.status(), &response.headers()[CONTENT_TYPE]),
            (StatusCode::OK, &"application/json".parse::<HeaderValue>().expect("header"))
        );
    }

    #[test]
    fn a_structured_answer_is_taken_apart() {
        let response = translate(
            json!({"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["a=1", "b=2"], "body": "aGk=", "isBase64Encoded": true}),
        );
        let response = response.expect("an answer");
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(response.headers()["x-a"], "b");
        assert_eq!(response.headers().get_all(SET_COOKIE).iter().count(), 2);
    }

    #[test]
    fn nonsense_is_no_answer() {
        for answer in [
            json!({"statusCode": "ok"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 200, "headers": {"a b": "c"}}),
        ] {
            assert!(translate(answer.clone()).is_none(), "{answer}");
        }
    }
}
