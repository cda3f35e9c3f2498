//! Sending messages.

use std::time::Duration;

use sqlx::types::Json;
use uuid::Uuid;

use crate::db::messages::NO_WORDS;
use crate::db::{Database, rates};
use crate::fields::{ClientMessageId, MessageText};
use crate::ids::{ChatId, FileId, MessageId, SessionId, UserId};
use crate::mentions::usernames;
use crate::protocol::{Details, Message, Timestamp};
use crate::{Error, Result};

/// A successful send.
#[derive(Debug)]
pub struct Sent {
    pub message: Message,
    /// Whether an earlier attempt had already stored it.
    pub repeated: bool,
    /// Everybody who was in the chat when the message was numbered, including the sender.
    pub recipients: Vec<UserId>,
    /// Whether any of the others has a push subscription; in a large group, whether anybody has.
    pub has_subscribers: bool,
}

/// What to send.
#[derive(Debug)]
pub enum Content<'a> {
    Text {
        /// May only be missing if there are files.
        text: Option<&'a MessageText>,
        file_ids: Option<&'a [FileId]>,
        /// The message of the same chat that it replies to.
        reply_to_id: Option<MessageId>,
    },
    /// A copy of a message of any chat of the sender.
    Forward { chat_id: ChatId, message_id: MessageId },
}

/// Stores a message exactly once per `client_message_id`, in one round trip. The rules are in
/// `migrations/30_sends_with_files.sql`. With a session, only if it is alive.
///
/// # Errors
/// [`Error::ChatNotFound`], also if the session has ended; [`Error::IdempotencyConflict`]; [`Error::NotReachable`],
/// [`Error::Forbidden`], [`Error::SlowMode`] or [`Error::RateLimited`] if the sender may not write there, or not yet. For the message that is quoted or
/// forwarded: [`Error::ChatNotFound`], [`Error::MessageNotFound`], [`Error::MessageDeleted`], and [`Error::Forbidden`] for a
/// service entry. [`Error::FileNotFound`] if one of the files is not the sender's or not in the store.
pub async fn send(
    db: &Database,
    chat_id: ChatId,
    sender_id: UserId,
    session_id: Option<SessionId>,
    client_message_id: &ClientMessageId,
    content: &Content<'_>,
) -> Result<Sent> {
    let (text, file_ids, reply_to_id, origin) = match *content {
        Content::Text { text, file_ids, reply_to_id } => (text, file_ids.map(uuids), reply_to_id, None),
        Content::Forward { chat_id, message_id } => (None, None, None, Some((chat_id, message_id))),
    };
    let rate = db.has_limits().then_some(rates::SENDS);
    let mentioned = text.map(usernames).filter(|usernames| !usernames.is_empty());
    let row = sqlx::query!(
        r#"
        select outcome as "outcome!", id, text, created_at as "created_at: Timestamp",
            edited_at as "edited_at: Timestamp", deleted_at as "deleted_at: Timestamp", is_read, revision,
            details as "details: Json<Details>", wait, recipients as "recipients: Vec<UserId>",
            case when cardinality(recipients) > 20 then exists (select from push_subscriptions)
                else exists (select from push_subscriptions p where p.user_id = any (recipients) and p.user_id <> $2)
                end as "has_subscribers!"
        from send_message($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $12) where $11::uuid is null or session_is_live($11)
        "#,
        chat_id as ChatId,
        sender_id as UserId,
        client_message_id.as_str(),
        text.map(MessageText::as_str).or(file_ids.as_ref().map(|_| "")),
        reply_to_id,
        origin.map(|(chat_id, _)| chat_id.0),
        origin.map(|(_, message_id)| message_id),
        mentioned.as_deref(),
        rate.map(|rate| rate.burst),
        rate.map(|rate| rate.per_second),
        session_id.map(|session_id| session_id.0),
        file_ids.as_deref(),
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::ChatNotFound)?;
    let repeated = match row.outcome.as_str() {
        "stored" => false,
        "repeated" => true,
        outcome => return Err(refusal(outcome, row.wait)),
    };
    let (Some(id), Some(timestamp), Some(revision)) = (row.id, row.created_at, row.revision) else {
        return Err(Error::internal("send_message answered without a message"));
    };
    let details = row.details.map(|Json(details)| details).unwrap_or_default();
    let message = Message {
        chat_id,
        id,
        sender_id,
        kind: details.kind(),
        text: row.text,
        timestamp,
        edited_at: row.edited_at,
        deleted_at: row.deleted_at,
        is_read: row.is_read.unwrap_or_default(),
        client_message_id: client_message_id.as_str().to_owned(),
        revision,
        details,
        my_reactions: None,
    };
    let recipients = row.recipients.unwrap_or_default();
    Ok(Sent { message, repeated, recipients, has_subscribers: row.has_subscribers })
}

fn uuids(ids: &[FileId]) -> Vec<Uuid> {
    ids.iter().map(|id| id.0).collect()
}

/// The error for an outcome of `send_message`; `wait` is in seconds.
fn refusal(outcome: &str, wait: Option<i32>) -> Error {
    match outcome {
        "conflict" => Error::IdempotencyConflict,
        "no_message" => Error::MessageNotFound,
        "deleted" => Error::MessageDeleted,
        "no_file" => Error::FileNotFound,
        "service" => Error::Forbidden(NO_WORDS),
        "closed" => Error::NotReachable,
        "admins_only" => Error::Forbidden("only admins write in this group"),
        "slow" | "fast" => {
            let retry_after = Duration::from_secs(wait.and_then(|wait| u64::try_from(wait).ok()).unwrap_or_default());
            if outcome == "slow" { Error::SlowMode { retry_after } } else { Error::RateLimited { retry_after } }
        }
        _ => Error::ChatNotFound,
    }
}
