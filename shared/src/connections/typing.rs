//! Who is typing: one item `typing#<chat>#<user>` for each person who has recently typed in a chat.

use aws_sdk_dynamodb::types::AttributeValue;
use chrono::Utc;

use super::{Connections, expires_at, unavailable};
use crate::Result;
use crate::ids::{ChatId, UserId};

/// How long after one start of typing the next is worth passing on, in milliseconds.
const TYPING_MILLIS: i64 = 3000;

impl Connections {
    /// Whether to pass on that a person has started or stopped typing in a chat: a start if the last one was at least
    /// three seconds ago, and the first stop after a start. The call records it.
    ///
    /// # Errors
    /// [`Unavailable`](crate::Error::Unavailable).
    pub async fn is_typing_news(&self, chat_id: ChatId, user_id: UserId, is_typing: bool) -> Result<bool> {
        let number = |n: i64| AttributeValue::N(n.to_string());
        let now = Utc::now().timestamp_millis();
        let note = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("address", AttributeValue::S(format!("typing#{chat_id}#{user_id}")))
            .expression_attribute_values(":expires_at", expires_at());
        // The time of the last start, negated by a stop. Either way it determines when the next start may be passed on.
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
}
