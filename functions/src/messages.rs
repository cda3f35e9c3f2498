//! `POST /messages`, `PATCH` and `DELETE /messages/{chat_id}/{message_id}`, and below that `/read`, `/forward`, `/report`,
//! `/reactions` and `/pin`: what the socket does, for clients without one, and what is done to a message.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::{Caller, Tokens};
use windi_shared::db::chats::{self, Seat};
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::send::Sent;
use windi_shared::db::{Database, PgConnection, Transaction, members, messages, reactions, reports};
use windi_shared::fields::{Emoji, MAX_CHOSEN_REACTIONS, MAX_PINS};
use windi_shared::ids::{MessageId, UserId};
use windi_shared::protocol::{
    ChatEvent, ChatKind, ChatUpdated, ChosenReactions, Forward, MarkRead, Message, MessageKind, MessageReacted,
    NewReport, NewText, Role, SendMessage, ServerFrame,
};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::push::Push;
use crate::web_push::WebPush;
use crate::{messaging, notify};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let push = door.push().await?;
        let web_push = door.web_push().await?;
        door.http(|request| handle(&db, &tokens, &push, &web_push, request)).await
    })
}

/// Answers a send with `201`, or with `200` if an earlier attempt already stored it.
pub async fn handle(
    db: &Database,
    tokens: &Tokens,
    push: &Push,
    web_push: &WebPush,
    request: Request,
) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "POST /messages" => send(db, tokens, push, web_push, &request).await,
            "PATCH /messages/{chat_id}/{message_id}" => edit(db, tokens, push, &request).await,
            "DELETE /messages/{chat_id}/{message_id}" => delete(db, tokens, push, &request).await,
            "POST /messages/{chat_id}/{message_id}/read" => read(db, tokens, push, &request).await,
            "POST /messages/{chat_id}/{message_id}/forward" => forward(db, tokens, push, web_push, &request).await,
            "POST /messages/{chat_id}/{message_id}/report" => report(db, tokens, &request).await,
            "PUT /messages/{chat_id}/{message_id}/reactions" => react(db, tokens, push, &request).await,
            "PUT /messages/{chat_id}/{message_id}/pin" | "DELETE /messages/{chat_id}/{message_id}/pin" => {
                pin(db, tokens, push, &request).await
            }
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn send(db: &Database, tokens: &Tokens, push: &Push, web_push: &WebPush, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let Caller { user_id, session_id } = caller;
    let send = async {
        let message: SendMessage = http_api::read_json(request)?;
        messaging::send(db, user_id, Some(session_id), message).await
    };
    answer_sent(db, push, web_push, caller, send.await).await
}

async fn forward(db: &Database, tokens: &Tokens, push: &Push, web_push: &WebPush, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let Caller { user_id, session_id } = caller;
    let send = async {
        let from = (http_api::chat_id(request)?, message_id(request)?);
        let to: Forward = http_api::read_json(request)?;
        messaging::forward(db, user_id, Some(session_id), from, to).await
    };
    answer_sent(db, push, web_push, caller, send.await).await
}

async fn answer_sent(
    db: &Database,
    push: &Push,
    web_push: &WebPush,
    caller: Caller,
    sent: Result<Sent>,
) -> Result<Answer> {
    let sent = http_api::if_live(db, caller, sent).await?;
    messaging::notify_sent(db, push, web_push, &sent, None).await;
    if sent.repeated { http_api::ok(&sent.message) } else { http_api::created(&sent.message) }
}

/// A message in a locked chat, as the caller sees it.
struct Subject {
    me: UserId,
    seat: Seat,
    message: Message,
}

impl Subject {
    /// Takes the lock of the chat in the path.
    async fn lock(db: &Database, tokens: &Tokens, request: &Request) -> Result<(Transaction, Self)> {
        let me = http_api::caller(db, tokens, request).await?.user_id;
        let (chat_id, id) = (http_api::chat_id(request)?, message_id(request));
        rates::take(db, me, Deed::Change).await?;
        let mut transaction = db.begin().await?;
        let seat = chats::lock(&mut transaction, chat_id, me).await?;
        let message = messages::get(&mut *transaction, chat_id, me, id?).await?;
        // Taking something back is all that is left to do where nobody is heard any more.
        if !http_api::route(request).starts_with("DELETE") {
            seat.require_open()?;
        }
        Ok((transaction, Self { me, seat, message }))
    }

    /// Refuses a service entry or a tombstone.
    fn require_words(&self) -> Result<()> {
        match self.message {
            Message { kind: MessageKind::Service, .. } => Err(Error::Forbidden(messages::NO_WORDS)),
            Message { deleted_at: Some(_), .. } => Err(Error::MessageDeleted),
            _ => Ok(()),
        }
    }

    /// The message after it was changed, and everybody to notify.
    async fn changed(&self, db: &mut PgConnection) -> Result<(Message, Vec<UserId>)> {
        let chat_id = self.message.chat_id;
        let message = messages::get(&mut *db, chat_id, self.me, self.message.id).await?;
        Ok((message, members::user_ids(db, chat_id).await?))
    }
}

async fn edit(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let (mut transaction, subject) = Subject::lock(db, tokens, request).await?;
    let NewText { text } = http_api::read_json(request)?;
    let message = &subject.message;
    if message.sender_id != subject.me {
        return Err(Error::Forbidden("only its author may edit a message"));
    }
    subject.require_words()?;
    if message.details.forwarded_from.is_some() {
        return Err(Error::Forbidden("a forwarded message is somebody else's words"));
    }
    if message.text.as_deref() == Some(text.as_str()) {
        return http_api::ok(message);
    }
    let revision = chats::next_revision(&mut *transaction, message.chat_id).await?;
    messages::edit(&mut transaction, message, &text, revision).await?;
    let (message, notified) = subject.changed(&mut transaction).await?;
    transaction.commit().await?;
    let frame = ServerFrame::MessageEdited(message.clone().for_frame());
    notify::users(db, push, &notified, &frame, None).await;
    http_api::ok(&message)
}

async fn delete(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let (mut transaction, subject) = Subject::lock(db, tokens, request).await?;
    let message = &subject.message;
    if message.kind == MessageKind::Service {
        return Err(Error::Forbidden(messages::NO_WORDS));
    }
    if message.sender_id != subject.me && subject.seat.role < Role::Admin {
        return Err(Error::Forbidden("only its author, an admin or the owner may delete a message"));
    }
    if message.deleted_at.is_some() {
        return http_api::ok(message);
    }
    let revision = chats::next_revision(&mut *transaction, message.chat_id).await?;
    messages::delete(&mut transaction, message, revision).await?;
    let (message, notified) = subject.changed(&mut transaction).await?;
    transaction.commit().await?;
    notify::users(db, push, &notified, &ServerFrame::MessageDeleted(message.clone()), None).await;
    http_api::ok(&message)
}

async fn react(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let (mut transaction, subject) = Subject::lock(db, tokens, request).await?;
    let ChosenReactions { reactions } = http_api::read_json(request)?;
    if reactions.len() > MAX_CHOSEN_REACTIONS {
        return Err(Error::field("reactions", format!("must be at most {MAX_CHOSEN_REACTIONS}")));
    }
    let mut chosen: Vec<Emoji> = Vec::new();
    for emoji in reactions {
        if !chosen.contains(&emoji) {
            chosen.push(emoji);
        }
    }
    subject.require_words()?;
    let Subject { me, message, .. } = &subject;
    let mine = message.my_reactions.as_deref().unwrap_or_default();
    if mine.len() == chosen.len() && chosen.iter().all(|emoji| mine.iter().any(|one| one == emoji.as_str())) {
        return http_api::ok(message);
    }
    let revision = chats::next_revision(&mut *transaction, message.chat_id).await?;
    let reactions = reactions::choose(&mut transaction, message, *me, &chosen, revision).await?;
    let (message, notified) = subject.changed(&mut transaction).await?;
    transaction.commit().await?;
    let (chat_id, message_id, by) = (message.chat_id, message.id, *me);
    let chosen = message.my_reactions.clone().unwrap_or_default();
    let change = MessageReacted { chat_id, message_id, revision, by, chosen, reactions };
    notify::users(db, push, &notified, &ServerFrame::MessageReacted(change), None).await;
    http_api::ok(&message)
}

async fn pin(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let (mut transaction, subject) = Subject::lock(db, tokens, request).await?;
    let Subject { me, seat, message } = &subject;
    let (me, chat_id) = (*me, message.chat_id);
    if seat.kind == ChatKind::Group {
        seat.require(Role::Admin)?;
    }
    let is_wanted = http_api::route(request).starts_with("PUT");
    let mut pinned = seat.pinned_message_ids.clone();
    let is_pinned = pinned.contains(&message.id);
    let mut entry = None;
    if is_wanted && !is_pinned {
        subject.require_words()?;
        if pinned.len() >= MAX_PINS {
            return Err(Error::TooManyPins { max: MAX_PINS });
        }
        pinned.push(message.id);
        let event = ChatEvent::MessagePinned { message_id: message.id };
        entry = Some(messages::record(&mut *transaction, chat_id, me, event).await?);
    } else if !is_wanted && is_pinned {
        pinned.retain(|id| *id != message.id);
        chats::next_revision(&mut *transaction, chat_id).await?;
    }
    if is_wanted != is_pinned {
        chats::pin(&mut *transaction, chat_id, &pinned).await?;
    }
    let chat = chats::get(&mut *transaction, chat_id, me).await?;
    transaction.commit().await?;
    if is_wanted != is_pinned {
        let revision = chat.chat.revision;
        let change = ChatUpdated { chat_id, revision, by: me, chat: chat.chat.clone(), entry };
        notify::users(db, push, &chat.member_ids(), &ServerFrame::ChatUpdated(change), None).await;
    }
    http_api::ok(&chat)
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

/// Keeps a message for whoever runs the messenger, also where nobody is heard any more.
async fn report(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let (chat_id, id) = (http_api::chat_id(request)?, message_id(request));
    rates::take(db, me, Deed::Change).await?;
    chats::head(db, chat_id, me).await?;
    let message = messages::get(db, chat_id, me, id?).await?;
    let NewReport { reason } = http_api::read_json(request)?;
    match message {
        Message { kind: MessageKind::Service, .. } => return Err(Error::Forbidden(messages::NO_WORDS)),
        Message { sender_id, .. } if sender_id == me => return Err(Error::Forbidden("nobody reports their own words")),
        Message { deleted_at: Some(_), .. } => return Err(Error::MessageDeleted),
        _ => {}
    }
    reports::add(db, me, &message, reason.as_ref()).await?;
    tracing::info!(message_id = message.id, "A message was reported.");
    Ok(http_api::no_content())
}

/// The message named in the path. Anything but a number names no message.
fn message_id(request: &Request) -> Result<MessageId> {
    http_api::path_parameter(request, "message_id").ok_or(Error::MessageNotFound)
}
