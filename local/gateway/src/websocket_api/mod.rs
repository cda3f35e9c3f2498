//! The WebSocket face.
//!
//! * [`authorizer`]: whether a socket may open.
//! * [`handshake`]: the authorizer and `$connect` decide, and only then the protocol is switched.
//! * [`life`]: frames in, frames out, until either side or a limit ends it; then `$disconnect`.
//! * [`frames`]: one frame to its function, and what the client is told.

pub mod authorizer;
pub mod frames;
pub mod handshake;
pub mod life;

use http::HeaderMap;
use http::header::UPGRADE;

use crate::headers::text;

/// Whether a request wants to become a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    text(headers, UPGRADE.as_str()).eq_ignore_ascii_case("websocket")
}
