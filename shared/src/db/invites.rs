//! Links by which people come into a group by themselves.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::fields::{MAX_GROUP_MEMBERS, MAX_INVITES};
use crate::ids::{ChatId, UserId};
use crate::protocol::{Invite, InvitePreview, NewInvite, Timestamp};
use crate::{Error, Result};

/// Makes a link. Must be called under the chat's lock.
///
/// # Errors
/// [`Error::TooManyInvites`].
pub async fn insert(db: &mut PgConnection, chat_id: ChatId, by: UserId, new: &NewInvite) -> Result<Invite> {
    sqlx::query!(
        "delete from invites where chat_id = $1 and (expires_at <= now() or uses >= max_uses)",
        chat_id as ChatId
    )
    .execute(&mut *db)
    .await?;
    if list(&mut *db, chat_id).await?.len() as i64 >= MAX_INVITES {
        return Err(Error::TooManyInvites { max: MAX_INVITES });
    }
    Ok(sqlx::query_as!(
        Invite,
        r#"
        insert into invites (code, chat_id, created_by, expires_at, max_uses)
        values ($1, $2, $3, date_trunc('milliseconds', now() + make_interval(secs => $4)), $5)
        returning code, chat_id as "chat_id: ChatId", created_by as "created_by: UserId",
            created_at as "created_at: Timestamp", expires_at as "expires_at: Timestamp", max_uses, uses
        "#,
        Uuid::new_v4().simple().to_string(),
        chat_id as ChatId,
        by as UserId,
        new.expires_in.map(|seconds| seconds as f64),
        new.max_uses,
    )
    .fetch_one(db)
    .await?)
}

/// The links of a group that work, oldest first.
pub async fn list(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<Vec<Invite>> {
    Ok(sqlx::query_as!(
        Invite,
        r#"
        select code, chat_id as "chat_id: ChatId", created_by as "created_by: UserId",
            created_at as "created_at: Timestamp", expires_at as "expires_at: Timestamp", max_uses, uses
        from invites where chat_id = $1 and coalesce(expires_at > now(), true) and coalesce(uses < max_uses, true)
        order by created_at, code
        "#,
        chat_id as ChatId,
    )
    .fetch_all(db)
    .await?)
}

/// Revokes a link.
///
/// # Errors
/// [`Error::InviteNotFound`].
pub async fn delete(db: impl PgExecutor<'_>, chat_id: ChatId, code: &str) -> Result<()> {
    let deleted = sqlx::query!("delete from invites where chat_id = $1 and code = $2", chat_id as ChatId, code);
    if deleted.execute(db).await?.rows_affected() == 0 { Err(Error::InviteNotFound) } else { Ok(()) }
}

/// What a link leads to.
///
/// # Errors
/// [`Error::InviteNotFound`] if it does not work, or not for `me`.
pub async fn preview(db: impl PgExecutor<'_>, code: &str, me: UserId) -> Result<InvitePreview> {
    sqlx::query_as!(
        InvitePreview,
        r#"
        select c.chat_id as "chat_id: ChatId", c.name as "name!", c.description,
            (select count(*) from chat_members m where m.chat_id = c.chat_id) as "member_count!",
            exists (select from chat_members m where m.chat_id = c.chat_id and m.user_id = $2) as "is_member!"
        from invites i join chats c on c.chat_id = i.chat_id
        where i.code = $1
            and (coalesce(i.expires_at > now(), true) and coalesce(i.uses < i.max_uses, true)
                -- Whoever has joined by it and asks again is told so.
                or exists (select from chat_members m where m.chat_id = c.chat_id and m.user_id = $2))
            and exists (select from chat_members m where m.chat_id = c.chat_id)
            and not exists (select from former_members f
                where f.chat_id = c.chat_id and f.user_id = $2 and f.removed)
        "#,
        code,
        me as UserId,
    )
    .fetch_optional(db)
    .await?
    .ok_or(Error::InviteNotFound)
}

/// Takes the lock of the chat that a link leads to, and only then checks the link and counts its use. Returns whether `me` is
/// to be added: they may be in the chat already.
///
/// # Errors
/// [`Error::InviteNotFound`] if it does not work, or not for `me`; [`Error::GroupFull`].
pub async fn redeem(db: &mut PgConnection, code: &str, me: UserId) -> Result<(ChatId, bool)> {
    let chat_id = preview(&mut *db, code, me).await?.chat_id;
    sqlx::query_scalar!("select 1 as one from chats where chat_id = $1 for no key update", chat_id as ChatId)
        .fetch_one(&mut *db)
        .await?;
    let now = preview(&mut *db, code, me).await?;
    if now.is_member {
        return Ok((chat_id, false));
    }
    if now.member_count >= MAX_GROUP_MEMBERS as i64 {
        return Err(Error::GroupFull);
    }
    sqlx::query!("update invites set uses = uses + 1 where code = $1", code).execute(db).await?;
    Ok((chat_id, true))
}

/// Revokes all links of a group. Must be called under the chat's lock.
pub async fn delete_all(db: impl PgExecutor<'_>, chat_id: ChatId) -> Result<()> {
    sqlx::query!("delete from invites where chat_id = $1", chat_id as ChatId).execute(db).await?;
    Ok(())
}
