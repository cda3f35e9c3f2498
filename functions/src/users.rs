//! `GET /auth/me`, `PATCH /users/me`, `GET /users`, and what is below it: the caller's own account, other people, who of them is
//! there, and whom the caller has blocked.

use std::collections::BTreeMap;
use std::time::Duration;

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::files::{self, Shown};
use windi_shared::db::members::Place;
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, PgConnection, blocks, chats, members, presence, users};
use windi_shared::fields::Words;
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{AccountChange, BlockCursor, FoundPeople, MemberChanged, PresenceList, ServerFrame};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::notify;
use crate::push::Push;

/// How many chats are told of a new name at once; the others learn it by their next `ping`.
const MAX_TOLD: usize = 100;
/// How long that may take: a function ends after 28 s.
const TELL_LIMIT: Duration = Duration::from_secs(10);

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let push = door.push().await?;
        door.http(|request| handle(&db, &tokens, &push, request)).await
    })
}

/// Never returns anybody else's e-mail address.
pub async fn handle(db: &Database, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "GET /auth/me" => me(db, tokens, &request).await,
            "PATCH /users/me" => change(db, tokens, push, &request).await,
            "GET /users" => find(db, tokens, &request).await,
            "GET /users/{user_id}" => get(db, tokens, &request).await,
            "GET /users/presence" => presence(db, tokens, push, &request).await,
            "GET /users/blocked" => blocked(db, tokens, &request).await,
            "PUT /users/{user_id}/block" => block(db, tokens, &request, true).await,
            "DELETE /users/{user_id}/block" => block(db, tokens, &request, false).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn me(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    http_api::ok(&users::account(db, caller.user_id).await?)
}

/// Finds people by the beginnings of their names or by their ids: those who have left a chat are still named in its
/// history.
async fn find(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let words: Option<String> = http_api::query(request, "search")?;
    let ids: Option<String> = http_api::query(request, "ids")?;
    let limit = http_api::limit(request, 20)?;
    let after = http_api::query::<UserId>(request, "after")?;
    let (users, next) = match (words, ids) {
        (Some(words), None) => {
            let words = Words::new(words).map_err(|reason| Error::field("search", reason))?;
            rates::take(db, caller.user_id, Deed::Search).await?;
            users::search(db, words.as_str(), after, limit).await?
        }
        (None, Some(ids)) => (users::by_ids(db, &http_api::ids(&ids)?).await?, None),
        _ => return Err(Error::field("search", "give either search or ids")),
    };
    http_api::ok(&FoundPeople { users, next: next.map(|next| next.to_string()) })
}

async fn get(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    http_api::caller(db, tokens, request).await?;
    http_api::ok(&users::profile(db, user_id(request)?).await?)
}

/// Changes the caller's account. A new name takes a revision in all their chats, so that sync brings it; the chats that were
/// active last are told at once.
async fn change(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let change: AccountChange = http_api::read_json(request)?;
    rates::take(db, me, Deed::Account).await?;
    let mut transaction = db.begin().await?;
    if change.avatar_id.is_some() {
        members::lock_chats_of(&mut *transaction, me).await?;
    }
    let before = users::account(&mut *transaction, me).await?;
    users::update(&mut *transaction, me, &change).await?;
    if let Some(wanted) = change.avatar_id {
        files::show(&mut transaction, Shown::ByPerson(me), me, "avatar_id", wanted).await?;
    }
    let account = users::account(&mut *transaction, me).await?;
    let is_visible =
        (&before.name, &before.username, before.avatar_id) != (&account.name, &account.username, account.avatar_id);
    let told = if is_visible { told_of(&mut transaction, me, false).await? } else { Vec::new() };
    transaction.commit().await?;
    tell(db, push, told).await;
    http_api::ok(&account)
}

/// Counts the change of a person's name in all their chats, and returns what is told to whom. Exactly those are told who are in
/// each chat at its new revision; where one of two has blocked the other, only if `even_closed`. Must be called in the
/// transaction of the change.
pub async fn told_of(db: &mut PgConnection, me: UserId, even_closed: bool) -> Result<Vec<(ServerFrame, Vec<UserId>)>> {
    let touched = chats::touch_all(&mut *db, me).await?;
    let told: BTreeMap<ChatId, i64> = touched.into_iter().take(MAX_TOLD).collect();
    let places = members::places(db, me, &told.keys().copied().collect::<Vec<_>>(), even_closed).await?;
    let frames = places.into_iter().map(|Place { chat_id, member, user_ids }| {
        let revision = told.get(&chat_id).copied().unwrap_or_default();
        (ServerFrame::MemberUpdated(MemberChanged { chat_id, revision, by: me, member, entry: None }), user_ids)
    });
    Ok(frames.collect())
}

/// Sends these frames, as far as there is time: whoever gets none learns it by their next `ping`.
pub async fn tell(db: &Database, push: &Push, told: Vec<(ServerFrame, Vec<UserId>)>) {
    let all = async {
        for (frame, user_ids) in told {
            notify::users(db, push, &user_ids, &frame, None).await;
        }
    };
    if tokio::time::timeout(TELL_LIMIT, all).await.is_err() {
        tracing::warn!("Not everybody was told of a new name at once.");
    }
}

/// Who of the caller's chats' people is there.
async fn presence(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let mut presence = presence::of_users(db, &presence::peers(db, me).await?).await?;
    notify::fill_in(push.connections(), &mut presence).await?;
    http_api::ok(&PresenceList { presence })
}

async fn blocked(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let limit = http_api::limit(request, 100)?;
    let after = http_api::query::<BlockCursor>(request, "after")?;
    let (users, next) = blocks::page(db, me, after, limit).await?;
    http_api::ok(&FoundPeople { users, next: next.map(|next| next.to_string()) })
}

async fn block(db: &Database, tokens: &Tokens, request: &Request, wanted: bool) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let other = user_id(request)?;
    if other == me {
        return Err(Error::Forbidden("nobody can block themselves"));
    }
    rates::take(db, me, Deed::Change).await?;
    let mut transaction = db.begin().await?;
    blocks::set(&mut transaction, me, other, wanted).await?;
    transaction.commit().await?;
    Ok(http_api::no_content())
}

/// The person named in the path. A malformed id names nobody.
fn user_id(request: &Request) -> Result<UserId> {
    http_api::path_parameter(request, "user_id").ok_or(Error::UserNotFound)
}
