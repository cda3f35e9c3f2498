//! `@connections`: how functions reach sockets. `POST` sends, `GET` tells, `DELETE` closes.
//!
//! The AWS SDKs tell errors apart by the header `x-amzn-errortype`, not by the status, so every error has it.

use axum::body::Body;
use bytes::Bytes;
use chrono::SecondsFormat;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::sockets::{Outgoing, PostError, Sockets};

/// The largest frame a function may send, in bytes.
const MAX_FRAME: usize = 128 * 1024;

/// The connection id in `/<stage>/@connections/<id>`; the SDKs write the id, and some the `@`, percent-encoded.
pub fn connection_id(path: &str, stage: &str) -> Option<String> {
    let rest = path.strip_prefix('/')?.strip_prefix(stage)?.strip_prefix('/')?;
    let id = ["@connections/", "%40connections/"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    Some(percent_decode_str(id).decode_utf8_lossy().into_owned())
}

/// Answers one call.
pub fn answer(sockets: &Sockets, method: &Method, headers: &HeaderMap, id: &str, body: &Bytes) -> Response<Body> {
    // AWS checks a signature here. Locally its presence is enough to keep out what was never meant for this door.
    if !headers.contains_key(AUTHORIZATION) {
        return error(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    match *method {
        Method::POST => post(sockets, id, body),
        Method::GET => get(sockets, id),
        Method::DELETE => match sockets.post(id, Outgoing::Close) {
            Ok(()) => plain(StatusCode::NO_CONTENT),
            // A queue that is full is being closed for that very reason.
            Err(PostError::Full) => limit_exceeded(),
            Err(PostError::Gone) => gone(),
        },
        _ => error(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden"),
    }
}

fn post(sockets: &Sockets, id: &str, body: &Bytes) -> Response<Body> {
    if body.len() > MAX_FRAME {
        return error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", "Message too long");
    }
    match sockets.post(id, Outgoing::Text(String::from_utf8_lossy(body).into_owned())) {
        Ok(()) => plain(StatusCode::OK),
        Err(PostError::Gone) => gone(),
        Err(PostError::Full) => limit_exceeded(),
    }
}

fn get(sockets: &Sockets, id: &str) -> Response<Body> {
    let Some(info) = sockets.info(id) else { return gone() };
    let body = json!({
        "connectedAt": info.connected_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "identity": {"sourceIp": info.source_ip, "userAgent": info.user_agent},
        "lastActiveAt": info.last_active_at.to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    answer_json(StatusCode::OK, &body)
}

fn gone() -> Response<Body> {
    error(StatusCode::GONE, "GoneException", "Gone")
}

fn limit_exceeded() -> Response<Body> {
    error(StatusCode::TOO_MANY_REQUESTS, "LimitExceededException", "Rate exceeded")
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn error(status: StatusCode, kind: &'static str, message: &str) -> Response<Body> {
    let mut response = answer_json(status, &json!({"message": message}));
    response.headers_mut().insert("x-amzn-errortype", http::HeaderValue::from_static(kind));
    response
}

fn answer_json(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::connection_id;

    #[test]
    fn the_connection_id_is_found_however_it_is_encoded() {
        for path in ["/ws/@connections/abc%3D", "/ws/%40connections/abc=", "/ws/@connections/abc="] {
            assert_eq!(connection_id(path, "ws").as_deref(), Some("abc="), "{path}");
        }
        assert_eq!(connection_id("/other/@connections/abc", "ws"), None);
        assert_eq!(connection_id("/ws", "ws"), None);
    }
}
