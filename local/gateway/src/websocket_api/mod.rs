//! The WebSocket API.
//!
//! * [`authorizer`]: whether a socket may open.
//! * [`handshake`]: the authorizer and `$connect` decide, and only then is the protocol switched.
//! * [`life`]: frames in, frames out, until either side or a limit ends it; then `$disconnect`.
//! * [`frames`]: one frame to its function, and the reply to the client.

pub mod authorizer;
pub mod frames;
pub mod handshake;
pub mod life;

use http::HeaderMap;
use http::header::UPGRADE;

use crate::headers::text;

/// Whether a request asks to become a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    text(headers, UPGRADE.as_str()).eq_ignore_ascii_case("websocket")
}
