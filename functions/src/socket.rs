//! WebSocket functions: who sent a frame, and the answer API Gateway wants.
//!
//! Identity comes only from the authorizer's context, which API Gateway repeats on every event of a connection; nothing
//! in a frame says who sent it. Answers to the client go through `@connections` like every push: what a route's own
//! response does depends on a `RouteResponse` being deployed, a post does not (`docs/decisions.md`).

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chrono::Utc;
use windi_shared::connections::Connection;
use windi_shared::ids::{ConnectionId, SessionId, UserId};
use windi_shared::protocol::{ErrorBody, Reply, ServerFrame};
use windi_shared::{Error, Result};

use crate::push::Push;

/// The event of every WebSocket function.
pub type Event = ApiGatewayWebsocketProxyRequest;

/// The device behind an event.
#[derive(Debug, Clone)]
pub struct Device {
    /// Who.
    pub user_id: UserId,
    /// From which session.
    pub session_id: SessionId,
    /// Over which connection.
    pub connection_id: ConnectionId,
}

impl Device {
    /// The device that `event` is about.
    ///
    /// # Errors
    /// [`Error::Internal`] if the authorizer's context is missing: then the API is deployed without its authorizer.
    pub fn of(event: &Event) -> Result<Self> {
        let context = &event.request_context;
        let field = |name: &str| context.authorizer.fields.get(name).and_then(|value| value.as_str());
        let device = || {
            Some(Self {
                user_id: field("user_id")?.parse().ok()?,
                session_id: field("session_id")?.parse().ok()?,
                connection_id: ConnectionId(context.connection_id.clone()?),
            })
        };
        device().ok_or_else(|| Error::internal("a WebSocket event without an authorizer's context"))
    }
}

impl From<&Device> for Connection {
    /// As it is listed from now on.
    fn from(device: &Device) -> Self {
        Self {
            id: device.connection_id.clone(),
            user_id: device.user_id,
            session_id: device.session_id,
            at: Utc::now().timestamp_millis(),
        }
    }
}

/// The text of a frame.
pub fn body(event: &Event) -> &str {
    event.body.as_deref().unwrap_or_default()
}

/// `200` without a body: all that API Gateway needs to know. Any other answer would at best be dropped.
pub fn done() -> ApiGatewayProxyResponse {
    status(200)
}

/// A status without a body. Only that of `$connect` reaches anybody: the client, as the answer to its handshake.
pub fn status(code: i64) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = code;
    response
}

/// Tells the client, if the frame was refused, why.
pub async fn answer_refusal(push: &Push, device: &Device, event: &Event, outcome: Result<()>) {
    let Err(error) = outcome else { return };
    error.log();
    let gateway_request_id = event.request_context.request_id.as_deref().unwrap_or_default();
    let body = ErrorBody::for_frame(&error, body(event), gateway_request_id);
    let request_id = Some(body.request_id.clone()).filter(|id| id != gateway_request_id);
    push.reply(&device.connection_id, &Reply { frame: ServerFrame::Error(body), request_id }).await;
}
