//! Sessions after login: `POST /auth/refresh`, `POST /auth/logout`, `POST /auth/password`, `GET /auth/sessions`,
//! `DELETE /auth/sessions/{session_id}`; and the end of them all, `POST /users/me/delete`.
//!
//! Ending a session closes its sockets. If they cannot be closed, the answer is 503 and the client tries again. The
//! session has ended by then, so the retry gets the same answer as for any ended session, but it first closes what is
//! still open. If nobody tries again, [`liveness`](crate::liveness) disconnects a socket on its next frame that arrives
//! more than a minute later.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::{Caller, Tokens, password};
use windi_shared::connections::Connection;
use windi_shared::db::logins::{self, Subjects};
use windi_shared::db::sessions::{self, Rotation};
use windi_shared::db::{Database, chats, members, users};
use windi_shared::fields::Password;
use windi_shared::ids::{SessionId, UserId};
use windi_shared::protocol::{Farewell, NewPassword, Refresh, Sessions};
use windi_shared::{Error, Result};

use crate::http_api::{self, Answer};
use crate::push::Push;
use crate::users::{tell, told_of};
use crate::{door, members as memberships};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let push = door.push().await?;
        door.http(|request| handle(&db, &tokens, &push, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "POST /auth/refresh" => refresh(db, tokens, push, &request).await,
            "POST /auth/logout" => logout(db, tokens, push, &request).await,
            "POST /auth/password" => change_password(db, tokens, push, &request).await,
            "POST /users/me/delete" => delete_account(db, tokens, push, &request).await,
            "GET /auth/sessions" => list(db, tokens, &request).await,
            "DELETE /auth/sessions/{session_id}" => end(db, tokens, push, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn refresh(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let Refresh { refresh_token } = http_api::read_json(request)?;
    match sessions::rotate(db, &refresh_token).await? {
        Rotation::Rotated { user_id, session_id, next } => {
            http_api::ok(&tokens.pair(Caller { user_id, session_id }, next)?)
        }
        Rotation::Reused { user_id, session_id } => {
            tracing::warn!(%user_id, %session_id, "A used refresh token came back; its session was ended.");
            close_session(push, request, user_id, session_id).await?;
            Err(Error::Unauthorized)
        }
        Rotation::Ended { user_id, session_id } => {
            close_session(push, request, user_id, session_id).await?;
            Err(Error::Unauthorized)
        }
        Rotation::Refused => Err(Error::Unauthorized),
    }
}

async fn logout(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let Caller { user_id, session_id } = http_api::token_holder(tokens, request).await?;
    let has_ended = end_session(db, push, request, user_id, session_id).await?;
    if has_ended { Ok(http_api::no_content()) } else { Err(Error::Unauthorized) }
}

async fn end(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let session_id = http_api::path_parameter(request, "session_id");
    if session_id != Some(caller.session_id) {
        http_api::caller(db, tokens, request).await?;
    }
    let session_id = session_id.ok_or(Error::SessionNotFound)?;
    let has_ended = end_session(db, push, request, caller.user_id, session_id).await?;
    if has_ended { Ok(http_api::no_content()) } else { Err(Error::SessionNotFound) }
}

/// Ends all other sessions: people change a password because somebody else may know it. In a repeated request, the
/// current password is wrong by now but the new one is right; it closes what is still open.
async fn change_password(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let NewPassword { current_password, new_password } = http_api::read_json(request)?;
    let current = Password::attempt(current_password).map_err(|reason| Error::field("current_password", reason))?;
    require_password(db, request, caller.user_id, vec![current, new_password.clone()]).await?;
    let hash = password::hash(new_password).await?;
    let mut transaction = db.begin().await?;
    users::set_password_hash(&mut *transaction, caller.user_id, &hash).await?;
    sessions::end_others(&mut *transaction, caller.user_id, caller.session_id).await?;
    transaction.commit().await?;
    tracing::info!("Changed the password; all other sessions have ended.");
    let others = |connection: &Connection| connection.session_id != caller.session_id;
    dismiss(push, request, caller.user_id, others, &Error::PasswordChanged).await?;
    Ok(http_api::no_content())
}

/// Checks that one of these is the user's password, tried in this order. Failures count as failed logins.
///
/// # Errors
/// [`Error::WrongPassword`], [`Error::TooManyAttempts`].
pub(crate) async fn require_password(
    db: &Database,
    request: &Request,
    user_id: UserId,
    attempts: Vec<Password>,
) -> Result<()> {
    let subjects = Subjects::new(Some(user_id), "", http_api::source_ip(request));
    let admission = logins::admit(db, &subjects).await?;
    let stored = users::password_hash(db, user_id).await?;
    for attempt in attempts {
        if password::verify(attempt, Some(stored.clone())).await? {
            return logins::succeeded(db, &subjects, admission).await;
        }
    }
    logins::failed(db, &subjects).await?;
    Err(Error::WrongPassword)
}

/// Deletes the caller's account: leaves all groups, takes everything personal away, ends all sessions. If it is cut short, the
/// repetition goes on: what makes it final comes last.
async fn delete_account(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let Farewell { password } = http_api::read_json(request)?;
    let attempt = Password::attempt(password).map_err(|reason| Error::field("password", reason))?;
    require_password(db, request, me, vec![attempt]).await?;
    leave_groups(db, push, me).await?;
    let mut transaction = db.begin().await?;
    members::lock_chats_of(&mut *transaction, me).await?;
    users::delete(&mut *transaction, me).await?;
    let told = told_of(&mut transaction, me, true).await?;
    transaction.commit().await?;
    tracing::info!("Deleted an account.");
    dismiss(push, request, me, |_| true, &Error::SessionEnded).await?;
    // Somebody may have added them in between; from now on, nobody can.
    leave_groups(db, push, me).await?;
    tell(db, push, told).await;
    Ok(http_api::no_content())
}

async fn leave_groups(db: &Database, push: &Push, me: UserId) -> Result<()> {
    for chat_id in chats::groups(db, me).await? {
        match memberships::take_out(db, push, me, chat_id, me).await {
            // Somebody else was faster.
            Ok(_) | Err(Error::ChatNotFound) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

async fn list(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let sessions = sessions::list(db, caller.user_id).await?;
    http_api::ok(&Sessions { sessions, current: caller.session_id })
}

/// Ends one of the user's sessions and closes its sockets. If the session had already ended, closes what is still open
/// and returns `false`.
async fn end_session(
    db: &Database,
    push: &Push,
    request: &Request,
    user_id: UserId,
    session_id: SessionId,
) -> Result<bool> {
    let has_ended = sessions::end(db, user_id, session_id).await?;
    if has_ended {
        tracing::info!(%session_id, "Ended a session.");
    }
    close_session(push, request, user_id, session_id).await?;
    Ok(has_ended)
}

async fn close_session(push: &Push, request: &Request, user_id: UserId, session_id: SessionId) -> Result<()> {
    let its = |connection: &Connection| connection.session_id == session_id;
    dismiss(push, request, user_id, its, &Error::SessionEnded).await
}

/// Closes some of a user's sockets and sends each the reason. Each socket's `$disconnect` reports that it has gone.
pub(crate) async fn dismiss(
    push: &Push,
    request: &Request,
    user_id: UserId,
    which: impl Fn(&Connection) -> bool,
    why: &Error,
) -> Result<()> {
    let mut open = push.connections().of_users(&[user_id]).await?;
    open.retain(which);
    push.posts().dismiss(&open, why, http_api::request_id(request)).await
}
