//! Sending and reading messages.

use sqlx::PgExecutor;

use crate::fields::{ClientMessageId, MessageText};
use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::{Message, Timestamp};
use crate::{Error, Result};

/// The query for messages. The columns and `is_read` are written only here.
///
/// `readers` selects the cursors that decide `is_read` (rows of `chat_id`, `user_id`, `last_read_id`); `rest` selects
/// the messages: it continues `from messages m` and ends the statement.
macro_rules! select_messages {
    (readers: $readers:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query_as!(
            crate::protocol::Message,
            "with readers as " + $readers + r#"
            select m.chat_id as "chat_id: crate::ids::ChatId", m.id, m.sender_id as "sender_id: crate::ids::UserId", m.text,
                m.created_at as "timestamp: crate::protocol::Timestamp",
                m.edited_at as "edited_at: crate::protocol::Timestamp",
                m.deleted_at as "deleted_at: crate::protocol::Timestamp",
                exists (select from readers r where r.chat_id = m.chat_id and r.user_id <> m.sender_id
                    and r.last_read_id >= m.id) as "is_read!",
                m.client_message_id, m.revision
            from messages m "# + $rest,
            $($argument),+
        )
    };
    // Messages of one chat, whose id is the first argument. Somebody other than the sender has read a message if one of
    // the two furthest readers is not its sender and has got that far; a group's other cursors need not be checked.
    (of_one_chat, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        select_messages!(
            readers: "materialized (
                select chat_id, user_id, last_read_id from chat_members where chat_id = $1 order by last_read_id desc limit 2
            )",
            rest: $rest,
            $($argument),+
        )
    };
    // Messages of any chats. Each message checks its own chat's cursors until one is far enough.
    (of_any_chat, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        select_messages!(
            readers: "(select chat_id, user_id, last_read_id from chat_members)",
            rest: $rest,
            $($argument),+
        )
    };
}
pub(super) use select_messages;

/// A successful send.
#[derive(Debug)]
pub struct Sent {
    pub message: Message,
    /// Whether an earlier attempt had already stored it.
    pub repeated: bool,
    /// Everybody who was in the chat when the message was numbered, including the sender.
    pub recipients: Vec<UserId>,
}

/// Stores a message exactly once per `client_message_id`, in one round trip. The rules are in
/// `migrations/4_send_message.sql`.
///
/// # Errors
/// [`Error::ChatNotFound`], [`Error::IdempotencyConflict`].
pub async fn send(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    sender_id: UserId,
    client_message_id: &ClientMessageId,
    text: &MessageText,
) -> Result<Sent> {
    let row = sqlx::query!(
        r#"
        select outcome as "outcome!", id, text, created_at as "created_at: Timestamp",
            edited_at as "edited_at: Timestamp", deleted_at as "deleted_at: Timestamp", is_read, revision,
            recipients as "recipients: Vec<UserId>"
        from send_message($1, $2, $3, $4)
        "#,
        chat_id as ChatId,
        sender_id as UserId,
        client_message_id.as_str(),
        text.as_str(),
    )
    .fetch_one(db)
    .await?;
    let repeated = match row.outcome.as_str() {
        "stored" => false,
        "repeated" => true,
        "conflict" => return Err(Error::IdempotencyConflict),
        _ => return Err(Error::ChatNotFound),
    };
    let (Some(id), Some(timestamp), Some(revision)) = (row.id, row.created_at, row.revision) else {
        return Err(Error::internal("send_message answered without a message"));
    };
    let message = Message {
        chat_id,
        id,
        sender_id,
        text: row.text,
        timestamp,
        edited_at: row.edited_at,
        deleted_at: row.deleted_at,
        is_read: row.is_read.unwrap_or_default(),
        client_message_id: client_message_id.as_str().to_owned(),
        revision,
    };
    Ok(Sent { message, repeated, recipients: row.recipients.unwrap_or_default() })
}

/// A part of a chat's history. Numbers have no gaps, so every page is a range of the primary key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// The messages right after this one.
    After(MessageId),
    /// The messages right before this one.
    Before(MessageId),
}

/// One page, oldest first; empty if `me` is not in the chat at that moment.
pub async fn page(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    me: UserId,
    page: Page,
    limit: i64,
) -> Result<Vec<Message>> {
    let (after, before) = match page {
        Page::After(id) => (id, id.saturating_add(limit).saturating_add(1)),
        Page::Before(id) => (id.saturating_sub(limit).saturating_sub(1), id),
    };
    Ok(select_messages!(
        of_one_chat,
        rest: "where m.chat_id = $1 and m.id > $2 and m.id < $3
            and exists (select from chat_members me where me.chat_id = $1 and me.user_id = $4)
            order by m.id",
        chat_id as ChatId,
        after,
        before,
        me as UserId,
    )
    .fetch_all(db)
    .await?)
}

/// The messages changed in `(after, up_to]`, in order of revision.
pub async fn changed(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<Message>> {
    Ok(select_messages!(
        of_one_chat,
        rest: "where m.chat_id = $1 and m.revision > $2 and m.revision <= $3 order by m.revision limit $4",
        chat_id as ChatId,
        after,
        up_to,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// Those of the given messages that are in `me`'s chats, in no particular order.
pub async fn some(db: impl PgExecutor<'_>, me: UserId, which: &[(ChatId, MessageId)]) -> Result<Vec<Message>> {
    let (chats, ids): (Vec<_>, Vec<_>) = which.iter().map(|(chat_id, id)| (chat_id.0, *id)).unzip();
    Ok(select_messages!(
        of_any_chat,
        rest: "join unnest($2::uuid[], $3::int8[]) as which (chat_id, id) on which.chat_id = m.chat_id and which.id = m.id
            where exists (select from chat_members me where me.chat_id = m.chat_id and me.user_id = $1)",
        me as UserId,
        &chats,
        &ids,
    )
    .fetch_all(db)
    .await?)
}

/// # Errors
/// [`Error::MessageNotFound`].
pub async fn get(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId, id: MessageId) -> Result<Message> {
    let mut one = page(db, chat_id, me, Page::After(id.saturating_sub(1)), 1).await?;
    one.pop().filter(|message| message.id == id).ok_or(Error::MessageNotFound)
}

/// Replaces a message's text, at this revision. Must be called under the chat's lock.
pub async fn edit(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    id: MessageId,
    text: &MessageText,
    revision: i64,
) -> Result<()> {
    sqlx::query!(
        "
        update messages set text = $3, revision = $4, edited_at = date_trunc('milliseconds', clock_timestamp())
        where chat_id = $1 and id = $2
        ",
        chat_id as ChatId,
        id,
        text.as_str(),
        revision,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Reduces a message to its tombstone, at this revision. Must be called under the chat's lock.
pub async fn delete(db: impl PgExecutor<'_>, chat_id: ChatId, id: MessageId, revision: i64) -> Result<()> {
    sqlx::query!(
        "
        update messages set text = null, revision = $3, deleted_at = date_trunc('milliseconds', clock_timestamp())
        where chat_id = $1 and id = $2
        ",
        chat_id as ChatId,
        id,
        revision,
    )
    .execute(db)
    .await?;
    Ok(())
}
