//! Frames to connections, through `@connections`. Best effort: a push that does not arrive is made good by sync, and no
//! request fails because somebody else's phone is off.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_apigatewaymanagement::error::DisplayErrorContext;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_sdk_apigatewaymanagement::{Client, config::Builder};
use chrono::Utc;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::Semaphore;
use windi_shared::Result;
use windi_shared::connections::{Address, Connection, Connections};
use windi_shared::ids::{ChatId, ConnectionId, UserId};
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

    /// The lists it sends to.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Answers one connection, without waiting for a turn among the fan-outs.
    pub async fn reply(&self, to: &ConnectionId, reply: &Reply) {
        let Some(body) = encode(reply) else { return };
        self.post(to, body).await;
    }

    /// Sends `frame` to every device of `users` but the one that has had it. Answers with those of the users who turn out
    /// to have no live device left, although their list had said otherwise.
    pub async fn to_users(&self, users: &[UserId], frame: &ServerFrame, but: Option<&ConnectionId>) -> Vec<UserId> {
        let devices = self.connections.of_users(users);
        self.fan_out(
            devices,
            frame,
            |connection| Some(&connection.id) != but,
            |connection| Address::User(connection.user_id),
        )
        .await
    }

    /// Sends `frame` to the devices that have the chat open, of those users who are `meant`.
    pub async fn to_open(&self, chat_id: ChatId, frame: &ServerFrame, meant: impl Fn(UserId) -> bool) {
        let devices = self.connections.of_chat(chat_id);
        self.fan_out(devices, frame, |connection| meant(connection.user_id), |_| Address::Chat(chat_id)).await;
    }

    /// Closes connections. Each is taken off its user's list by its `$disconnect`, or by the next post to it.
    pub async fn close(&self, connections: &[Connection]) {
        stream::iter(connections)
            .for_each_concurrent(POSTS_AT_ONCE, |connection| async {
                let closed = self.client.delete_connection().connection_id(&connection.id.0).send().await;
                if let Err(e) = closed
                    && !e.as_service_error().is_some_and(|e| e.is_gone_exception())
                {
                    tracing::warn!(error = %DisplayErrorContext(e), "A connection could not be closed.");
                }
            })
            .await;
    }

    async fn fan_out(
        &self,
        devices: impl Future<Output = Result<Vec<Connection>>>,
        frame: &ServerFrame,
        wanted: impl Fn(&Connection) -> bool,
        listed_at: impl Fn(&Connection) -> Address,
    ) -> Vec<UserId> {
        let Some(body) = encode(frame) else { return Vec::new() };
        // Outside of what is timed: whoever was taken off a list must be spoken of, also if the rest was cut short.
        let gone = Mutex::new(Vec::new());
        // Neither semaphore is ever closed, so a turn and a place always come.
        let _turn = self.turns.acquire().await;
        let fan_out = async {
            let devices = match devices.await {
                Ok(devices) => devices,
                Err(error) => return error.log(),
            };
            let posts = stream::iter(devices.into_iter().filter(&wanted));
            posts
                .for_each_concurrent(POSTS_AT_ONCE, |connection| {
                    let (address, body, gone) = (listed_at(&connection), body.clone(), &gone);
                    async move {
                        if self.post_or_forget(address, &connection, body).await {
                            gone.lock().unwrap_or_else(PoisonError::into_inner).push(connection.user_id);
                        }
                    }
                })
                .await;
        };
        if tokio::time::timeout(ALL, fan_out).await.is_err() {
            tracing::warn!("A fan-out was cut short; sync will make it good.");
        }
        gone.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts, or takes a connection that is gone off its list: `true` if that emptied the list.
    async fn post_or_forget(&self, address: Address, connection: &Connection, body: Blob) -> bool {
        let _place = self.places.acquire().await;
        if self.post(&connection.id, body).await || is_young(connection) {
            return false;
        }
        match self.connections.forget(address, &[&connection.id]).await {
            Ok(forgotten) => forgotten.was_last,
            Err(error) => {
                error.log();
                false
            }
        }
    }

    /// Posts to one connection; `false` if it is gone.
    async fn post(&self, to: &ConnectionId, body: Blob) -> bool {
        let sent = self.client.post_to_connection().connection_id(&to.0).data(body).send().await;
        match sent {
            Ok(_) => true,
            Err(e) if e.as_service_error().is_some_and(|e| e.is_gone_exception()) => false,
            Err(e) => {
                tracing::warn!(error = %DisplayErrorContext(e), "A push failed.");
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
