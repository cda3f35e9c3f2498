//! Sending and reading messages, over HTTP or the socket.

use chrono::{TimeDelta, Utc};
use windi_shared::db::send::{self, Content, Sent};
use windi_shared::db::{Database, reads};
use windi_shared::fields::ClientMessageId;
use windi_shared::ids::{ChatId, ConnectionId, MessageId, SessionId, UserId};
use windi_shared::protocol::{Forward, MarkRead, MessageRead, SendMessage, ServerFrame, Timestamp};
use windi_shared::{Error, Result};

use crate::notify;
use crate::push::Push;
use crate::web_push::WebPush;

/// How long after a message was stored its first fan-out may still be missing: a function ends after 28 s.
const FIRST_FAN_OUT: TimeDelta = TimeDelta::seconds(30);

/// Stores a message. With a session, only if it is alive.
///
/// # Errors
/// Those of [`SendMessage::check`] and [`send::send`].
pub async fn send(db: &Database, sender: UserId, session_id: Option<SessionId>, message: SendMessage) -> Result<Sent> {
    message.check()?;
    let SendMessage { chat_id, text, file_ids, reply_to_id, client_message_id } = message;
    let content = Content::Text { text: text.as_ref(), file_ids: file_ids.as_deref(), reply_to_id };
    store(db, sender, session_id, chat_id, client_message_id, &content).await
}

/// Stores a copy of a message in another chat. With a session, only if it is alive.
///
/// # Errors
/// Those of [`send::send`].
pub async fn forward(
    db: &Database,
    sender: UserId,
    session_id: Option<SessionId>,
    from: (ChatId, MessageId),
    to: Forward,
) -> Result<Sent> {
    let content = Content::Forward { chat_id: from.0, message_id: from.1 };
    store(db, sender, session_id, to.chat_id, to.client_message_id, &content).await
}

async fn store(
    db: &Database,
    sender: UserId,
    session_id: Option<SessionId>,
    chat_id: ChatId,
    key: Option<ClientMessageId>,
    content: &Content<'_>,
) -> Result<Sent> {
    let key = match key {
        Some(key) => key,
        None => ClientMessageId::new(uuid::Uuid::new_v4().to_string()).map_err(Error::internal)?,
    };
    let sent = send::send(db, chat_id, sender, session_id, &key, content).await?;
    tracing::info!(
        %chat_id, message_id = sent.message.id, bytes = sent.message.text.as_deref().map(str::len),
        repeated = sent.repeated, recipients = sent.recipients.len(), "Stored a message.",
    );
    Ok(sent)
}

/// Sends a stored message to every device of every member except the one it came from, which gets its own answer.
///
/// A repeated send goes to the sender's devices again. The others get it again only while the first attempt may have
/// died between the commit and its pushes; after that, sync has already delivered it to them.
///
/// Whoever is not connected is told through a push service afterwards, if they have subscribed.
pub async fn notify_sent(db: &Database, push: &Push, web_push: &WebPush, sent: &Sent, from: Option<&ConnectionId>) {
    let frame = ServerFrame::NewMessage(sent.message.clone());
    let is_settled = sent.repeated && sent.message.timestamp.0 < Utc::now() - FIRST_FAN_OUT;
    let recipients = if is_settled { std::slice::from_ref(&sent.message.sender_id) } else { &sent.recipients[..] };
    let mut absent = notify::users(db, push, recipients, &frame, from).await;
    if sent.has_subscribers && !is_settled {
        absent.retain(|user_id| *user_id != sent.message.sender_id);
        web_push.tell(db, &sent.message, &absent).await;
    }
}

/// A read cursor after a request to move it.
#[derive(Debug)]
pub struct Read {
    /// The cursor as it is now.
    pub cursor: MessageRead,
    /// The users to notify: the senders of what was read, and the reader; empty if the cursor did not move.
    pub notified: Vec<UserId>,
}

/// Moves the reader's cursor forward, unless it is already there or further. With a session, only if it is alive.
///
/// # Errors
/// Those of [`reads::move_cursor`], and [`Error::MessageNotFound`] past the last message.
pub async fn mark_read(db: &Database, reader: UserId, session_id: Option<SessionId>, wish: &MarkRead) -> Result<Read> {
    let MarkRead { chat_id, message_id } = *wish;
    // Messages begin at 1, and a cursor never moves back.
    let moved = reads::move_cursor(db, chat_id, reader, session_id, message_id.max(0)).await?;
    if message_id < 1 || message_id > moved.last_message_id {
        return Err(Error::MessageNotFound);
    }
    let notified = if moved.before < message_id {
        let mut notified = moved.senders;
        notified.push(reader);
        notified
    } else {
        Vec::new()
    };
    let message_id = message_id.max(moved.before);
    Ok(Read { cursor: MessageRead { chat_id, user_id: reader, message_id, read_at: Timestamp(Utc::now()) }, notified })
}

pub async fn notify_read(db: &Database, push: &Push, read: &Read, from: Option<&ConnectionId>) {
    if !read.notified.is_empty() {
        notify::users(db, push, &read.notified, &ServerFrame::MessageRead(read.cursor.clone()), from).await;
    }
}
