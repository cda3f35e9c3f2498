//! `POST /chats/{chat_id}/members`, `PATCH` and `DELETE /chats/{chat_id}/members/{user_id}`: who is in a group, and in
//! which role.
//!
//! Every change is decided and made under the chat's lock and takes a revision. Everybody who was in the chat is
//! notified, and so is the person affected.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::connections::Address;
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, PgConnection, chats, files, invites, members, messages};
use windi_shared::fields::MAX_GROUP_MEMBERS;
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{
    ChatEvent, ChatKind, Member, MemberChanged, MemberRemoved, Message, NewMember, NewRole, Removed, Role, ServerFrame,
};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::notify;
use crate::push::Push;

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
            "POST /chats/{chat_id}/members" => add(db, tokens, push, &request).await,
            "PATCH /chats/{chat_id}/members/{user_id}" => change(db, tokens, push, &request).await,
            "DELETE /chats/{chat_id}/members/{user_id}" => remove(db, tokens, push, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn add(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let chat_id = http_api::chat_id(request)?;
    rates::take(db, me, Deed::Invitation).await?;
    let mut transaction = db.begin().await?;
    chats::lock(&mut transaction, chat_id, me).await?.require(Role::Admin)?;
    let NewMember { user_id } = http_api::read_json(request)?;
    let present = members::list(&mut *transaction, chat_id).await?;
    if let Some(member) = present.iter().find(|member| member.id == user_id) {
        return http_api::ok(member);
    }
    members::require_addable(&mut *transaction, me, &[user_id]).await?;
    if present.len() >= MAX_GROUP_MEMBERS {
        return Err(Error::GroupFull);
    }
    members::insert(&mut *transaction, chat_id, &[(user_id, Role::Member)]).await?;
    let entry = messages::record(&mut *transaction, chat_id, me, ChatEvent::MemberAdded { user_id }).await?;
    let change = changed(&mut transaction, me, user_id, entry).await?;
    transaction.commit().await?;
    tracing::info!(member_id = %user_id, "Added a member.");
    let member = change.member.clone();
    let mut notified = user_ids(&present);
    notified.push(user_id);
    notify::users(db, push, &notified, &ServerFrame::MemberAdded(change), None).await;
    http_api::created(&member)
}

async fn change(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let (chat_id, user_id) = (http_api::chat_id(request)?, member_id(request)?);
    rates::take(db, me, Deed::Change).await?;
    let mut transaction = db.begin().await?;
    chats::lock(&mut transaction, chat_id, me).await?.require(Role::Owner)?;
    let NewRole { role } = http_api::read_json(request)?;
    let present = members::list(&mut *transaction, chat_id).await?;
    let member = present.iter().find(|member| member.id == user_id).ok_or(Error::MemberNotFound)?;
    if member.role == role {
        return http_api::ok(member);
    }
    if user_id == me {
        return Err(Error::Forbidden("the owner stays owner until somebody else is made owner"));
    }
    let mut changes = vec![role_changed(&mut transaction, chat_id, me, user_id, role).await?];
    if role == Role::Owner {
        changes.push(role_changed(&mut transaction, chat_id, me, me, Role::Admin).await?);
    }
    transaction.commit().await?;
    let member = changes[0].member.clone();
    for change in changes {
        notify::users(db, push, &user_ids(&present), &ServerFrame::MemberUpdated(change), None).await;
    }
    http_api::ok(&member)
}

async fn remove(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let (chat_id, user_id) = (http_api::chat_id(request)?, member_id(request)?);
    rates::take(db, me, Deed::Change).await?;
    http_api::ok(&take_out(db, push, me, chat_id, user_id).await?)
}

/// Removes somebody from a group, or oneself, and tells everybody.
///
/// # Errors
/// [`Error::ChatNotFound`], [`Error::MemberNotFound`], [`Error::Forbidden`].
pub async fn take_out(db: &Database, push: &Push, me: UserId, chat_id: ChatId, user_id: UserId) -> Result<Removed> {
    let mut transaction = db.begin().await?;
    let seat = chats::lock(&mut transaction, chat_id, me).await?;
    if seat.kind == ChatKind::Private {
        return Err(Error::Forbidden("a private chat keeps its two members"));
    }
    let present = members::list(&mut *transaction, chat_id).await?;
    let member = present.iter().find(|member| member.id == user_id).ok_or(Error::MemberNotFound)?;
    if user_id != me && seat.role <= member.role {
        return Err(Error::Forbidden("only somebody with a higher role may remove this member"));
    }
    if present.len() == 1 {
        // Nobody is left to let anybody in.
        invites::delete_all(&mut *transaction, chat_id).await?;
        files::detach_all(&mut transaction, chat_id).await?;
    }
    let mut frames = Vec::new();
    if let Some(heir) = heir(&present, member) {
        frames.push(ServerFrame::MemberUpdated(role_changed(&mut transaction, chat_id, me, heir, Role::Owner).await?));
    }
    members::remove(&mut *transaction, chat_id, user_id, me).await?;
    let event = if user_id == me { ChatEvent::MemberLeft } else { ChatEvent::MemberRemoved { user_id } };
    let entry = messages::record(&mut *transaction, chat_id, me, event).await?;
    let revision = entry.revision;
    transaction.commit().await?;
    tracing::info!(member_id = %user_id, "Removed a member.");
    if let Err(error) = forget_open(push, chat_id, user_id).await {
        // The removal stands: typing is passed on to members only, whatever the list says.
        error.log();
    }
    frames.push(ServerFrame::MemberRemoved(MemberRemoved { chat_id, revision, by: me, user_id, entry }));
    for frame in frames {
        notify::users(db, push, &user_ids(&present), &frame, None).await;
    }
    Ok(Removed { chat_id, revision })
}

/// The new owner when this member leaves: the longest-standing admin, or without one, the longest-standing member.
fn heir(present: &[Member], leaving: &Member) -> Option<UserId> {
    if leaving.role != Role::Owner {
        return None;
    }
    let others = || present.iter().filter(|member| member.id != leaving.id);
    let heir = others().find(|member| member.role == Role::Admin).or_else(|| others().next());
    heir.map(|member| member.id)
}

/// Takes a person's devices off the list of those that have the chat open. A `joinChat` at the same moment writes first
/// and then checks the membership, so it takes itself off again.
async fn forget_open(push: &Push, chat_id: ChatId, user_id: UserId) -> Result<()> {
    let open = push.connections().of_chat(chat_id).await?;
    let theirs: Vec<_> = open.iter().filter(|open| open.user_id == user_id).map(|open| &open.id).collect();
    if !theirs.is_empty() {
        push.connections().forget(Address::Chat(chat_id), &theirs).await?;
    }
    Ok(())
}

/// Changes a member's role, and describes it.
async fn role_changed(
    db: &mut PgConnection,
    chat_id: ChatId,
    by: UserId,
    user_id: UserId,
    role: Role,
) -> Result<MemberChanged> {
    members::set_role(&mut *db, chat_id, user_id, role).await?;
    let entry = messages::record(&mut *db, chat_id, by, ChatEvent::RoleChanged { user_id, role }).await?;
    changed(db, by, user_id, entry).await
}

/// Describes the change to a member that was just made and recorded.
pub async fn changed(db: &mut PgConnection, by: UserId, user_id: UserId, entry: Message) -> Result<MemberChanged> {
    let Message { chat_id, revision, .. } = entry;
    let member = members::get(db, chat_id, user_id).await?;
    Ok(MemberChanged { chat_id, revision, by, member, entry: Some(entry) })
}

fn user_ids(members: &[Member]) -> Vec<UserId> {
    members.iter().map(|member| member.id).collect()
}

/// The member named in the path. A malformed id names no member.
fn member_id(request: &Request) -> Result<UserId> {
    http_api::path_parameter(request, "user_id").ok_or(Error::MemberNotFound)
}
