//! `$connect`: lists the connection and, if it is the user's first, notifies the people who know them.
//!
//! This function never posts to the connection itself: the connection does not exist until the function has answered,
//! and a post to it returns 410.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_http::http::HeaderValue;
use windi_shared::connections::{Address, Connection};
use windi_shared::db::{Database, sessions};
use windi_shared::{Error, Result};

use crate::door;
use crate::notify;
use crate::push::Push;
use crate::socket::{self, Device, Event, Outcome, SUBPROTOCOL};

/// How many connections a user may have; beyond that, the oldest are closed.
const MAX_CONNECTIONS: usize = 20;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let push = door.push().await?;
        door.events(|event| handle(&db, &push, event)).await
    })
}

/// Answers `200`, which lets the handshake through, and echoes our sub-protocol if it was offered: a browser that
/// offers one and gets none back closes the connection. Answers `401` if the session has ended, and `503` if the database
/// or the table does not answer, which may be because it is waking up: the client tries again.
///
/// # Errors
/// If anything else fails. API Gateway then refuses the handshake with a 502.
pub async fn handle(db: &Database, push: &Push, event: Event) -> Outcome {
    let connect = async |device| match connect(db, push, &event, &device).await {
        Err(error @ Error::Unavailable(_)) => {
            error.log();
            Ok(socket::status(503))
        }
        outcome => outcome,
    };
    socket::with_device(&event, connect).await
}

async fn connect(db: &Database, push: &Push, event: &Event, device: &Device) -> Result<ApiGatewayProxyResponse> {
    let before = push.connections().remember(Address::User(device.user_id), &Connection::from(device)).await?;
    // The connection is listed before the session is checked; a logout ends the session before it closes the listed
    // connections. So no socket stays open if its session ends while it is opening.
    let live = sessions::is_live(db, device.session_id).await;
    if !matches!(live, Ok(true)) {
        push.connections().forget(Address::User(device.user_id), &[&device.connection_id]).await?;
        live?;
        tracing::info!("Refused a socket: its session has ended.");
        return Ok(socket::status(401));
    }
    let oldest = &before[..(before.len() + 1).saturating_sub(MAX_CONNECTIONS)];
    if let Err(error) = push.posts().dismiss(oldest, &Error::TooManyConnections, socket::request_id(event)).await {
        error.log();
    }
    if before.is_empty()
        && let Err(error) = notify::came_online(db, push, device.user_id).await
    {
        // Opening the socket matters more than announcing it.
        error.log();
    }
    tracing::info!(others = before.len(), "Opened a socket.");
    let mut response = socket::status(200);
    if offers_subprotocol(event) {
        response.headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}

fn offers_subprotocol(event: &Event) -> bool {
    let offered = event.headers.get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
    offered.is_some_and(|offered| offered.split(',').any(|protocol| protocol.trim() == SUBPROTOCOL))
}
