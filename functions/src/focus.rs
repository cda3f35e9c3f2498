//! `joinChat` and `leaveChat`: this device has the chat open, or no longer. Who has it open sees typing.

use std::collections::BTreeSet;

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::Result;
use windi_shared::connections::{Address, Connection};
use windi_shared::db::{PgPool, chats, presence};
use windi_shared::ids::ChatId;
use windi_shared::protocol::{ChatJoined, ChatLeft, ClientAction, ClientFrame, Reply, ServerFrame};

use crate::push::Push;
use crate::socket::{self, Device, Event};

/// Answers `200`; the device hears `chat_joined` with the chat's state, or `chat_left`.
///
/// # Errors
/// Only if the API is deployed without its authorizer.
pub async fn handle(db: &PgPool, push: &Push, event: Event) -> std::result::Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    let outcome = focus(db, push, &device, socket::body(&event)).await;
    socket::answer_refusal(push, &device, &event, outcome).await;
    Ok(socket::done())
}

async fn focus(db: &PgPool, push: &Push, device: &Device, frame: &str) -> Result<()> {
    let ClientFrame { action, request_id } = ClientFrame::parse(frame)?;
    let frame = match action {
        ClientAction::JoinChat(focus) => ServerFrame::ChatJoined(join(db, push, device, focus.chat_id).await?),
        ClientAction::LeaveChat(focus) => {
            push.connections().forget(Address::Chat(focus.chat_id), &[&device.connection_id]).await?;
            ServerFrame::ChatLeft(ChatLeft { chat_id: focus.chat_id })
        }
        _ => return Err(windi_shared::Error::UnknownAction),
    };
    push.reply(&device.connection_id, &Reply { frame, request_id }).await;
    Ok(())
}

/// Lists the device first and looks at the membership second; a removal commits first and cleans the list second. In
/// whichever order the four steps fall, nobody stays listed who is no member.
async fn join(db: &PgPool, push: &Push, device: &Device, chat_id: ChatId) -> Result<ChatJoined> {
    let connections = push.connections();
    connections.remember(Address::Chat(chat_id), &Connection::from(device)).await?;
    let mut database = db.acquire().await?;
    let chat = match chats::get(&mut database, chat_id, device.user_id).await {
        Ok(chat) => chat,
        Err(error) => {
            connections.forget(Address::Chat(chat_id), &[&device.connection_id]).await?;
            return Err(error);
        }
    };
    let mut presence = presence::of_chat(&mut *database, chat_id).await?;
    let members: Vec<_> = presence.iter().map(|status| status.user_id).collect();
    let online: BTreeSet<_> = connections.of_users(&members).await?.into_iter().map(|open| open.user_id).collect();
    for status in &mut presence {
        status.online = online.contains(&status.user_id);
    }
    let chat = chat.for_frame();
    if chat.members.is_none() {
        // Likewise for the frame's sake; who is not named is not there.
        presence.retain(|status| status.online);
    }
    Ok(ChatJoined { chat, presence })
}
