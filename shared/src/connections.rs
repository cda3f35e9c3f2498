//! Who is connected where: one DynamoDB table of addresses.
//!
//! The key is `address`: `user#<id>` lists a user's live connections, `chat#<id>` those that have the chat open. Each
//! connection is one attribute `c:<connection_id>` = `{at, session, user}` of that item, so the devices of a hundred
//! people are one `BatchGetItem`, and connections that come and go at the same moment do not overwrite each other. Reads
//! are strongly consistent: a sender who looks after its commit sees every receiver who registered before it synced.

use std::collections::HashMap;
use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes, ReturnValue,
    ScalarAttributeType, TimeToLiveSpecification,
};
use chrono::Utc;
use futures_util::future::try_join_all;

use crate::ids::{ChatId, ConnectionId, SessionId, UserId};
use crate::{Error, Result};

/// API Gateway ends every connection after two hours; ten minutes more and an entry is dead whatever the TTL says, which
/// DynamoDB may take days to act on.
const DEAD_AFTER: Duration = Duration::from_secs(2 * 3600 + 600);
/// The most keys one `BatchGetItem` takes.
const BATCH: usize = 100;
const PREFIX: &str = "c:";
/// How many devices that have a chat open are kept; there is no typing to be seen for those before them.
const MOST_OPEN: usize = 1000;
/// How soon after a beginning to type the next is news, in milliseconds.
const TYPING_MILLIS: i64 = 3000;

/// What lists connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// All of a user's.
    User(UserId),
    /// Those that have the chat open.
    Chat(ChatId),
}

/// One live connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// API Gateway's name for it.
    pub id: ConnectionId,
    /// Whose it is.
    pub user_id: UserId,
    /// Which session opened it.
    pub session_id: SessionId,
    /// When it was registered, in milliseconds since the Unix epoch.
    pub at: i64,
}

/// What striking connections off a list did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Something was on the list, and now it is empty: of a user's list, they have just gone offline.
    pub was_last: bool,
}

/// The table of live connections.
#[derive(Debug, Clone)]
pub struct Connections {
    client: Client,
    table: String,
}

impl Connections {
    /// On this table. The SDK has no timeouts of its own but for connecting, so they are set here.
    pub fn new(config: &SdkConfig, table: impl Into<String>) -> Self {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_secs(1))
            .operation_timeout(Duration::from_secs(3))
            .build();
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(RetryConfig::standard().with_max_attempts(3))
            .build();
        Self { client: Client::from_conf(config), table: table.into() }
    }

    /// Makes the table, as `template.yaml` does on AWS. For `local/` and tests.
    ///
    /// # Errors
    /// [`Error::Unavailable`] if DynamoDB does not answer; an existing table is fine.
    pub async fn create_table(&self) -> Result<()> {
        let key = AttributeDefinition::builder().attribute_name("address").attribute_type(ScalarAttributeType::S);
        let schema = KeySchemaElement::builder().attribute_name("address").key_type(KeyType::Hash);
        let made = self
            .client
            .create_table()
            .table_name(&self.table)
            .attribute_definitions(key.build().map_err(Error::internal)?)
            .key_schema(schema.build().map_err(Error::internal)?)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        match made {
            Ok(_) => {}
            Err(e) if e.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => return Ok(()),
            Err(e) => return Err(unavailable(e)),
        }
        // Until it is there it can be neither used nor changed.
        let patience = Duration::from_secs(60);
        self.client.wait_until_table_exists().table_name(&self.table).wait(patience).await.map_err(unavailable)?;
        let ttl = TimeToLiveSpecification::builder().attribute_name("expires_at").enabled(true);
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(ttl.build().map_err(Error::internal)?)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }

    /// Whether DynamoDB and the table answer.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ping(&self) -> Result<()> {
        let key = AttributeValue::S("health".to_owned());
        self.client.get_item().table_name(&self.table).key("address", key).send().await.map_err(unavailable)?;
        Ok(())
    }

    /// Lists a connection; answers with those that were listed before, oldest first.
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
        let excess = excess(address, &before, &live);
        if !excess.is_empty() {
            // Its time will come again with the next one that is remembered.
            if let Err(error) = self.forget(address, &excess.iter().collect::<Vec<_>>()).await {
                error.log();
            }
        }
        Ok(live)
    }

    /// Strikes connections off the list.
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

    /// Whether it is news that somebody began or stopped typing in a chat: a beginning three seconds after the last one,
    /// and the first stop after a beginning. Asking notes it.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn is_typing_news(&self, chat_id: ChatId, user_id: UserId, is_typing: bool) -> Result<bool> {
        let number = |n: i64| AttributeValue::N(n.to_string());
        let now = Utc::now().timestamp_millis();
        let note = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("address", AttributeValue::S(format!("typing#{chat_id}#{user_id}")))
            .expression_attribute_values(":expires_at", expires_at());
        // The time of the last beginning, made negative by a stop: either way it says when the next may be.
        let note = if is_typing {
            note.update_expression("set began = :now, expires_at = :expires_at")
                .condition_expression("attribute_not_exists(began) or began between :stopped and :typing")
                .expression_attribute_values(":now", number(now))
                .expression_attribute_values(":stopped", number(TYPING_MILLIS - now))
                .expression_attribute_values(":typing", number(now - TYPING_MILLIS))
        } else {
            note.update_expression("set began = :zero - began, expires_at = :expires_at")
                .condition_expression("began > :zero")
                .expression_attribute_values(":zero", number(0))
        };
        match note.send().await {
            Ok(_) => Ok(true),
            Err(e) if e.as_service_error().is_some_and(|e| e.is_conditional_check_failed_exception()) => Ok(false),
            Err(e) => Err(unavailable(e)),
        }
    }

    /// The connections that have a chat open.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn of_chat(&self, chat_id: ChatId) -> Result<Vec<Connection>> {
        self.batch(&[Address::Chat(chat_id)]).await
    }

    /// Every live connection of these people.
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
        // DynamoDB may answer in part and name the keys it left; the operation's deadline bounds the rounds.
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

/// What a list must lose: entries that are dead, and of a chat's, which no `$disconnect` takes entries off, all but the
/// newest. An item holds 400 KB, and every write to it is charged for the whole.
fn excess(address: Address, item: &HashMap<String, AttributeValue>, live: &[Connection]) -> Vec<ConnectionId> {
    let listed = item.keys().filter_map(|name| name.strip_prefix(PREFIX));
    let dead = listed.filter(|id| live.iter().all(|connection| connection.id.0 != *id));
    let dead = dead.map(|id| ConnectionId(id.to_owned()));
    let old = match address {
        Address::User(_) => &[],
        Address::Chat(_) => &live[..live.len().saturating_sub(MOST_OPEN)],
    };
    dead.chain(old.iter().map(|connection| connection.id.clone())).take(BATCH).collect()
}

/// When DynamoDB may forget an item that is written now.
fn expires_at() -> AttributeValue {
    AttributeValue::N((Utc::now().timestamp() + DEAD_AFTER.as_secs() as i64).to_string())
}

fn attribute(connection_id: &ConnectionId) -> String {
    format!("{PREFIX}{connection_id}")
}

/// The connections of an item that can still be alive, oldest first.
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
