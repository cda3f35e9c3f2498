//! The life of one socket.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::frames;
use crate::events::Socket;
use crate::gateway::Shared;
use crate::sockets::{Outgoing, Queue};
use crate::template::WebSocketApi;

/// The largest frame and message of a client, in bytes; past either the connection is closed with 1009 (API Gateway
/// quotas for WebSocket APIs).
const MAX_FRAME: usize = 32 * 1024;
const MAX_MESSAGE: usize = 128 * 1024;
/// How long a client may keep us waiting for a write or for its half of the closing handshake.
const PATIENCE: Duration = Duration::from_secs(20);

type Stream = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Lives a socket's life, from the switch of protocols to its `$disconnect`.
pub async fn live(shared: Arc<Shared>, api: Arc<WebSocketApi>, socket: Socket, upgrade: OnUpgrade, queue: Queue) {
    let socket = Arc::new(socket);
    let number = queue.number;
    let (code, reason) = match upgrade.await {
        Ok(upgraded) => talk(&shared, &api, &socket, TokioIo::new(upgraded), queue).await,
        Err(_) => (1006, String::new()),
    };
    shared.sockets.close(&socket.connection_id);
    // Nobody hears of a failure; AWS calls $disconnect at most once and drops what it answers.
    if let Some(route) = api.routes.get("$disconnect")
        && let Some(delay) = shared.faults().disconnect(number)
    {
        sleep(delay).await;
        let _ = shared.run(&route.function, socket.disconnect(code, &reason)).await;
    }
}

/// Reads and writes until either side ends it; answers with the code and reason for `$disconnect`.
async fn talk(
    shared: &Arc<Shared>,
    api: &Arc<WebSocketApi>,
    socket: &Arc<Socket>,
    io: TokioIo<hyper::upgrade::Upgraded>,
    mut queue: Queue,
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
    let mut frame_number = 0;
    loop {
        tokio::select! {
            received = stream.next() => match received {
                Some(Ok(Message::Text(text))) => {
                    idle_until = Instant::now() + shared.limits.idle;
                    shared.sockets.touch(&socket.connection_id);
                    // Never one after the other: on AWS the frames of one connection run in parallel.
                    frame_number += 1;
                    let delay = shared.faults().frame(queue.number, frame_number);
                    let under_way = shared.under_way.clone();
                    let dispatched = frames::dispatch(shared.clone(), api.clone(), socket.clone(), text.to_string(), delay);
                    tokio::spawn(async move {
                        dispatched.await;
                        drop(under_way);
                    });
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
                Some(Err(WsError::Protocol(e))) if e != ProtocolError::ResetWithoutClosingHandshake => return close(stream, 1002, "Protocol error").await,
                Some(Err(_)) | None => return (1006, "Connection reset".to_owned()),
            },
            outgoing = queue.next() => match outgoing {
                Some(Outgoing::Text(text)) => {
                    idle_until = Instant::now() + shared.limits.idle;
                    let bytes = text.len();
                    if !matches!(timeout(PATIENCE, stream.send(Message::text(text))).await, Ok(Ok(()))) {
                        return (1006, "Connection reset".to_owned());
                    }
                    queue.sent(bytes);
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
