//! `$connect`: remembers the connection.
//!
//! Nothing is ever posted from here: until this has answered, the connection does not exist and a post to it is a 410.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_http::http::HeaderValue;
use lambda_runtime::Error;
use windi_shared::connections::Connections;

use crate::authorize::SUBPROTOCOL;
use crate::socket::{self, Device, Event};

/// Answers `200`, which lets the handshake through, and echoes our sub-protocol if it was offered: a browser that
/// offers one and gets none back closes the connection.
///
/// # Errors
/// If the connection could not be remembered; API Gateway refuses the handshake and the client tries again.
pub async fn handle(connections: &Connections, event: Event) -> Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    connections.remember(device.user_id, device.session_id, &device.connection_id).await?;
    let mut response = socket::done();
    if offers_subprotocol(&event) {
        response.headers.insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
    }
    Ok(response)
}

fn offers_subprotocol(event: &Event) -> bool {
    let offered = event.headers.get("sec-websocket-protocol").and_then(|value| value.to_str().ok());
    offered.is_some_and(|offered| offered.split(',').any(|protocol| protocol.trim() == SUBPROTOCOL))
}
