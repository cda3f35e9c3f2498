//! The life of one socket.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::error::{CapacityError, Error as WsError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::frames;
use crate::events::Socket;
use crate::sockets::Queue;
use crate::state::{Shared, stopping};
use crate::template::WebSocketApi;

/// The largest frame and the largest message a client may send, in bytes. Beyond either, the connection is closed with
/// 1009 (API Gateway quotas for WebSocket APIs).
const MAX_FRAME: usize = 32 * 1024;
const MAX_MESSAGE: usize = 128 * 1024;
/// How many bytes may wait for a client in addition to its queue. The largest frame must fit.
const MAX_UNSENT: usize = 256 * 1024;
/// How long a client may keep us waiting for a write or for its half of the closing handshake.
const PATIENCE: Duration = Duration::from_secs(20);

/// The close codes for input that was not read to its end.
const NOT_UNDERSTOOD: [u16; 3] = [1002, 1007, 1009];

type Stream = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// Runs a socket from the switch of protocols to its `$disconnect`.
pub async fn live(shared: Arc<Shared>, api: Arc<WebSocketApi>, socket: Socket, upgrade: OnUpgrade, queue: Queue) {
    let alive = shared.alive.clone();
    let socket = Arc::new(socket);
    let number = queue.number;
    let upgraded = upgrade.await;
    let ended = match upgraded {
        Ok(upgraded) => {
            let config = WebSocketConfig::default()
                .max_frame_size(Some(MAX_FRAME))
                .max_message_size(Some(MAX_MESSAGE))
                // Most sockets are idle most of the time, so buffers start small and grow when needed.
                .read_buffer_size(1024)
                .write_buffer_size(0)
                // Bounds the answers to pings that a client does not read.
                .max_write_buffer_size(MAX_UNSENT);
            let mut stream = Stream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
            let end = talk(&shared, &api, &socket, &mut stream, queue).await;
            // From here on a post to it is a 410, however long the client takes to close its side.
            shared.sockets.close(&socket.connection_id);
            // Boxed, because the room it needs would otherwise be part of every open socket.
            Box::pin(finish(stream, end)).await
        }
        Err(_) => {
            shared.sockets.close(&socket.connection_id);
            broken()
        }
    };
    // A failure is not reported: AWS calls $disconnect at most once and drops its answer.
    if let Some(route) = api.routes.get("$disconnect")
        && let Some(delay) = shared.faults().disconnect(number)
    {
        if !delay.is_zero() {
            sleep(delay).await;
        }
        let _ = shared.run(&route.function, socket.disconnect(ended.0, &ended.1)).await;
    }
    drop(alive);
}

/// How a socket ended.
enum End {
    /// We close it, with this code and reason.
    Ours(u16, &'static str),
    /// The client closed it.
    Theirs(Option<CloseFrame>),
    /// The connection broke.
    Broken,
}

/// Reads and writes until something ends it.
async fn talk(
    shared: &Arc<Shared>,
    api: &Arc<WebSocketApi>,
    socket: &Arc<Socket>,
    stream: &mut Stream,
    mut queue: Queue,
) -> End {
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
                    frame_number += 1;
                    let delay = shared.faults().frame(queue.number, frame_number);
                    let under_way = shared.under_way.clone();
                    let dispatched =
                        frames::dispatch(shared.clone(), api.clone(), socket.clone(), text.to_string(), delay);
                    // On AWS the frames of one connection run in parallel, so none waits for the one before it.
                    tokio::spawn(async move {
                        dispatched.await;
                        drop(under_way);
                    });
                }
                Some(Ok(Message::Binary(_))) => return End::Ours(1003, "Unsupported Data"),
                Some(Ok(Message::Close(frame))) => return End::Theirs(frame),
                Some(Ok(_)) => {}
                Some(Err(WsError::Capacity(CapacityError::MessageTooLong { .. }))) => {
                    return End::Ours(1009, "Message Too Big");
                }
                Some(Err(WsError::Utf8(_))) => return End::Ours(1007, "Invalid frame payload data"),
                Some(Err(WsError::Protocol(e))) if e != ProtocolError::ResetWithoutClosingHandshake => {
                    return End::Ours(1002, "Protocol error");
                }
                Some(Err(_)) | None => return End::Broken,
            },
            outgoing = queue.next() => match outgoing {
                Some(text) => {
                    idle_until = Instant::now() + shared.limits.idle;
                    let bytes = text.len();
                    if !matches!(timeout(PATIENCE, stream.send(Message::text(text))).await, Ok(Ok(()))) {
                        return End::Broken;
                    }
                    queue.sent(bytes);
                    shared.sockets.touch(&socket.connection_id);
                }
                None => return End::Ours(1000, "Connection Closed Normally"),
            },
            () = sleep_until(idle_until.min(end_of_life)) => return End::Ours(1001, "Going away"),
            () = stopping(&mut shutdown) => return End::Ours(1001, "Going away"),
        }
    }
}

/// Finishes the closing handshake and returns the code and reason for `$disconnect`.
async fn finish(mut stream: Stream, end: End) -> (u16, String) {
    match end {
        End::Broken => broken(),
        End::Theirs(frame) => {
            // The library has queued the answer to it, and sends it with the next poll.
            let _ = timeout(PATIENCE, stream.next()).await;
            closed_by_client(frame)
        }
        End::Ours(code, reason) => {
            let goodbye = async {
                let frame = CloseFrame { code: code.into(), reason: reason.into() };
                if stream.close(Some(frame)).await.is_err() {
                    return;
                }
                // Wait until the client has closed its side too. Whatever it still sends is ignored.
                while let Some(Ok(_)) = stream.next().await {}
                if NOT_UNDERSTOOD.contains(&code) {
                    // The library reads no further. Hanging up on a client that is still sending would reset the
                    // connection, and the client might never see why it was closed.
                    let mut io = stream.into_inner();
                    let _ = io.shutdown().await;
                    let mut unread = [0; 4096];
                    while io.read(&mut unread).await.is_ok_and(|count| count > 0) {}
                }
            };
            let _ = timeout(PATIENCE, goodbye).await;
            (code, reason.to_owned())
        }
    }
}

fn broken() -> (u16, String) {
    (1006, "Connection reset".to_owned())
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
