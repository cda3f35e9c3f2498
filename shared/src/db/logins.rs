//! Remembers failed logins. Some within fifteen minutes are free; after that, each attempt has to wait, starting at one
//! second and doubling up to five minutes.
//!
//! Failures are counted in three ways, because any single count can be used against the people it protects:
//!
//! * by account and address together, 5 free: slows down guessing at one account;
//! * by account, 20 free: slows down guessing at one account from many addresses;
//! * by address, 20 free: slows down trying one password on many accounts.
//!
//! The last two must not lock out people who have nothing to do with the guesses: at an address from which somebody has
//! logged in before, they only slow down that account to one attempt a second. Open sessions are never affected.
//!
//! Requests for codes by mail and attempts at them are counted in the same way, apart from logins.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use sqlx::PgExecutor;

use crate::db::Database;
use crate::ids::UserId;
use crate::{Error, Result};

const FREE_PER_PAIR: i32 = 5;
const FREE_PER_ACCOUNT: i32 = 20;
const FREE_PER_ADDRESS: i32 = 20;

/// The subjects whose failures are counted.
#[derive(Debug)]
pub struct Subjects {
    pair: String,
    account: String,
    address: String,
    /// The account, and the hash of the address as stored for it.
    user: Option<(UserId, Vec<u8>)>,
}

impl Subjects {
    /// For an attempt on an account from the address `ip`. An account that does not exist is counted by what was typed.
    pub fn new(account: Option<UserId>, login: &str, ip: &str) -> Self {
        let name = account.map_or_else(|| format!("login:{}", login.to_lowercase()), |id| format!("account:{id}"));
        let address_hash = |id: UserId| Sha256::digest(format!("{id} {ip}")).to_vec();
        Self {
            pair: format!("{name} ip:{ip}"),
            account: name,
            address: format!("ip:{ip}"),
            user: account.map(|id| (id, address_hash(id))),
        }
    }

    /// For what anybody may ask about an e-mail address, whether or not an account has it. Each `deed` is counted by
    /// itself, and only the hash of the address is kept.
    pub fn of_email(deed: &str, email: &str, ip: &str) -> Self {
        let name = format!("{deed}:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(email.to_lowercase())));
        Self { pair: format!("{name} ip:{ip}"), account: name, address: format!("{deed} ip:{ip}"), user: None }
    }
}

/// An attempt that may go ahead, and what was counted for it in advance.
#[derive(Debug)]
#[must_use = "a login that succeeds takes back what was counted"]
pub struct Admission {
    account_was_counted: bool,
}

/// Refuses an attempt that comes too soon. Any other attempt is counted as a failure of the account until [`succeeded`]
/// takes it back: of a hundred parallel guesses, only the free ones get as far as a hash, wherever they come from.
///
/// # Errors
/// [`Error::TooManyAttempts`].
pub async fn admit(db: &Database, subjects: &Subjects) -> Result<Admission> {
    let (user_id, address_hash) = subjects.user.as_ref().map(|(id, hash)| (id.0, &hash[..])).unzip();
    let waits = sqlx::query!(
        r#"
        select
            max(extract(epoch from blocked_until - clock_timestamp())) filter (where subject = $1)::float8 as pair,
            max(extract(epoch from blocked_until - clock_timestamp())) filter (where subject <> $1)::float8 as shared,
            max(extract(epoch from last_at + interval '1 second' - clock_timestamp()))
                filter (where subject <> $1 and blocked_until > clock_timestamp())::float8 as slowed,
            exists (select from login_addresses where user_id = $4 and address_hash = $5) as "is_known!"
        from login_failures where subject in ($1, $2, $3)
        "#,
        subjects.pair,
        subjects.account,
        subjects.address,
        user_id,
        address_hash,
    )
    .fetch_one(db)
    .await?;
    let shared = if waits.is_known { waits.slowed } else { waits.shared };
    let wait = waits.pair.unwrap_or_default().max(shared.unwrap_or_default());
    if wait > 0.0 {
        return Err(too_soon(wait.ceil()));
    }
    let counted = count(db, &[(&subjects.pair, FREE_PER_PAIR), (&subjects.account, FREE_PER_ACCOUNT)]).await?;
    let account_was_counted = counted.contains(&subjects.account);
    // Another attempt at the same moment may have used up the free ones.
    if counted.contains(&subjects.pair) && (account_was_counted || waits.is_known) {
        Ok(Admission { account_was_counted })
    } else {
        Err(too_soon(1.0))
    }
}

fn too_soon(seconds: f64) -> Error {
    Error::TooManyAttempts { retry_after: Duration::from_secs_f64(seconds) }
}

/// Counts the failure against the address too. If the account or the address is already waiting, its last failure is
/// set to now.
pub async fn failed(db: &Database, subjects: &Subjects) -> Result<()> {
    sqlx::query!(
        "
        update login_failures set last_at = clock_timestamp()
        where subject in ($1, $2) and blocked_until > clock_timestamp()
        ",
        subjects.account,
        subjects.address,
    )
    .execute(db)
    .await?;
    count(db, &[(&subjects.address, FREE_PER_ADDRESS)]).await?;
    Ok(())
}

/// Takes back what was counted for this attempt and remembers the address. Earlier failures of the account and of the
/// address stay: one successful login must not buy more guesses.
pub async fn succeeded(db: &Database, subjects: &Subjects, admission: Admission) -> Result<()> {
    let Some((user_id, address_hash)) = &subjects.user else { return Ok(()) };
    // Every login deletes some addresses that have not been used for 90 days.
    sqlx::query!(
        "
        with pair as (delete from login_failures where subject = $1),
        account as (
            update login_failures set failures = failures - 1,
                blocked_until = case when failures - 1 < $6 then clock_timestamp() else blocked_until end
            where subject = $4 and $5 and failures > 0
        ),
        forgotten as (
            delete from login_addresses where (user_id, address_hash) in (
                select user_id, address_hash from login_addresses
                where last_at < clock_timestamp() - interval '90 days' and (user_id, address_hash) <> ($2, $3)
                order by last_at limit 10 for update skip locked)
        )
        insert into login_addresses (user_id, address_hash, last_at) values ($2, $3, clock_timestamp())
        on conflict on constraint login_addresses_pkey do update set last_at = excluded.last_at
        ",
        subjects.pair,
        *user_id as UserId,
        &address_hash[..],
        subjects.account,
        admission.account_was_counted,
        FREE_PER_ACCOUNT,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Like [`succeeded`], for a user who has shown in another way that the account is theirs.
pub async fn forgive(db: &Database, user_id: UserId, ip: &str) -> Result<()> {
    succeeded(db, &Subjects::new(Some(user_id), "", ip), Admission { account_was_counted: false }).await
}

/// Adds one failure to each subject that is not waiting, and sets how long to wait after it. Returns the subjects that
/// were counted. Every failure also deletes some rows of subjects that have not failed for an hour.
async fn count(db: impl PgExecutor<'_>, subjects: &[(&String, i32)]) -> Result<Vec<String>> {
    let (subjects, free): (Vec<String>, Vec<i32>) =
        subjects.iter().map(|(name, free)| ((*name).clone(), *free)).unzip();
    Ok(sqlx::query_scalar!(
        "
        with forgotten as (
            delete from login_failures where subject in (
                select subject from login_failures
                where last_at < clock_timestamp() - interval '1 hour' and subject <> all ($1)
                order by last_at limit 10 for update skip locked)
        )
        insert into login_failures as f (subject, failures, last_at, blocked_until)
        select subject, 1, clock_timestamp(), clock_timestamp() from unnest($1::text[]) subject
        -- Always in one order, so that two attempts cannot wait for each other.
        order by subject
        on conflict on constraint login_failures_pkey do update set
            failures = case when f.last_at < clock_timestamp() - interval '15 minutes' then 1 else f.failures + 1 end,
            last_at = clock_timestamp(),
            blocked_until = clock_timestamp() + make_interval(secs => case
                when f.last_at < clock_timestamp() - interval '15 minutes'
                    or f.failures + 1 < ($2::int4[])[array_position($1, f.subject)] then 0
                else least(300, power(2, least(f.failures + 1 - ($2::int4[])[array_position($1, f.subject)], 9))) end)
        where f.blocked_until <= clock_timestamp()
        returning subject
        ",
        &subjects,
        &free,
    )
    .fetch_all(db)
    .await?)
}
