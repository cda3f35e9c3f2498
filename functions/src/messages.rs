//! `POST /messages`, `PATCH` and `DELETE /messages/{chat_id}/{message_id}`, `POST /messages/{chat_id}/{message_id}/read`: the
//! same deeds as over the socket, for those who have none, and changes to what was said.

use lambda_http::{Body, Request, RequestExt as _, Response};
use serde::Deserialize;
use windi_shared::auth::Tokens;
use windi_shared::db::members::{self, Seat};
use windi_shared::db::{PgPool, messages};
use windi_shared::fields::MessageText;
use windi_shared::ids::{ChatId, MessageId, UserId};
use windi_shared::protocol::{MarkRead, Message, Role, SendMessage, ServerFrame};
use windi_shared::{Error, Result};

use crate::http::{self, Answer};
use crate::push::Push;
use crate::{presence, reading, sending};

/// Answers a send with `201`, or `200` if an earlier attempt stored it; everything else with the message as it is now, or
/// with the cursor.
pub async fn handle(db: &PgPool, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    let outcome = match http::route(&request).as_str() {
        "POST /messages" => send(db, tokens, push, &request).await,
        "PATCH /messages/{chat_id}/{message_id}" => edit(db, tokens, push, &request).await,
        "DELETE /messages/{chat_id}/{message_id}" => delete(db, tokens, push, &request).await,
        "POST /messages/{chat_id}/{message_id}/read" => read(db, tokens, push, &request).await,
        route => http::unknown_route(route),
    };
    http::respond(&request, outcome)
}

async fn send(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let message: SendMessage = http::read_json(request)?;
    let sent = sending::send(db, push, caller.user_id, message, None).await?;
    if sent.repeated { http::ok(&sent.message) } else { http::created(&sent.message) }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewText {
    text: MessageText,
}

async fn edit(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let (chat_id, id) = (http::chat_id(request)?, message_id(request));
    let mut transaction = db.begin().await?;
    members::lock(&mut transaction, chat_id, me).await?;
    let NewText { text } = http::read_json(request)?;
    let message = messages::get(&mut *transaction, chat_id, me, id?).await?;
    if message.sender_id != me {
        return Err(Error::Forbidden("only its author may edit a message"));
    }
    if message.deleted_at.is_some() {
        return Err(Error::MessageDeleted);
    }
    if message.text.as_deref() == Some(text.as_str()) {
        return http::ok(&message);
    }
    let revision = members::advance(&mut *transaction, chat_id).await?;
    messages::edit(&mut *transaction, chat_id, message.id, &text, revision).await?;
    let message = messages::get(&mut *transaction, chat_id, me, message.id).await?;
    let told = members::of(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    presence::tell(db, push, &crate::members::ids(&told), &ServerFrame::MessageEdited(message.clone()), None).await;
    http::ok(&message)
}

async fn delete(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http::caller(db, tokens, request).await?.user_id;
    let (chat_id, id) = (http::chat_id(request)?, message_id(request));
    let mut transaction = db.begin().await?;
    let seat = members::lock(&mut transaction, chat_id, me).await?;
    let message = messages::get(&mut *transaction, chat_id, me, id?).await?;
    if !may_delete(&seat, &message, me) {
        return Err(Error::Forbidden("only its author, an admin or the owner may delete a message"));
    }
    if message.deleted_at.is_some() {
        return http::ok(&message);
    }
    let revision = members::advance(&mut *transaction, chat_id).await?;
    messages::delete(&mut *transaction, chat_id, message.id, revision).await?;
    let message = messages::get(&mut *transaction, chat_id, me, message.id).await?;
    let told = members::of(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    presence::tell(db, push, &crate::members::ids(&told), &ServerFrame::MessageDeleted(message.clone()), None).await;
    http::ok(&message)
}

fn may_delete(seat: &Seat, message: &Message, me: UserId) -> bool {
    message.sender_id == me || seat.role >= Role::Admin
}

async fn read(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let chat_id: ChatId = http::chat_id(request)?;
    // Whether one is in the chat comes before whether there is such a message.
    let message_id = message_id(request).unwrap_or(MessageId::MAX);
    let told = reading::mark_read(db, push, caller.user_id, &MarkRead { chat_id, message_id }, None).await?;
    http::ok(&told)
}

/// The message named in the path. What is no number at all is no message either.
fn message_id(request: &Request) -> Result<MessageId> {
    request.path_parameters().first("message_id").and_then(|id| id.parse().ok()).ok_or(Error::MessageNotFound)
}
