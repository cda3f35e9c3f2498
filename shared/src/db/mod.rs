//! All SQL of the messenger, one file per subject. It is static text, checked at compile time against the real schema.
//!
//! Functions here take any executor; a handler that needs several statements in one transaction opens the transaction.

pub mod blocks;
pub mod chat_list;
pub mod chats;
pub mod codes;
mod database;
pub mod export;
pub mod files;
pub mod invites;
pub mod logins;
pub mod members;
pub mod messages;
pub mod presence;
pub mod pushes;
pub mod rates;
pub mod reactions;
pub mod reads;
pub mod reports;
pub mod search;
pub mod send;
pub mod sessions;
pub mod users;

use std::net::IpAddr;
use std::str::FromStr as _;
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgPool};

pub use database::{Database, Transaction};
pub use sqlx::{PgConnection, PgExecutor};

use crate::config::DatabaseConfig;
use crate::{Error, Result};

/// The schema's migrations, oldest first.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// The roots of Amazon RDS, one of each kind for a region (`docs/decisions.md` says where they come from).
const RDS_ROOTS: &[u8] = include_bytes!("rds-roots.pem");

/// A database that is connected to on first use, so a function can start while it is still waking up.
///
/// # Errors
/// If the URL cannot be read. It may hold a password, so the error does not repeat it.
pub fn connect(config: &DatabaseConfig) -> std::result::Result<Database, &'static str> {
    let DatabaseConfig { url, max_connections, ping_after, has_limits } = config;
    let pool = PgPoolOptions::new()
        .max_connections(*max_connections)
        .test_before_acquire(false)
        // A connection that the server has closed is not worth a line in the log: the pool opens another.
        .before_acquire(|connection, _| Box::pin(async move { Ok(connection.ping().await.is_ok()) }))
        .connect_lazy_with(options(url)?);
    Ok(Database::new(pool, *max_connections, *ping_after, *has_limits))
}

/// How to connect to the server at `url`.
///
/// Unless the URL has an `sslmode`, a server that is not on this machine must prove who it is (`verify-full`): the
/// default of PostgreSQL's clients, `prefer`, would send the password to anybody who says that they have no
/// certificate. Nothing but the URL is sent when connecting: poolers refuse settings there, so timeouts are those of the
/// role.
///
/// # Errors
/// If the URL cannot be read. It may hold a password, so the error does not repeat it.
pub fn options(url: &str) -> std::result::Result<PgConnectOptions, &'static str> {
    let options = PgConnectOptions::from_str(url).map_err(|_| "the database's address is not a PostgreSQL URL")?;
    // sqlx would ask for all digits of floating-point numbers, of which there are none here.
    let options = options.application_name("windi-messenger").extra_float_digits(None).disable_statement_logging();
    // Amazon RDS and Aurora have roots of their own, which nobody else trusts.
    let options = if is_rds(options.get_host()) && !url.contains("sslrootcert=") && !url.contains("ssl-root-cert=") {
        options.ssl_root_cert_from_pem(RDS_ROOTS.to_vec())
    } else {
        options
    };
    let chosen = url.contains("sslmode=") || url.contains("ssl-mode=") || std::env::var_os("PGSSLMODE").is_some();
    Ok(if chosen || is_here(&options) { options } else { options.ssl_mode(PgSslMode::VerifyFull) })
}

fn is_rds(host: &str) -> bool {
    host.ends_with(".rds.amazonaws.com") || host.ends_with(".rds.amazonaws.com.cn")
}

/// Whether the server is on this machine: a socket in the file system, or a loopback address.
fn is_here(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    options.get_socket().is_some()
        || host.starts_with('/')
        || host == "localhost"
        || address.is_ok_and(|a| a.is_loopback())
}

/// How long a migration waits for the server, which may have to wake up first: Aurora takes 15 s and at times more.
const MIGRATION_PATIENCE: Duration = Duration::from_secs(60);
/// How often a migration that did not get a lock, because of traffic, is tried again, and after how long.
const MIGRATION_ATTEMPTS: u32 = 5;
const MIGRATION_PAUSE: Duration = Duration::from_millis(500);

/// Instead of the limits of the role.
const UNLIMITED: &str = "set statement_timeout = 0; set idle_session_timeout = 0; set lock_timeout = 0";
/// For a migration in a transaction: while it waits for a lock on a table, everybody else waits behind it.
const BRIEF: &str = "set statement_timeout = 0; set idle_session_timeout = 0; set lock_timeout = '3s'";
/// Names our lock among the database's advisory locks.
const MIGRATION_LOCK: i64 = 0x0077_696e_6469;

/// Brings the schema up to date over connections of its own: a statement may take as long as it needs, and the limits
/// that a migration gives to the role count for all connections after it. Safe to call from several processes at once:
/// the second waits until the first is done.
///
/// A database with migrations that this version does not know is left as it is. This is what a deployment finds that is
/// being rolled back.
///
/// # Errors
/// If the database cannot be reached, or if an applied migration has since been changed.
pub async fn migrate(url: &str) -> std::result::Result<(), MigrateError> {
    let options = options(url).map_err(|problem| MigrateError::Execute(sqlx::Error::Configuration(problem.into())))?;
    if is_up_to_date(&options).await {
        return Ok(());
    }
    let guard = unpooled(&options, UNLIMITED);
    let mut lock = guard.acquire().await?;
    // Asked again and again: a statement that waits is one that `create index concurrently` waits for, and neither would end.
    let ask = "select pg_try_advisory_lock($1)";
    while !sqlx::query_scalar::<_, bool>(ask).bind(MIGRATION_LOCK).fetch_one(&mut *lock).await? {
        tokio::time::sleep(MIGRATION_PAUSE).await;
    }
    let mut outcome = Ok(());
    for migration in MIGRATOR.iter() {
        // One without a transaction builds an index beside traffic, and has to wait for it.
        let pool = unpooled(&options, if migration.no_tx { UNLIMITED } else { BRIEF });
        outcome = migrate_to(migration, &pool).await;
        pool.close().await;
        if outcome.is_err() {
            break;
        }
    }
    // The lock ends with its session.
    drop(lock);
    guard.close().await;
    outcome
}

/// A pool of one, because a pool waits for a server that refuses connections while it starts.
fn unpooled(options: &PgConnectOptions, settings: &'static str) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(MIGRATION_PATIENCE);
    let pool =
        pool.after_connect(move |db, _| Box::pin(async move { sqlx::raw_sql(settings).execute(db).await.map(|_| ()) }));
    pool.connect_lazy_with(options.clone())
}

/// Applies everything up to this migration that is pending.
async fn migrate_to(last: &Migration, pool: &PgPool) -> std::result::Result<(), MigrateError> {
    let migrations = MIGRATOR.iter().filter(|migration| migration.version <= last.version).cloned();
    let mut migrator = Migrator::with_migrations(migrations.collect());
    migrator.set_ignore_missing(true).set_locking(false);
    let mut attempt = 1;
    loop {
        // Before each attempt: the one before may have lost to traffic while it built an index.
        if last.no_tx {
            drop_invalid_indexes(last, pool).await?;
        }
        match migrator.run(pool).await {
            Err(error) if attempt < MIGRATION_ATTEMPTS && lost_to_traffic(&error) => {
                attempt += 1;
                // Whoever waited behind it goes first.
                tokio::time::sleep(MIGRATION_PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// Drops the indexes that the migration names and an attempt before has left half built.
async fn drop_invalid_indexes(migration: &Migration, pool: &PgPool) -> sqlx::Result<()> {
    let invalid = "select c.relname from pg_index i join pg_class c on c.oid = i.indexrelid where not i.indisvalid";
    let invalid: Vec<String> = sqlx::query_scalar(invalid).fetch_all(pool).await?;
    for name in invalid.iter().filter(|name| migration.sql.as_str().contains(name.as_str())) {
        sqlx::raw_sql(AssertSqlSafe(format!(r#"drop index concurrently "{name}""#))).execute(pool).await?;
    }
    Ok(())
}

/// Whether everything has been applied as it is here. Asked first, because most starts find it so, and because the lock and
/// the settings below belong to a session, which a pooler may not have to give. A failure is the migration's to report.
async fn is_up_to_date(options: &PgConnectOptions) -> bool {
    let Ok(mut db) = options.connect().await else { return false };
    let applied = sqlx::query_as::<_, (i64, Vec<u8>)>("select version, checksum from _sqlx_migrations where success");
    let Ok(applied) = applied.fetch_all(&mut db).await else { return false };
    let known = |migration: &Migration| {
        applied.iter().any(|(version, checksum)| *version == migration.version && **checksum == *migration.checksum)
    };
    let up_to_date = MIGRATOR.iter().all(known);
    let _ = db.close().await;
    up_to_date
}

/// A lock timeout or a deadlock: SQLSTATE 55P03, 40P01.
fn lost_to_traffic(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else { return false };
    let code = error.as_database_error().and_then(|error| error.code());
    code.is_some_and(|code| ["55P03", "40P01"].contains(&code.as_ref()))
}

/// # Errors
/// [`Unavailable`](crate::Error::Unavailable) if the database does not answer.
pub async fn ping(db: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(db).await?;
    Ok(())
}

/// Takes off the rows beyond a page, which were read only to see whether there is more, and returns whether there is.
fn has_more<T>(rows: &mut Vec<T>, limit: i64) -> Result<bool> {
    let page = usize::try_from(limit).map_err(Error::internal)?;
    let has_more = rows.len() > page;
    rows.truncate(page);
    Ok(has_more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(url: &str) -> String {
        format!("{:?}", options(url).expect("a URL").get_ssl_mode())
    }

    #[test]
    fn a_server_elsewhere_must_prove_who_it_is_unless_the_url_says_otherwise() {
        for url in ["postgres://u@db.example.com/d", "postgres://u@10.0.0.7:5432/d?application_name=x"] {
            assert_eq!(mode(url), "VerifyFull", "{url}");
        }
        for (url, expected) in [
            ("postgres://u@localhost/d", "Prefer"),
            ("postgres://u@127.0.0.1:5432/d", "Prefer"),
            ("postgres://u@[::1]/d", "Prefer"),
            ("postgres://u@%2Fvar%2Frun%2Fpostgresql/d", "Prefer"),
            ("postgres:///d?host=/var/run/postgresql", "Prefer"),
            ("postgres://u@db.example.com/d?sslmode=require", "Require"),
        ] {
            assert_eq!(mode(url), expected, "{url}");
        }
    }
}
