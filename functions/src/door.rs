//! What every binary does before it serves. A setting that is wrong ends the function at start, naming the variable.

use aws_config::{BehaviorVersion, SdkConfig};
use lambda_runtime::Error;
use windi_shared::auth::Tokens;
use windi_shared::config;
use windi_shared::connections::Connections;
use windi_shared::db::{self, PgPool};

use crate::push::Push;

/// Logs as JSON lines, which CloudWatch can search, at the level of `RUST_LOG` (default `info`).
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_target(false).init();
}

/// The database of `DATABASE_URL`.
///
/// # Errors
/// If the setting is missing or wrong.
pub fn database() -> Result<PgPool, Error> {
    Ok(db::connect(&config::database()?)?)
}

/// The signing keys of `JWT_SECRET`.
///
/// # Errors
/// If the setting is missing or too short.
pub fn tokens() -> Result<Tokens, Error> {
    Ok(Tokens::new(&config::tokens()?)?)
}

/// The table of `CONNECTIONS_TABLE`.
///
/// # Errors
/// If the setting is missing.
pub async fn connections() -> Result<Connections, Error> {
    Ok(Connections::new(&aws().await, config::connections_table()?))
}

/// Pushes to `CONNECTIONS_ENDPOINT`, over [`connections`].
///
/// # Errors
/// If a setting is missing.
pub async fn push() -> Result<Push, Error> {
    let aws = aws().await;
    let connections = Connections::new(&aws, config::connections_table()?);
    Ok(Push::new(&aws, &config::connections_endpoint()?, connections))
}

async fn aws() -> SdkConfig {
    aws_config::load_defaults(BehaviorVersion::v2026_01_12()).await
}
