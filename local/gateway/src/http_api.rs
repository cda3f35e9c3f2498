//! The HTTP API: turns a request into an event of payload format 2.0, and the function's answer into a response.

use std::time::Instant;

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, ORIGIN, SET_COOKIE, TRANSFER_ENCODING,
};
use http::{Response, StatusCode, request};
use serde_json::Value;

use crate::answers::{json, message, status_of};
use crate::state::{Peer, RunError, Shared};
use crate::{events, headers, metrics, routes};

/// The largest request an HTTP API accepts, in bytes (API Gateway quotas: 10 MB).
pub const MAX_REQUEST: usize = 10 * 1024 * 1024;
/// The largest event and the largest answer of a function, in bytes (Lambda quotas: 6 MB).
const MAX_PAYLOAD: usize = 6 * 1024 * 1024;
/// The largest request line and headers, together and in bytes (API Gateway quotas).
const MAX_HEAD: usize = 10_240;

pub async fn answer(shared: &Shared, request: request::Parts, body: Bytes, peer: Peer) -> Response<Body> {
    let api = &shared.template.http;
    if head_size(&request) > MAX_HEAD {
        return message(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large");
    }
    if let Some(preflight) = api.cors.as_ref().and_then(|cors| cors.preflight(&request.method, &request.headers)) {
        return preflight;
    }
    let path = path_in_stage(request.uri.path(), &api.stage);
    let matched = path.and_then(|path| routes::choose(&api.routes, request.method.as_str(), path));
    let Some(matched) = matched else { return message(StatusCode::NOT_FOUND, "Not Found") };
    let (event, start) = (events::http(api, &request, &body, &matched, peer), Instant::now());
    if event.to_string().len() > MAX_PAYLOAD {
        return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
    }
    let request_id = event["requestContext"]["requestId"].as_str().and_then(|id| HeaderValue::from_str(id).ok());
    let mut response = match shared.run(&matched.route.function, event).await {
        Ok(answer) if answer.to_string().len() > MAX_PAYLOAD => internal_server_error(),
        Ok(answer) => translate(answer).unwrap_or_else(internal_server_error),
        Err(RunError::TimedOut) => message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        Err(RunError::Failed(_)) => internal_server_error(),
    };
    if let Some(cors) = &api.cors {
        cors.apply(headers::text(&request.headers, ORIGIN.as_str()), response.headers_mut());
    }
    if let Some(request_id) = request_id {
        response.headers_mut().insert("apigw-requestid", request_id);
    }
    metrics::request(matched.route, response.status(), start);
    response
}

/// The path after the stage's name, or the whole path if the stage is `$default`. `None` if it is not in the stage.
fn path_in_stage<'a>(path: &'a str, stage: &str) -> Option<&'a str> {
    if stage == "$default" {
        return Some(path);
    }
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?;
    if rest.is_empty() { Some("/") } else { rest.starts_with('/').then_some(rest) }
}

fn head_size(request: &request::Parts) -> usize {
    let line = request.method.as_str().len() + request.uri.to_string().len();
    request.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum::<usize>() + line
}

fn internal_server_error() -> Response<Body> {
    message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
}

/// The function's answer as a response; `None` if it is malformed. An answer without `statusCode` is itself the body.
fn translate(answer: Value) -> Option<Response<Body>> {
    if answer.get("statusCode").is_none() {
        return Some(json(StatusCode::OK, &answer));
    }
    let status = status_of(&answer)?;
    let body = match answer.get("body").and_then(Value::as_str).unwrap_or_default() {
        body if answer["isBase64Encoded"] == Value::Bool(true) => STANDARD.decode(body).ok()?,
        body => body.as_bytes().to_vec(),
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in answer["headers"].as_object().into_iter().flatten() {
        // The gateway itself decides how the body is framed and when the connection ends.
        if [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|own| own.as_str().eq_ignore_ascii_case(name)) {
            continue;
        }
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
