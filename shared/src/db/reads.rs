//! Read cursors: up to which message each member has read. They only move forward.

use sqlx::PgExecutor;

use crate::ids::{ChatId, MessageId, UserId};
use crate::{Error, Result};

/// How many of the messages just read are searched for senders to notify. Reading a million at once costs no more than
/// this.
const MAX_NOTIFIED_MESSAGES: i64 = 1000;

/// Moves a member's cursor forward to an existing message, unless it is already there or further. Returns where it was.
///
/// # Errors
/// [`Error::ChatNotFound`] if the reader is not in the chat.
pub async fn move_cursor(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    reader: UserId,
    up_to: MessageId,
) -> Result<MessageId> {
    // The row is locked before it is read: if two calls move the cursor at once, each reports only what it moved past
    // itself.
    sqlx::query_scalar!(
        r#"
        with before as (
            select last_read_id from chat_members where chat_id = $1 and user_id = $2 for update
        ), moved as (
            update chat_members m set last_read_id = $3 from before
            where m.chat_id = $1 and m.user_id = $2 and before.last_read_id < $3
        )
        select last_read_id from before
        "#,
        chat_id as ChatId,
        reader as UserId,
        up_to,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::ChatNotFound)
}

/// The members other than the reader who sent messages in `(after, up_to]`; only the newest thousand messages are
/// searched.
pub async fn senders_between(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    reader: UserId,
    after: MessageId,
    up_to: MessageId,
) -> Result<Vec<UserId>> {
    // Materialised, because otherwise the planner looks up all of each member's messages by another index.
    Ok(sqlx::query_scalar!(
        r#"
        with read as materialized (
            select distinct sender_id from messages where chat_id = $1 and id > greatest($3, $4 - $5::int8) and id <= $4
        )
        select m.user_id as "user_id: UserId" from chat_members m join read on read.sender_id = m.user_id
        where m.chat_id = $1 and m.user_id <> $2
        "#,
        chat_id as ChatId,
        reader as UserId,
        after,
        up_to,
        MAX_NOTIFIED_MESSAGES,
    )
    .fetch_all(db)
    .await?)
}
