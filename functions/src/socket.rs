//! WebSocket functions: take an event and return the answer that API Gateway expects.
//!
//! Identity comes only from the authorizer's context, which API Gateway repeats on every event of a connection; nothing
//! in a frame says who sent it. Answers to the client go through `@connections` like every push: what a route's own
//! response does depends on whether a `RouteResponse` is deployed; a post does not depend on it (`docs/decisions.md`).

use std::pin::Pin;
use std::time::Instant;

use aws_lambda_events::apigw::{ApiGatewayProxyResponse, ApiGatewayWebsocketProxyRequest};
use chrono::Utc;
use lambda_runtime::Diagnostic;
use tracing::{Instrument as _, Span, field};
use windi_shared::connections::Connection;
use windi_shared::db::Database;
use windi_shared::ids::{ConnectionId, SessionId, UserId};
use windi_shared::protocol::{ClientAction, ClientFrame, ErrorBody, Reply, ServerFrame};
use windi_shared::{Error, Result};

use crate::liveness;
use crate::posts::Posts;

/// The sub-protocol a browser offers along with its token, and gets back.
pub const SUBPROTOCOL: &str = "windi";

/// The WebSocket API's stage, as in the template.
pub const STAGE: &str = "ws";

/// The event of every WebSocket function.
pub type Event = ApiGatewayWebsocketProxyRequest;

/// The answer to API Gateway. Only the answer to `$connect` reaches anybody.
pub type Outcome = std::result::Result<ApiGatewayProxyResponse, Diagnostic>;

/// The device behind an event.
#[derive(Debug, Clone)]
pub struct Device {
    pub user_id: UserId,
    pub session_id: SessionId,
    pub connection_id: ConnectionId,
}

impl Device {
    /// # Errors
    /// [`Error::Internal`] without the authorizer's context, which means that the API was deployed without its
    /// authorizer.
    fn of(event: &Event) -> Result<Self> {
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
    /// The connection as listed from now on.
    fn from(device: &Device) -> Self {
        Self {
            id: device.connection_id.clone(),
            user_id: device.user_id,
            session_id: device.session_id,
            at: Utc::now().timestamp_millis(),
        }
    }
}

/// A handler's answer to a frame.
pub struct Answer<'a> {
    frame: Option<ServerFrame>,
    meanwhile: Option<Pin<Box<dyn Future<Output = ()> + Send + 'a>>>,
}

impl<'a> Answer<'a> {
    pub fn nothing() -> Self {
        Self { frame: None, meanwhile: None }
    }

    pub fn frame(frame: ServerFrame) -> Self {
        Self { frame: Some(frame), meanwhile: None }
    }

    /// Runs `work` while the client is answered, so the client does not wait for others to be notified.
    pub fn meanwhile(self, work: impl Future<Output = ()> + Send + 'a) -> Self {
        Self { meanwhile: Some(Box::pin(work)), ..self }
    }
}

/// Serves a frame: reads it, runs `act` with its action, and answers the client with the client's `request_id`. If the
/// frame was refused, the answer is an `error` frame. A device whose session has ended is notified and disconnected.
///
/// `A` is the action the function serves, or [`ClientAction`] if it serves several.
///
/// # Errors
/// Only if the API was deployed without its authorizer.
pub async fn serve<'a, A, F>(db: &Database, posts: &Posts, event: Event, act: impl FnOnce(Device, A) -> F) -> Outcome
where
    A: TryFrom<ClientAction>,
    Error: From<A::Error>,
    F: Future<Output = Result<Answer<'a>>>,
{
    with_device(&event, async |device| {
        let start = Instant::now();
        let body = event.body.as_deref().unwrap_or_default();
        // The session is checked first: a client whose session has ended must not stay connected by sending nonsense.
        let frame = match liveness::is_live(db, device.session_id).await {
            Ok(true) => ClientFrame::parse(body),
            Ok(false) => Err(Error::SessionEnded),
            Err(error) => Err(error),
        };
        let (request_id, outcome) = match frame {
            Err(error) => (None, Err(error)),
            Ok(ClientFrame { action, request_id }) => {
                note_client_request_id(request_id.as_deref());
                (request_id, run(&device, action, act).await)
            }
        };
        let code = outcome.as_ref().err().map_or("ok", Error::code);
        match outcome {
            Ok(Answer { frame, meanwhile }) => {
                let reply = async {
                    if let Some(frame) = frame {
                        posts.reply(&device.connection_id, &Reply { frame, request_id }).await;
                    }
                };
                match meanwhile {
                    Some(work) => drop(tokio::join!(reply, work)),
                    None => reply.await,
                }
            }
            Err(error) => refuse(posts, &device, &event, body, error).await,
        }
        tracing::debug!(code, ms = start.elapsed().as_millis() as u64, "Served a frame.");
        Ok(status(200))
    })
    .await
}

async fn run<'a, A, F>(device: &Device, action: ClientAction, act: impl FnOnce(Device, A) -> F) -> Result<Answer<'a>>
where
    A: TryFrom<ClientAction>,
    Error: From<A::Error>,
    F: Future<Output = Result<Answer<'a>>>,
{
    act(device.clone(), A::try_from(action)?).await
}

async fn refuse(posts: &Posts, device: &Device, event: &Event, body: &str, error: Error) {
    error.log();
    let gateway_request_id = request_id(event);
    let told = ErrorBody::for_frame(&error, body, gateway_request_id);
    let request_id = Some(told.request_id.clone()).filter(|id| id != gateway_request_id);
    note_client_request_id(request_id.as_deref());
    // The message is not logged: it may quote what the client has sent.
    tracing::info!(code = told.code, "Refused a frame.");
    posts.reply(&device.connection_id, &Reply { frame: ServerFrame::Error(told), request_id }).await;
    if matches!(error, Error::SessionEnded)
        && let Err(error) = posts.close(&device.connection_id).await
    {
        error.log();
    }
}

/// Logs the client's own id for the request too, escaped: a client whose frame was refused quotes it.
fn note_client_request_id(request_id: Option<&str>) {
    Span::current().record("client_request_id", request_id.map(field::debug));
}

/// Serves an event with its device. Everything logged within is in a span with the gateway's id for the event and, if the
/// client gave one, its own.
///
/// # Errors
/// A failure of ours. Its cause is logged here; API Gateway only learns that there was one.
pub async fn with_device(event: &Event, act: impl AsyncFnOnce(Device) -> Result<ApiGatewayProxyResponse>) -> Outcome {
    let context = &event.request_context;
    // At the highest level, so the span is there whatever events `RUST_LOG` filters out.
    let span = tracing::error_span!(
        "socket",
        request_id = request_id(event),
        client_request_id = field::Empty,
        action = context.route_key.as_deref().unwrap_or_default(),
        connection_id = context.connection_id.as_deref().unwrap_or_default(),
        user_id = field::Empty,
        session_id = field::Empty,
    );
    // Boxed, because otherwise the compiler gives up on the size of the nested futures.
    let work = Box::pin(async {
        let device = Device::of(event)?;
        Span::current().record("user_id", field::display(device.user_id));
        Span::current().record("session_id", field::display(device.session_id));
        act(device).await
    });
    let outcome = work.instrument(span.clone()).await;
    outcome.map_err(|error| {
        span.in_scope(|| error.log());
        Diagnostic { error_type: error.code().to_owned(), error_message: error.to_string() }
    })
}

/// The gateway's id for the event.
pub fn request_id(event: &Event) -> &str {
    event.request_context.request_id.as_deref().unwrap_or_default()
}

/// A response with a status and no body.
pub fn status(code: i64) -> ApiGatewayProxyResponse {
    let mut response = ApiGatewayProxyResponse::default();
    response.status_code = code;
    response
}
