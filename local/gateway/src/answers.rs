//! The answers the gateway itself gives, and the status in those of functions.

use axum::body::Body;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// `body` as JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_string(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// `{"message":"…"}`, the form of API Gateway's own answers.
pub fn message(status: StatusCode, text: &str) -> Response<Body> {
    json(status, &serde_json::json!({"message": text}))
}

/// The `statusCode` of a function's answer; `None` if the answer is not a proxy response.
pub fn status_of(answer: &Value) -> Option<StatusCode> {
    StatusCode::from_u16(answer["statusCode"].as_u64()?.try_into().ok()?).ok()
}
