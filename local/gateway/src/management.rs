//! `@connections`: how functions reach sockets. `POST` sends a frame, `GET` describes the socket, `DELETE` closes it.
//!
//! The AWS SDKs tell errors apart by the header `x-amzn-errortype`, not by the status, so every error has it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use bytes::Bytes;
use chrono::SecondsFormat;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::json;

use crate::answers;
use crate::faults::PostFate;
use crate::metrics;
use crate::sockets::{PostError, Sockets};
use crate::state::Shared;

/// The largest frame a function may send, in bytes.
pub const MAX_FRAME: usize = 128 * 1024;

/// The stage and the connection id in `/<stage>/@connections/<id>`. The SDKs percent-encode the id, and some
/// also the `@`.
pub fn target(path: &str) -> Option<(&str, String)> {
    let (stage, rest) = path.strip_prefix('/')?.split_once('/')?;
    let id = ["@connections/", "%40connections/"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    Some((stage, percent_decode_str(id).decode_utf8_lossy().into_owned()))
}

/// `@connections` without a socket in between, for functions in the same process. It does not keep the gateway alive.
#[derive(Debug, Clone)]
pub struct Management(Weak<Shared>);

impl Management {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        Self(Arc::downgrade(shared))
    }

    /// Answers as the gateway does over HTTP; `None` if it no longer exists.
    pub async fn call(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let shared = self.0.upgrade()?;
        let stage = shared.template.websocket.as_ref().map(|api| api.stage.as_str());
        let (parts, body) = match target(request.uri().path()) {
            Some((asked, id)) if Some(asked) == stage => {
                answer(&shared, request.method(), request.headers(), &id, request.body()).await
            }
            _ => forbidden(),
        }
        .into_parts();
        // All bodies are in memory, where nothing can fail.
        Some(Response::from_parts(parts, to_bytes(body, usize::MAX).await.unwrap_or_default()))
    }
}

pub async fn answer(shared: &Shared, method: &Method, headers: &HeaderMap, id: &str, body: &Bytes) -> Response<Body> {
    let response = call(shared, method, headers, id, body).await;
    metrics::connections_call(method, response.status());
    response
}

async fn call(shared: &Shared, method: &Method, headers: &HeaderMap, id: &str, body: &Bytes) -> Response<Body> {
    // AWS checks the signature here. Locally it only has to be present, which keeps out requests that were not meant
    // for this API.
    if !headers.contains_key(AUTHORIZATION) {
        return error(StatusCode::FORBIDDEN, "MissingAuthenticationTokenException", "Missing Authentication Token");
    }
    let sockets = &shared.sockets;
    let (faults, Some((socket, call))) = (shared.faults(), sockets.count_call(id)) else { return gone() };
    match faults.post(socket, call) {
        PostFate::Answered => {}
        PostFate::Gone => return gone(),
        PostFate::LimitExceeded => return limit_exceeded(),
        PostFate::Internal => {
            return error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerErrorException", "Internal server error");
        }
        PostFate::Hangs => return std::future::pending().await,
    }
    match *method {
        Method::POST => post(sockets, id, body, faults.push(socket, call)),
        Method::GET => get(sockets, id),
        Method::DELETE => {
            sockets.close(id);
            plain(StatusCode::NO_CONTENT)
        }
        _ => forbidden(),
    }
}

/// Sends a frame after `delay`. If that is `None`, the frame is lost.
fn post(sockets: &Sockets, id: &str, body: &Bytes, delay: Option<Duration>) -> Response<Body> {
    if body.len() > MAX_FRAME {
        return too_large();
    }
    let text = String::from_utf8_lossy(body).into_owned();
    match delay {
        None => {}
        Some(Duration::ZERO) => match sockets.post(id, text) {
            Ok(()) => {}
            Err(PostError::Gone) => return gone(),
            Err(PostError::Full) => return limit_exceeded(),
        },
        Some(delay) => {
            let (sockets, id) = (sockets.clone(), id.to_owned());
            tokio::spawn(async move {
                tokio::time::sleep(delay).await;
                // The caller already has its 200, so an error has nowhere to go.
                let _ = sockets.post(&id, text);
            });
        }
    }
    plain(StatusCode::OK)
}

/// The 413 for a frame that is too large.
pub fn too_large() -> Response<Body> {
    error(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLargeException", "Message too long")
}

/// The 403 for a stage or a method that does not exist.
pub fn forbidden() -> Response<Body> {
    error(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden")
}

fn get(sockets: &Sockets, id: &str) -> Response<Body> {
    let Some(info) = sockets.info(id) else { return gone() };
    let body = json!({
        "connectedAt": info.connected_at.to_rfc3339_opts(SecondsFormat::Millis, true),
        "identity": {"sourceIp": info.source_ip, "userAgent": info.user_agent},
        "lastActiveAt": info.last_active_at.to_rfc3339_opts(SecondsFormat::Millis, true),
    });
    answers::json(StatusCode::OK, &body)
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
    let mut response = answers::json(status, &json!({"message": message}));
    response.headers_mut().insert("x-amzn-errortype", http::HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn the_connection_id_is_found_however_it_is_encoded() {
        for path in ["/ws/@connections/abc%3D", "/ws/%40connections/abc=", "/ws/@connections/abc="] {
            assert_eq!(target(path), Some(("ws", "abc=".to_owned())), "{path}");
        }
        for path in ["/ws", "/ws/connections/abc", "/@connections/abc"] {
            assert_eq!(target(path), None, "{path}");
        }
    }
}
