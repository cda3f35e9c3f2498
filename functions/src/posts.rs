//! Posts to single connections through `@connections`.

use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_apigatewaymanagement::error::DisplayErrorContext;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, config::Builder};
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use windi_shared::connections::Connection;
use windi_shared::ids::ConnectionId;
use windi_shared::protocol::{ErrorBody, Reply, ServerFrame};
use windi_shared::{Error, Result};

/// How many posts of one operation are in progress at once.
pub(crate) const POSTS_AT_ONCE: usize = 64;
/// How long one attempt may take.
const ATTEMPT_LIMIT: Duration = Duration::from_millis(1500);
/// How long a post may take with its retries.
const LIMIT: Duration = Duration::from_secs(5);

/// The connections of one WebSocket API.
#[derive(Debug, Clone)]
pub struct Posts {
    client: Client,
}

/// The outcome of one post.
pub(crate) enum Posted {
    Arrived,
    /// The connection does not exist.
    Gone,
    /// The failure was logged; the connection may still exist.
    Failed,
}

impl Posts {
    /// Posts to the connections of the WebSocket API at `endpoint`, such as
    /// `https://<id>.execute-api.<region>.amazonaws.com/ws`.
    pub fn new(config: &SdkConfig, endpoint: &str) -> Self {
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_LIMIT).operation_timeout(LIMIT).build();
        // Standard retries cover 429 and 5xx, with jitter. Three attempts are two retries.
        let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(100));
        let config = Builder::from(config).endpoint_url(endpoint).timeout_config(timeouts).retry_config(retries);
        // It guards streamed bodies. Ours are in memory, and the time limits above apply.
        let config = config.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        Self { client: Client::from_conf(config.build()) }
    }

    /// Sends a frame to one connection.
    pub async fn reply(&self, to: &ConnectionId, reply: &Reply) {
        let Some(body) = encode(reply) else { return };
        self.post(to, body).await;
    }

    /// Sends each connection the reason, then closes it. Its `$disconnect` takes it off its user's list, or else the
    /// next post to it does.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if one of them could not be closed.
    pub async fn dismiss(&self, connections: &[Connection], why: &Error, request_id: &str) -> Result<()> {
        let frame = ServerFrame::Error(ErrorBody::new(why, request_id));
        let body = encode(&Reply { frame, request_id: None });
        let dismissals = stream::iter(connections.to_vec()).map(|connection| {
            let body = body.clone();
            async move {
                if let Some(body) = body {
                    self.post(&connection.id, body).await;
                }
                self.close(&connection.id).await
            }
        });
        let outcomes: Vec<_> = dismissals.buffer_unordered(POSTS_AT_ONCE).collect().await;
        outcomes.into_iter().collect()
    }

    /// Closes a connection; one that no longer exists counts as closed.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if it could not be closed.
    pub async fn close(&self, connection_id: &ConnectionId) -> Result<()> {
        match self.client.delete_connection().connection_id(&connection_id.0).send().await {
            Err(e) if !e.as_service_error().is_some_and(|e| e.is_gone_exception()) => {
                tracing::warn!(%connection_id, "A connection could not be closed.");
                Err(Error::Unavailable(Box::new(e)))
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn post(&self, to: &ConnectionId, body: Blob) -> Posted {
        match self.client.post_to_connection().connection_id(&to.0).data(body).send().await {
            Ok(_) => Posted::Arrived,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_gone_exception()) => Posted::Gone,
            Err(e) => {
                tracing::warn!(connection_id = %to, error = %DisplayErrorContext(e), "A push failed.");
                Posted::Failed
            }
        }
    }
}

pub(crate) fn encode(frame: &impl Serialize) -> Option<Blob> {
    match serde_json::to_vec(frame) {
        Ok(bytes) => Some(Blob::new(bytes)),
        Err(error) => {
            tracing::error!(%error, "A frame could not be written.");
            None
        }
    }
}
