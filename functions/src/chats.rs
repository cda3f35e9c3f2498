//! `GET /chats`, `POST /chats`, `GET /chats/{chat_id}`: one's chats, a new one, one of them with its members.

use std::collections::BTreeSet;

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use windi_shared::auth::Tokens;
use windi_shared::db::PgPool;
use windi_shared::db::chats::{self, ListCursor};
use windi_shared::fields::{MAX_GROUP_MEMBERS, Name};
use windi_shared::ids::UserId;
use windi_shared::protocol::{ChatKind, ChatSummary, ServerFrame};
use windi_shared::{Error, Result};

use crate::http::{self, Answer};
use crate::push::Push;

/// Answers with the list, the new chat (`201`; `200` if that private chat existed) or the chat asked for.
pub async fn handle(db: &PgPool, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    let outcome = match http::route(&request).as_str() {
        "GET /chats" => list(db, tokens, &request).await,
        "POST /chats" => create(db, tokens, push, &request).await,
        "GET /chats/{chat_id}" => get(db, tokens, &request).await,
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
    let members: Vec<_> = chat.members.iter().map(|member| member.user_id).collect();
    push.to_users(&members, &ServerFrame::ChatCreated(chat.clone()), None).await;
    http::answer_with(StatusCode::CREATED, &chat)
}
