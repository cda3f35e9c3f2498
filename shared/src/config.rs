//! Every environment variable of the functions, read once at start. `.env.example` explains each to its operator.

use std::fmt::Display;

/// A setting that is missing or wrong. Names the variable, never its value.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

/// What PostgreSQL is reached by.
#[derive(Clone)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/name?sslmode=…`.
    pub url: String,
    /// The most connections one process opens. One Lambda environment serves one request at a time: 1.
    pub max_connections: u32,
}

/// What access tokens are signed with.
#[derive(Clone)]
pub struct TokenConfig {
    /// The signing secret, at least 32 bytes.
    pub secret: String,
    /// The one before, still accepted while tokens signed with it live.
    pub previous_secret: Option<String>,
}

/// `DATABASE_URL`, `DATABASE_MAX_CONNECTIONS` (default 1).
///
/// # Errors
/// If `DATABASE_URL` is missing or the number is none.
pub fn database() -> Result<DatabaseConfig, ConfigError> {
    let max_connections = match optional("DATABASE_MAX_CONNECTIONS") {
        None => 1,
        Some(text) => text
            .parse()
            .ok()
            .filter(|n| *n > 0)
            .ok_or_else(|| wrong("DATABASE_MAX_CONNECTIONS", "must be a whole number from 1"))?,
    };
    Ok(DatabaseConfig { url: required("DATABASE_URL")?, max_connections })
}

/// `JWT_SECRET`, `JWT_SECRET_PREVIOUS`.
///
/// # Errors
/// If `JWT_SECRET` is missing. Its length is checked where it is used.
pub fn tokens() -> Result<TokenConfig, ConfigError> {
    Ok(TokenConfig { secret: required("JWT_SECRET")?, previous_secret: optional("JWT_SECRET_PREVIOUS") })
}

/// `CONNECTIONS_TABLE`: the DynamoDB table of live connections.
///
/// # Errors
/// If it is missing.
pub fn connections_table() -> Result<String, ConfigError> {
    required("CONNECTIONS_TABLE")
}

/// `CONNECTIONS_ENDPOINT`: the WebSocket API's address with its stage, under which `@connections` lies.
///
/// # Errors
/// If it is missing.
pub fn connections_endpoint() -> Result<String, ConfigError> {
    required("CONNECTIONS_ENDPOINT")
}

fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or_else(|| wrong(name, "must be set"))
}

fn wrong(name: &'static str, problem: impl Display) -> ConfigError {
    ConfigError { name, problem: problem.to_string() }
}
