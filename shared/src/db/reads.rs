//! Read cursors: up to which message each member has read. They only move forward.

use sqlx::PgExecutor;

use crate::ids::{ChatId, MessageId, SessionId, UserId};
use crate::{Error, Result};

/// How many of the messages just read are searched for senders to notify. Reading a million at once costs no more than
/// this.
const MAX_NOTIFIED_MESSAGES: i64 = 1000;

/// A cursor that was asked to move.
#[derive(Debug)]
pub struct Moved {
    /// Where it was.
    pub before: MessageId,
    /// The newest message's number. A cursor does not move past it.
    pub last_message_id: MessageId,
    /// The members other than the reader who sent what was read; only the newest thousand messages are searched. Nobody if one of
    /// the two people of a private chat has blocked the other.
    pub senders: Vec<UserId>,
}

/// Moves a member's cursor forward to an existing message, unless it is already there or further. With a session, only if
/// it is alive.
///
/// # Errors
/// [`Error::ChatNotFound`] if the reader is not in the chat, or the session has ended.
pub async fn move_cursor(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    reader: UserId,
    session_id: Option<SessionId>,
    up_to: MessageId,
) -> Result<Moved> {
    // The row is locked before it is read: if two calls move the cursor at once, each reports only what it moved past
    // itself. The senders are materialised, because otherwise the planner looks up all of each member's messages by another
    // index.
    sqlx::query_as!(
        Moved,
        r#"
        with cursor as materialized (
            select last_read_id from chat_members
            where chat_id = $1 and user_id = $2 and ($5::uuid is null or session_is_live($5))
            for update
        ), place as materialized (
            select cursor.last_read_id as before, c.last_message_id, c.closed from cursor, chats c where c.chat_id = $1
        ), moved as (
            update chat_members m set last_read_id = $3, marked_unread = null from place
            where m.chat_id = $1 and m.user_id = $2 and $3 > place.before and $3 <= place.last_message_id
        ), read as materialized (
            select distinct m.sender_id from place join messages m
                on m.chat_id = $1 and m.id > greatest(place.before, $3 - $4::int8) and m.id <= $3
        )
        select place.before as "before!", place.last_message_id as "last_message_id!",
            array(select m.user_id from chat_members m join read on read.sender_id = m.user_id
                where m.chat_id = $1 and m.user_id <> $2 and place.closed is not true) as "senders!: Vec<UserId>"
        from place
        "#,
        chat_id as ChatId,
        reader as UserId,
        up_to,
        MAX_NOTIFIED_MESSAGES,
        session_id.map(|session_id| session_id.0),
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::ChatNotFound)
}
