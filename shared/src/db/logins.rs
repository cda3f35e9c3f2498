//! The memory of failed logins: five free ones in fifteen minutes, then a wait that doubles from one second to five
//! minutes. Nobody is ever locked out for longer, so nobody can lock out another.

use std::time::Duration;

use sqlx::PgExecutor;

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

/// Refuses an attempt that comes too soon. Asked before a password is hashed.
///
/// # Errors
/// [`Error::TooManyAttempts`].
pub async fn admit(db: impl PgExecutor<'_>, subjects: &Subjects) -> Result<()> {
    let rows = sqlx::query!(
        r#"
        select subject, failures, extract(epoch from clock_timestamp() - last_at)::float8 as "age!"
        from login_failures
        where subject in ($1, $2) and last_at > clock_timestamp() - interval '15 minutes'
        "#,
        subjects.account,
        subjects.address,
    )
    .fetch_all(db)
    .await?;
    let wait = rows
        .iter()
        .map(|row| {
            let free = if row.subject == subjects.account { FREE_PER_ACCOUNT } else { FREE_PER_ADDRESS };
            required_wait(row.failures, free).saturating_sub(Duration::from_secs_f64(row.age.max(0.0)))
        })
        .max()
        .unwrap_or_default();
    if wait.is_zero() { Ok(()) } else { Err(Error::TooManyAttempts { retry_after: wait + Duration::from_millis(999) }) }
}

/// How long after the last of `failures` the next attempt may come.
fn required_wait(failures: i32, free: i32) -> Duration {
    match failures - free {
        over if over < 0 => Duration::ZERO,
        over => Duration::from_secs(1 << over.min(9)).min(Duration::from_secs(300)),
    }
}

/// Counts a failure.
///
/// # Errors
/// Only those of the database.
pub async fn record_failure(db: impl PgExecutor<'_>, subjects: &Subjects) -> Result<()> {
    sqlx::query!(
        "
        insert into login_failures (subject, failures, last_at)
        values ($1, 1, clock_timestamp()), ($2, 1, clock_timestamp())
        on conflict on constraint login_failures_pkey do update set
            failures = case when login_failures.last_at > clock_timestamp() - interval '15 minutes'
                then login_failures.failures + 1 else 1 end,
            last_at = excluded.last_at
        ",
        subjects.account,
        subjects.address,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets the account's failures after a success. The address's stay: one good account must not buy more guesses.
///
/// # Errors
/// Only those of the database.
pub async fn forget(db: impl PgExecutor<'_>, subjects: &Subjects) -> Result<()> {
    sqlx::query!("delete from login_failures where subject = $1", subjects.account).execute(db).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_at_five_minutes() {
        let waits = |failures| required_wait(failures, FREE_PER_ACCOUNT).as_secs();
        assert_eq!([4, 5, 6, 7, 13, 14, 1000].map(waits), [0, 1, 2, 4, 256, 300, 300]);
    }
}
