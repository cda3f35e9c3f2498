//! Passes a frame to its function, and the answer back if the route has a route response.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::answers::status_of;
use crate::events::Socket;
use crate::management::MAX_FRAME;
use crate::metrics;
use crate::selection;
use crate::state::Shared;
use crate::template::WebSocketApi;

/// Passes one frame to its function after `delay`.
///
/// The body of the answer goes to the client only if the route has a route response; the status never does. If the
/// function fails, does not answer in time or does not answer with a proxy response, the client gets an error frame on
/// any route.
pub async fn dispatch(
    shared: Arc<Shared>,
    api: Arc<WebSocketApi>,
    socket: Arc<Socket>,
    frame: String,
    delay: Duration,
) {
    // A timer of zero still takes until its next tick, a whole millisecond.
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let asked = selection::evaluate(&api.selection, &frame).filter(|key| !key.starts_with('$'));
    let route = asked.and_then(|key| api.routes.get_key_value(&key)).or_else(|| api.routes.get_key_value("$default"));
    let event = socket.message(route.map_or("$default", |(key, _)| key), &frame);
    let request_id = event["requestContext"]["requestId"].as_str().unwrap_or_default().to_owned();
    // Byte for byte as AWS writes it, with a space after the first colon only.
    let id = &socket.connection_id;
    let problem = |text: &str| format!(r#"{{"message": "{text}", "connectionId":"{id}", "requestId":"{request_id}"}}"#);
    metrics::frame(route.map(|(key, _)| key.as_str()));
    let reply = match route {
        None => problem("Forbidden"),
        Some((_, route)) => match shared.run(&route.function, event).await {
            Ok(answer) if status_of(&answer).is_none() => problem("Internal server error"),
            Ok(answer) => match answer["body"].as_str() {
                Some(body) if route.responds && body.len() > MAX_FRAME => problem("Internal server error"),
                Some(body) if route.responds => body.to_owned(),
                _ => return,
            },
            Err(_) => problem("Internal server error"),
        },
    };
    // If the socket is closed or its queue is full, the reply has nowhere to go.
    let _ = shared.sockets.post(id, reply);
}
