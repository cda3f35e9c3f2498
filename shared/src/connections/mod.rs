//! Who is connected where: a DynamoDB table of addresses.
//!
//! The key is `address`: `user#<id>` lists a user's live connections, `chat#<id>` those that have the chat open. Each
//! connection is one attribute `c:<connection_id>` = `{at, session, user}` of that item. One `BatchGetItem` therefore
//! reads the devices of a hundred people, and connections that open and close at the same moment do not overwrite each
//! other. Reads are strongly consistent: a sender that reads after its commit sees every receiver that registered
//! before it synced.
//!
//! `table.rs` creates and checks the table; `typing.rs` keeps another kind of item in it.

mod table;
mod typing;

use std::collections::HashMap;
use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, ReturnValue};
use chrono::Utc;
use futures_util::future::try_join_all;

use crate::ids::{ChatId, ConnectionId, SessionId, UserId};
use crate::{Error, Result};

/// API Gateway ends every connection after two hours. Ten minutes later an entry is dead, whatever the TTL says:
/// DynamoDB may take days to act on it.
const DEAD_AFTER: Duration = Duration::from_secs(2 * 3600 + 600);
/// The most keys one `BatchGetItem` takes: the connections of this many people are one call.
pub const BATCH: usize = 100;
const PREFIX: &str = "c:";
/// How many of the devices that have a chat open are kept; older ones see no typing there.
const MAX_OPEN: usize = 1000;

/// A list of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// All connections of a user.
    User(UserId),
    /// The connections that have the chat open.
    Chat(ChatId),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub user_id: UserId,
    /// The session that opened the connection.
    pub session_id: SessionId,
    /// When it was listed, in milliseconds since the Unix epoch.
    pub at: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// The list had entries and is now empty. For a user's list, this means that they have just gone offline.
    pub was_last: bool,
}

#[derive(Debug, Clone)]
pub struct Connections {
    client: Client,
    table: String,
}

impl Connections {
    /// The SDK's only default timeout is for connecting, so the others are set here.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(1))
            .operation_timeout(Duration::from_secs(3))
            .build();
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            // It guards streamed bodies. Ours are in memory, and the time limits above apply.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        Self { client: Client::from_conf(config), table: table.into() }
    }

    /// Adds a connection to the list and returns those already on it, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn remember(&self, address: Address, connection: &Connection) -> Result<Vec<Connection>> {
        let entry = HashMap::from([
            ("at".to_owned(), AttributeValue::N(connection.at.to_string())),
            ("session".to_owned(), AttributeValue::S(connection.session_id.to_string())),
            ("user".to_owned(), AttributeValue::S(connection.user_id.to_string())),
        ]);
        let before = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("address", address.to_value())
            .update_expression("set #connection = :entry, expires_at = :expires_at")
            .expression_attribute_names("#connection", attribute(&connection.id))
            .expression_attribute_values(":entry", AttributeValue::M(entry))
            .expression_attribute_values(":expires_at", expires_at())
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(unavailable)?;
        let before = before.attributes.unwrap_or_default();
        let live = live(&before);
        let excess = excess(address, &connection.id, &before, &live);
        if !excess.is_empty() {
            // If this fails, the next connection to be listed cleans up.
            if let Err(error) = self.forget(address, &excess.iter().collect::<Vec<_>>()).await {
                error.log();
            }
        }
        Ok(live)
    }

    /// Takes connections off the list; at least one must be given.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget(&self, address: Address, connections: &[&ConnectionId]) -> Result<Forgotten> {
        let names = (0..connections.len()).map(|number| format!("#c{number}")).collect::<Vec<_>>().join(", ");
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("address", address.to_value())
            .update_expression(format!("remove {names}"))
            .return_values(ReturnValue::AllOld);
        for (number, connection_id) in connections.iter().enumerate() {
            update = update.expression_attribute_names(format!("#c{number}"), attribute(connection_id));
        }
        let before = update.send().await.map_err(unavailable)?;
        let (gone, left): (Vec<_>, Vec<_>) = live(&before.attributes.unwrap_or_default())
            .into_iter()
            .partition(|connection| connections.contains(&&connection.id));
        Ok(Forgotten { was_last: !gone.is_empty() && left.is_empty() })
    }

    /// The connections that have a chat open.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn of_chat(&self, chat_id: ChatId) -> Result<Vec<Connection>> {
        self.batch(&[Address::Chat(chat_id)]).await
    }

    /// Every live connection of these users.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn of_users(&self, users: &[UserId]) -> Result<Vec<Connection>> {
        let addresses: Vec<_> = users.iter().copied().map(Address::User).collect();
        let batches = try_join_all(addresses.chunks(BATCH).map(|addresses| self.batch(addresses))).await?;
        Ok(batches.into_iter().flatten().collect())
    }

    async fn batch(&self, addresses: &[Address]) -> Result<Vec<Connection>> {
        let mut found = Vec::new();
        let key = |address: &Address| HashMap::from([("address".to_owned(), address.to_value())]);
        let mut keys: Vec<_> = addresses.iter().map(key).collect();
        // DynamoDB may return only part of the answer and name the keys it left out.
        for round in 0..5 {
            if round > 0 {
                tokio::time::sleep(Duration::from_millis(20 << round)).await;
            }
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
            let answer = self
                .client
                .batch_get_item()
                .request_items(&self.table, wanted.build().map_err(Error::internal)?)
                .send()
                .await
                .map_err(unavailable)?;
            for item in answer.responses.unwrap_or_default().remove(&self.table).unwrap_or_default() {
                found.extend(live(&item));
            }
            keys = match answer.unprocessed_keys.unwrap_or_default().remove(&self.table) {
                Some(left) if !left.keys().is_empty() => left.keys,
                _ => return Ok(found),
            };
        }
        Err(Error::Unavailable("DynamoDB kept leaving keys unprocessed".into()))
    }
}

impl Address {
    fn to_value(self) -> AttributeValue {
        AttributeValue::S(match self {
            Self::User(user_id) => format!("user#{user_id}"),
            Self::Chat(chat_id) => format!("chat#{chat_id}"),
        })
    }
}

/// The entries to take off a list to which `joined` has just been added: dead ones and, for a chat's list, all but the
/// newest, because no `$disconnect` takes entries off it. An item holds 400 KB, and every write to it is charged for
/// the whole.
fn excess(
    address: Address,
    joined: &ConnectionId,
    item: &HashMap<String, AttributeValue>,
    live: &[Connection],
) -> Vec<ConnectionId> {
    let listed = item.keys().filter_map(|name| name.strip_prefix(PREFIX));
    let dead = listed.filter(|id| live.iter().all(|connection| connection.id.0 != *id));
    let dead = dead.map(|id| ConnectionId(id.to_owned()));
    let old = match address {
        Address::User(_) => &[],
        Address::Chat(_) => &live[..live.len().saturating_sub(MAX_OPEN)],
    };
    // A device that joins again has an old entry among these and a new one that must stay.
    dead.chain(old.iter().map(|connection| connection.id.clone())).filter(|id| id != joined).take(BATCH).collect()
}

/// When DynamoDB may delete an item written now.
fn expires_at() -> AttributeValue {
    AttributeValue::N((Utc::now().timestamp() + DEAD_AFTER.as_secs() as i64).to_string())
}

fn attribute(connection_id: &ConnectionId) -> String {
    format!("{PREFIX}{connection_id}")
}

/// The connections in an item that may still be alive, oldest first.
fn live(item: &HashMap<String, AttributeValue>) -> Vec<Connection> {
    let oldest = Utc::now().timestamp_millis() - DEAD_AFTER.as_millis() as i64;
    let mut connections: Vec<_> = item
        .iter()
        .filter_map(|(name, value)| {
            let entry = value.as_m().ok()?;
            Some(Connection {
                id: ConnectionId(name.strip_prefix(PREFIX)?.to_owned()),
                user_id: entry.get("user")?.as_s().ok()?.parse().ok()?,
                session_id: entry.get("session")?.as_s().ok()?.parse().ok()?,
                at: entry.get("at")?.as_n().ok()?.parse().ok()?,
            })
        })
        .filter(|connection| connection.at > oldest)
        .collect();
    connections.sort_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    connections
}

fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_of_too_many_devices_stays_when_it_joins_again() {
        let connection = |number: i64| Connection {
            id: ConnectionId(format!("{number}=")),
            user_id: UserId::new(),
            session_id: SessionId::new(),
            at: number,
        };
        let live: Vec<_> = (0..1002).map(connection).collect();
        let item = live.iter().map(|open| (attribute(&open.id), AttributeValue::Null(true))).collect();
        let chat = Address::Chat(ChatId::new());
        let ids = |joined: &str| -> Vec<String> {
            excess(chat, &ConnectionId(joined.to_owned()), &item, &live).into_iter().map(|id| id.0).collect()
        };
        assert_eq!(ids("new="), ["0=", "1="]);
        assert_eq!(ids("0="), ["1="]);
    }

    #[test]
    fn entries_past_the_gateways_two_hours_are_dead() {
        let now = Utc::now().timestamp_millis();
        let entry = |at: i64| {
            AttributeValue::M(HashMap::from([
                ("at".to_owned(), AttributeValue::N(at.to_string())),
                ("session".to_owned(), AttributeValue::S(SessionId::new().to_string())),
                ("user".to_owned(), AttributeValue::S(UserId::new().to_string())),
            ]))
        };
        let item = HashMap::from([
            ("address".to_owned(), AttributeValue::S("user#…".to_owned())),
            ("expires_at".to_owned(), AttributeValue::N("1".to_owned())),
            ("c:young=".to_owned(), entry(now)),
            ("c:older=".to_owned(), entry(now - 7_000_000)),
            ("c:dead=".to_owned(), entry(now - 7_900_000)),
        ]);
        let ids: Vec<_> = live(&item).into_iter().map(|connection| connection.id.0).collect();
        assert_eq!(ids, ["older=", "young="]);
    }
}
