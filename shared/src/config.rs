//! Every environment variable of the functions, read once at start. `.env.example` explains each one to operators.

use std::fmt::Display;

/// A setting that is missing or wrong. The error names the variable and never shows its value.
#[derive(Debug, thiserror::Error)]
#[error("{name} {problem}")]
pub struct ConfigError {
    name: &'static str,
    problem: String,
}

#[derive(Clone)]
pub struct DatabaseConfig {
    /// `postgres://user:password@host:port/name?sslmode=…`.
    pub url: String,
    /// The maximum number of connections one process opens.
    pub max_connections: u32,
}

/// The keys of access tokens, each at least 32 bytes.
#[derive(Clone)]
pub struct TokenConfig {
    pub secret: String,
    /// The previous secret, accepted until the tokens signed with it have expired.
    pub previous_secret: Option<String>,
}

/// `DATABASE_URL` and `DATABASE_MAX_CONNECTIONS`. A Lambda environment serves one request at a time, so it needs one
/// connection.
///
/// # Errors
/// If `DATABASE_URL` is missing or `DATABASE_MAX_CONNECTIONS` is not a whole number of at least 1.
pub fn database() -> Result<DatabaseConfig, ConfigError> {
    Ok(DatabaseConfig { url: required("DATABASE_URL")?, max_connections: max_connections(1)? })
}

/// `DATABASE_MAX_CONNECTIONS`.
///
/// # Errors
/// If it is not a whole number of at least 1.
pub fn max_connections(default: u32) -> Result<u32, ConfigError> {
    let Some(text) = optional("DATABASE_MAX_CONNECTIONS") else { return Ok(default) };
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| wrong("DATABASE_MAX_CONNECTIONS", "must be a whole number from 1"))
}

/// `JWT_SECRET`, `JWT_SECRET_PREVIOUS`.
///
/// # Errors
/// If `JWT_SECRET` is missing. The lengths are checked where the secrets are used.
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

/// `CONNECTIONS_ENDPOINT`: the WebSocket API's URL with its stage; `@connections` is below it.
///
/// # Errors
/// If it is missing.
pub fn connections_endpoint() -> Result<String, ConfigError> {
    required("CONNECTIONS_ENDPOINT")
}

/// The value of a variable, unless it is missing or empty.
pub fn optional(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn required(name: &'static str) -> Result<String, ConfigError> {
    optional(name).ok_or_else(|| wrong(name, "must be set"))
}

fn wrong(name: &'static str, problem: impl Display) -> ConfigError {
    ConfigError { name, problem: problem.to_string() }
}
