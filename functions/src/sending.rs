//! A message stored and told, whichever way it came.

use windi_shared::Result;
use windi_shared::db::PgPool;
use windi_shared::db::messages::{self, Sent};
use windi_shared::fields::ClientMessageId;
use windi_shared::ids::{ConnectionId, UserId};
use windi_shared::protocol::{Reply, SendMessage, ServerFrame};

use crate::presence;
use crate::push::Push;

/// Where the acknowledgement goes, for a send that came over the socket.
#[derive(Debug)]
pub struct AckTo<'a> {
    /// The sending connection.
    pub connection_id: &'a ConnectionId,
    /// What its client called the request.
    pub request_id: Option<String>,
}

/// Stores the message, then sends it to every device of every member: the sending connection first, whose
/// acknowledgement it is.
///
/// A repeated send is told again as well: the first attempt may have died between the commit and the pushes, and clients
/// drop what they have.
///
/// # Errors
/// Those of [`messages::send`]. Pushes never fail a send.
pub async fn send(db: &PgPool, push: &Push, sender: UserId, send: SendMessage, ack: Option<AckTo<'_>>) -> Result<Sent> {
    let key = match send.client_message_id {
        Some(key) => key,
        None => generated_key()?,
    };
    let sent = messages::send(db, send.chat_id, sender, &key, &send.text).await?;
    let frame = ServerFrame::NewMessage(sent.message.clone());
    match ack {
        None => presence::tell(db, push, &sent.recipients, &frame, None).await,
        Some(AckTo { connection_id, request_id }) => {
            let reply = Reply { frame: frame.clone(), request_id };
            // At the same time as the others are looked up: the sender is not to wait for that.
            tokio::join!(
                push.reply(connection_id, &reply),
                presence::tell(db, push, &sent.recipients, &frame, Some(connection_id)),
            );
        }
    }
    Ok(sent)
}

fn generated_key() -> Result<ClientMessageId> {
    ClientMessageId::new(uuid::Uuid::new_v4().to_string()).map_err(windi_shared::Error::internal)
}
