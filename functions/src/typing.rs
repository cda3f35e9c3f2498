//! `typing`: goes to all devices of the others in a small chat, whose lists show it, and in a large one to the devices that have it
//! open; at most once every three seconds. It is never stored, and has no answer.

use windi_shared::Result;
use windi_shared::db::{Database, members};
use windi_shared::protocol::{ServerFrame, Typing, TypingIndicator};

use crate::door;
use crate::notify;
use crate::push::Push;
use crate::socket::{Answer, Device, Event, Outcome, serve};

/// Up to how many people are in a small chat.
const SMALL: usize = 20;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let push = door.push().await?;
        door.events(|event| handle(&db, &push, event)).await
    })
}

pub async fn handle(db: &Database, push: &Push, event: Event) -> Outcome {
    serve(db, push.posts(), event, |device: Device, typing: Typing| async move {
        pass_on(db, push, &device, typing).await?;
        Ok(Answer::nothing())
    })
    .await
}

async fn pass_on(db: &Database, push: &Push, device: &Device, typing: Typing) -> Result<()> {
    let (chat_id, user_id, is_typing) = (typing.chat_id, device.user_id, typing.is_typing);
    let members = members::listeners(db, chat_id, user_id).await?;
    if members.is_empty() || !push.connections().is_typing_news(chat_id, user_id, is_typing).await? {
        return Ok(());
    }
    let frame = ServerFrame::TypingIndicator(TypingIndicator { chat_id, user_id, is_typing });
    if members.len() < SMALL {
        notify::users(db, push, &members, &frame, None).await;
    } else {
        // The list of devices with the chat open may include those of people who have been removed.
        push.to_open(chat_id, &frame, |listener| members.contains(&listener)).await;
    }
    Ok(())
}
