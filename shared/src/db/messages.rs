//! Reading messages, and what is done to them; [`send`](crate::db::send) stores them.

use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::db::chats::Head;
use crate::db::files;
use crate::fields::MessageText;
use crate::ids::{ChatId, MessageId, SessionId, UserId};
use crate::mentions::usernames;
use crate::protocol::{ChatEvent, Details, Message, Timestamp};
use crate::{Error, Result};

/// The query for messages. The columns and `is_read` are written only here.
///
/// `me` is the parameter with the person whose reactions are told apart.
/// `readers` selects the cursors that decide `is_read` (rows of `chat_id`, `user_id`, `last_read_id`). `with` continues
/// the list of common table expressions, and `also` begins the list of columns. `rest` selects the messages: it begins
/// with `from`, contains `messages m`, which may be joined from outside, and ends the statement. [`message`] reads the
/// rows.
macro_rules! select_messages {
    (readers: $readers:literal, me: $me:literal, with: $with:literal, also: $also:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        sqlx::query!(
            "with readers as " + $readers + $with + " select " + $also + r#"
                m.chat_id as "m_chat_id?: crate::ids::ChatId", m.id as "m_id?", m.sender_id as "m_sender_id?: crate::ids::UserId",
                m.text as "m_text?", m.created_at as "m_timestamp?: crate::protocol::Timestamp",
                m.edited_at as "m_edited_at?: crate::protocol::Timestamp",
                m.deleted_at as "m_deleted_at?: crate::protocol::Timestamp",
                exists (select from readers r where r.chat_id = m.chat_id and r.user_id <> m.sender_id
                    and r.last_read_id >= m.id) as "m_is_read!",
                m.client_message_id as "m_client_message_id?", m.revision as "m_revision?",
                m.details as "m_details?: sqlx::types::Json<crate::protocol::Details>",
                case when m.details ? 'reactions' then array(select r.emoji from reactions r
                    where r.chat_id = m.chat_id and r.message_id = m.id and r.user_id = "# + $me + r#" order by r.reacted_at)
                end as "m_my_reactions?" "# + $rest,
            $($argument),+
        )
    };
    // Messages of one chat, whose id is the first argument. Somebody other than the sender has read a message if one of
    // the two furthest readers is not its sender and has got that far; a group's other cursors need not be checked.
    (of_one_chat, me: $me:literal, with: $with:literal, also: $also:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        select_messages!(
            readers: "materialized (
                select chat_id, user_id, last_read_id from chat_members where chat_id = $1 order by last_read_id desc limit 2
            )",
            me: $me,
            with: $with,
            also: $also,
            rest: $rest,
            $($argument),+
        )
    };
    // Messages of any chats. Each message checks its own chat's cursors until one is far enough.
    (of_any_chat, me: $me:literal, with: $with:literal, also: $also:literal, rest: $rest:literal, $($argument:expr),+ $(,)?) => {
        select_messages!(
            readers: "(select chat_id, user_id, last_read_id from chat_members)",
            me: $me,
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
            let details = $row.m_details.map(|details| details.0).unwrap_or_default();
            Some(crate::protocol::Message {
                chat_id: $row.m_chat_id?,
                id: $row.m_id?,
                sender_id: $row.m_sender_id?,
                kind: details.kind(),
                text: $row.m_text,
                timestamp: $row.m_timestamp?,
                edited_at: $row.m_edited_at,
                deleted_at: $row.m_deleted_at,
                is_read: $row.m_is_read,
                client_message_id: $row.m_client_message_id?,
                revision: $row.m_revision?,
                details,
                my_reactions: $row.m_my_reactions,
            })
        })()
    };
}
pub(super) use message;

/// Why something cannot be done to a service entry.
pub const NO_WORDS: &str = "a service entry is nobody's words";

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
        me: "$2",
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
    me: UserId,
    after: i64,
    up_to: i64,
    limit: i64,
) -> Result<Vec<Message>> {
    let rows = select_messages!(
        of_one_chat,
        me: "$5",
        with: "",
        also: "",
        rest: "from messages m where m.chat_id = $1 and m.revision > $2 and m.revision <= $3 order by m.revision limit $4",
        chat_id as ChatId,
        after,
        up_to,
        limit,
        me as UserId,
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

/// Replaces a message's text and the mentions in it, at this revision. Must be called under the chat's lock.
pub async fn edit(db: &mut PgConnection, before: &Message, text: &MessageText, revision: i64) -> Result<()> {
    let Message { chat_id, id, .. } = *before;
    let mut details = before.details.clone();
    let usernames = usernames(text);
    if !usernames.is_empty() || !details.mentions.is_empty() {
        details.mentions = mention(&mut *db, chat_id, id, &usernames).await?;
    }
    sqlx::query!(
        "
        update messages set text = $3, revision = $4, details = $5,
            edited_at = date_trunc('milliseconds', clock_timestamp())
        where chat_id = $1 and id = $2
        ",
        chat_id as ChatId,
        id,
        text.as_str(),
        revision,
        column(details) as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// `messages.details`: null if there are none.
pub(super) fn column(details: Details) -> Option<Json<Details>> {
    (details != Details::default()).then_some(Json(details))
}

/// Makes the members with these usernames the ones that a message mentions, and returns their ids.
async fn mention(
    db: &mut PgConnection,
    chat_id: ChatId,
    message_id: MessageId,
    usernames: &[String],
) -> Result<Vec<UserId>> {
    sqlx::query!("delete from mentions where chat_id = $1 and message_id = $2", chat_id as ChatId, message_id)
        .execute(&mut *db)
        .await?;
    Ok(sqlx::query_scalar!(
        r#"
        insert into mentions (user_id, chat_id, message_id)
        select m.user_id, m.chat_id, $2 from chat_members m join users u on u.user_id = m.user_id
        where m.chat_id = $1 and u.username = any ($3) order by m.user_id
        returning user_id as "user_id: UserId"
        "#,
        chat_id as ChatId,
        message_id,
        usernames,
    )
    .fetch_all(db)
    .await?)
}

/// Reduces a message to its tombstone, at this revision: what others have attached to it goes too. Must be called under the
/// chat's lock.
pub async fn delete(db: &mut PgConnection, before: &Message, revision: i64) -> Result<()> {
    let Message { chat_id, id, .. } = *before;
    if !before.details.files.is_empty() {
        files::detach(&mut *db, chat_id, id).await?;
    }
    sqlx::query!(
        "
        with no_reactions as (delete from reactions where chat_id = $1 and message_id = $2),
            no_mentions as (delete from mentions where chat_id = $1 and message_id = $2),
            no_pin as (
                update chats set pinned_message_ids = array_remove(pinned_message_ids, $2)
                where chat_id = $1 and $2 = any (pinned_message_ids)
            )
        update messages set text = null, details = null, revision = $3,
            deleted_at = date_trunc('milliseconds', clock_timestamp())
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

/// Adds the service entry that tells of a change to the chat. It takes the next number and, together with the change, the next
/// revision. Must be called under the chat's lock.
pub async fn record(db: impl PgExecutor<'_>, chat_id: ChatId, by: UserId, event: ChatEvent) -> Result<Message> {
    let details = Details { event: Some(event), ..Details::default() };
    let client_message_id = Uuid::new_v4().to_string();
    let row = sqlx::query!(
        r#"
        with numbered as (
            update chats set last_message_id = last_message_id + 1, revision = revision + 1,
                active_at = date_trunc('milliseconds', clock_timestamp())
            where chat_id = $1 returning last_message_id, revision, active_at
        ), listed as (
            update chat_members m set active_at = numbered.active_at from numbered where m.chat_id = $1
                and (m.active_at <= numbered.active_at and numbered.active_at < m.active_at + interval '1 hour') is not true
        )
        insert into messages (chat_id, id, sender_id, client_message_id, sent_hash, created_at, revision, details)
        select $1, last_message_id, $2, $3, '', active_at, revision, $4 from numbered
        returning id, created_at as "created_at: Timestamp", revision
        "#,
        chat_id as ChatId,
        by as UserId,
        client_message_id,
        Json(&details) as _,
    )
    .fetch_one(db)
    .await?;
    Ok(Message {
        chat_id,
        id: row.id,
        sender_id: by,
        kind: details.kind(),
        text: None,
        timestamp: row.created_at,
        edited_at: None,
        deleted_at: None,
        is_read: false,
        client_message_id,
        revision: row.revision,
        details,
        my_reactions: None,
    })
}
