//! `POST /auth/login`: exchanges a password for tokens. Reads JSON and the form of OAuth 2.0's password grant.

use lambda_http::http::header::USER_AGENT;
use lambda_http::{Body, Request, Response};
use windi_shared::auth::{Caller, Tokens, password, refresh};
use windi_shared::db::logins::{self, Subjects};
use windi_shared::db::users::Credentials;
use windi_shared::db::{Database, sessions, users};
use windi_shared::fields::{Email, Password, Username};
use windi_shared::ids::UserId;
use windi_shared::protocol::{FormLogin, JsonLogin};
use windi_shared::{Error, Result, json};

use crate::door;
use crate::http_api::{self, Answer};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        door.http(|request| handle(&db, &tokens, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, request: Request) -> Response<Body> {
    http_api::respond(&request, login(db, tokens, &request)).await
}

async fn login(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let Attempt { login, typed, password } = read_attempt(request)?;
    let account = users::credentials(db, &login, &typed).await?;
    let user_id = account.as_ref().map(|account| account.user_id);
    let subjects = Subjects::new(user_id, &login, http_api::source_ip(request));
    let admission = logins::admit(db, &subjects).await.inspect_err(|error| {
        if matches!(error, Error::TooManyAttempts { .. }) {
            refused(user_id, "too soon after others");
        }
    })?;

    let hash = account.as_ref().map(|account| account.password_hash.clone());
    let verified = password::verify(password, hash).await?;
    let Some(Credentials { user_id, password_hash }) = account.filter(|_| verified) else {
        logins::failed(db, &subjects).await?;
        refused(user_id, if user_id.is_some() { "wrong password" } else { "no such account" });
        return Err(Error::InvalidCredentials);
    };
    logins::succeeded(db, &subjects, admission).await?;

    let refresh_token = refresh::generate()?;
    let started = sessions::start(db, user_id, &password_hash, &refresh_token, device(request).as_deref()).await?;
    let Some(session_id) = started else {
        refused(Some(user_id), "the password was changed meanwhile");
        return Err(Error::InvalidCredentials);
    };
    tracing::info!(%user_id, %session_id, "Logged in.");
    http_api::ok(&tokens.pair(Caller { user_id, session_id }, refresh_token)?)
}

/// Logs only the user's id: what was typed may be somebody's e-mail address, or a password in the wrong field.
fn refused(user_id: Option<UserId>, reason: &str) {
    tracing::info!(user_id = user_id.map(tracing::field::display), reason, "Refused a login.");
}

struct Attempt {
    /// An e-mail address or a username, in the form in which registration stores it.
    login: String,
    /// The same as typed, with surrounding space removed.
    typed: String,
    password: Password,
}

fn read_attempt(request: &Request) -> Result<Attempt> {
    let (login, password) = match http_api::media_type(request).as_str() {
        "application/x-www-form-urlencoded" => read_form(request.body().as_ref())?,
        "application/json" => {
            let body: JsonLogin = http_api::read_json(request)?;
            let login = match (body.email, body.username) {
                (Some(login), None) | (None, Some(login)) => login,
                _ => return Err(Error::field("email", "give either email or username")),
            };
            (login, body.password)
        }
        _ => return Err(Error::UnsupportedMediaType("application/json or application/x-www-form-urlencoded")),
    };
    let typed = login.trim().to_owned();
    if typed.is_empty() || typed.len() > 254 || typed.contains('\0') {
        return Err(Error::field("username", "is not an e-mail address or a username"));
    }
    let password = Password::attempt(password).map_err(|reason| Error::field("password", reason))?;
    Ok(Attempt { login: normal_form(&typed), typed, password })
}

/// The login in the form registration stores. Input that registration would refuse is kept as typed, so a typo is a
/// wrong login rather than a malformed one.
fn normal_form(typed: &str) -> String {
    let stored = match typed.contains('@') {
        true => Email::new(typed).map(|email| email.as_str().to_owned()),
        false => Username::new(typed).map(|username| username.as_str().to_owned()),
    };
    stored.unwrap_or_else(|_| typed.to_owned())
}

fn read_form(body: &[u8]) -> Result<(String, String)> {
    if body.len() > json::MAX_BODY_BYTES {
        return Err(Error::PayloadTooLarge { limit: json::MAX_BODY_BYTES });
    }
    let form: FormLogin = serde_urlencoded::from_bytes(body)
        .map_err(|_| Error::field("body", "must be a form with username and password, each once"))?;
    match form.grant_type.as_deref() {
        None | Some("" | "password") => Ok((form.username, form.password)),
        Some(_) => Err(Error::field("grant_type", "must be \"password\"")),
    }
}

/// The client's name for itself, for the list of sessions.
fn device(request: &Request) -> Option<String> {
    let agent = request.headers().get(USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().take(200).collect())
}
