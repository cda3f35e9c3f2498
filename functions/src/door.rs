//! Start-up and serving, shared by all binaries. A wrong setting ends the function at start with an error that names
//! the variable.

use aws_config::{BehaviorVersion, SdkConfig};
use lambda_http::{Body, Request, Response};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use windi_shared::auth::Tokens;
use windi_shared::config;
use windi_shared::connections::Connections;
use windi_shared::db::{self, PgPool};

use crate::push::Push;

/// Returned only if a setting is wrong.
pub type Outcome = Result<(), Error>;

/// Serves requests of the HTTP API.
///
/// # Errors
/// If Lambda's Runtime API cannot be reached.
pub async fn http<F>(handler: impl Fn(Request) -> F + Sync) -> Outcome
where
    F: Future<Output = Response<Body>> + Send,
{
    let handler = &handler;
    lambda_http::run(service_fn(move |request| async move { Ok::<_, Error>(handler(request).await) })).await
}

/// Serves events of the WebSocket API.
///
/// # Errors
/// If Lambda's Runtime API cannot be reached.
pub async fn events<E, A, F>(handler: impl Fn(E) -> F + Sync) -> Outcome
where
    E: DeserializeOwned,
    A: Serialize,
    F: Future<Output = Result<A, Diagnostic>> + Send,
{
    let handler = &handler;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<E>| handler(event.payload))).await
}

/// Logs JSON lines, which CloudWatch can search, at the level of `RUST_LOG` (default `info`).
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Each line lists its spans, so the innermost would appear twice.
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
    lines.with_env_filter(filter).with_target(false).init();
}

/// The database at `DATABASE_URL`.
///
/// # Errors
/// If the setting is missing or wrong.
pub fn database() -> Result<PgPool, Error> {
    Ok(db::connect(&config::database()?)?)
}

/// The signing keys from `JWT_SECRET`.
///
/// # Errors
/// If the setting is missing or too short.
pub fn tokens() -> Result<Tokens, Error> {
    Ok(Tokens::new(&config::tokens()?)?)
}

/// The table named by `CONNECTIONS_TABLE`.
///
/// # Errors
/// If the setting is missing.
pub async fn connections() -> Result<Connections, Error> {
    Ok(Connections::new(&aws().await, config::connections_table()?))
}

/// Posts to `CONNECTIONS_ENDPOINT`, using [`connections`].
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
