//! All errors of the messenger, one variant for each case a client can act on. The causes of our own failures only go
//! to the log.

use std::time::Duration;

pub type Result<T> = std::result::Result<T, Error>;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// What a client must know about a failure.
///
/// The client reads the `Display` text, which never contains SQL, paths or types. Details for the log are in the
/// [source](std::error::Error::source).
#[derive(Debug, thiserror::Error, strum::EnumDiscriminants)]
#[strum_discriminants(name(ErrorKind), derive(strum::VariantArray), doc = "An [`Error`] without its details.")]
pub enum Error {
    /// The body is not JSON, or not UTF-8.
    #[error("this is not valid JSON: {0}")]
    MalformedJson(String),
    #[error("unknown action; the actions are {known}")]
    UnknownAction { known: &'static str },
    /// The access or refresh token is missing, wrong, expired or used up.
    #[error("a valid token is required")]
    Unauthorized,
    /// The login failed. The error is the same whether or not the account exists.
    #[error("wrong login or password")]
    InvalidCredentials,
    /// Sent on a socket before closing it.
    #[error("this session has ended; log in again")]
    SessionEnded,
    /// Sent on a socket before closing it.
    #[error("the password was changed elsewhere; log in again")]
    PasswordChanged,
    /// The current password given for a password change is wrong. This is not a 401: the token is fine, and a client
    /// must not refresh it because of this.
    #[error("the current password is wrong")]
    WrongPassword,
    /// A code that was sent by mail is wrong, used, expired or tried too often, or no account has the address; the
    /// error does not reveal which.
    #[error("this code does not work; ask for another one")]
    InvalidCode,
    /// The caller is a member of the chat, but not allowed to do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// The chat does not exist, or the caller is not in it; the error does not reveal which.
    #[error("no such chat")]
    ChatNotFound,
    /// One of the two has blocked the other, or does not want to be added by them; the error does not reveal which.
    #[error("this person cannot be reached by you")]
    NotReachable,
    #[error("no such user")]
    UserNotFound,
    /// The link does not exist, was revoked, has expired or is used up, or the caller was removed from the group.
    #[error("this link does not work")]
    InviteNotFound,
    #[error("no such message")]
    MessageNotFound,
    #[error("no such member")]
    MemberNotFound,
    #[error("no such session")]
    SessionNotFound,
    #[error("this method is not allowed here; allowed: {allow}")]
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: String,
    },
    /// A file of the browser client; or a file that does not exist, is not the caller's, is not in the store yet, or was not sent in
    /// time.
    #[error("no such file")]
    FileNotFound,
    /// The contents of an announced file are not in the store.
    #[error("the file has not been uploaded")]
    NotUploaded,
    /// The contents of a file are not what was announced.
    #[error("the file is refused: {0}")]
    FileRefused(&'static str),
    /// A deleted message cannot be edited, quoted, forwarded, pinned or reacted to.
    #[error("the message has been deleted")]
    MessageDeleted,
    #[error("the group is full")]
    GroupFull,
    #[error("a message has at most {max} different reactions")]
    TooManyReactions { max: usize },
    #[error("a chat has at most {max} pinned messages; unpin one first")]
    TooManyPins { max: usize },
    #[error("an account with this email already exists")]
    EmailTaken,
    #[error("this username is taken")]
    UsernameTaken,
    /// The same `client_message_id` was already used for another text.
    #[error("this client_message_id was already used for another text")]
    IdempotencyConflict,
    #[error("the body is too large; the limit is {limit} bytes")]
    PayloadTooLarge { limit: usize },
    #[error("unsupported content type; send {0}")]
    UnsupportedMediaType(&'static str),
    /// A field or query parameter is missing, is unknown, has the wrong type, or has a value that is not allowed.
    #[error("{field}: {reason}")]
    InvalidField {
        /// A path such as `data.text`.
        field: String,
        /// A sentence without its subject: "must not be blank".
        reason: String,
    },
    #[error("a group has at most {max} links; revoke one first")]
    TooManyInvites { max: i64 },
    #[error("you have blocked {max} people; unblock somebody first")]
    TooManyBlocked { max: i64 },
    /// In this group, members wait between two messages.
    #[error("in this group, wait between two messages")]
    SlowMode { retry_after: Duration },
    /// The caller does this too fast.
    #[error("too many requests of this kind; wait a little")]
    RateLimited { retry_after: Duration },
    /// Too many failed logins; this attempt was not checked.
    #[error("too many attempts; try again later")]
    TooManyAttempts { retry_after: Duration },
    /// Sent on a person's oldest socket before closing it in favour of their newest.
    #[error("you have too many connections; this was the oldest")]
    TooManyConnections,
    /// PostgreSQL, DynamoDB, the store of files or the mail service is unreachable or too busy, or gave up waiting for a
    /// lock. Nothing is known to have been stored.
    #[error("the service is busy or unavailable; try again")]
    Unavailable(#[source] Source),
    /// A failure on our side.
    #[error("something went wrong on our side")]
    Internal(#[source] Source),
    /// Nobody has set up mail for this messenger.
    #[error("this messenger sends no mail")]
    MailDisabled,
    /// This messenger has no key for push services.
    #[error("this messenger sends no pushes to devices that are not connected")]
    PushDisabled,
}

impl Error {
    pub fn field(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidField { field: field.into(), reason: reason.into() }
    }

    /// A failure on our side; `source` goes to the log and nowhere else.
    pub fn internal(source: impl Into<Source>) -> Self {
        Self::Internal(source.into())
    }

    /// See [`ErrorKind::status`].
    pub fn status(&self) -> u16 {
        ErrorKind::from(self).status()
    }

    /// See [`ErrorKind::code`].
    pub fn code(&self) -> &'static str {
        ErrorKind::from(self).code()
    }

    /// How many seconds to wait before trying again, where waiting helps.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyAttempts { retry_after }
            | Self::SlowMode { retry_after }
            | Self::RateLimited { retry_after } => Some(retry_after.as_secs().max(1)),
            // A server that cannot be reached for seconds is waking up (Aurora takes 15 s) or in trouble.
            Self::Unavailable(source) if matches!(source.downcast_ref(), Some(sqlx::Error::PoolTimedOut)) => Some(5),
            Self::Unavailable(_) => Some(1),
            _ => None,
        }
    }

    /// Logs a failure of ours with all its causes. Client mistakes are not logged here.
    pub fn log(&self) {
        if let Self::Internal(source) | Self::Unavailable(source) = self {
            tracing::error!(code = self.code(), error = %chain(source.as_ref()), "A request failed.");
        }
    }
}

impl ErrorKind {
    /// The HTTP status. The socket has no status; there it is the class of the error.
    pub fn status(self) -> u16 {
        match self {
            Self::MalformedJson | Self::UnknownAction => 400,
            Self::Unauthorized | Self::InvalidCredentials | Self::SessionEnded | Self::PasswordChanged => 401,
            Self::Forbidden | Self::WrongPassword | Self::InvalidCode | Self::NotReachable => 403,
            Self::ChatNotFound
            | Self::UserNotFound
            | Self::InviteNotFound
            | Self::MessageNotFound
            | Self::MemberNotFound
            | Self::SessionNotFound
            | Self::FileNotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::EmailTaken
            | Self::UsernameTaken
            | Self::IdempotencyConflict
            | Self::MessageDeleted
            | Self::NotUploaded
            | Self::GroupFull
            | Self::TooManyReactions
            | Self::TooManyInvites
            | Self::TooManyBlocked
            | Self::TooManyPins => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::InvalidField | Self::FileRefused => 422,
            Self::TooManyAttempts | Self::TooManyConnections | Self::SlowMode | Self::RateLimited => 429,
            Self::Internal => 500,
            Self::MailDisabled | Self::PushDisabled => 501,
            Self::Unavailable => 503,
        }
    }

    /// The stable code clients branch on, listed in `docs/protocol.md`.
    pub fn code(self) -> &'static str {
        match self {
            Self::MalformedJson => "malformed_json",
            Self::UnknownAction => "unknown_action",
            Self::Unauthorized => "unauthorized",
            Self::InvalidCredentials => "invalid_credentials",
            Self::SessionEnded => "session_ended",
            Self::PasswordChanged => "password_changed",
            Self::WrongPassword => "wrong_password",
            Self::InvalidCode => "invalid_code",
            Self::Forbidden => "forbidden",
            Self::ChatNotFound => "chat_not_found",
            Self::UserNotFound => "user_not_found",
            Self::NotReachable => "not_reachable",
            Self::InviteNotFound => "invite_not_found",
            Self::TooManyInvites => "too_many_invites",
            Self::TooManyBlocked => "too_many_blocked",
            Self::SlowMode => "slow_mode",
            Self::RateLimited => "rate_limited",
            Self::MessageNotFound => "message_not_found",
            Self::MemberNotFound => "member_not_found",
            Self::SessionNotFound => "session_not_found",
            Self::FileNotFound => "file_not_found",
            Self::NotUploaded => "not_uploaded",
            Self::FileRefused => "file_refused",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::MessageDeleted => "message_deleted",
            Self::GroupFull => "group_full",
            Self::TooManyReactions => "too_many_reactions",
            Self::TooManyPins => "too_many_pins",
            Self::EmailTaken => "email_taken",
            Self::UsernameTaken => "username_taken",
            Self::IdempotencyConflict => "idempotency_conflict",
            Self::PayloadTooLarge => "payload_too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::InvalidField => "invalid_field",
            Self::TooManyAttempts => "too_many_attempts",
            Self::TooManyConnections => "too_many_connections",
            Self::Internal => "internal",
            Self::MailDisabled => "mail_disabled",
            Self::PushDisabled => "push_disabled",
            Self::Unavailable => "unavailable",
        }
    }
}

/// An error and all its sources in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Many errors repeat their source in their own text.
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if is_unavailable(&error) { Self::Unavailable(error.into()) } else { Self::internal(error) }
    }
}

/// Whether trying again may help: the server is unreachable, full or restarting, or gave up waiting.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        // rustls reports a certificate that it does not accept like this, and no repetition helps.
        sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => false,
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_) => true,
        // 08 connection, 40 rollback (deadlock, serialisation), 53 resources, 55P03 lock timeout, 57 operator
        // intervention (shutdown, statement timeout); 25006 and 25P03 come from a server that is failing over; 28P01 is a
        // password that was changed and is read again soon.
        sqlx::Error::Database(e) => e.code().is_some_and(|code| {
            ["08", "40", "53", "57"].iter().any(|class| code.starts_with(class))
                || ["55P03", "25006", "25P03", "28P01"].contains(&code.as_ref())
        }),
        _ => false,
    }
}

/// Turns a violated constraint into the corresponding error.
pub trait OnConstraint<T> {
    /// Calls `error` with the violated constraint's name; any other failure is returned unchanged.
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

#[cfg(test)]
mod tests {
    use std::io::{Error as IoError, ErrorKind};

    use super::*;

    #[test]
    fn a_wrong_certificate_is_not_a_busy_server() {
        let code = |error: sqlx::Error| Error::from(error).code();
        assert_eq!(code(sqlx::Error::Io(IoError::new(ErrorKind::InvalidData, "invalid peer certificate"))), "internal");
        assert_eq!(code(sqlx::Error::Tls("the server does not support TLS".into())), "internal");
        assert_eq!(code(sqlx::Error::Io(ErrorKind::ConnectionReset.into())), "unavailable");
        assert_eq!(Error::from(sqlx::Error::PoolTimedOut).retry_after(), Some(5));
    }
}
