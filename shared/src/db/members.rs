//! Who is in a chat. Every change of it is made under the lock that numbers the chat's messages, so that a message is
//! either before a removal or after it, for everybody.

use std::collections::BTreeSet;

use sqlx::{PgConnection, PgExecutor};

use crate::db::chats::{kind_from_sql, role_from_sql, role_to_sql};
use crate::error::OnConstraint as _;
use crate::ids::{ChatId, UserId};
use crate::protocol::{ChatKind, Member, Role, Timestamp};
use crate::{Error, Result};

/// A member's place in a locked chat.
#[derive(Debug, Clone)]
pub struct Seat {
    /// What the chat is.
    pub kind: ChatKind,
    /// What it is called.
    pub name: Option<String>,
    /// What the member may do.
    pub role: Role,
}

/// Takes the chat's lock until the transaction ends, and only then looks who asks.
///
/// # Errors
/// [`Error::ChatNotFound`] also if `me` is not in it.
pub async fn lock(db: &mut PgConnection, chat_id: ChatId, me: UserId) -> Result<Seat> {
    let chat = sqlx::query!("select kind, name from chats where chat_id = $1 for no key update", chat_id as ChatId)
        .fetch_optional(&mut *db)
        .await?
        .ok_or(Error::ChatNotFound)?;
    let role = role_of(db, chat_id, me).await?.ok_or(Error::ChatNotFound)?;
    Ok(Seat { kind: kind_from_sql(&chat.kind), name: chat.name, role })
}

/// Counts one change: the chat's new revision. To be called under the lock.
///
/// # Errors
/// Only those of the database.
pub async fn advance(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        "update chats set revision = revision + 1 where chat_id = $1 returning revision",
        chat_id as ChatId,
    )
    .fetch_one(db)
    .await?)
}

/// What somebody may do in a chat, if they are in it.
///
/// # Errors
/// Only those of the database.
pub async fn role_of(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId) -> Result<Option<Role>> {
    let role = sqlx::query_scalar!(
        "select role from chat_members where chat_id = $1 and user_id = $2",
        chat_id as ChatId,
        user_id as UserId,
    );
    Ok(role.fetch_optional(db).await?.map(|role| role_from_sql(&role)))
}

/// Who is in a chat.
///
/// # Errors
/// Only those of the database.
pub async fn ids(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<BTreeSet<UserId>> {
    let ids = sqlx::query_scalar!(
        r#"select user_id as "user_id: UserId" from chat_members where chat_id = $1"#,
        chat_id as ChatId,
    );
    Ok(ids.fetch_all(db).await?.into_iter().collect())
}

/// Everybody in a chat, in the order they joined.
///
/// # Errors
/// Only those of the database.
pub async fn of(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<Vec<Member>> {
    let rows = sqlx::query!(
        r#"
        select m.user_id as "user_id: UserId", u.name, u.username, m.role, m.joined_at as "joined_at: Timestamp",
            m.last_read_id
        from chat_members m join users u on u.user_id = m.user_id
        where m.chat_id = $1
        order by m.joined_at, m.user_id
        "#,
        chat_id as ChatId,
    )
    .fetch_all(db)
    .await?;
    let member = rows.into_iter().map(|row| Member {
        user_id: row.user_id,
        name: row.name,
        username: row.username,
        role: role_from_sql(&row.role),
        joined_at: row.joined_at,
        last_read_id: row.last_read_id,
    });
    Ok(member.collect())
}

/// Seats people. To be called under the lock, or for a chat nobody knows yet.
///
/// # Errors
/// [`Error::UserNotFound`] if one of them does not exist.
pub async fn insert(db: &mut PgConnection, chat_id: ChatId, members: &[(UserId, Role)]) -> Result<()> {
    let users: Vec<_> = members.iter().map(|(user_id, _)| user_id.0).collect();
    let roles: Vec<_> = members.iter().map(|(_, role)| role_to_sql(*role).to_owned()).collect();
    sqlx::query!(
        "insert into chat_members (chat_id, user_id, role) select $1, * from unnest($2::uuid[], $3::text[])",
        chat_id as ChatId,
        &users,
        &roles,
    )
    .execute(db)
    .await
    .on_constraint(|name| (name == "chat_members_user_id_fkey").then_some(Error::UserNotFound))?;
    Ok(())
}

/// Takes somebody's seat away. To be called under the lock.
///
/// # Errors
/// Only those of the database.
pub async fn remove(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId) -> Result<()> {
    sqlx::query!("delete from chat_members where chat_id = $1 and user_id = $2", chat_id as ChatId, user_id as UserId)
        .execute(db)
        .await?;
    Ok(())
}

/// Gives somebody another role. To be called under the lock.
///
/// # Errors
/// Only those of the database.
pub async fn set_role(db: impl PgExecutor<'_>, chat_id: ChatId, user_id: UserId, role: Role) -> Result<()> {
    sqlx::query!(
        "update chat_members set role = $3 where chat_id = $1 and user_id = $2",
        chat_id as ChatId,
        user_id as UserId,
        role_to_sql(role),
    )
    .execute(db)
    .await?;
    Ok(())
}
