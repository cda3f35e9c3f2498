//! Stand-ins for the ids that AWS would assign.

/// The account id in events and ARNs.
pub const ACCOUNT: &str = "000000000000";
/// The region in events and ARNs, and the one for which requests to local services are signed.
pub const REGION: &str = "us-east-1";
/// The id of the HTTP API in events.
pub const HTTP_API: &str = "localhttp0";
/// The id of the WebSocket API in events and ARNs.
pub const WEBSOCKET_API: &str = "localws000";
