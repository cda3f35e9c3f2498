//! What becomes of a login: `POST /auth/refresh`, `POST /auth/logout`, `POST /auth/password`, `GET /auth/sessions`,
//! `DELETE /auth/sessions/{session_id}`.
//!
//! A session that ends takes its sockets with it at once.

use lambda_http::{Body, Request, RequestExt as _, Response};
use serde::{Deserialize, Serialize};
use windi_shared::auth::{Caller, Tokens, password, refresh};
use windi_shared::connections::Connection;
use windi_shared::db::logins::{self, Subjects};
use windi_shared::db::sessions::{self, Rotation, Session};
use windi_shared::db::{PgPool, users};
use windi_shared::fields::Password;
use windi_shared::ids::{SessionId, UserId};
use windi_shared::{Error, Result};

use crate::http::{self, Answer};
use crate::login::TokenPair;
use crate::push::Push;

/// Answers a refresh with new tokens, the list with the sessions, everything else with `204`.
pub async fn handle(db: &PgPool, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    let outcome = match http::route(&request).as_str() {
        "POST /auth/refresh" => refresh(db, tokens, push, &request).await,
        "POST /auth/logout" => logout(db, tokens, push, &request).await,
        "POST /auth/password" => change_password(db, tokens, push, &request).await,
        "GET /auth/sessions" => list(db, tokens, &request).await,
        "DELETE /auth/sessions/{session_id}" => end(db, tokens, push, &request).await,
        route => http::unknown_route(route),
    };
    http::respond(&request, outcome)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refresh {
    refresh_token: String,
}

async fn refresh(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let Refresh { refresh_token } = http::read_json(request)?;
    let next = refresh::generate()?;
    match sessions::rotate(db, &refresh_token, &next).await? {
        Rotation::Rotated { user_id, session_id } => {
            http::ok(&TokenPair::issue(tokens, Caller { user_id, session_id }, next)?)
        }
        Rotation::Reused { user_id, session_id } => {
            tracing::warn!(user.id = %user_id, session.id = %session_id, "A used refresh token came back; its session was ended.");
            hang_up(push, user_id, |connection| connection.session_id == session_id).await?;
            Err(Error::Unauthorized)
        }
        Rotation::Refused => Err(Error::Unauthorized),
    }
}

async fn logout(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    end_session(db, push, caller.user_id, caller.session_id).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    current_password: String,
    new_password: Password,
}

/// Ends all other sessions: who changes a password may do so because somebody else knows it.
async fn change_password(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let NewPassword { current_password, new_password } = http::read_json(request)?;
    let current = Password::attempt(current_password).map_err(|reason| Error::field("current_password", reason))?;
    let subjects = Subjects::new(&caller.user_id.to_string(), &http::source_ip(request));
    logins::admit(db, &subjects).await?;
    let hash = users::password_hash(db, caller.user_id).await?;
    if !password::verify(current, Some(hash)).await? {
        logins::failed(db, &subjects).await?;
        return Err(Error::InvalidCredentials);
    }
    logins::succeeded(db, &subjects).await?;
    let hash = password::hash(new_password).await?;
    // Like in `end_session`.
    push.connections().of_users(&[caller.user_id]).await?;
    let mut transaction = db.begin().await?;
    users::set_password_hash(&mut *transaction, caller.user_id, &hash).await?;
    sessions::end_others(&mut *transaction, caller.user_id, caller.session_id).await?;
    transaction.commit().await?;
    hang_up(push, caller.user_id, |connection| connection.session_id != caller.session_id).await?;
    http::no_content()
}

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<Session>,
    /// The one that asks.
    current: SessionId,
}

async fn list(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let sessions = sessions::list(db, caller.user_id).await?;
    http::ok(&Sessions { sessions, current: caller.session_id })
}

async fn end(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let session_id = request.path_parameters().first("session_id").and_then(|id| id.parse().ok());
    end_session(db, push, caller.user_id, session_id.ok_or(Error::SessionNotFound)?).await
}

async fn end_session(db: &PgPool, push: &Push, user_id: UserId, session_id: SessionId) -> Result<Answer> {
    // Before anything has ended: with DynamoDB away nothing could be closed, and the client must be able to try again.
    push.connections().of_users(&[user_id]).await?;
    if !sessions::end(db, user_id, session_id).await? {
        return Err(Error::SessionNotFound);
    }
    hang_up(push, user_id, |connection| connection.session_id == session_id).await?;
    http::no_content()
}

/// Closes those of a user's sockets. That they have gone is told by the `$disconnect` of each.
async fn hang_up(push: &Push, user_id: UserId, which: impl Fn(&Connection) -> bool) -> Result<()> {
    let mut open = push.connections().of_users(&[user_id]).await?;
    open.retain(which);
    push.close(&open).await;
    Ok(())
}
