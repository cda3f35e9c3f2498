//! Sending and reading messages.

use sqlx::PgExecutor;

use crate::db::chats::Head;
use crate::fields::{ClientMessageId, MessageText};
use crate::ids::{ChatId, MessageId, SessionId, UserId};
use crate::protocol::{Message, Timestamp};
use crate::{Error, Result};

/// The query for messages. The columns and `is_read` are written only here.
///
/// `readers` selects the cursors that decide `is_read` (rows of `chat_id`, `user_id`, `last_read_id`). `with` continues
/// the list of common table expressions, and `also` begins the list of columns. `rest` selects the messages: it begins
/// with `from`, contains `messages m`, which may be joined from outside, and ends the statement. [`message`] reads the
/// rows.
macro_rules! select_messages {
    (readers: $readers:literal, with: $with:literal, also: $also:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            "with readers as " + $readers + $with + " select " + $also + r#"
                m.chat_id as "m_chat_id?: crate::ids::ChatId", m.id as "m_id?", m.sender_id as "m_sender_id?: crate::ids::UserId",
                m.text as "m_text?", m.created_at as "m_timestamp?: crate::protocol::Timestamp",
                m.edited_at as "m_edited_at?: crate::protocol::Timestamp",
                m.deleted_at as "m_deleted_at?: crate::protocol::Timestamp",
                exists (select from readers r where r.chat_id = m.chat_id and r.user_id <> m.sender_id
                    and r.last_read_id >= m.id) as "m_is_read!",
                m.client_message_id as "m_client_message_id?", m.revision as "m_revision?" "# + $rest,
            $($argument),+
        )
    };
    // Messages of one chat, whose id is the first argument. Somebody other than the sender has read a message if one of
    // the two furthest readers is not its sender and has got that far; a group's other cursors need not be checked.
    (of_one_chat, with: $with:literal, also: $also:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        select_messages!(
            readers: "materialized (
                select chat_id, user_id, last_read_id from chat_members where chat_id = $1 order by last_read_id desc limit 2
            )",
            with: $with,
            also: $also,
            rest: $rest,
            $($argument),+
        )
    };
    // Messages of any chats. Each message checks its own chat's cursors until one is far enough.
    (of_any_chat, with: $with:literal, also: $also:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        select_messages!(
            readers: "(select chat_id, user_id, last_read_id from chat_members)",
            with: $with,
            also: $also,
            rest: $rest,
            $($argument),+
        )
    };
}
pub(super) use select_messages;

/// The message in a row of [`select_messages`]; `None` if the row is there for what it was joined to.
macro_rules! message {
    ($row:expr) => {
        (|| {
            Some(crate::protocol::Message {
                chat_id: $row.m_chat_id?,
                id: $row.m_id?,
                sender_id: $row.m_sender_id?,
                text: $row.m_text,
                timestamp: $row.m_timestamp?,
                edited_at: $row.m_edited_at,
                deleted_at: $row.m_deleted_at,
                is_read: $row.m_is_read,
                client_message_id: $row.m_client_message_id?,
                revision: $row.m_revision?,
            })
        })()
    };
}
pub(super) use message;

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
/// `migrations/13_sends_keep_activity.sql`. With a session, only if it is alive.
///
/// # Errors
/// [`Error::ChatNotFound`], also if the session has ended; [`Error::IdempotencyConflict`].
pub async fn send(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    sender_id: UserId,
    session_id: Option<SessionId>,
    client_message_id: &ClientMessageId,
    text: &MessageText,
) -> Result<Sent> {
    let row = sqlx::query!(
        r#"
        select outcome as "outcome!", id, text, created_at as "created_at: Timestamp",
            edited_at as "edited_at: Timestamp", deleted_at as "deleted_at: Timestamp", is_read, revision,
            recipients as "recipients: Vec<UserId>"
        from send_message($1, $2, $3, $4) where $5::uuid is null or session_is_live($5)
        "#,
        chat_id as ChatId,
        sender_id as UserId,
        client_message_id.as_str(),
        text.as_str(),
        session_id.map(|session_id| session_id.0),
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::ChatNotFound)?;
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

/// One page, oldest first, and how far the chat has progressed. With a session, only if it is alive.
///
/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat or the session has ended.
pub async fn page(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    me: UserId,
    session_id: Option<SessionId>,
    page: Page,
    limit: i64,
) -> Result<(Vec<Message>, Head)> {
    let (id, is_before) = match page {
        Page::After(id) => (id, false),
        Page::Before(id) => (id, true),
    };
    // One statement, so the messages are exactly those that the head says there are.
    let rows = select_messages!(
        of_one_chat,
        with: ", chat as materialized (
            select c.chat_id, c.last_message_id, c.revision,
                case when $4 then least($3, c.last_message_id + 1) - $5 - 1 else least($3, c.last_message_id) end as after
            from chats c join chat_members me on me.chat_id = c.chat_id
            where c.chat_id = $1 and me.user_id = $2 and ($6::uuid is null or session_is_live($6))
        )",
        also: r#"chat.last_message_id as "last_message_id!", chat.revision as "chat_revision!", "#,
        rest: "from chat
            left join messages m on m.chat_id = chat.chat_id and m.id > chat.after and m.id <= chat.after + $5
            order by m.id",
        chat_id as ChatId,
        me as UserId,
        id,
        is_before,
        limit,
        session_id.map(|session_id| session_id.0),
    )
    .fetch_all(db)
    .await?;
    let first = rows.first().ok_or(Error::ChatNotFound)?;
    let head = Head { last_message_id: first.last_message_id, revision: first.chat_revision };
    Ok((rows.into_iter().filter_map(|row| message!(row)).collect(), head))
}

/// The messages changed in `(after, up_to]`, in order of revision.
pub async fn changed(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<Message>> {
    let rows = select_messages!(
        of_one_chat,
        with: "",
        also: "",
        rest: "from messages m where m.chat_id = $1 and m.revision > $2 and m.revision <= $3 order by m.revision limit $4",
        chat_id as ChatId,
        after,
        up_to,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(|row| message!(row)).collect())
}

/// # Errors
/// [`Error::MessageNotFound`].
pub async fn get(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId, id: MessageId) -> Result<Message> {
    let (mut one, _) = page(db, chat_id, me, None, Page::After(id.saturating_sub(1)), 1).await?;
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
