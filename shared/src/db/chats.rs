//! Creating chats, their lock and their revision.
//!
//! Every change to a chat is made under its lock and takes its next revision, so everybody sees the changes in the same
//! order.

use std::collections::BTreeMap;

use sqlx::{PgConnection, PgExecutor};

use crate::db::{blocks, files, invites, members};
use crate::fields::{ClientMessageId, Description, Name};
use crate::ids::{ChatId, FileId, MessageId, UserId};
use crate::protocol::{ChatKind, ChatSettings, ChatWithMembers, Member, Posting, Role, SettingsChange, Timestamp};
use crate::{Error, Result};

/// Finds or creates the private chat of two people, and returns whether it is new. Must be called in a transaction.
///
/// # Errors
/// [`Error::UserNotFound`] if the other person does not exist; [`Error::NotReachable`] if there is no such chat yet and one of
/// the two has blocked the other.
pub async fn private(db: &mut PgConnection, me: UserId, other: UserId) -> Result<(ChatId, bool)> {
    let pair = blocks::pair(me, other);
    blocks::lock_pair(&mut *db, &pair).await?;
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
        blocks::require_none(&mut *db, me, other).await?;
        members::insert(db, chat_id, &[(me, Role::Member), (other, Role::Member)]).await?;
        return Ok((chat_id, true));
    }
    let found = find_private(db, me, other).await?;
    Ok((found.ok_or_else(|| Error::internal("a private chat that is there was not found"))?, false))
}

/// Creates a group owned by `me`, or finds the one that was made with the same key, and returns whether it is new. Must be
/// called in a transaction.
///
/// # Errors
/// [`Error::UserNotFound`] if one of `others` does not exist; [`Error::NotReachable`] if one of them does not want to be added.
pub async fn group(
    db: &mut PgConnection,
    me: UserId,
    name: &Name,
    others: &[UserId],
    key: Option<&ClientMessageId>,
) -> Result<(ChatId, bool)> {
    let chat_id = ChatId::new();
    let made = sqlx::query!(
        "
        insert into chats (chat_id, kind, name, created_by, client_chat_id) values ($1, 'group', $2, $3, $4)
        on conflict (created_by, client_chat_id) where client_chat_id is not null do nothing
        ",
        chat_id as ChatId,
        name.as_str(),
        me as UserId,
        key.map(ClientMessageId::as_str),
    )
    .execute(&mut *db)
    .await?;
    if made.rows_affected() == 0 {
        let found = match key {
            Some(key) => find_group(db, me, key).await?,
            None => None,
        };
        return Ok((found.ok_or_else(|| Error::internal("a group that is there was not found"))?, false));
    }
    members::require_addable(&mut *db, me, others).await?;
    let mut members = vec![(me, Role::Owner)];
    members.extend(others.iter().map(|user_id| (*user_id, Role::Member)));
    members::insert(db, chat_id, &members).await?;
    Ok((chat_id, true))
}

/// The private chat of two people, if there is one.
pub async fn find_private(db: impl PgExecutor<'_>, me: UserId, other: UserId) -> Result<Option<ChatId>> {
    let pair = blocks::pair(me, other);
    let found = sqlx::query_scalar!(r#"select chat_id as "chat_id: ChatId" from chats where private_pair = $1"#, pair);
    Ok(found.fetch_optional(db).await?)
}

/// The group that a person has made with this key, if there is one.
pub async fn find_group(db: impl PgExecutor<'_>, me: UserId, key: &ClientMessageId) -> Result<Option<ChatId>> {
    let found = sqlx::query_scalar!(
        r#"select chat_id as "chat_id: ChatId" from chats where created_by = $1 and client_chat_id = $2"#,
        me as UserId,
        key.as_str(),
    );
    Ok(found.fetch_optional(db).await?)
}

/// The chat in a row with its columns; the row's column `id` is the chat's.
macro_rules! chat {
    ($row:expr) => {
        crate::protocol::Chat {
            id: $row.id,
            kind: $row.kind,
            name: $row.name.clone(),
            created_by: $row.created_by,
            created_at: $row.created_at,
            revision: $row.revision,
            last_message_id: $row.last_message_id,
            pinned_message_ids: $row.pinned_message_ids.clone().unwrap_or_default(),
            description: $row.description.clone(),
            picture_id: $row.picture_id,
            posting: match $row.admins_post {
                Some(true) => crate::protocol::Posting::Admins,
                _ => crate::protocol::Posting::Everyone,
            },
            slow_seconds: $row.slow_seconds.unwrap_or_default(),
        }
    };
}
pub(super) use chat;

/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat.
pub async fn get(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId) -> Result<ChatWithMembers> {
    // A row for each member; the chat is in all of them. One statement, so the members are those of this revision.
    let rows = sqlx::query!(
        r#"
        select c.chat_id as "id: ChatId", c.kind as "kind: ChatKind", c.name, c.created_by as "created_by: UserId",
            c.created_at as "created_at: Timestamp", c.revision, c.last_message_id, c.pinned_message_ids,
            c.description, c.picture_id as "picture_id: FileId", c.admins_post, c.slow_seconds, m.user_id as "user_id: UserId", u.name as user_name, u.username, u.avatar_id as "avatar_id: FileId", m.role as "role: Role",
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
    let chat = chat!(first);
    let members = rows.into_iter().map(|row| Member {
        id: row.user_id,
        name: row.user_name,
        username: row.username,
        avatar_id: row.avatar_id,
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

/// What a `ping` is compared with.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    pub revision: i64,
    /// Whether the person has taken the chat off their list.
    pub is_hidden: bool,
}

/// How far each of a person's chats has progressed.
pub async fn progress(db: impl PgExecutor<'_>, me: UserId) -> Result<BTreeMap<ChatId, Progress>> {
    let rows = sqlx::query!(
        r#"
        select c.chat_id as "chat_id: ChatId", c.revision,
            coalesce(m.hidden_at_id >= c.last_message_id, false) as "is_hidden!"
        from chat_members m join chats c on c.chat_id = m.chat_id where m.user_id = $1
        "#,
        me as UserId,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.chat_id, Progress { revision: row.revision, is_hidden: row.is_hidden }))
        .collect())
}

/// A member's place in a locked chat.
#[derive(Debug, Clone)]
pub struct Seat {
    pub kind: ChatKind,
    pub pinned_message_ids: Vec<MessageId>,
    /// Whether one of the two people of a private chat has blocked the other.
    pub closed: bool,
    pub role: Role,
}

impl Seat {
    /// # Errors
    /// [`Error::NotReachable`] in a private chat in which one of the two has blocked the other.
    pub fn require_open(&self) -> Result<()> {
        if self.closed { Err(Error::NotReachable) } else { Ok(()) }
    }

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
        r#"select kind as "kind: ChatKind", pinned_message_ids, closed from chats where chat_id = $1 for no key update"#,
        chat_id as ChatId
    )
    .fetch_optional(&mut *db)
    .await?
    .ok_or(Error::ChatNotFound)?;
    let role = members::role_of(db, chat_id, me).await?.ok_or(Error::ChatNotFound)?;
    let pinned_message_ids = chat.pinned_message_ids.unwrap_or_default();
    let closed = chat.closed.unwrap_or_default();
    Ok(Seat { kind: chat.kind, pinned_message_ids, closed, role })
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

/// Must be called under the lock.
pub async fn describe(db: impl PgExecutor<'_>, chat_id: ChatId, text: Option<&Description>) -> Result<()> {
    let text = text.map(Description::as_str);
    sqlx::query!("update chats set description = $2 where chat_id = $1", chat_id as ChatId, text).execute(db).await?;
    Ok(())
}

/// Must be called under the lock.
pub async fn set_posting(db: impl PgExecutor<'_>, chat_id: ChatId, posting: Posting) -> Result<()> {
    let admins_post = (posting == Posting::Admins).then_some(true);
    sqlx::query!("update chats set admins_post = $2 where chat_id = $1", chat_id as ChatId, admins_post)
        .execute(db)
        .await?;
    Ok(())
}

/// Must be called under the lock.
pub async fn set_slow_mode(db: impl PgExecutor<'_>, chat_id: ChatId, seconds: i32) -> Result<()> {
    let seconds = Some(seconds).filter(|seconds| *seconds > 0);
    sqlx::query!("update chats set slow_seconds = $2 where chat_id = $1", chat_id as ChatId, seconds)
        .execute(db)
        .await?;
    Ok(())
}

/// Ends a group: nobody is in it any more, and no link leads into it. Must be called under the lock.
pub async fn dissolve(db: &mut PgConnection, chat_id: ChatId) -> Result<()> {
    invites::delete_all(&mut *db, chat_id).await?;
    files::detach_all(&mut *db, chat_id).await?;
    sqlx::query!("delete from chat_members where chat_id = $1", chat_id as ChatId).execute(db).await?;
    Ok(())
}

/// Counts a change in all chats of a person, such as that of their name, and returns their new revisions, the latest active
/// first. Must be called in a transaction.
pub async fn touch_all(db: &mut PgConnection, user_id: UserId) -> Result<Vec<(ChatId, i64)>> {
    let locked = members::lock_chats_of(&mut *db, user_id).await?;
    // A statement of its own, which sees who was removed while the first one waited.
    let touched = sqlx::query!(
        r#"
        with touched as (
            update chats c set revision = c.revision + 1
            where c.chat_id = any ($1)
                and exists (select from chat_members m where m.chat_id = c.chat_id and m.user_id = $2)
            returning c.chat_id, c.revision, c.active_at
        )
        select chat_id as "chat_id: ChatId", revision from touched order by active_at desc
        "#,
        &locked,
        user_id as UserId,
    );
    Ok(touched.fetch_all(db).await?.into_iter().map(|row| (row.chat_id, row.revision)).collect())
}

/// The groups that a person is in.
pub async fn groups(db: impl PgExecutor<'_>, me: UserId) -> Result<Vec<ChatId>> {
    Ok(sqlx::query_scalar!(
        r#"
        select c.chat_id as "chat_id: ChatId" from chat_members m join chats c on c.chat_id = m.chat_id
        where m.user_id = $1 and c.kind = 'group'
        "#,
        me as UserId,
    )
    .fetch_all(db)
    .await?)
}

/// What a chat is to one of its members, after a change.
///
/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat.
pub async fn set_settings(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    me: UserId,
    change: &SettingsChange,
) -> Result<ChatSettings> {
    sqlx::query_as!(
        ChatSettings,
        r#"
        update chat_members set
            muted_until = case when $3 then $4 else muted_until end,
            archived = nullif(coalesce($5, archived, false), false),
            marked_unread = nullif(coalesce($6, marked_unread, false), false),
            hidden_at_id = case when $7 then (select last_message_id from chats where chat_id = $1)
                when $7 is null then hidden_at_id end
        where chat_id = $1 and user_id = $2
        returning muted_until as "muted_until: Timestamp", coalesce(archived, false) as "archived!",
            coalesce(marked_unread, false) as "marked_unread!",
            coalesce(hidden_at_id >= (select last_message_id from chats where chat_id = $1), false) as "hidden!",
            case when hidden_at_id >= (select last_message_id from chats where chat_id = $1) then hidden_at_id end
                as hidden_at_id
        "#,
        chat_id as ChatId,
        me as UserId,
        change.muted_until.is_some(),
        change.muted_until.flatten().map(|until| until.0),
        change.archived,
        change.marked_unread,
        change.hidden,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::ChatNotFound)
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
