//! `joinChat` and `leaveChat`: this device has opened or closed the chat. A device with the chat open sees typing.

use windi_shared::Result;
use windi_shared::connections::{Address, Connection};
use windi_shared::db::{Database, chats, presence};
use windi_shared::ids::ChatId;
use windi_shared::protocol::{ChatJoined, ChatLeft, ClientAction, ServerFrame, unknown_action};

use crate::door;
use crate::notify;
use crate::push::Push;
use crate::socket::{Answer, Device, Event, Outcome, serve};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let push = door.push().await?;
        door.events(|event| handle(&db, &push, event)).await
    })
}

pub async fn handle(db: &Database, push: &Push, event: Event) -> Outcome {
    serve(db, push.posts(), event, |device: Device, action| async move {
        match action {
            ClientAction::JoinChat(focus) => {
                Ok(Answer::frame(ServerFrame::ChatJoined(join(db, push, &device, focus.chat_id).await?)))
            }
            ClientAction::LeaveChat(focus) => {
                push.connections().forget(Address::Chat(focus.chat_id), &[&device.connection_id]).await?;
                Ok(Answer::frame(ServerFrame::ChatLeft(ChatLeft { chat_id: focus.chat_id })))
            }
            _ => Err(unknown_action()),
        }
    })
    .await
}

/// Lists the device, then checks the membership; a removal commits, then cleans the list. In whatever order the four
/// steps happen, no outsider stays on the list.
async fn join(db: &Database, push: &Push, device: &Device, chat_id: ChatId) -> Result<ChatJoined> {
    let connections = push.connections();
    connections.remember(Address::Chat(chat_id), &Connection::from(device)).await?;
    let chat = match chats::get(db, chat_id, device.user_id).await {
        Ok(chat) => chat,
        Err(error) => {
            connections.forget(Address::Chat(chat_id), &[&device.connection_id]).await?;
            return Err(error);
        }
    };
    let mut presence = presence::of_chat(db, chat_id, device.user_id).await?;
    notify::fill_in(connections, &mut presence).await?;
    let chat = chat.for_frame();
    if chat.members.is_none() {
        // The presence of a large group might not fit into a frame either. Anybody not named is offline.
        presence.retain(|status| status.online);
    }
    Ok(ChatJoined { chat, presence })
}
