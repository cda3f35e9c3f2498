//! `markRead`: the reader gets the same `message_read` as everybody who is notified.

use windi_shared::db::Database;
use windi_shared::protocol::{MarkRead, ServerFrame};

use crate::door;
use crate::messaging;
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
    serve(db, push.posts(), event, |device: Device, wish: MarkRead| async move {
        let read = messaging::mark_read(db, device.user_id, None, &wish).await?;
        let cursor = ServerFrame::MessageRead(read.cursor.clone());
        let others = async move { messaging::notify_read(db, push, &read, Some(&device.connection_id)).await };
        Ok(Answer::frame(cursor).meanwhile(others))
    })
    .await
}
