//! The handshake. There is no socket until the authorizer and `$connect` have answered.

use std::sync::Arc;

use axum::body::Body;
use chrono::Utc;
use http::header::{
    CONNECTION, HOST, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, Request, Response, StatusCode};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::{authorizer, life};
use crate::answers::{message, status_of};
use crate::events::{self, HeaderList, Socket};
use crate::headers::text;
use crate::metrics;
use crate::sockets::Info;
use crate::state::{Peer, RunError, Shared};
use crate::template::WebSocketApi;

/// Answers a handshake. It calls the authorizer and `$connect`, and only then switches protocols.
pub async fn open(
    shared: Arc<Shared>,
    api: Arc<WebSocketApi>,
    mut request: Request<Body>,
    peer: Peer,
) -> Response<Body> {
    let response = handshake(shared, api, &mut request, peer).await;
    metrics::handshake(response.status());
    response
}

async fn handshake(
    shared: Arc<Shared>,
    api: Arc<WebSocketApi>,
    request: &mut Request<Body>,
    peer: Peer,
) -> Response<Body> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let Some(key) = key.filter(|_| text(request.headers(), SEC_WEBSOCKET_VERSION.as_str()) == "13") else {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let mut socket = Socket {
        connection_id: events::new_id(),
        connected_at: Utc::now(),
        stage: api.stage.clone(),
        variables: api.variables.clone(),
        domain: text(request.headers(), HOST.as_str()).to_owned(),
        peer,
        user_agent: request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned),
        authorizer: None,
    };
    let headers = header_list(request.headers());
    let query = request.uri().query();
    if let Some(authorizer) = &api.authorizer {
        match authorizer::authorize(authorizer, &shared, &socket, &headers, query).await {
            Ok(context) => socket.authorizer = Some(context),
            Err(status) => return message(status, refusal(status)),
        }
    }
    let accepted = match connect(&shared, &api, &socket, &headers, query).await {
        Ok(accepted) => accepted,
        Err(refused) => return refused,
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = derive_accept_key(key.as_bytes()).parse() {
        headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = accepted {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    let info = Info {
        connected_at: socket.connected_at,
        last_active_at: socket.connected_at,
        source_ip: peer.client.address.to_string(),
        user_agent: socket.user_agent.clone(),
    };
    // Functions can post to it only from here on. A post from inside $connect is a 410, as on AWS.
    let queue = shared.sockets.open(&socket.connection_id, info);
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(life::live(shared, api, socket, upgrade, queue));
    response
}

/// Runs `$connect` and returns the sub-protocol it accepted. Any status but 2xx becomes the status of the handshake,
/// and a function that fails becomes a 502.
async fn connect(
    shared: &Shared,
    api: &WebSocketApi,
    socket: &Socket,
    headers: &HeaderList,
    query: Option<&str>,
) -> Result<Option<HeaderValue>, Response<Body>> {
    let Some(route) = api.routes.get("$connect") else { return Ok(None) };
    let answer = match shared.run(&route.function, socket.connect(headers, query)).await {
        Ok(answer) => answer,
        Err(RunError::TimedOut) => return Err(message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out")),
        Err(RunError::Failed(_)) => return Err(message(StatusCode::BAD_GATEWAY, "Internal server error")),
    };
    match status_of(&answer) {
        Some(status) if status.is_success() => {
            let headers = answer["headers"].as_object().into_iter().flatten();
            let protocol = headers
                .filter(|(name, _)| name.eq_ignore_ascii_case(SEC_WEBSOCKET_PROTOCOL.as_str()))
                .find_map(|(_, value)| value.as_str()?.parse().ok());
            Ok(protocol)
        }
        Some(status) => Err(message(status, status.canonical_reason().unwrap_or_default())),
        None => Err(message(StatusCode::BAD_GATEWAY, "Internal server error")),
    }
}

fn refusal(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "Unauthorized",
        StatusCode::FORBIDDEN => "Forbidden",
        _ => "Internal server error",
    }
}

/// The headers with their names in the case that clients usually write. API Gateway keeps the client's case; the HTTP
/// library does not.
fn header_list(headers: &HeaderMap) -> HeaderList {
    let written = |name: &str| {
        let words = name.split('-').map(|word| match word {
            "websocket" => "WebSocket".to_owned(),
            word => {
                let mut chars = word.chars();
                chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
            }
        });
        words.collect::<Vec<_>>().join("-")
    };
    let text = |(name, value): (&http::HeaderName, &HeaderValue)| {
        Some((written(name.as_str()), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}
