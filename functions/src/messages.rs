//! `POST /messages`, `PATCH` and `DELETE /messages/{chat_id}/{message_id}`,
//! `POST /messages/{chat_id}/{message_id}/read`: what the socket does, for clients without one, and changes to
//! messages.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::{Caller, Tokens};
use windi_shared::db::chats::{self, Seat};
use windi_shared::db::{Database, members, messages};
use windi_shared::ids::{MessageId, UserId};
use windi_shared::protocol::{MarkRead, Message, NewText, Role, SendMessage, ServerFrame};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::push::Push;
use crate::{messaging, notify};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let push = door.push().await?;
        door.http(|request| handle(&db, &tokens, &push, request)).await
    })
}

/// Answers a send with `201`, or with `200` if an earlier attempt already stored it.
pub async fn handle(db: &Database, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "POST /messages" => send(db, tokens, push, &request).await,
            "PATCH /messages/{chat_id}/{message_id}" => edit(db, tokens, push, &request).await,
            "DELETE /messages/{chat_id}/{message_id}" => delete(db, tokens, push, &request).await,
            "POST /messages/{chat_id}/{message_id}/read" => read(db, tokens, push, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn send(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let Caller { user_id, session_id } = caller;
    let send = async {
        let message: SendMessage = http_api::read_json(request)?;
        messaging::send(db, user_id, Some(session_id), message).await
    };
    let sent = http_api::if_live(db, caller, send.await).await?;
    messaging::notify_sent(db, push, &sent, None).await;
    if sent.repeated { http_api::ok(&sent.message) } else { http_api::created(&sent.message) }
}

async fn edit(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let (chat_id, id) = (http_api::chat_id(request)?, message_id(request));
    let mut transaction = db.begin().await?;
    chats::lock(&mut transaction, chat_id, me).await?;
    let NewText { text } = http_api::read_json(request)?;
    let message = messages::get(&mut *transaction, chat_id, me, id?).await?;
    if message.sender_id != me {
        return Err(Error::Forbidden("only its author may edit a message"));
    }
    if message.deleted_at.is_some() {
        return Err(Error::MessageDeleted);
    }
    if message.text.as_deref() == Some(text.as_str()) {
        return http_api::ok(&message);
    }
    let revision = chats::next_revision(&mut *transaction, chat_id).await?;
    messages::edit(&mut *transaction, chat_id, message.id, &text, revision).await?;
    let message = messages::get(&mut *transaction, chat_id, me, message.id).await?;
    let notified = members::user_ids(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    notify::users(db, push, &notified, &ServerFrame::MessageEdited(message.clone()), None).await;
    http_api::ok(&message)
}

async fn delete(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let (chat_id, id) = (http_api::chat_id(request)?, message_id(request));
    let mut transaction = db.begin().await?;
    let seat = chats::lock(&mut transaction, chat_id, me).await?;
    let message = messages::get(&mut *transaction, chat_id, me, id?).await?;
    if !may_delete(&seat, &message, me) {
        return Err(Error::Forbidden("only its author, an admin or the owner may delete a message"));
    }
    if message.deleted_at.is_some() {
        return http_api::ok(&message);
    }
    let revision = chats::next_revision(&mut *transaction, chat_id).await?;
    messages::delete(&mut *transaction, chat_id, message.id, revision).await?;
    let message = messages::get(&mut *transaction, chat_id, me, message.id).await?;
    let notified = members::user_ids(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    notify::users(db, push, &notified, &ServerFrame::MessageDeleted(message.clone()), None).await;
    http_api::ok(&message)
}

fn may_delete(seat: &Seat, message: &Message, me: UserId) -> bool {
    message.sender_id == me || seat.role >= Role::Admin
}

async fn read(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let Caller { user_id, session_id } = caller;
    let read = async {
        let chat_id = http_api::chat_id(request)?;
        // The caller's membership is checked before the message's existence.
        let message_id = message_id(request).unwrap_or(MessageId::MAX);
        messaging::mark_read(db, user_id, Some(session_id), &MarkRead { chat_id, message_id }).await
    };
    let read = http_api::if_live(db, caller, read.await).await?;
    messaging::notify_read(db, push, &read, None).await;
    http_api::ok(&read.cursor)
}

/// The message named in the path. Anything but a number names no message.
fn message_id(request: &Request) -> Result<MessageId> {
    http_api::path_parameter(request, "message_id").ok_or(Error::MessageNotFound)
}
