//! `ping`, and `$default`: every frame that names no action we know.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::Result;
use windi_shared::db::{PgPool, chats};
use windi_shared::protocol::{ClientAction, ClientFrame, Pong, Reply, ServerFrame};

use crate::push::Push;
use crate::socket::{self, Device, Event};

/// How many chats one `pong` names: with more it would not fit into a frame. The next `ping` brings the rest.
const MOST_STALE: usize = 1000;

/// Answers `200`; the client hears `pong` or `error` through its connection.
///
/// # Errors
/// Only if the API is deployed without its authorizer.
pub async fn handle(db: &PgPool, push: &Push, event: Event) -> std::result::Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    let outcome = pong(db, push, &device, socket::body(&event)).await;
    socket::answer_refusal(push, &device, &event, outcome).await;
    Ok(socket::done())
}

async fn pong(db: &PgPool, push: &Push, device: &Device, frame: &str) -> Result<()> {
    let ClientFrame { action: ClientAction::Ping(held), request_id } = ClientFrame::parse(frame)? else {
        return Err(windi_shared::Error::UnknownAction);
    };
    let mut stale = chats::revisions(db, device.user_id).await?;
    // A chat one is no longer in is told too: there is nothing to catch up on, and asking for it answers 404.
    let left: Vec<_> = held.chats.keys().filter(|chat_id| !stale.contains_key(chat_id)).copied().collect();
    stale.retain(|chat_id, revision| held.chats.get(chat_id).is_none_or(|held| *held < *revision));
    stale.extend(left.into_iter().map(|chat_id| (chat_id, 0)));
    let stale = stale.into_iter().take(MOST_STALE).collect();
    let reply = Reply { frame: ServerFrame::Pong(Pong { stale }), request_id };
    push.reply(&device.connection_id, &reply).await;
    Ok(())
}
