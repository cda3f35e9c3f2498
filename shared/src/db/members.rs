//! Who is in a chat. Every change is made under the lock that numbers the chat's messages, so for everybody a message
//! comes either before a removal or after it.

use sqlx::PgExecutor;

use crate::error::OnConstraint as _;
use crate::ids::{ChatId, UserId};
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
        select m.user_id as "id: UserId", u.name, u.username, m.role as "role: Role",
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
        insert into chat_members (chat_id, user_id, role, last_read_id)
        select c.chat_id, new.user_id, new.role, coalesce(former.last_read_id, c.last_message_id)
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

/// Removes a member, and remembers how far they have read. Must be called under the lock.
pub async fn remove(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId) -> Result<()> {
    sqlx::query!(
        "
        with removed as (delete from chat_members where chat_id = $1 and user_id = $2 returning *)
        insert into former_members (chat_id, user_id, last_read_id) select chat_id, user_id, last_read_id from removed
        on conflict on constraint former_members_pkey do update set last_read_id = excluded.last_read_id
        ",
        chat_id as ChatId,
        user_id as UserId,
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
