//! The WebSocket face: the life of one socket, from the handshake that `$connect` decides to the `$disconnect` at the end.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use chrono::Utc;
use futures_util::{SinkExt as _, StreamExt as _};
use http::header::{CONNECTION, HOST, HeaderValue, SEC_WEBSOCKET_KEY, UPGRADE, USER_AGENT};
use http::{HeaderMap, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::events::{self, HeaderList, Peer, Socket};
use crate::gateway::Shared;
use crate::http::message;
use crate::sockets::{Info, Outgoing};
use crate::template::WebSocketApi;
use crate::{authorizer, selection};

/// The largest frame and message of a client, in bytes; past either the connection is closed with 1009 (API Gateway
/// quotas for WebSocket APIs).
const MAX_FRAME: usize = 32 * 1024;
const MAX_MESSAGE: usize = 128 * 1024;
/// How long a client may keep us waiting for a write or for its half of the closing handshake.
const PATIENCE: Duration = Duration::from_secs(20);

type Stream = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Whether a request wants to become a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    events::text(headers, UPGRADE.as_str()).eq_ignore_ascii_case("websocket")
}

/// Answers a handshake: asks the authorizer and `$connect`, and only then switches protocols.
pub async fn open(
    shared: Arc<Shared>,
    api: Arc<WebSocketApi>,
    mut request: Request<Body>,
    peer: Peer,
) -> Response<Body> {
    let key = request.headers().get(SEC_WEBSOCKET_KEY).cloned();
    let Some(key) = key.filter(|_| events::text(request.headers(), "sec-websocket-version") == "13") else {
        return message(StatusCode::BAD_REQUEST, "Bad Request");
    };
    let mut socket = Socket {
        connection_id: events::new_id(),
        connected_at: Utc::now(),
        stage: api.stage.clone(),
        domain: events::text(request.headers(), HOST.as_str()).to_owned(),
        peer,
        user_agent: request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned),
        authorizer: None,
    };
    let headers = header_list(request.headers());
    let query = request.uri().query();
    if let Some(authorizer) = &api.authorizer {
        match authorizer::authorize(authorizer, &shared.invoker, &socket, &headers, query).await {
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
        headers.insert("sec-websocket-accept", accept);
    }
    if let Some(protocol) = accepted {
        headers.insert("sec-websocket-protocol", protocol);
    }
    let info = Info {
        connected_at: socket.connected_at,
        last_active_at: socket.connected_at,
        source_ip: peer.address.ip().to_string(),
        user_agent: socket.user_agent.clone(),
    };
    // Only now can functions post to it: a post from inside $connect is a 410, as on AWS.
    let queue = shared.sockets.open(&socket.connection_id, info);
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let socket = Arc::new(socket);
        let (code, reason) = match upgrade.await {
            Ok(upgraded) => live(&shared, &api, &socket, TokioIo::new(upgraded), queue).await,
            Err(_) => (1006, String::new()),
        };
        shared.sockets.close(&socket.connection_id);
        if let Some(function) = api.routes.get("$disconnect") {
            // Nobody hears of a failure; AWS calls $disconnect at most once and drops what it answers.
            let _ = shared.invoker.invoke(function, socket.disconnect(code, &reason)).await;
        }
    });
    response
}

/// Runs `$connect`; answers with the sub-protocol it accepted. Any status but 2xx becomes that of the handshake, and a
/// failed function a 502.
async fn connect(
    shared: &Shared,
    api: &WebSocketApi,
    socket: &Socket,
    headers: &HeaderList,
    query: Option<&str>,
) -> Result<Option<HeaderValue>, Response<Body>> {
    let Some(function) = api.routes.get("$connect") else { return Ok(None) };
    let invoked = shared.invoker.invoke(function, socket.connect(headers, query));
    let answer = match timeout(shared.limits.integration, invoked).await {
        Err(_) => return Err(message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out")),
        Ok(Err(_)) => return Err(message(StatusCode::BAD_GATEWAY, "Internal server error")),
        Ok(Ok(answer)) => answer,
    };
    let status = answer["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
    match status.and_then(|status| StatusCode::from_u16(status).ok()) {
        Some(status) if status.is_success() => {
            let headers = answer["headers"].as_object().into_iter().flatten();
            let protocol = headers
                .filter(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-protocol"))
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

/// Reads and writes until either side ends it; answers with the code and reason for `$disconnect`.
async fn live(
    shared: &Arc<Shared>,
    api: &Arc<WebSocketApi>,
    socket: &Arc<Socket>,
    io: TokioIo<hyper::upgrade::Upgraded>,
    mut queue: mpsc::Receiver<Outgoing>,
) -> (u16, String) {
    let config = WebSocketConfig::default()
        .max_frame_size(Some(MAX_FRAME))
        .max_message_size(Some(MAX_MESSAGE))
        // Most sockets are idle most of the time: small buffers, grown when needed.
        .read_buffer_size(4 * 1024)
        .write_buffer_size(0);
    let mut stream = Stream::from_raw_socket(io, Role::Server, Some(config)).await;
    let end_of_life = Instant::now() + shared.limits.life;
    let mut idle_until = Instant::now() + shared.limits.idle;
    let mut shutdown = shared.shutdown.clone();
    loop {
        tokio::select! {
            received = stream.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    idle_until = Instant::now() + shared.limits.idle;
                    shared.sockets.touch(&socket.connection_id);
                    // Never one after the other: on AWS the frames of one connection run in parallel.
                    tokio::spawn(dispatch(shared.clone(), api.clone(), socket.clone(), text.to_string()));
                }
                Some(Ok(Message::Binary(_))) => return close(stream, 1003, "Unsupported Data").await,
                Some(Ok(Message::Close(frame))) => {
                    // The answer to it is queued by the library and goes out with the next poll.
                    let _ = timeout(PATIENCE, stream.next()).await;
                    return closed_by_client(frame);
                }
                Some(Ok(_)) => {}
                Some(Err(WsError::Capacity(CapacityError::MessageTooLong { .. }))) => {
                    return close(stream, 1009, "Message Too Big").await;
                }
                Some(Err(WsError::Utf8(_))) => return close(stream, 1007, "Invalid frame payload data").await,
                Some(Err(WsError::Protocol(_))) => return close(stream, 1002, "Protocol error").await,
                Some(Err(_)) | None => return (1006, "Connection reset".to_owned()),
            },
            outgoing = queue.recv() => match outgoing {
                Some(Outgoing::Text(text)) => {
                    idle_until = Instant::now() + shared.limits.idle;
                    if !matches!(timeout(PATIENCE, stream.send(Message::text(text))).await, Ok(Ok(()))) {
                        return (1006, "Connection reset".to_owned());
                    }
                    shared.sockets.touch(&socket.connection_id);
                }
                Some(Outgoing::Close) | None => return close(stream, 1000, "Connection Closed Normally").await,
            },
            () = sleep_until(idle_until.min(end_of_life)) => return close(stream, 1001, "Going away").await,
            () = stopping(&mut shutdown) => return close(stream, 1001, "Going away").await,
        }
    }
}

async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    // The guard it answers with must not live across an await.
    let _ = shutdown.wait_for(|stopping| *stopping).await.is_ok();
}

async fn close(mut stream: Stream, code: u16, reason: &'static str) -> (u16, String) {
    let goodbye = async {
        let frame = CloseFrame { code: code.into(), reason: reason.into() };
        if stream.close(Some(frame)).await.is_ok() {
            // Until the client has said goodbye too; what it still sends is not looked at.
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    let _ = timeout(PATIENCE, goodbye).await;
    (code, reason.to_owned())
}

fn closed_by_client(frame: Option<CloseFrame>) -> (u16, String) {
    match frame {
        None => (1005, "Client-side close frame status not set".to_owned()),
        Some(frame) => {
            let code = u16::from(frame.code);
            let reason = match (code, frame.reason.as_str()) {
                (1000, "") => "Connection Closed Normally",
                (1001, "") => "Going away",
                (_, given) => given,
            };
            (code, reason.to_owned())
        }
    }
}

/// Takes one frame to its function. What the function answers goes nowhere: no route of ours has a route response.
async fn dispatch(shared: Arc<Shared>, api: Arc<WebSocketApi>, socket: Arc<Socket>, frame: String) {
    let asked = selection::evaluate(&api.selection, &frame).filter(|key| !key.starts_with('$'));
    let route = asked.and_then(|key| api.routes.get_key_value(&key)).or_else(|| api.routes.get_key_value("$default"));
    let event = socket.message(route.map_or("$default", |(key, _)| key), &frame);
    let request_id = event["requestContext"]["requestId"].as_str().unwrap_or_default().to_owned();
    let problem = match route {
        None => "Forbidden",
        Some((_, function)) => match timeout(shared.limits.integration, shared.invoker.invoke(function, event)).await {
            Ok(Ok(_)) => return,
            Ok(Err(_)) | Err(_) => "Internal server error",
        },
    };
    // To the byte as AWS writes it: a space after the first colon only.
    let id = &socket.connection_id;
    let text = format!(r#"{{"message": "{problem}", "connectionId":"{id}", "requestId":"{request_id}"}}"#);
    let _ = shared.sockets.post(id, Outgoing::Text(text));
}

/// The headers with the case clients usually write them in, which API Gateway keeps and the HTTP library does not.
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
