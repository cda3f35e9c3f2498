//! `POST /chats/{chat_id}/members`, `PATCH` and `DELETE /chats/{chat_id}/members/{user_id}`: who is in a group, and as what.
//!
//! Every change is decided and made under the chat's lock, takes a revision of its own and is told to everybody who was
//! in the chat, the person concerned included.

use lambda_http::{Body, Request, RequestExt as _, Response};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use windi_shared::auth::Tokens;
use windi_shared::connections::Address;
use windi_shared::db::PgPool;
use windi_shared::db::members::{self, Seat};
use windi_shared::fields::MAX_GROUP_MEMBERS;
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{ChatKind, Member, MemberChanged, MemberRemoved, Role, ServerFrame};
use windi_shared::{Error, Result};

use crate::http::{self, Answer};
use crate::presence;
use crate::push::Push;

/// Answers with the member as they are now, or for a removal with the chat's revision.
pub async fn handle(db: &PgPool, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    let outcome = match http::route(&request).as_str() {
        "POST /chats/{chat_id}/members" => add(db, tokens, push, &request).await,
        "PATCH /chats/{chat_id}/members/{user_id}" => change(db, tokens, push, &request).await,
        "DELETE /chats/{chat_id}/members/{user_id}" => remove(db, tokens, push, &request).await,
        route => http::unknown_route(route),
    };
    http::respond(&request, outcome)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewMember {
    user_id: UserId,
}

async fn add(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let chat_id = http::chat_id(request)?;
    let mut transaction = db.begin().await?;
    let seat = members::lock(&mut transaction, chat_id, me).await?;
    require(&seat, Role::Admin)?;
    let NewMember { user_id } = http::read_json(request)?;
    let present = members::of(&mut *transaction, chat_id).await?;
    if let Some(member) = present.iter().find(|member| member.user_id == user_id) {
        return http::ok(member);
    }
    if present.len() >= MAX_GROUP_MEMBERS {
        return Err(Error::GroupFull);
    }
    members::insert(&mut transaction, chat_id, &[(user_id, Role::Member)]).await?;
    let change = changed(&mut transaction, chat_id, me, user_id).await?;
    let told = members::of(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    let member = change.member.clone();
    presence::tell(db, push, &ids(&told), &ServerFrame::MemberAdded(change), None).await;
    http::created(&member)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewRole {
    role: Role,
}

async fn change(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let (chat_id, user_id) = (http::chat_id(request)?, member_id(request)?);
    let mut transaction = db.begin().await?;
    let seat = members::lock(&mut transaction, chat_id, me).await?;
    require(&seat, Role::Owner)?;
    let NewRole { role } = http::read_json(request)?;
    let present = members::of(&mut *transaction, chat_id).await?;
    let member = present.iter().find(|member| member.user_id == user_id).ok_or(Error::MemberNotFound)?;
    if member.role == role {
        return http::ok(member);
    }
    if user_id == me {
        return Err(Error::Forbidden("the owner stays owner until somebody else is made owner"));
    }
    members::set_role(&mut *transaction, chat_id, user_id, role).await?;
    let mut changes = vec![changed(&mut transaction, chat_id, me, user_id).await?];
    if role == Role::Owner {
        members::set_role(&mut *transaction, chat_id, me, Role::Admin).await?;
        changes.push(changed(&mut transaction, chat_id, me, me).await?);
    }
    transaction.commit().await?;
    let member = changes[0].member.clone();
    for change in changes {
        presence::tell(db, push, &ids(&present), &ServerFrame::MemberUpdated(change), None).await;
    }
    http::ok(&member)
}

#[derive(Serialize)]
struct Removed {
    chat_id: ChatId,
    revision: i64,
}

async fn remove(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let (chat_id, user_id) = (http::chat_id(request)?, member_id(request)?);
    let mut transaction = db.begin().await?;
    let seat = members::lock(&mut transaction, chat_id, me).await?;
    if seat.kind == ChatKind::Private {
        return Err(Error::Forbidden("a private chat keeps its two members"));
    }
    let present = members::of(&mut *transaction, chat_id).await?;
    let member = present.iter().find(|member| member.user_id == user_id).ok_or(Error::MemberNotFound)?;
    if user_id != me && seat.role <= member.role {
        return Err(Error::Forbidden("only somebody of a higher role may remove this member"));
    }
    let mut frames = Vec::new();
    if let Some(heir) = heir(&present, member) {
        members::set_role(&mut *transaction, chat_id, heir, Role::Owner).await?;
        frames.push(ServerFrame::MemberUpdated(changed(&mut transaction, chat_id, me, heir).await?));
    }
    members::remove(&mut *transaction, chat_id, user_id).await?;
    let revision = members::advance(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    if let Err(error) = forget_open(push, chat_id, user_id).await {
        // The removal stands. Typing asks who is a member before it is told to anybody.
        error.log();
    }
    frames.push(ServerFrame::MemberRemoved(MemberRemoved { chat_id, revision, by: me, user_id }));
    for frame in frames {
        presence::tell(db, push, &ids(&present), &frame, None).await;
    }
    http::ok(&Removed { chat_id, revision })
}

/// Who becomes owner when this member goes: the admin, else the member, who has been there longest.
fn heir(present: &[Member], leaving: &Member) -> Option<UserId> {
    if leaving.role != Role::Owner {
        return None;
    }
    let others = || present.iter().filter(|member| member.user_id != leaving.user_id);
    let heir = others().find(|member| member.role == Role::Admin).or_else(|| others().next());
    heir.map(|member| member.user_id)
}

/// Takes somebody's devices off the list of those that have the chat open. A `joinChat` at the same moment writes first
/// and looks at the membership second, so it takes itself off again.
async fn forget_open(push: &Push, chat_id: ChatId, user_id: UserId) -> Result<()> {
    let open = push.connections().of_chat(chat_id).await?;
    let theirs: Vec<_> = open.iter().filter(|open| open.user_id == user_id).map(|open| &open.id).collect();
    if !theirs.is_empty() {
        push.connections().forget(Address::Chat(chat_id), &theirs).await?;
    }
    Ok(())
}

/// Counts the change that was just made to a member, and describes it.
async fn changed(db: &mut PgConnection, chat_id: ChatId, by: UserId, user_id: UserId) -> Result<MemberChanged> {
    let revision = members::advance(&mut *db, chat_id).await?;
    let member = members::of(&mut *db, chat_id).await?.into_iter().find(|member| member.user_id == user_id);
    Ok(MemberChanged { chat_id, revision, by, member: member.ok_or(Error::MemberNotFound)? })
}

/// Groups have roles to ask for; a private chat has none.
pub(crate) fn require(seat: &Seat, role: Role) -> Result<()> {
    match seat.kind {
        ChatKind::Private => Err(Error::Forbidden("a private chat has no roles and no name")),
        ChatKind::Group if seat.role < role => Err(Error::Forbidden("your role in this chat does not allow this")),
        ChatKind::Group => Ok(()),
    }
}

/// Whom to tell.
pub(crate) fn ids<'a>(members: impl IntoIterator<Item = &'a Member>) -> Vec<UserId> {
    members.into_iter().map(|member| member.user_id).collect()
}

/// The member named in the path. What is no id at all is no member either.
fn member_id(request: &Request) -> Result<UserId> {
    request.path_parameters().first("user_id").and_then(|id| id.parse().ok()).ok_or(Error::MemberNotFound)
}
