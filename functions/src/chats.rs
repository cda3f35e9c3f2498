//! `GET /chats`, `POST /chats`, `GET` and `PATCH /chats/{chat_id}`, `GET /chats/{chat_id}/changes`: one's chats, a new one,
//! one of them with its members, its name, and what has changed in it.

use std::collections::BTreeSet;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use windi_shared::auth::Tokens;
use windi_shared::db::chats::{self, ListCursor};
use windi_shared::db::{PgPool, members, messages};
use windi_shared::fields::{MAX_GROUP_MEMBERS, Name};
use windi_shared::ids::UserId;
use windi_shared::protocol::{Changes, ChatKind, ChatSummary, ChatUpdated, Role, ServerFrame};
use windi_shared::{Error, Result};

use crate::http::{self, Answer};
use crate::members::{ids, require};
use crate::presence;
use crate::push::Push;

/// Answers with the list, the new chat (`201`; `200` if that private chat existed), the chat asked for or its changes.
pub async fn handle(db: &PgPool, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    let outcome = match http::route(&request).as_str() {
        "GET /chats" => list(db, tokens, &request).await,
        "POST /chats" => create(db, tokens, push, &request).await,
        "GET /chats/{chat_id}" => get(db, tokens, &request).await,
        "PATCH /chats/{chat_id}" => rename(db, tokens, push, &request).await,
        "GET /chats/{chat_id}/changes" => changes(db, tokens, &request).await,
        route => http::unknown_route(route),
    };
    http::respond(&request, outcome)
}

#[derive(Serialize)]
struct ChatList {
    chats: Vec<ChatSummary>,
    /// For `?after=`; null on the last page.
    next: Option<String>,
}

async fn list(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let limit = http::limit(request, 50)?;
    let after = http::query::<ListCursor>(request, "after")?;
    let (chats, next) = chats::list(db, caller.user_id, after, limit).await?;
    http::ok(&ChatList { chats, next: next.map(|next| next.to_string()) })
}

async fn get(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let mut db = db.acquire().await?;
    http::ok(&chats::get(&mut db, http::chat_id(request)?, caller.user_id).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewName {
    name: Name,
}

async fn rename(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let chat_id = http::chat_id(request)?;
    let mut transaction = db.begin().await?;
    let seat = members::lock(&mut transaction, chat_id, me).await?;
    require(&seat, Role::Admin)?;
    let NewName { name } = http::read_json(request)?;
    let is_new = seat.name.as_deref() != Some(name.as_str());
    if is_new {
        chats::rename(&mut *transaction, chat_id, &name).await?;
        members::advance(&mut *transaction, chat_id).await?;
    }
    let chat = chats::get(&mut transaction, chat_id, me).await?;
    transaction.commit().await?;
    if is_new {
        let name = name.as_str().to_owned();
        let told = ServerFrame::ChatUpdated(ChatUpdated { chat_id, revision: chat.revision, by: me, name });
        presence::tell(db, push, &ids(chat.members.iter().flatten()), &told, None).await;
    }
    http::ok(&chat)
}

/// What sync is: everything that changed after a revision, in pages. The chat is read first; what happens after that has
/// a higher revision and is left to the next question, so a page never claims more than it holds.
async fn changes(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let limit = http::limit(request, 50)?;
    let after: i64 = http::query(request, "after")?.unwrap_or(0);
    if after < 0 {
        return Err(Error::field("after", "must not be negative"));
    }
    let mut db = db.acquire().await?;
    let chat = chats::get(&mut db, http::chat_id(request)?, caller.user_id).await?;
    let mut found = messages::changed(&mut *db, chat.chat_id, after, chat.revision, limit + 1).await?;
    let page = usize::try_from(limit).map_err(Error::internal)?;
    let has_more = found.len() > page;
    found.truncate(page);
    let revision = found.last().filter(|_| has_more).map_or(chat.revision, |last| last.revision);
    http::ok(&Changes { chat, messages: found, revision, has_more })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewChat {
    kind: ChatKind,
    user_id: Option<UserId>,
    name: Option<Name>,
    member_ids: Option<BTreeSet<UserId>>,
}

/// What a new chat needs, by its kind.
enum Wanted {
    Private { other: UserId },
    Group { name: Name, others: Vec<UserId> },
}

impl NewChat {
    fn wanted(self, me: UserId) -> Result<Wanted> {
        match self.kind {
            ChatKind::Private => {
                for (field, given) in [("name", self.name.is_some()), ("member_ids", self.member_ids.is_some())] {
                    if given {
                        return Err(Error::field(field, "a private chat has none; give user_id"));
                    }
                }
                match self.user_id {
                    None => Err(Error::field("user_id", "is required for a private chat")),
                    Some(other) if other == me => Err(Error::field("user_id", "must be somebody else")),
                    Some(other) => Ok(Wanted::Private { other }),
                }
            }
            ChatKind::Group => {
                if self.user_id.is_some() {
                    return Err(Error::field("user_id", "a group has none; give member_ids"));
                }
                let name = self.name.ok_or_else(|| Error::field("name", "is required for a group"))?;
                let mut others = self.member_ids.unwrap_or_default();
                others.remove(&me);
                if others.len() >= MAX_GROUP_MEMBERS {
                    return Err(Error::field("member_ids", format!("a group has at most {MAX_GROUP_MEMBERS} members")));
                }
                Ok(Wanted::Group { name, others: others.into_iter().collect() })
            }
        }
    }
}

async fn create(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let wanted = http::read_json::<NewChat>(request)?.wanted(me)?;

    let mut transaction = db.begin().await?;
    let (chat_id, new) = match wanted {
        Wanted::Private { other } => chats::private(&mut transaction, me, other).await?,
        Wanted::Group { name, others } => (chats::group(&mut transaction, me, &name, &others).await?, true),
    };
    let chat = chats::get(&mut transaction, chat_id, me).await?;
    transaction.commit().await?;

    if !new {
        return http::ok(&chat);
    }
    let told = ids(chat.members.iter().flatten());
    presence::tell(db, push, &told, &ServerFrame::ChatCreated(chat.clone().for_frame()), None).await;
    http::answer_with(StatusCode::CREATED, &chat)
}
