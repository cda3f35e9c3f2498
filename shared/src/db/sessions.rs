//! Sessions. A session is everything that stems from one login.

use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::Result;
use crate::auth::refresh;
use crate::db::Database;
use crate::ids::{SessionId, UserId};
use crate::protocol::{Session, Timestamp};

/// Starts a session with its first refresh token. Returns `None` if the password hash is no longer the one that was
/// verified: a password change ends all sessions and must not miss one that is just starting with the old password.
pub async fn start(
    db: &Database,
    user_id: UserId,
    verified_hash: &str,
    refresh_token: &str,
    device: Option<&str>,
) -> Result<Option<SessionId>> {
    let session_id = SessionId::new();
    let started = sqlx::query!(
        "
        insert into sessions (session_id, user_id, family, refresh_hash, device, expires_at, started_at)
        select $1, user_id, $1, $4, $5, now() + make_interval(days => $6), date_trunc('milliseconds', clock_timestamp())
        from users where user_id = $2 and password_hash = $3 for share
        ",
        session_id as SessionId,
        user_id as UserId,
        verified_hash,
        refresh::hash(refresh_token),
        device,
        refresh::LIFETIME_DAYS,
    );
    let has_started = started.execute(db).await?.rows_affected() > 0;
    purge(db).await?;
    Ok(has_started.then_some(session_id))
}

/// Deletes some expired rows whenever a row is added, and the push subscription of a session that has expired with its last row.
async fn purge(db: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query!(
        "
        with expired as (
            delete from sessions where session_id in (
                select session_id from sessions where expires_at < now()
                order by expires_at limit 10 for update skip locked)
            returning family
        )
        delete from push_subscriptions where session_id in (select family from expired) and not session_is_live(session_id)
        "
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whether the session has neither ended nor expired.
pub async fn is_live(db: impl PgExecutor<'_>, session_id: SessionId) -> Result<bool> {
    Ok(sqlx::query_scalar!(r#"select session_is_live($1) as "live!""#, session_id as SessionId).fetch_one(db).await?)
}

/// The result of presenting a refresh token.
#[derive(Debug)]
pub enum Rotation {
    /// The token was good; `next` follows it.
    Rotated { user_id: UserId, session_id: SessionId, next: String },
    /// The token had been used before, either too long ago or with a successor that has been used too: somebody has a
    /// copy. The session has been ended.
    Reused { user_id: UserId, session_id: SessionId },
    /// The token's session had ended earlier.
    Ended { user_id: UserId, session_id: SessionId },
    /// The token is unknown or expired.
    Refused,
}

/// Exchanges a refresh token for the next one. A token used again within [`refresh::GRACE_SECONDS`] gets the same
/// successor, unless that has been used itself.
pub async fn rotate(db: &Database, token: &str) -> Result<Rotation> {
    let mut transaction = db.begin().await?;
    // The lock ensures that only one of two simultaneous uses is the first.
    let row = sqlx::query!(
        r#"
        select session_id, user_id as "user_id: UserId", family as "family: SessionId",
            rotated_at is not null as "is_used!", expires_at <= now() as "is_expired!",
            case when rotated_at > now() - make_interval(secs => $2) then successor_salt end as grace_salt,
            exists (select 1 from sessions other
                where other.family = mine.family and other.revoked_at is not null) as "is_ended!"
        from sessions mine where refresh_hash = $1 for update
        "#,
        refresh::hash(token),
        f64::from(refresh::GRACE_SECONDS),
    )
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(row) = row else { return Ok(Rotation::Refused) };
    let (user_id, session_id) = (row.user_id, row.family);
    if row.is_ended {
        return Ok(Rotation::Ended { user_id, session_id });
    }
    if row.is_expired {
        return Ok(Rotation::Refused);
    }
    if row.is_used {
        if let Some(next) = row.grace_salt.map(|salt| refresh::successor(token, &salt))
            && is_unused(&mut *transaction, &next).await?
        {
            return Ok(Rotation::Rotated { user_id, session_id, next });
        }
        end(&mut *transaction, user_id, session_id).await?;
        transaction.commit().await?;
        return Ok(Rotation::Reused { user_id, session_id });
    }
    let salt = refresh::salt()?;
    let next = refresh::successor(token, &salt);
    succeed(&mut transaction, row.session_id, &salt, &next).await?;
    purge(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(Rotation::Rotated { user_id, session_id, next })
}

/// Marks a token as used and adds the one that follows it.
async fn succeed(db: &mut PgConnection, used: Uuid, salt: &[u8], next: &str) -> Result<()> {
    sqlx::query!("update sessions set rotated_at = now(), successor_salt = $2 where session_id = $1", used, salt)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "
        insert into sessions (session_id, user_id, family, refresh_hash, device, expires_at, started_at)
        select $2, user_id, family, $3, device, now() + make_interval(days => $4), started_at
        from sessions where session_id = $1
        ",
        used,
        SessionId::new() as SessionId,
        refresh::hash(next),
        refresh::LIFETIME_DAYS,
    )
    .execute(&mut *db)
    .await?;
    Ok(())
}

async fn is_unused(db: impl PgExecutor<'_>, token: &str) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"select exists (select 1 from sessions where refresh_hash = $1 and rotated_at is null) as "is_unused!""#,
        refresh::hash(token),
    )
    .fetch_one(db)
    .await?)
}

/// Ends a session. Returns `false` if the user has no such session or it has already been ended. One revoked row ends
/// the family, so it does no harm if a refresh at the same moment adds a row that this does not see: the revoked row
/// expires a day later than that one. Its push subscriptions go with it.
pub async fn end(db: impl PgExecutor<'_>, user_id: UserId, session_id: SessionId) -> Result<bool> {
    let ended = sqlx::query!(
        "
        with no_pushes as (delete from push_subscriptions where session_id = $1 and user_id = $2)
        update sessions set revoked_at = now(), expires_at = greatest(expires_at, now() + make_interval(days => $3))
        where family = $1 and user_id = $2 and revoked_at is null
        ",
        session_id as SessionId,
        user_id as UserId,
        refresh::LIFETIME_DAYS + 1,
    );
    Ok(ended.execute(db).await?.rows_affected() > 0)
}

pub async fn end_others(db: impl PgExecutor<'_>, user_id: UserId, but: SessionId) -> Result<()> {
    sqlx::query!(
        "
        with no_pushes as (delete from push_subscriptions where user_id = $1 and session_id <> $2)
        update sessions set revoked_at = now(), expires_at = greatest(expires_at, now() + make_interval(days => $3))
        where user_id = $1 and family <> $2 and revoked_at is null
        ",
        user_id as UserId,
        but as SessionId,
        refresh::LIFETIME_DAYS + 1,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub async fn end_all(db: impl PgExecutor<'_>, user_id: UserId) -> Result<()> {
    // All but one that does not exist.
    end_others(db, user_id, SessionId::new()).await
}

/// A user's live sessions, newest first.
pub async fn list(db: impl PgExecutor<'_>, user_id: UserId) -> Result<Vec<Session>> {
    Ok(sqlx::query_as!(
        Session,
        r#"
        select s.family as "id: SessionId", s.device, s.started_at as "created_at: Timestamp",
            s.created_at as "refreshed_at: Timestamp", s.expires_at as "expires_at: Timestamp"
        from sessions s
        where s.user_id = $1 and s.rotated_at is null and s.revoked_at is null and s.expires_at > now()
            and not exists (select 1 from sessions r where r.family = s.family and r.revoked_at is not null)
        order by s.started_at desc
        "#,
        user_id as UserId,
    )
    .fetch_all(db)
    .await?)
}
