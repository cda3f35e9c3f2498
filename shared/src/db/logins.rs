//! The memory of failed logins: a few free ones in fifteen minutes, then a wait that doubles from one second to five
//! minutes. Nobody is ever locked out for longer; who keeps guessing at an account can keep its owner from new logins for
//! as long as they go on, which is the price of not letting them guess faster. Open sessions are not touched.

use std::time::Duration;

use sqlx::{PgExecutor, PgPool};

use crate::{Error, Result};

const FREE_PER_ACCOUNT: i32 = 5;
/// An address may stand for many people.
const FREE_PER_ADDRESS: i32 = 20;

/// Whose failures are counted: the login as typed and the caller's address.
#[derive(Debug)]
pub struct Subjects {
    account: String,
    address: String,
}

impl Subjects {
    /// For a login attempt as `login` from `ip`.
    pub fn new(login: &str, ip: &str) -> Self {
        Self { account: format!("account:{}", login.to_lowercase()), address: format!("ip:{ip}") }
    }
}

/// Refuses an attempt that comes too soon, and counts one that does not as a failure of the account until
/// [`succeeded`] takes it back: of a hundred parallel guesses only the free ones get as far as a hash.
///
/// # Errors
/// [`Error::TooManyAttempts`].
pub async fn admit(db: &PgPool, subjects: &Subjects) -> Result<()> {
    let wait = sqlx::query_scalar!(
        r#"
        select max(extract(epoch from blocked_until - clock_timestamp()))::float8
        from login_failures where subject in ($1, $2)
        "#,
        subjects.account,
        subjects.address,
    )
    .fetch_one(db)
    .await?
    .unwrap_or_default();
    if wait > 0.0 {
        return Err(Error::TooManyAttempts { retry_after: Duration::from_secs_f64(wait.ceil()) });
    }
    if count(db, &subjects.account, FREE_PER_ACCOUNT).await? {
        Ok(())
    } else {
        Err(Error::TooManyAttempts { retry_after: Duration::from_secs(1) })
    }
}

/// Counts the failure against the address too.
///
/// # Errors
/// Only those of the database.
pub async fn failed(db: &PgPool, subjects: &Subjects) -> Result<()> {
    count(db, &subjects.address, FREE_PER_ADDRESS).await?;
    Ok(())
}

/// Forgets the account's failures. The address's stay: one good account must not buy more guesses at others.
///
/// # Errors
/// Only those of the database.
pub async fn succeeded(db: &PgPool, subjects: &Subjects) -> Result<()> {
    sqlx::query!("delete from login_failures where subject = $1", subjects.account).execute(db).await?;
    Ok(())
}

/// Adds one failure and sets how long to wait after it; does neither, and answers no, while the subject is waiting.
async fn count(db: impl PgExecutor<'_>, subject: &str, free: i32) -> Result<bool> {
    let counted = sqlx::query!(
        "
        insert into login_failures as f (subject, failures, last_at, blocked_until)
        values ($1, 1, clock_timestamp(), clock_timestamp())
        on conflict on constraint login_failures_pkey do update set
            failures = case when f.last_at < clock_timestamp() - interval '15 minutes' then 1 else f.failures + 1 end,
            last_at = clock_timestamp(),
            blocked_until = clock_timestamp() + make_interval(secs => case
                when f.last_at < clock_timestamp() - interval '15 minutes' or f.failures + 1 < $2 then 0
                else least(300, power(2, least(f.failures + 1 - $2, 9))) end)
        where f.blocked_until <= clock_timestamp()
        ",
        subject,
        free,
    )
    .execute(db)
    .await?;
    Ok(counted.rows_affected() > 0)
}
