//! Sessions: what descends from one login.

use sqlx::PgExecutor;

use crate::Result;
use crate::auth::refresh;
use crate::ids::{SessionId, UserId};

/// Starts a session with its first refresh token.
///
/// # Errors
/// Only those of the database.
pub async fn start(
    db: impl PgExecutor<'_>,
    user_id: UserId,
    refresh_token: &str,
    device: Option<&str>,
) -> Result<SessionId> {
    let session_id = SessionId::new();
    sqlx::query!(
        "
        insert into sessions (session_id, user_id, family, refresh_hash, device, expires_at)
        values ($1, $2, $1, $3, $4, now() + make_interval(days => $5))
        ",
        session_id as SessionId,
        user_id as UserId,
        refresh::hash(refresh_token),
        device,
        refresh::LIFETIME_DAYS,
    )
    .execute(db)
    .await?;
    Ok(session_id)
}

/// Whether the session has neither ended nor expired.
///
/// # Errors
/// Only those of the database.
pub async fn is_live(db: impl PgExecutor<'_>, session_id: SessionId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        select exists (select 1 from sessions where family = $1
            and rotated_at is null and revoked_at is null and expires_at > now()) as "live!"
        "#,
        session_id as SessionId,
    )
    .fetch_one(db)
    .await?)
}
