//! Frames to connections, through `@connections`. Best effort: a push that does not arrive is made good by sync, and no
//! request fails because somebody else's phone is off.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, config::Builder};
use chrono::Utc;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::Semaphore;
use windi_shared::connections::{Connection, Connections};
use windi_shared::ids::{ConnectionId, UserId};
use windi_shared::protocol::{Reply, ServerFrame};

/// How many posts of fan-outs are under way at once.
const POSTS_AT_ONCE: usize = 64;
/// How many fan-outs are under way at once; others wait for their turn, which is not counted against [`ALL`].
///
/// Both hold for the process. A Lambda environment has one request at a time and never waits, but the local gateway has
/// everybody's, and a thousand fan-outs at once would slow each other down until all of them were cut short.
const FAN_OUTS_AT_ONCE: usize = 32;
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_millis(1500);
/// How long a whole fan-out may take once it has its turn; the function has 29 s.
const ALL: Duration = Duration::from_secs(5);
/// A connection younger than this may be one whose `$connect` is still being answered: API Gateway says 410 for it too.
const YOUNG: Duration = Duration::from_secs(10);

/// Sends frames.
#[derive(Debug, Clone)]
pub struct Push {
    client: Client,
    connections: Connections,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Push {
    /// To the connections of the WebSocket API at `endpoint`, such as `https://<id>.execute-api.<region>.amazonaws.com/ws`.
    pub fn new(config: &SdkConfig, endpoint: &str, connections: Connections) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).operation_timeout(ALL).build();
        // Standard retries are those for 429 and 5xx, with jitter. Three attempts are two retries.
        let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(100));
        let config = Builder::from(config).endpoint_url(endpoint).timeout_config(timeouts).retry_config(retries);
        Self {
            client: Client::from_conf(config.build()),
            connections,
            turns: Arc::new(Semaphore::new(FAN_OUTS_AT_ONCE)),
            places: Arc::new(Semaphore::new(POSTS_AT_ONCE)),
        }
    }

    /// The connections it sends to.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Answers one connection, without waiting for a turn among the fan-outs.
    pub async fn reply(&self, to: &ConnectionId, reply: &Reply) {
        let Some(body) = encode(reply) else { return };
        self.post(to, body).await;
    }

    /// Sends `frame` to every device of `users` but the one that has had it.
    pub async fn to_users(&self, users: &[UserId], frame: &ServerFrame, but: Option<&ConnectionId>) {
        let Some(body) = encode(frame) else { return };
        let fan_out = async {
            let connections = match self.connections.of_users(users).await {
                Ok(connections) => connections,
                Err(error) => return error.log(),
            };
            let others = connections.into_iter().filter(|connection| Some(&connection.id) != but);
            stream::iter(others)
                .for_each_concurrent(POSTS_AT_ONCE, |connection| self.post_or_forget(connection, body.clone()))
                .await;
        };
        // Neither semaphore is ever closed, so a turn and a place always come.
        let _turn = self.turns.acquire().await;
        if tokio::time::timeout(ALL, fan_out).await.is_err() {
            tracing::warn!(users = users.len(), "A fan-out was cut short; sync will make it good.");
        }
    }

    async fn post_or_forget(&self, connection: Connection, body: Blob) {
        let _place = self.places.acquire().await;
        if self.post(&connection.id, body).await || is_young(&connection) {
            return;
        }
        if let Err(error) = self.connections.forget(connection.user_id, &connection.id).await {
            error.log();
        }
    }

    /// Posts to one connection; `false` if it is gone.
    async fn post(&self, to: &ConnectionId, body: Blob) -> bool {
        let sent = self.client.post_to_connection().connection_id(&to.0).data(body).send().await;
        match sent {
            Ok(_) => true,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_gone_exception()) => false,
            Err(e) => {
                tracing::warn!(error = %aws_sdk_apigatewaymanagement::error::DisplayErrorContext(e), "A push failed.");
                true
            }
        }
    }
}

fn is_young(connection: &Connection) -> bool {
    connection.at > Utc::now().timestamp_millis() - YOUNG.as_millis() as i64
}

fn encode(frame: &impl Serialize) -> Option<Blob> {
    match serde_json::to_vec(frame) {
        Ok(bytes) => Some(Blob::new(bytes)),
        Err(error) => {
            tracing::error!(%error, "A frame could not be written.");
            None
        }
    }
}
