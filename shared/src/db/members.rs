//! Who is in a chat. Every change is made under the lock that numbers the chat's messages, so for everybody a message
//! comes either before a removal or after it.

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::error::OnConstraint as _;
use crate::ids::{ChatId, FileId, UserId};
use crate::protocol::{Member, Role, Timestamp};
use crate::{Error, Result};

/// A person's role in a chat; `None` if they are not in it.
pub async fn role_of(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId) -> Result<Option<Role>> {
    Ok(sqlx::query_scalar!(
        r#"select role as "role: Role" from chat_members where chat_id = $1 and user_id = $2"#,
        chat_id as ChatId,
        user_id as UserId,
    )
    .fetch_optional(db)
    .await?)
}

pub async fn user_ids(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<Vec<UserId>> {
    Ok(sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from chat_members where chat_id = $1"#,
        chat_id as ChatId,
    )
    .fetch_all(db)
    .await?)
}

/// Everybody in a chat, in the order they joined.
pub async fn list(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<Vec<Member>> {
    Ok(sqlx::query_as!(
        Member,
        r#"
        select m.user_id as "id: UserId", u.name, u.username, u.avatar_id as "avatar_id: FileId", m.role as "role: Role",
            m.joined_at as "joined_at: Timestamp", m.last_read_id
        from chat_members m join users u on u.user_id = m.user_id
        where m.chat_id = $1
        order by m.joined_at, m.user_id
        "#,
        chat_id as ChatId,
    )
    .fetch_all(db)
    .await?)
}

/// Adds people: those who have been here before read on where they left, the others have read everything. Must be called under the lock, or for a chat that is not visible yet.
///
/// # Errors
/// [`Error::UserNotFound`] if one of them does not exist.
pub async fn insert(db: impl PgExecutor<'_>, chat_id: ChatId, members: &[(UserId, Role)]) -> Result<()> {
    let users: Vec<_> = members.iter().map(|(user_id, _)| user_id.0).collect();
    let roles: Vec<_> = members.iter().map(|(_, role)| <&str>::from(*role).to_owned()).collect();
    sqlx::query!(
        "
        with back as (
            update former_members set removed = false where chat_id = $1 and user_id = any ($2::uuid[]) and removed
        )
        insert into chat_members (chat_id, user_id, role, last_read_id, sent_at, send_tokens, send_tokens_at)
        select c.chat_id, new.user_id, new.role, coalesce(former.last_read_id, c.last_message_id),
            former.sent_at, former.send_tokens, former.send_tokens_at
        from unnest($2::uuid[], $3::text[]) new (user_id, role) join chats c on c.chat_id = $1
        left join former_members former on former.chat_id = c.chat_id and former.user_id = new.user_id
        ",
        chat_id as ChatId,
        &users,
        &roles,
    )
    .execute(db)
    .await
    .on_constraint(|name| (name == "chat_members_user_id_fkey").then_some(Error::UserNotFound))?;
    Ok(())
}

/// Removes a member, and remembers how far they have read and whether they left by themselves. Must be called under the lock.
pub async fn remove(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId, by: UserId) -> Result<()> {
    sqlx::query!(
        "
        with removed as (delete from chat_members where chat_id = $1 and user_id = $2 returning *)
        insert into former_members (chat_id, user_id, last_read_id, removed, sent_at, send_tokens, send_tokens_at)
        select chat_id, user_id, last_read_id, user_id <> $3, sent_at, send_tokens, send_tokens_at from removed
        on conflict on constraint former_members_pkey
            do update set last_read_id = excluded.last_read_id, removed = excluded.removed, sent_at = excluded.sent_at,
                send_tokens = excluded.send_tokens, send_tokens_at = excluded.send_tokens_at
        ",
        chat_id as ChatId,
        user_id as UserId,
        by as UserId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Must be called under the lock.
pub async fn set_role(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId, role: Role) -> Result<()> {
    sqlx::query!(
        "update chat_members set role = $3 where chat_id = $1 and user_id = $2",
        chat_id as ChatId,
        user_id as UserId,
        <&str>::from(role),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// # Errors
/// [`Error::NotReachable`] if one of these people does not want to be added to groups by `me`.
pub async fn require_addable(db: impl PgExecutor<'_>, me: UserId, others: &[UserId]) -> Result<()> {
    let others: Vec<_> = others.iter().map(|user_id| user_id.0).collect();
    let refused = sqlx::query_scalar!(
        r#"
        select exists (select from blocks b where (b.user_id = $1 and b.blocked_id = any ($2))
                or (b.blocked_id = $1 and b.user_id = any ($2)))
            or exists (select from users u where u.user_id = any ($2) and (u.deleted_at is not null or u.who_may_add = 'nobody'
                or u.who_may_add = 'contacts' and not exists (select from chats c
                    where c.private_pair = least(u.user_id, $1) || ':' || greatest(u.user_id, $1)
                        and (c.created_by = u.user_id or exists (select from messages m
                            where m.chat_id = c.chat_id and m.sender_id = u.user_id))))) as "refused!"
        "#,
        me as UserId,
        &others,
    );
    if refused.fetch_one(db).await? { Err(Error::NotReachable) } else { Ok(()) }
}

/// Whom typing is told: the members, or nobody in a private chat in which one of the two has blocked the other.
///
/// # Errors
/// [`Error::ChatNotFound`], also if `me` is not in the chat.
pub async fn listeners(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId) -> Result<Vec<UserId>> {
    let rows = sqlx::query!(
        r#"
        select m.user_id as "user_id: UserId", coalesce(c.closed, false) as "closed!"
        from chat_members m join chats c on c.chat_id = m.chat_id where m.chat_id = $1
        "#,
        chat_id as ChatId,
    )
    .fetch_all(db)
    .await?;
    if !rows.iter().any(|row| row.user_id == me) {
        return Err(Error::ChatNotFound);
    }
    Ok(rows.into_iter().filter(|row| !row.closed && row.user_id != me).map(|row| row.user_id).collect())
}

/// One member.
///
/// # Errors
/// [`Error::MemberNotFound`].
pub async fn get(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId) -> Result<Member> {
    sqlx::query_as!(
        Member,
        r#"
        select m.user_id as "id: UserId", u.name, u.username, u.avatar_id as "avatar_id: FileId", m.role as "role: Role",
            m.joined_at as "joined_at: Timestamp", m.last_read_id
        from chat_members m join users u on u.user_id = m.user_id
        where m.chat_id = $1 and m.user_id = $2
        "#,
        chat_id as ChatId,
        user_id as UserId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::MemberNotFound)
}

/// A person's membership in one of these chats, and everybody who is in it.
#[derive(Debug)]
pub struct Place {
    pub chat_id: ChatId,
    pub member: Member,
    pub user_ids: Vec<UserId>,
}

/// What a person is in these of their chats. Those in which one of two has blocked the other are left out, unless `even_closed`.
pub async fn places(
    db: impl PgExecutor<'_>,
    user_id: UserId,
    chat_ids: &[ChatId],
    even_closed: bool,
) -> Result<Vec<Place>> {
    let chat_ids: Vec<_> = chat_ids.iter().map(|chat_id| chat_id.0).collect();
    let rows = sqlx::query!(
        r#"
        select m.chat_id as "chat_id: ChatId", m.user_id as "id: UserId", u.name, u.username,
            u.avatar_id as "avatar_id: FileId", m.role as "role: Role",
            m.joined_at as "joined_at: Timestamp", m.last_read_id,
            array(select o.user_id from chat_members o where o.chat_id = m.chat_id) as "user_ids!: Vec<UserId>"
        from chat_members m join users u on u.user_id = m.user_id join chats c on c.chat_id = m.chat_id
        where m.user_id = $1 and m.chat_id = any ($2) and ($3 or c.closed is not true)
        "#,
        user_id as UserId,
        &chat_ids,
        even_closed,
    )
    .fetch_all(db)
    .await?;
    let place = rows.into_iter().map(|row| Place {
        chat_id: row.chat_id,
        member: Member {
            id: row.id,
            name: row.name,
            username: row.username,
            avatar_id: row.avatar_id,
            role: row.role,
            joined_at: row.joined_at,
            last_read_id: row.last_read_id,
        },
        user_ids: row.user_ids,
    });
    Ok(place.collect())
}

/// Takes the locks of all chats of a person, in the order of their ids, so that two of these do not wait for each other. Locks
/// that a send may take too come after it.
pub async fn lock_chats_of(db: impl PgExecutor<'_>, user_id: UserId) -> Result<Vec<Uuid>> {
    let locked = sqlx::query_scalar!(
        "select c.chat_id from chat_members m join chats c using (chat_id) where m.user_id = $1
        order by c.chat_id for no key update of c",
        user_id as UserId,
    );
    Ok(locked.fetch_all(db).await?)
}
