//! Chats and their members.

use std::collections::BTreeMap;

use chrono::DateTime;
use sqlx::{PgConnection, PgExecutor};

use crate::db::members;
use crate::fields::Name;
use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::{Chat, ChatKind, ChatSummary, Message, Person, Role, Timestamp};
use crate::{Error, Result};

/// Makes the private chat of two people, or finds it: `true` if it is new. To be called in a transaction.
///
/// # Errors
/// [`Error::UserNotFound`] if the other one does not exist.
pub async fn private(db: &mut PgConnection, me: UserId, other: UserId) -> Result<(ChatId, bool)> {
    let pair = format!("{}:{}", me.min(other), me.max(other));
    let made = sqlx::query_scalar!(
        r#"
        insert into chats (chat_id, kind, created_by, private_pair) values ($1, 'private', $2, $3)
        on conflict on constraint chats_private_pair_key do nothing
        returning chat_id as "chat_id: ChatId"
        "#,
        ChatId::new() as ChatId,
        me as UserId,
        pair,
    )
    .fetch_optional(&mut *db)
    .await?;
    if let Some(chat_id) = made {
        members::insert(db, chat_id, &[(me, Role::Member), (other, Role::Member)]).await?;
        return Ok((chat_id, true));
    }
    let chat_id =
        sqlx::query_scalar!(r#"select chat_id as "chat_id: ChatId" from chats where private_pair = $1"#, pair)
            .fetch_one(db)
            .await?;
    Ok((chat_id, false))
}

/// Makes a group of which `me` is the owner. To be called in a transaction.
///
/// # Errors
/// [`Error::UserNotFound`] if one of `others` does not exist.
pub async fn group(db: &mut PgConnection, me: UserId, name: &Name, others: &[UserId]) -> Result<ChatId> {
    let chat_id = ChatId::new();
    sqlx::query!(
        "insert into chats (chat_id, kind, name, created_by) values ($1, 'group', $2, $3)",
        chat_id as ChatId,
        name.as_str(),
        me as UserId,
    )
    .execute(&mut *db)
    .await?;
    let mut members = vec![(me, Role::Owner)];
    members.extend(others.iter().map(|user_id| (*user_id, Role::Member)));
    members::insert(db, chat_id, &members).await?;
    Ok(chat_id)
}

/// A chat with its members.
///
/// # Errors
/// [`Error::ChatNotFound`] also if `me` is not in it.
pub async fn get(db: &mut PgConnection, chat_id: ChatId, me: UserId) -> Result<Chat> {
    // The position first, the data second: what changes in between is told again, never missed.
    let chat = sqlx::query!(
        r#"
        select c.kind, c.name, c.created_by as "created_by: UserId", c.created_at as "created_at: Timestamp",
            c.revision, c.last_message_id
        from chats c join chat_members me on me.chat_id = c.chat_id
        where c.chat_id = $1 and me.user_id = $2
        "#,
        chat_id as ChatId,
        me as UserId,
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::ChatNotFound)?;
    let members = Some(members::of(db, chat_id).await?);
    Ok(Chat {
        chat_id,
        kind: kind_from_sql(&chat.kind),
        name: chat.name,
        created_by: chat.created_by,
        created_at: chat.created_at,
        revision: chat.revision,
        last_message_id: chat.last_message_id,
        members,
    })
}

/// Where a page of the list begins: after this chat, in order of last activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCursor {
    /// The last activity of the last chat one has.
    pub activity: Timestamp,
    /// That chat.
    pub chat_id: ChatId,
}

const YEAR_10000_MILLIS: i64 = 253_402_300_800_000;

/// Written as `<milliseconds since 1970>_<chat id>`; clients pass it back as it is.
impl std::fmt::Display for ListCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.activity.0.timestamp_millis(), self.chat_id)
    }
}

impl std::str::FromStr for ListCursor {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (millis, chat_id) = text.split_once('_').ok_or(())?;
        // PostgreSQL's years end before chrono's do, on both sides.
        let millis = millis.parse().ok().filter(|millis| (0..YEAR_10000_MILLIS).contains(millis)).ok_or(())?;
        let activity = DateTime::from_timestamp_millis(millis).ok_or(())?;
        Ok(Self { activity: Timestamp(activity), chat_id: chat_id.parse().map_err(|_| ())? })
    }
}

/// One's chats, the latest active first, with where the next page begins. Each costs a few index look-ups, however many
/// messages it holds.
///
/// # Errors
/// Only those of the database.
pub async fn list(
    db: impl PgExecutor<'_>,
    me: UserId,
    after: Option<ListCursor>,
    limit: i64,
) -> Result<(Vec<ChatSummary>, Option<ListCursor>)> {
    // The newest message is read by someone else if somebody else's cursor has reached it.
    let rows = sqlx::query!(
        r#"
        select c.chat_id as "chat_id: ChatId", c.kind, c.name, c.created_at as "created_at: Timestamp", c.revision,
            c.last_message_id, mine.role, mine.last_read_id,
            peer.user_id as "peer_id?: UserId", peer.name as "peer_name?", peer.username as "peer_username?",
            coalesce(m.created_at, c.created_at) as "activity!: Timestamp",
            m.sender_id as "sender_id?: UserId", m.text, m.created_at as "message_at?: Timestamp",
            m.edited_at as "edited_at?: Timestamp", m.deleted_at as "deleted_at?: Timestamp",
            m.client_message_id as "client_message_id?", m.revision as "message_revision?",
            exists (select 1 from chat_members o where o.chat_id = c.chat_id and o.user_id <> m.sender_id
                and o.last_read_id >= m.id) as "is_read!"
        from chat_members mine
        join chats c on c.chat_id = mine.chat_id
        left join messages m on m.chat_id = c.chat_id and m.id = c.last_message_id
        left join chat_members other
            on c.kind = 'private' and other.chat_id = c.chat_id and other.user_id <> mine.user_id
        left join users peer on peer.user_id = other.user_id
        where mine.user_id = $1
            and ($2::timestamptz is null or (coalesce(m.created_at, c.created_at), c.chat_id) < ($2, $3))
        order by coalesce(m.created_at, c.created_at) desc, c.chat_id desc
        limit $4
        "#,
        me as UserId,
        after.map(|after| after.activity.0),
        after.map(|after| after.chat_id.0),
        limit + 1,
    )
    .fetch_all(db)
    .await?;
    let limit = usize::try_from(limit).map_err(Error::internal)?;
    let next = (rows.len() > limit)
        .then(|| &rows[limit - 1])
        .map(|row| ListCursor { activity: row.activity, chat_id: row.chat_id });
    let chats = rows
        .into_iter()
        .take(limit)
        .map(|row| ChatSummary {
            id: row.chat_id,
            kind: kind_from_sql(&row.kind),
            name: row.name,
            peer: row.peer_id.zip(row.peer_name).map(|(id, name)| Person { id, name, username: row.peer_username }),
            role: role_from_sql(&row.role),
            created_at: row.created_at,
            revision: row.revision,
            last_message_id: row.last_message_id,
            last_read_id: row.last_read_id,
            unread_count: row.last_message_id - row.last_read_id,
            last_message: row.sender_id.zip(row.message_at).map(|(sender_id, timestamp)| Message {
                chat_id: row.chat_id,
                id: row.last_message_id,
                sender_id,
                text: row.text,
                timestamp,
                edited_at: row.edited_at,
                deleted_at: row.deleted_at,
                is_read: row.is_read,
                client_message_id: row.client_message_id.unwrap_or_default(),
                revision: row.message_revision.unwrap_or_default(),
            }),
        })
        .collect();
    Ok((chats, next))
}

/// Gives a group another name. To be called under the chat's lock.
///
/// # Errors
/// Only those of the database.
pub async fn rename(db: impl PgExecutor<'_>, chat_id: ChatId, name: &Name) -> Result<()> {
    sqlx::query!("update chats set name = $2 where chat_id = $1", chat_id as ChatId, name.as_str()).execute(db).await?;
    Ok(())
}

/// How far each of one's chats has got.
///
/// # Errors
/// Only those of the database.
pub async fn revisions(db: impl PgExecutor<'_>, me: UserId) -> Result<BTreeMap<ChatId, i64>> {
    let rows = sqlx::query!(
        r#"
        select c.chat_id as "chat_id: ChatId", c.revision
        from chat_members m join chats c on c.chat_id = m.chat_id where m.user_id = $1
        "#,
        me as UserId,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.chat_id, row.revision)).collect())
}

/// A member's view of how far a chat has got.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// The newest message's number.
    pub last_message_id: MessageId,
    /// The chat's revision.
    pub revision: i64,
}

/// How far a chat has got, for one of its members.
///
/// # Errors
/// [`Error::ChatNotFound`] also if `me` is not in it.
pub async fn head(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId) -> Result<Head> {
    sqlx::query_as!(
        Head,
        "
        select c.last_message_id, c.revision
        from chats c join chat_members me on me.chat_id = c.chat_id
        where c.chat_id = $1 and me.user_id = $2
        ",
        chat_id as ChatId,
        me as UserId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::ChatNotFound)
}

pub(super) fn role_to_sql(role: Role) -> &'static str {
    match role {
        Role::Owner => "owner",
        Role::Admin => "admin",
        Role::Member => "member",
    }
}

/// The check constraint on the column admits nothing else.
pub(super) fn role_from_sql(role: &str) -> Role {
    match role {
        "owner" => Role::Owner,
        "admin" => Role::Admin,
        _ => Role::Member,
    }
}

/// The check constraint on the column admits nothing else.
pub(super) fn kind_from_sql(kind: &str) -> ChatKind {
    if kind == "group" { ChatKind::Group } else { ChatKind::Private }
}
