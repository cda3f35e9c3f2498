//! A read cursor moved and told, whichever way the wish came.

use chrono::Utc;
use windi_shared::db::{PgPool, chats, reads};
use windi_shared::ids::{ConnectionId, UserId};
use windi_shared::protocol::{MarkRead, MessageRead, ServerFrame, Timestamp};
use windi_shared::{Error, Result};

use crate::presence;
use crate::push::Push;

/// Moves the reader's cursor forward and tells the senders of what was read, and the reader's other devices; answers with
/// what they were told. A cursor that is there already, or further, stays, and nobody is told anything.
///
/// # Errors
/// [`Error::ChatNotFound`], and [`Error::MessageNotFound`] past the last message.
pub async fn mark_read(
    db: &PgPool,
    push: &Push,
    reader: UserId,
    wish: &MarkRead,
    from: Option<&ConnectionId>,
) -> Result<MessageRead> {
    let MarkRead { chat_id, message_id } = *wish;
    let head = chats::head(db, chat_id, reader).await?;
    if message_id < 1 || message_id > head.last_message_id {
        return Err(Error::MessageNotFound);
    }
    let read = MessageRead { chat_id, user_id: reader, message_id, read_at: Timestamp(Utc::now()) };
    if let Some(before) = reads::advance(db, chat_id, reader, message_id).await? {
        let mut told = reads::senders_between(db, chat_id, reader, before, message_id).await?;
        told.push(reader);
        presence::tell(db, push, &told, &ServerFrame::MessageRead(read.clone()), from).await;
    }
    Ok(read)
}
