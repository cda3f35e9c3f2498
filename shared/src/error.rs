//! The one error. A variant per thing a client can act on; the source of a failure of ours is for the log only.

use std::time::Duration;

/// What handlers return.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, as the caller has to know it.
///
/// The `Display` text is what the client reads: it never contains SQL, paths or types. What the log should know is in
/// the [source](std::error::Error::source).
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The body is not JSON at all, or not UTF-8.
    #[error("the body is not valid JSON: {0}")]
    MalformedJson(String),
    /// A frame without a known `action`.
    #[error("unknown action; docs/protocol.md lists the known ones")]
    UnknownAction,
    /// No access or refresh token, or one that is not, or no longer, good.
    #[error("a valid token is required")]
    Unauthorized,
    /// The login failed. Says the same whether the account exists or not.
    #[error("wrong login or password")]
    InvalidCredentials,
    /// A member, but not one who may do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such chat, or the caller is not in it: nobody can tell which.
    #[error("no such chat")]
    ChatNotFound,
    /// There is no such user.
    #[error("no such user")]
    UserNotFound,
    /// There is no message of this number in the chat.
    #[error("no such message")]
    MessageNotFound,
    /// That person is not in the chat.
    #[error("no such member")]
    MemberNotFound,
    /// There is no such session of the caller's.
    #[error("no such session")]
    SessionNotFound,
    /// The message has been deleted and can no longer be edited.
    #[error("the message has been deleted")]
    MessageDeleted,
    /// The group has all the members it may have.
    #[error("the group is full")]
    GroupFull,
    /// The e-mail address has an account already.
    #[error("an account with this email exists already")]
    EmailTaken,
    /// Somebody else has this username.
    #[error("this username is taken")]
    UsernameTaken,
    /// The same `client_message_id` was used before, for another text.
    #[error("this client_message_id was already used for another text")]
    IdempotencyConflict,
    /// The body is larger than [`json::MAX_BODY_BYTES`](crate::json::MAX_BODY_BYTES).
    #[error("the body is too large")]
    PayloadTooLarge,
    /// The body is of a type this route does not read.
    #[error("unsupported content type; send {0}")]
    UnsupportedMediaType(&'static str),
    /// A field has the wrong type, is missing, unknown, or its value is not allowed.
    #[error("{field}: {reason}")]
    InvalidField {
        /// Where it is, as a path such as `data.text`.
        field: String,
        /// Why it was refused.
        reason: String,
    },
    /// Too many failed attempts; nothing was tried this time.
    #[error("too many attempts; try again later")]
    TooManyAttempts {
        /// How long until it is worth trying again.
        retry_after: Duration,
    },
    /// PostgreSQL cannot be reached, is too busy or gave up on a lock. Nothing is known to have been stored.
    #[error("the service is busy or unavailable; try again")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A failure of ours.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// A refused field.
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidField { field: field.into(), reason: reason.into() }
    }

    /// Wraps a failure of ours, keeping it for the log.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The HTTP status, also on the socket the class of the error.
    pub fn status(&self) -> u16 {
        match self {
            Self::MalformedJson(_) | Self::UnknownAction => 400,
            Self::Unauthorized | Self::InvalidCredentials => 401,
            Self::Forbidden(_) => 403,
            Self::ChatNotFound
            | Self::UserNotFound
            | Self::MessageNotFound
            | Self::MemberNotFound
            | Self::SessionNotFound => 404,
            Self::EmailTaken
            | Self::UsernameTaken
            | Self::IdempotencyConflict
            | Self::MessageDeleted
            | Self::GroupFull => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::InvalidField { .. } => 422,
            Self::TooManyAttempts { .. } => 429,
            Self::Internal(_) => 500,
            Self::Unavailable(_) => 503,
        }
    }

    /// The stable code clients branch on. Listed in `docs/protocol.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MalformedJson(_) => "malformed_json",
            Self::UnknownAction => "unknown_action",
            Self::Unauthorized => "unauthorized",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Forbidden(_) => "forbidden",
            Self::ChatNotFound => "chat_not_found",
            Self::UserNotFound => "user_not_found",
            Self::MessageNotFound => "message_not_found",
            Self::MemberNotFound => "member_not_found",
            Self::SessionNotFound => "session_not_found",
            Self::MessageDeleted => "message_deleted",
            Self::GroupFull => "group_full",
            Self::EmailTaken => "email_taken",
            Self::UsernameTaken => "username_taken",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType(_) => "unsupported_media_type",
            Self::InvalidField { .. } => "invalid_field",
            Self::TooManyAttempts { .. } => "too_many_attempts",
            Self::Internal(_) => "internal",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// Whole seconds after which to try again, where waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts { retry_after } => Some(retry_after.as_secs().max(1)),
            Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }

    /// Writes failures of ours to the log, with their sources; a client's mistake is not an event of ours.
    pub fn log(&self) {
        if let Self::Internal(source) | Self::Unavailable(source) = self {
            tracing::error!(error.code = self.code(), error = %chain(source.as_ref()), "request failed");
        }
    }
}

/// An error and all its sources in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) { Self::Unavailable(error.into()) } else { Self::internal(error) }
    }
}

/// Whether trying again may help: the server is away, full, restarting, or gave up waiting.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => true,
        // 08 connection, 40 rollback (deadlock, serialisation), 53 resources, 55P03 lock timeout, 57 operator
        // intervention (shutdown, statement timeout); 25006 and 25P03 are what a failing-over server says.
        sqlx::Error::Database(e) => e.code().is_some_and(|code| {
            ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
                || ["55P03", "25006", "25P03"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// Turns a violated constraint into the error it stands for.
pub trait OnConstraint<T> {
    /// If a constraint was violated that `error` has an error for, that one; anything else as it was.
    ///
    /// # Errors
    /// The mapped error, or the original one.
    fn on_constraint(self, error: impl FnOnce(&str) -> Option<Error>) -> Result<T>;
}

impl<T> OnConstraint<T> for std::result::Result<T, sqlx::Error> {
    fn on_constraint(self, error: impl FnOnce(&str) -> Option<Error>) -> Result<T> {
        self.map_err(|e| {
            let constraint = e.as_database_error().and_then(|e| e.constraint());
            constraint.and_then(error).unwrap_or_else(|| e.into())
        })
    }
}
