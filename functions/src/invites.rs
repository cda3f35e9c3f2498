//! `POST` and `GET /chats/{chat_id}/invites`, `DELETE /chats/{chat_id}/invites/{code}`, `GET` and `POST /invites/{code}`: links by
//! which people come into a group by themselves.

use lambda_http::{Body, Request, Response};
use uuid::Uuid;
use windi_shared::auth::Tokens;
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, Transaction, chats, invites, members, messages};
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{ChatEvent, Invites, NewInvite, Role, ServerFrame};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::push::Push;
use crate::{members as memberships, notify};

/// How long a link may work, in seconds: a minute to a year.
const LIFETIMES: std::ops::RangeInclusive<i64> = 60..=31_536_000;
const USES: std::ops::RangeInclusive<i32> = 1..=1000;

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
        let me = http_api::caller(db, tokens, &request).await?.user_id;
        rates::take(db, me, Deed::Invitation).await?;
        match http_api::route(&request).as_str() {
            "POST /chats/{chat_id}/invites" => create(db, me, &request).await,
            "GET /chats/{chat_id}/invites" => list(db, me, &request).await,
            "DELETE /chats/{chat_id}/invites/{code}" => revoke(db, me, &request).await,
            "GET /invites/{code}" => http_api::ok(&invites::preview(db, &code(&request)?, me).await?),
            "POST /invites/{code}" => join(db, push, me, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

/// The locked group in the path, in which the caller is at least an admin.
async fn as_admin(db: &Database, me: UserId, request: &Request) -> Result<(Transaction, ChatId)> {
    let chat_id = http_api::chat_id(request)?;
    let mut transaction = db.begin().await?;
    chats::lock(&mut transaction, chat_id, me).await?.require(Role::Admin)?;
    Ok((transaction, chat_id))
}

async fn create(db: &Database, me: UserId, request: &Request) -> Result<Answer> {
    let (mut transaction, chat_id) = as_admin(db, me, request).await?;
    let new: NewInvite = http_api::read_json(request)?;
    if new.expires_in.is_some_and(|seconds| !LIFETIMES.contains(&seconds)) {
        return Err(Error::field("expires_in", format!("must be from {} to {}", LIFETIMES.start(), LIFETIMES.end())));
    }
    if new.max_uses.is_some_and(|uses| !USES.contains(&uses)) {
        return Err(Error::field("max_uses", format!("must be from {} to {}", USES.start(), USES.end())));
    }
    let invite = invites::insert(&mut transaction, chat_id, me, &new).await?;
    transaction.commit().await?;
    http_api::created(&invite)
}

async fn list(db: &Database, me: UserId, request: &Request) -> Result<Answer> {
    let (mut transaction, chat_id) = as_admin(db, me, request).await?;
    http_api::ok(&Invites { invites: invites::list(&mut *transaction, chat_id).await? })
}

async fn revoke(db: &Database, me: UserId, request: &Request) -> Result<Answer> {
    let (mut transaction, chat_id) = as_admin(db, me, request).await?;
    invites::delete(&mut *transaction, chat_id, &code(request)?).await?;
    transaction.commit().await?;
    Ok(http_api::no_content())
}

async fn join(db: &Database, push: &Push, me: UserId, request: &Request) -> Result<Answer> {
    let mut transaction = db.begin().await?;
    let (chat_id, is_new) = invites::redeem(&mut transaction, &code(request)?, me).await?;
    if !is_new {
        return http_api::ok(&chats::get(&mut *transaction, chat_id, me).await?);
    }
    members::insert(&mut *transaction, chat_id, &[(me, Role::Member)]).await?;
    let entry = messages::record(&mut *transaction, chat_id, me, ChatEvent::MemberJoined).await?;
    let change = memberships::changed(&mut transaction, me, me, entry).await?;
    let chat = chats::get(&mut *transaction, chat_id, me).await?;
    transaction.commit().await?;
    tracing::info!(member_id = %me, "Somebody joined by a link.");
    notify::users(db, push, &chat.member_ids(), &ServerFrame::MemberAdded(change), None).await;
    http_api::created(&chat)
}

/// The link's code in the path. A malformed one is no link.
fn code(request: &Request) -> Result<String> {
    let code: Option<Uuid> = http_api::path_parameter(request, "code");
    Ok(code.ok_or(Error::InviteNotFound)?.simple().to_string())
}
