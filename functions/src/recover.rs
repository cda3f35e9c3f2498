//! What takes a code that is sent by mail: a new password in place of one that is forgotten (`POST /auth/forgot`, `POST
//! /auth/reset`), and a new e-mail address (`POST /users/me/email`, `POST /users/me/email/confirm`).
//!
//! Nobody learns here whether an address has an account: the answers are the same, and so is the time they take.

use std::time::Duration;

use lambda_http::{Body, Request, Response};
use tokio::time::Instant;
use windi_shared::auth::code::{Code, Purpose};
use windi_shared::auth::{Tokens, password};
use windi_shared::db::logins::{self, Subjects};
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, codes, sessions, users};
use windi_shared::fields::{Email, Password};
use windi_shared::ids::UserId;
use windi_shared::protocol::{EmailConfirmation, ForgottenPassword, NewEmail, PasswordReset};
use windi_shared::{Error, Result};

use crate::http_api::{self, Answer};
use crate::mail::Mail;
use crate::push::Push;
use crate::{door, letters, session};

/// What depends on whether there is an account takes exactly this long. It is longer than handing a mail over takes,
/// with a retry (`mail.rs`); nothing goes on after an answer, because Lambda would freeze it.
const ANSWER_AFTER: Duration = Duration::from_secs(2);

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let push = door.push().await?;
        let mail = door.mail().await?;
        door.http(|request| handle(&db, &tokens, &push, &mail, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, push: &Push, mail: &Mail, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "POST /auth/forgot" => forgot(db, mail, &request).await,
            "POST /auth/reset" => reset(db, push, mail, &request).await,
            "POST /users/me/email" => change_email(db, tokens, mail, &request).await,
            "POST /users/me/email/confirm" => confirm_email(db, tokens, mail, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

/// Waits until [`ANSWER_AFTER`] has passed, also after a failure. Work that takes longer is given up.
async fn evenly<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let end = Instant::now() + ANSWER_AFTER;
    let outcome = tokio::time::timeout_at(end, work).await;
    tokio::time::sleep_until(end).await;
    outcome.unwrap_or_else(|elapsed| Err(Error::Unavailable(elapsed.into())))
}

/// What comes after the change that counts. The change stays if this fails, and a repetition of the request would not
/// help: its code is used up.
fn only_log(outcome: Result<()>) {
    if let Err(error) = outcome {
        error.log();
    }
}

/// Every request counts as an attempt, whether or not there is such an account.
async fn forgot(db: &Database, mail: &Mail, request: &Request) -> Result<Answer> {
    let ForgottenPassword { email } = http_api::read_json(request)?;
    mail.is_on()?;
    let subjects = Subjects::of_email("forgot", email.as_str(), http_api::source_ip(request));
    let _counted = logins::admit(db, &subjects).await?;
    logins::failed(db, &subjects).await?;
    // A failure would tell that there is an account.
    only_log(evenly(mail_code(db, mail, &email)).await);
    Ok(http_api::no_content())
}

async fn mail_code(db: &Database, mail: &Mail, email: &Email) -> Result<()> {
    let Some(account) = users::by_email(db, email).await? else { return Ok(()) };
    let user_id = account.user_id;
    // To the address that the account has: what was typed may only look like it to the database.
    let address = Email::new(account.email).map_err(Error::internal)?;
    let code = Code::generate()?;
    if !codes::put(db, user_id, Purpose::Password, &code, address.as_str()).await? {
        tracing::warn!(%user_id, "Somebody asks for too many codes.");
        return Ok(());
    }
    mail.send(&address, letters::forgotten(&code)).await?;
    tracing::info!(%user_id, "Mailed a code for a new password.");
    Ok(())
}

/// Ends all sessions: whoever forgot their password has none, or somebody else has one.
async fn reset(db: &Database, push: &Push, mail: &Mail, request: &Request) -> Result<Answer> {
    let PasswordReset { email, code, new_password } = http_api::read_json(request)?;
    mail.is_on()?;
    let ip = http_api::source_ip(request);
    let subjects = Subjects::of_email("reset", email.as_str(), ip);
    let _counted = logins::admit(db, &subjects).await?;
    // Before the wait, or many at once would all wait: on AWS each keeps an environment busy.
    logins::failed(db, &subjects).await?;
    let Some((user_id, code)) = evenly(owner(db, &email, &code)).await? else { return Err(Error::InvalidCode) };
    let hash = password::hash(new_password).await?;
    let mut transaction = db.begin().await?;
    let taken = codes::take(&mut *transaction, user_id, Purpose::Password, &code).await?;
    taken.ok_or(Error::InvalidCode)?;
    users::set_password_hash(&mut *transaction, user_id, &hash).await?;
    sessions::end_all(&mut *transaction, user_id).await?;
    codes::forget(&mut *transaction, user_id).await?;
    transaction.commit().await?;
    tracing::info!(%user_id, "Set a new password with a code; all sessions have ended.");
    only_log(session::dismiss(push, request, user_id, |_| true, &Error::PasswordChanged).await);
    only_log(logins::forgive(db, user_id, ip).await);
    Ok(http_api::no_content())
}

/// Whose code this is, if it works. For an address of nobody, the database is asked the same.
async fn owner(db: &Database, email: &Email, typed: &str) -> Result<Option<(UserId, Code)>> {
    let account = users::by_email(db, email).await?;
    let user_id = account.map_or_else(UserId::new, |account| account.user_id);
    let Some(code) = Code::read(typed) else { return Ok(None) };
    let is_right = codes::attempt(db, user_id, Purpose::Password, &code).await?;
    Ok(is_right.then_some((user_id, code)))
}

/// If the address has an account, its owner gets a note in place of the code, which nobody knows then.
async fn change_email(db: &Database, tokens: &Tokens, mail: &Mail, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let NewEmail { email, password } = http_api::read_json(request)?;
    let attempt = Password::attempt(password).map_err(|reason| Error::field("password", reason))?;
    mail.reaches(&email)?;
    rates::take(db, me, Deed::Account).await?;
    session::require_password(db, request, me, vec![attempt]).await?;
    // Many accounts together must not flood one address.
    let subjects = Subjects::of_email("email", email.as_str(), http_api::source_ip(request));
    let _counted = logins::admit(db, &subjects).await?;
    logins::failed(db, &subjects).await?;
    let code = Code::generate()?;
    if !codes::put(db, me, Purpose::Email, &code, email.as_str()).await? {
        return Err(Error::RateLimited { retry_after: codes::WINDOW });
    }
    evenly(async {
        let owner = users::by_email(db, &email).await?;
        let is_taken = owner.is_some_and(|owner| owner.user_id != me);
        mail.send(&email, if is_taken { letters::taken() } else { letters::confirmation(&code) }).await
    })
    .await?;
    tracing::info!("Mailed a code for a new e-mail address.");
    Ok(http_api::no_content())
}

async fn confirm_email(db: &Database, tokens: &Tokens, mail: &Mail, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let EmailConfirmation { code } = http_api::read_json(request)?;
    mail.is_on()?;
    rates::take(db, me, Deed::Account).await?;
    let code = Code::read(&code).ok_or(Error::InvalidCode)?;
    if !codes::attempt(db, me, Purpose::Email, &code).await? {
        return Err(Error::InvalidCode);
    }
    let mut transaction = db.begin().await?;
    let before = users::account(&mut *transaction, me).await?;
    let email = codes::take(&mut *transaction, me, Purpose::Email, &code).await?.ok_or(Error::InvalidCode)?;
    users::set_email(&mut *transaction, me, &email).await?;
    // A code for a new password that went to the old address must not work any more.
    codes::forget(&mut *transaction, me).await?;
    let account = users::account(&mut *transaction, me).await?;
    transaction.commit().await?;
    tracing::info!("Changed the e-mail address.");
    only_log(note_to(mail, before.email).await);
    http_api::ok(&account)
}

async fn note_to(mail: &Mail, address: String) -> Result<()> {
    let address = Email::new(address).map_err(Error::internal)?;
    mail.send(&address, letters::moved()).await
}
