//! All SQL of the messenger, one file per subject. It is static text, checked at compile time against the real schema.
//!
//! Functions here take any executor; a handler that needs several statements in one transaction opens the transaction.

pub mod chat_list;
pub mod chats;
pub mod logins;
pub mod members;
pub mod messages;
pub mod presence;
pub mod reads;
pub mod search;
pub mod sessions;
pub mod users;

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

pub use sqlx::{PgConnection, PgExecutor, PgPool};

use crate::Result;
use crate::config::DatabaseConfig;

/// The schema's migrations, oldest first.
pub static MIGRATOR: Migrator = sqlx::migrate!("../migrations");

/// How long a request waits for a free connection: well under the 29 s after which API Gateway gives up.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);

/// Limits enforced by the server, so that a frozen or killed function cannot hold a chat's lock.
const SERVER_TIMEOUTS: [(&str, &str); 3] =
    [("statement_timeout", "5s"), ("lock_timeout", "3s"), ("idle_in_transaction_session_timeout", "5s")];

/// A pool that connects on first use, so a function can start while the database is still waking up.
///
/// # Errors
/// If the URL cannot be read. It may hold a password, so the error does not repeat it.
pub fn connect(config: &DatabaseConfig) -> std::result::Result<PgPool, &'static str> {
    let options = PgConnectOptions::from_str(&config.url).map_err(|_| "DATABASE_URL is not a PostgreSQL URL")?;
    let options = options.options(SERVER_TIMEOUTS).application_name("windi-messenger").disable_statement_logging();
    Ok(PgPoolOptions::new()
        .max_connections(config.max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .connect_lazy_with(options))
}

/// Updates the schema. Safe to call from several processes at once: sqlx takes an advisory lock.
///
/// # Errors
/// If the database cannot be reached, or if an applied migration has since been changed.
pub async fn migrate(db: &PgPool) -> std::result::Result<(), sqlx::migrate::MigrateError> {
    MIGRATOR.run(db).await
}

/// # Errors
/// [`Unavailable`](crate::Error::Unavailable) if the database does not answer.
pub async fn ping(db: impl PgExecutor<'_>) -> Result<()> {
    sqlx::query_scalar!(r#"select 1 as "one!""#).fetch_one(db).await?;
    Ok(())
}
