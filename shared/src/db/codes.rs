//! Codes that were sent by mail.

use std::time::Duration;

use sqlx::PgExecutor;

use crate::Result;
use crate::auth::code::{self, Code, Purpose};
use crate::ids::UserId;

/// In this time, somebody gets three codes of a kind at most.
pub const WINDOW: Duration = Duration::from_secs(3600);

/// Keeps a new code in place of the one before. Returns `false`, and leaves the one before, if three were sent within
/// the last hour. Every new code also deletes some that expired long ago.
pub async fn put(db: impl PgExecutor<'_>, user_id: UserId, purpose: Purpose, code: &Code, email: &str) -> Result<bool> {
    let put = sqlx::query!(
        "
        with forgotten as (
            delete from codes where (user_id, purpose) in (
                select user_id, purpose from codes
                where expires_at < clock_timestamp() - interval '1 hour' and user_id <> $1
                order by expires_at limit 10 for update skip locked)
        )
        insert into codes as c (user_id, purpose, code_hash, email, attempts_left, sent_at, expires_at)
        values ($1, $2, $3, $4, $5, array[clock_timestamp()], clock_timestamp() + make_interval(mins => $6))
        on conflict on constraint codes_pkey do update set
            code_hash = excluded.code_hash, email = excluded.email, attempts_left = excluded.attempts_left,
            sent_at = (c.sent_at || excluded.sent_at)[greatest(1, cardinality(c.sent_at) - 1):],
            expires_at = excluded.expires_at
        where cardinality(c.sent_at) < 3 or c.sent_at[1] < clock_timestamp() - interval '1 hour'
        ",
        user_id as UserId,
        <&str>::from(purpose),
        code.hash(user_id, purpose),
        email,
        code::ATTEMPTS,
        code::LIFETIME_MINUTES,
    );
    Ok(put.execute(db).await?.rows_affected() > 0)
}

/// Whether this is the code. Every attempt at a code that still works is counted by the statement that looks at it, so
/// that of many attempts at once only the allowed ones learn anything.
pub async fn attempt(db: impl PgExecutor<'_>, user_id: UserId, purpose: Purpose, code: &Code) -> Result<bool> {
    let is_right = sqlx::query_scalar!(
        r#"
        update codes set attempts_left = attempts_left - 1
        where user_id = $1 and purpose = $2 and attempts_left > 0 and expires_at > clock_timestamp()
        returning code_hash = $3 as "is_right!"
        "#,
        user_id as UserId,
        <&str>::from(purpose),
        code.hash(user_id, purpose),
    );
    Ok(is_right.fetch_optional(db).await?.unwrap_or(false))
}

/// Uses up a code that [`attempt`] has found to be right. Returns the address that it was sent to, or `None` if it was
/// used or replaced in the meantime.
pub async fn take(db: impl PgExecutor<'_>, user_id: UserId, purpose: Purpose, code: &Code) -> Result<Option<String>> {
    let email = sqlx::query_scalar!(
        // Its row stays: when the last ones were sent is not forgotten.
        "
        update codes set attempts_left = 0, code_hash = ''
        where user_id = $1 and purpose = $2 and code_hash = $3 returning email
        ",
        user_id as UserId,
        <&str>::from(purpose),
        code.hash(user_id, purpose),
    );
    Ok(email.fetch_optional(db).await?)
}

/// Takes all of somebody's codes back: what they were sent for, or where to, is not so any more.
pub async fn forget(db: impl PgExecutor<'_>, user_id: UserId) -> Result<()> {
    sqlx::query!("update codes set attempts_left = 0, code_hash = '' where user_id = $1", user_id as UserId)
        .execute(db)
        .await?;
    Ok(())
}
