//! Read cursors: up to which message each member has read. They only move forward.

use sqlx::PgExecutor;

use crate::Result;
use crate::ids::{ChatId, MessageId, UserId};

/// How many of the messages just read are looked at for whom to tell: what it costs to read a million at once is bounded.
const TOLD: i64 = 1000;

/// Moves a member's cursor up to a message that exists. Answers with where it was, or nothing if it was there already.
///
/// # Errors
/// Only those of the database.
pub async fn advance(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    reader: UserId,
    up_to: MessageId,
) -> Result<Option<MessageId>> {
    // The inner row is locked before it is read: of two movements at once each tells only what it moved over itself.
    Ok(sqlx::query_scalar!(
        "
        update chat_members m set last_read_id = $3
        from (select last_read_id from chat_members where chat_id = $1 and user_id = $2 for update) before
        where m.chat_id = $1 and m.user_id = $2 and before.last_read_id < $3
        returning before.last_read_id
        ",
        chat_id as ChatId,
        reader as UserId,
        up_to,
    )
    .fetch_optional(db)
    .await?)
}

/// The members whose messages lie in `(after, up_to]`, the reader apart; only the newest thousand messages are looked at.
///
/// # Errors
/// Only those of the database.
pub async fn senders_between(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    reader: UserId,
    after: MessageId,
    up_to: MessageId,
) -> Result<Vec<UserId>> {
    // Materialised, or the planner looks up each member's messages by another index, all of them.
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
        TOLD,
    )
    .fetch_all(db)
    .await?)
}
