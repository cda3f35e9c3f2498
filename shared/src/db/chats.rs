//! Creating chats, their lock and their revision.
//!
//! Every change to a chat is made under its lock and takes its next revision, so everybody sees the changes in the same
//! order.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgExecutor};

use crate::db::members;
use crate::fields::Name;
use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::{Chat, ChatKind, ChatWithMembers, Member, Role, Timestamp};
use crate::{Error, Result};

/// Finds or creates the private chat of two people, and returns whether it is new. Must be called in a transaction.
///
/// # Errors
/// [`Error::UserNotFound`] if the other person does not exist.
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

/// Creates a group owned by `me`. Must be called in a transaction.
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

/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat.
pub async fn get(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId) -> Result<ChatWithMembers> {
    // A row for each member; the chat is in all of them. One statement, so the members are those of this revision.
    let rows = sqlx::query!(
        r#"
        select c.chat_id as "id: ChatId", c.kind as "kind: ChatKind", c.name, c.created_by as "created_by: UserId",
            c.created_at as "created_at: Timestamp", c.revision, c.last_message_id, c.pinned_message_ids,
            m.user_id as "user_id: UserId", u.name as user_name, u.username, m.role as "role: Role",
            m.joined_at as "joined_at: Timestamp", m.last_read_id
        from chats c
        join chat_members me on me.chat_id = c.chat_id
        join chat_members m on m.chat_id = c.chat_id
        join users u on u.user_id = m.user_id
        where c.chat_id = $1 and me.user_id = $2
        order by m.joined_at, m.user_id
        "#,
        chat_id as ChatId,
        me as UserId,
    )
    .fetch_all(db)
    .await?;
    let first = rows.first().ok_or(Error::ChatNotFound)?;
    let chat = Chat {
        id: first.id,
        kind: first.kind,
        name: first.name.clone(),
        created_by: first.created_by,
        created_at: first.created_at,
        revision: first.revision,
        last_message_id: first.last_message_id,
        pinned_message_ids: first.pinned_message_ids.clone().unwrap_or_default(),
    };
    let members = rows.into_iter().map(|row| Member {
        id: row.user_id,
        name: row.user_name,
        username: row.username,
        role: row.role,
        joined_at: row.joined_at,
        last_read_id: row.last_read_id,
    });
    Ok(ChatWithMembers { chat, members: Some(members.collect()) })
}

/// How far a chat has progressed.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    pub last_message_id: MessageId,
    pub revision: i64,
}

/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat.
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

/// The revision of each of a person's chats.
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

/// A member's place in a locked chat.
#[derive(Debug, Clone)]
pub struct Seat {
    pub kind: ChatKind,
    /// The chat's name.
    pub name: Option<String>,
    pub pinned_message_ids: Vec<MessageId>,
    pub role: Role,
}

impl Seat {
    /// # Errors
    /// [`Error::Forbidden`] for a lower role, and in a private chat, which has no roles.
    pub fn require(&self, role: Role) -> Result<()> {
        match self.kind {
            ChatKind::Private => Err(Error::Forbidden("a private chat has no roles and no name")),
            ChatKind::Group if self.role < role => Err(Error::Forbidden("your role in this chat does not allow this")),
            ChatKind::Group => Ok(()),
        }
    }
}

/// Takes the chat's lock, held until the transaction ends, and only then checks that the caller is a member.
///
/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat.
pub async fn lock(db: &mut PgConnection, chat_id: ChatId, me: UserId) -> Result<Seat> {
    let chat = sqlx::query!(
        r#"select kind as "kind: ChatKind", name, pinned_message_ids from chats where chat_id = $1 for no key update"#,
        chat_id as ChatId
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::ChatNotFound)?;
    let role = members::role_of(db, chat_id, me).await?.ok_or(Error::ChatNotFound)?;
    let pinned_message_ids = chat.pinned_message_ids.unwrap_or_default();
    Ok(Seat { kind: chat.kind, name: chat.name, pinned_message_ids, role })
}

/// Counts one change and returns the chat's new revision. Must be called under the lock.
pub async fn next_revision(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "update chats set revision = revision + 1 where chat_id = $1 returning revision",
        chat_id as ChatId,
    )
    .fetch_one(db)
    .await?)
}

/// Renames a group. Must be called under the lock.
pub async fn rename(db: impl PgExecutor<'_>, chat_id: ChatId, name: &Name) -> Result<()> {
    sqlx::query!("update chats set name = $2 where chat_id = $1", chat_id as ChatId, name.as_str()).execute(db).await?;
    Ok(())
}

/// Replaces the pinned messages. Must be called under the lock.
pub async fn pin(db: impl PgExecutor<'_>, chat_id: ChatId, message_ids: &[MessageId]) -> Result<()> {
    sqlx::query!(
        "update chats set pinned_message_ids = nullif($2::int8[], '{}') where chat_id = $1",
        chat_id as ChatId,
        message_ids,
    )
    .execute(db)
    .await?;
    Ok(())
}
