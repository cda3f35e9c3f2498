//! `POST /auth/login`: a password for tokens. Reads JSON, and the form of OAuth 2.0's password grant.

use lambda_http::http::header::USER_AGENT;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use windi_shared::auth::{Caller, Tokens, password, refresh, token};
use windi_shared::db::logins::{self, Subjects};
use windi_shared::db::users::Credentials;
use windi_shared::db::{PgPool, sessions, users};
use windi_shared::fields::Password;
use windi_shared::{Error, Result, json};

use crate::http::{self, Answer};

/// Answers with an access token and a refresh token.
pub async fn handle(db: &PgPool, tokens: &Tokens, request: Request) -> Response<Body> {
    http::respond(&request, login(db, tokens, &request).await)
}

/// What a client gets for its password, or for a refresh token. The names are OAuth 2.0's (RFC 6749, section 5.1).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenPair {
    access_token: String,
    token_type: String,
    /// Seconds.
    expires_in: i64,
    refresh_token: String,
}

impl TokenPair {
    /// With a new access token for `caller`.
    ///
    /// # Errors
    /// [`Error::Internal`] if signing fails.
    pub fn issue(tokens: &Tokens, caller: Caller, refresh_token: String) -> Result<Self> {
        let access_token = tokens.issue(caller)?;
        Ok(Self { access_token, token_type: "bearer".to_owned(), expires_in: token::LIFETIME_SECONDS, refresh_token })
    }
}

async fn login(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let Attempt { login, password } = read_attempt(request)?;
    let subjects = Subjects::new(&login, &http::source_ip(request));
    logins::admit(db, &subjects).await?;

    let account = users::credentials(db, &login).await?;
    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let verified = password::verify(password, hash).await?;
    let Some(Credentials { user_id, password_hash }) = account.filter(|_| verified) else {
        logins::failed(db, &subjects).await?;
        return Err(Error::InvalidCredentials);
    };
    logins::succeeded(db, &subjects).await?;

    let refresh_token = refresh::generate()?;
    let started = sessions::start(db, user_id, &password_hash, &refresh_token, device(request).as_deref()).await?;
    let session_id = started.ok_or(Error::InvalidCredentials)?;
    http::ok(&TokenPair::issue(tokens, Caller { user_id, session_id }, refresh_token)?)
}

/// Somebody who says who they are.
struct Attempt {
    /// An e-mail address or a username.
    login: String,
    password: Password,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonLogin {
    email: Option<String>,
    username: Option<String>,
    password: String,
}

/// RFC 6749, section 4.3.2. `username` may hold an e-mail address; what else the grant may carry is not used here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FormLogin {
    username: String,
    password: String,
    grant_type: Option<String>,
    #[serde(rename = "scope")]
    _scope: Option<String>,
    #[serde(rename = "client_id")]
    _client_id: Option<String>,
    #[serde(rename = "client_secret")]
    _client_secret: Option<String>,
}

fn read_attempt(request: &Request) -> Result<Attempt> {
    let (login, password) = match http::media_type(request).as_str() {
        "application/x-www-form-urlencoded" => read_form(request.body().as_ref())?,
        "application/json" => {
            let body: JsonLogin = http::read_json(request)?;
            let login = match (body.email, body.username) {
                (Some(login), None) | (None, Some(login)) => login,
                _ => return Err(Error::field("email", "give either email or username")),
            };
            (login, body.password)
        }
        _ => return Err(Error::UnsupportedMediaType("application/json or application/x-www-form-urlencoded")),
    };
    if login.is_empty() || login.len() > 254 || login.contains('\0') {
        return Err(Error::field("username", "is neither an e-mail address nor a username"));
    }
    let password = Password::attempt(password).map_err(|reason| Error::field("password", reason))?;
    Ok(Attempt { login, password })
}

fn read_form(body: &[u8]) -> Result<(String, String)> {
    if body.len() > json::MAX_BODY_BYTES {
        return Err(Error::PayloadTooLarge);
    }
    let form: FormLogin = serde_urlencoded::from_bytes(body).map_err(|e| Error::field("body", e.to_string()))?;
    match form.grant_type.as_deref() {
        None | Some("" | "password") => Ok((form.username, form.password)),
        Some(_) => Err(Error::field("grant_type", "must be \"password\"")),
    }
}

/// What the client calls itself, for the list of one's sessions.
fn device(request: &Request) -> Option<String> {
    let agent = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(200).collect())
}
