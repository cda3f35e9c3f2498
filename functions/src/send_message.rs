//! `sendMessage`: store, then fan out. The acknowledgement is the `new_message` frame itself.

use windi_shared::db::Database;
use windi_shared::protocol::{SendMessage, ServerFrame};

use crate::door;
use crate::messaging;
use crate::push::Push;
use crate::socket::{Answer, Device, Event, Outcome, serve};
use crate::web_push::WebPush;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let push = door.push().await?;
        let web_push = door.web_push().await?;
        door.events(|event| handle(&db, &push, &web_push, event)).await
    })
}

pub async fn handle(db: &Database, push: &Push, web_push: &WebPush, event: Event) -> Outcome {
    serve(db, push.posts(), event, |device: Device, message: SendMessage| async move {
        let sent = messaging::send(db, device.user_id, None, message).await?;
        let acknowledgement = ServerFrame::NewMessage(sent.message.clone());
        let from = device.connection_id;
        let others = async move { messaging::notify_sent(db, push, web_push, &sent, Some(&from)).await };
        Ok(Answer::frame(acknowledgement).meanwhile(others))
    })
    .await
}
