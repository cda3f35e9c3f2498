//! Every environment variable of the functions, read once at start. `.env.example` explains each one to operators.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use crate::fields::Email;

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
    /// A connection that was used less long ago than this is used again without asking the server whether it is still
    /// there. Must be zero in a process that may be frozen: the server ends idle sessions meanwhile, and the process does
    /// not notice that time has passed.
    pub ping_after: Duration,
    /// Whether people are kept from doing things too fast.
    pub has_limits: bool,
}

/// How mail leaves the messenger.
#[derive(Debug, Clone)]
pub enum MailConfig {
    /// Not at all.
    Off,
    /// Through Amazon SES, from this address.
    Service(Email),
    Directory(MailDirectory),
}

/// Where mails are written instead of being sent.
#[derive(Debug, Clone)]
pub struct MailDirectory {
    pub path: PathBuf,
    pub from: Email,
}

/// The keys of access tokens, each at least 32 bytes.
#[derive(Clone)]
pub struct TokenConfig {
    pub secret: String,
    /// The previous secret, accepted until the tokens signed with it have expired.
    pub previous_secret: Option<String>,
}

impl TokenConfig {
    /// Reads `{"current": "…", "previous": "…"}`. The previous key may be missing or empty.
    ///
    /// # Errors
    /// If the text is something else.
    pub fn from_secret(text: &str) -> Result<Self, &'static str> {
        #[derive(Deserialize)]
        struct Keys {
            current: String,
            previous: Option<String>,
        }
        let keys: Keys =
            serde_json::from_str(text).map_err(|_| "it is not {\"current\": \"…\", \"previous\": \"…\"}")?;
        Ok(Self { secret: keys.current, previous_secret: keys.previous.filter(|previous| !previous.is_empty()) })
    }
}

/// The URL in a secret, which is either the URL itself or what Secrets Manager keeps for a database of RDS:
/// `{"host": …, "port": …, "username": …, "password": …, "dbname": …}` (Secrets Manager user guide, "JSON structure of
/// AWS Secrets Manager secrets").
///
/// # Errors
/// If the text begins like JSON and is something else.
pub fn database_url(text: &str) -> Result<String, &'static str> {
    #[derive(Deserialize)]
    struct Rds {
        host: String,
        #[serde(default = "default_port")]
        port: u16,
        username: String,
        password: String,
        dbname: Option<String>,
    }
    fn default_port() -> u16 {
        5432
    }
    if !text.trim_start().starts_with('{') {
        return Ok(text.trim().to_owned());
    }
    let Rds { host, port, username, password, dbname } =
        serde_json::from_str(text).map_err(|_| "it is neither a URL nor the JSON of a database's secret")?;
    let [username, password] =
        [username, password].map(|part| utf8_percent_encode(&part, NON_ALPHANUMERIC).to_string());
    let dbname = dbname.unwrap_or_else(|| "postgres".to_owned());
    Ok(format!("postgres://{username}:{password}@{host}:{port}/{dbname}"))
}

/// `DATABASE_URL`, with [`database_at`].
///
/// # Errors
/// If `DATABASE_URL` is missing; those of [`max_connections`].
pub fn database() -> Result<DatabaseConfig, ConfigError> {
    database_at(required("DATABASE_URL")?)
}

/// How a function uses the database at `url`. A Lambda environment serves one request at a time, so it needs one
/// connection, and it may be frozen after each.
///
/// # Errors
/// Those of [`max_connections`].
pub fn database_at(url: String) -> Result<DatabaseConfig, ConfigError> {
    Ok(DatabaseConfig {
        url,
        max_connections: max_connections(1)?,
        ping_after: Duration::ZERO,
        has_limits: has_limits()?,
    })
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

/// `RATE_LIMITS`: `on`, or `off` for measurements and tests.
///
/// # Errors
/// If it is anything else.
pub fn has_limits() -> Result<bool, ConfigError> {
    match optional("RATE_LIMITS").as_deref() {
        None | Some("on") => Ok(true),
        Some("off") => Ok(false),
        Some(_) => Err(wrong("RATE_LIMITS", "must be on or off")),
    }
}

/// `JWT_SECRET`, `JWT_SECRET_PREVIOUS`.
///
/// # Errors
/// If `JWT_SECRET` is missing. The lengths are checked where the secrets are used.
pub fn tokens() -> Result<TokenConfig, ConfigError> {
    Ok(TokenConfig { secret: required("JWT_SECRET")?, previous_secret: optional("JWT_SECRET_PREVIOUS") })
}

/// The secret that holds the database's address, if `DATABASE_URL` is the ARN of one.
pub fn database_secret() -> Option<String> {
    arn("DATABASE_URL")
}

/// The secret that holds the keys of access tokens, if `JWT_SECRET` is the ARN of one.
pub fn token_secret() -> Option<String> {
    arn("JWT_SECRET")
}

fn arn(name: &'static str) -> Option<String> {
    optional(name).filter(|value| value.starts_with("arn:"))
}

/// `MAIL_FROM`, and `MAIL_DIRECTORY`, which takes precedence over SES and needs no sender.
///
/// # Errors
/// If `MAIL_FROM` is not an e-mail address.
pub fn mail() -> Result<MailConfig, ConfigError> {
    match optional("MAIL_DIRECTORY") {
        Some(path) => Ok(MailConfig::Directory(mail_directory(path)?)),
        None => Ok(mail_sender()?.map_or(MailConfig::Off, MailConfig::Service)),
    }
}

/// The directory at `path`, with the sender `MAIL_FROM`, or a local one.
///
/// # Errors
/// If `MAIL_FROM` is not an e-mail address.
pub fn mail_directory(path: impl Into<PathBuf>) -> Result<MailDirectory, ConfigError> {
    let from = match mail_sender()? {
        Some(from) => from,
        None => Email::new("messenger@localhost").map_err(|problem| wrong("MAIL_FROM", problem))?,
    };
    Ok(MailDirectory { path: path.into(), from })
}

fn mail_sender() -> Result<Option<Email>, ConfigError> {
    let from = optional("MAIL_FROM").map(Email::new).transpose();
    from.map_err(|problem| wrong("MAIL_FROM", problem))
}

/// How devices that are not connected are told of messages (Web Push).
#[derive(Clone)]
pub struct PushConfig {
    /// What the key is made of by which push services know this messenger; none for a messenger without such pushes.
    pub secret: Option<String>,
    /// Whom push services may turn to: a `mailto:` or an `https:` address.
    pub subject: String,
    /// Whether subscriptions may lead to this machine, and without encryption, as in tests.
    pub allows_http: bool,
}

/// `PUSH_KEY`, `VAPID_SUBJECT`, `PUSH_ALLOW_HTTP`.
///
/// # Errors
/// If there is a key without a subject, or a value is not allowed. The key's length is checked where it is used.
pub fn web_push() -> Result<PushConfig, ConfigError> {
    let secret = optional("PUSH_KEY");
    let subject = optional("VAPID_SUBJECT").unwrap_or_default();
    if secret.is_some() && !["mailto:", "https:"].iter().any(|scheme| subject.starts_with(scheme)) {
        return Err(wrong("VAPID_SUBJECT", "must begin with mailto: or https:"));
    }
    Ok(PushConfig { secret, subject, allows_http: push_allows_http()? })
}

/// `PUSH_ALLOW_HTTP`: `on` for tests, or `off`.
///
/// # Errors
/// If it is anything else.
pub fn push_allows_http() -> Result<bool, ConfigError> {
    match optional("PUSH_ALLOW_HTTP").as_deref() {
        None | Some("off") => Ok(false),
        Some("on") => Ok(true),
        Some(_) => Err(wrong("PUSH_ALLOW_HTTP", "must be on or off")),
    }
}

/// The secret that holds the key of pushes, if `PUSH_KEY` is the ARN of one.
pub fn push_secret() -> Option<String> {
    arn("PUSH_KEY")
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

/// Where the contents of files are.
#[derive(Clone)]
pub struct FilesConfig {
    pub bucket: String,
    /// A store other than AWS's: its URL, and the key to it unless it is that of the environment.
    pub endpoint: Option<String>,
    pub credentials: Option<(String, String)>,
    /// What clients read in place of `endpoint`; empty if the store is behind the address of the API.
    pub public_url: Option<String>,
}

/// `FILES_BUCKET`, `AWS_ENDPOINT_URL_S3`, `FILES_ACCESS_KEY_ID`, `FILES_SECRET_ACCESS_KEY`, `FILES_PUBLIC_URL`, which is `/` for the
/// address of the API.
///
/// # Errors
/// If `FILES_BUCKET` is missing.
pub fn files() -> Result<FilesConfig, ConfigError> {
    Ok(FilesConfig {
        bucket: required("FILES_BUCKET")?,
        endpoint: optional("AWS_ENDPOINT_URL_S3"),
        credentials: optional("FILES_ACCESS_KEY_ID").zip(optional("FILES_SECRET_ACCESS_KEY")),
        public_url: optional("FILES_PUBLIC_URL").map(|url| url.trim_end_matches('/').to_owned()),
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_known_by_its_url_or_by_the_secret_of_rds() {
        assert_eq!(database_url("postgres://a@b/c\n"), Ok("postgres://a@b/c".to_owned()));
        let secret = r#"{"engine":"postgres","host":"h","port":5433,"username":"u","password":"p@:/","dbname":"d"}"#;
        assert_eq!(database_url(secret), Ok("postgres://u:p%40%3A%2F@h:5433/d".to_owned()));
        assert!(database_url(r#"{"host":"h"}"#).is_err());
    }

    #[test]
    fn the_keys_are_known_by_their_secret() {
        let keys = TokenConfig::from_secret(r#"{"previous":"","current":"new"}"#).expect("keys");
        assert_eq!((keys.secret.as_str(), keys.previous_secret), ("new", None));
        let keys = TokenConfig::from_secret(r#"{"previous":"old","current":"new"}"#).expect("keys");
        assert_eq!(keys.previous_secret.as_deref(), Some("old"));
        assert!(TokenConfig::from_secret("just a text").is_err());
    }
}
