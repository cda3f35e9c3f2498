//! Who is connected where: one DynamoDB table of addresses.
//!
//! The key is `address`: `user#<id>` holds a user's live connections. Each connection is one attribute
//! `c:<connection_id>` = `{at, session}` of that item, so the devices of a hundred people are one `BatchGetItem`, and
//! connections that come and go at the same moment do not overwrite each other. Reads are strongly consistent: a sender
//! who looks after its commit sees every receiver who registered before reading (`docs/decisions.md`).

use std::collections::HashMap;
use std::time::Duration;

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes, ReturnValue,
    ScalarAttributeType, TimeToLiveSpecification,
};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;

use crate::ids::{ConnectionId, SessionId, UserId};
use crate::{Error, Result};

/// API Gateway ends every connection after two hours; ten minutes more and an entry is dead whatever the TTL says, which
/// DynamoDB may take days to act on.
const DEAD_AFTER: Duration = Duration::from_secs(2 * 3600 + 600);
/// The most keys one `BatchGetItem` takes.
const BATCH: usize = 100;
const PREFIX: &str = "c:";

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

    /// Registers a connection; answers with those its user had before, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn remember(
        &self,
        user_id: UserId,
        session_id: SessionId,
        connection_id: &ConnectionId,
    ) -> Result<Vec<Connection>> {
        self.remember_at(user_id, session_id, connection_id, Utc::now()).await
    }

    /// As [`remember`](Self::remember), for a connection that was registered at `now`.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn remember_at(
        &self,
        user_id: UserId,
        session_id: SessionId,
        connection_id: &ConnectionId,
        now: DateTime<Utc>,
    ) -> Result<Vec<Connection>> {
        let entry = HashMap::from([
            ("at".to_owned(), AttributeValue::N(now.timestamp_millis().to_string())),
            ("session".to_owned(), AttributeValue::S(session_id.to_string())),
        ]);
        let expires_at = now.timestamp() + DEAD_AFTER.as_secs() as i64;
        let before = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("address", user_address(user_id))
            .update_expression("set #connection = :entry, expires_at = :expires_at")
            .expression_attribute_names("#connection", attribute(connection_id))
            .expression_attribute_values(":entry", AttributeValue::M(entry))
            .expression_attribute_values(":expires_at", AttributeValue::N(expires_at.to_string()))
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(live(user_id, &before.attributes.unwrap_or_default()))
    }

    /// Forgets a connection; answers with those its user has left, oldest first.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn forget(&self, user_id: UserId, connection_id: &ConnectionId) -> Result<Vec<Connection>> {
        let after = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("address", user_address(user_id))
            .update_expression("remove #connection")
            .expression_attribute_names("#connection", attribute(connection_id))
            .return_values(ReturnValue::AllNew)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(live(user_id, &after.attributes.unwrap_or_default()))
    }

    /// Every live connection of these people.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn of_users(&self, users: &[UserId]) -> Result<Vec<Connection>> {
        let batches = try_join_all(users.chunks(BATCH).map(|users| self.batch(users))).await?;
        Ok(batches.into_iter().flatten().collect())
    }

    async fn batch(&self, users: &[UserId]) -> Result<Vec<Connection>> {
        let mut found = Vec::new();
        let mut keys: Vec<_> =
            users.iter().map(|user_id| HashMap::from([("address".to_owned(), user_address(*user_id))])).collect();
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
                if let Some(user_id) = item.get("address").and_then(|address| user_of(address)) {
                    found.extend(live(user_id, &item));
                }
            }
            keys = match answer.unprocessed_keys.unwrap_or_default().remove(&self.table) {
                Some(left) if !left.keys().is_empty() => left.keys,
                _ => return Ok(found),
            };
        }
        Err(Error::Unavailable("DynamoDB kept leaving keys unprocessed".into()))
    }
}

fn user_address(user_id: UserId) -> AttributeValue {
    AttributeValue::S(format!("user#{user_id}"))
}

fn user_of(address: &AttributeValue) -> Option<UserId> {
    address.as_s().ok()?.strip_prefix("user#")?.parse().ok()
}

fn attribute(connection_id: &ConnectionId) -> String {
    format!("{PREFIX}{connection_id}")
}

/// The connections of an item that can still be alive, oldest first.
fn live(user_id: UserId, item: &HashMap<String, AttributeValue>) -> Vec<Connection> {
    let oldest = Utc::now().timestamp_millis() - DEAD_AFTER.as_millis() as i64;
    let mut connections: Vec<_> = item
        .iter()
        .filter_map(|(name, value)| {
            let entry = value.as_m().ok()?;
            Some(Connection {
                id: ConnectionId(name.strip_prefix(PREFIX)?.to_owned()),
                user_id,
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
        let user_id = UserId::new();
        let now = Utc::now().timestamp_millis();
        let entry = |at: i64| {
            AttributeValue::M(HashMap::from([
                ("at".to_owned(), AttributeValue::N(at.to_string())),
                ("session".to_owned(), AttributeValue::S(SessionId::new().to_string())),
            ]))
        };
        let item = HashMap::from([
            ("address".to_owned(), user_address(user_id)),
            ("expires_at".to_owned(), AttributeValue::N("1".to_owned())),
            ("c:young=".to_owned(), entry(now)),
            ("c:older=".to_owned(), entry(now - 7_000_000)),
            ("c:dead=".to_owned(), entry(now - 7_900_000)),
        ]);
        let ids: Vec<_> = live(user_id, &item).into_iter().map(|connection| connection.id.0).collect();
        assert_eq!(ids, ["older=", "young="]);
    }
}
