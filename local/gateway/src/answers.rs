//! The answers the gateway writes itself, and the status of a function's answer.

use axum::body::Body;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use serde::Serialize;
use serde_json::Value;

/// An answer with `body` as JSON.
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Body> {
    let mut response = Response::new(Body::from(serde_json::to_string(body).unwrap_or_default()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An answer with the body `{"message":"…"}`, the form API Gateway uses for its own.
pub fn message(status: StatusCode, text: &str) -> Response<Body> {
    json(status, &serde_json::json!({"message": text}))
}

/// The `statusCode` of a function's answer, or `None` if the answer is not a proxy response.
pub fn status_of(answer: &Value) -> Option<StatusCode> {
    StatusCode::from_u16(answer["statusCode"].as_u64()?.try_into().ok()?).ok()
}
