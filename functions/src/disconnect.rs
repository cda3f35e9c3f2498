//! `$disconnect`: takes the connection off the list and, if it was the user's last, notifies the people who know them.
//! API Gateway calls this at most once and may not call it at all. Entries left behind are removed at their first 410,
//! or expire.

use windi_shared::connections::Address;
use windi_shared::db::Database;

use crate::door;
use crate::notify;
use crate::push::Push;
use crate::socket::{self, Event, Outcome};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let push = door.push().await?;
        door.events(|event| handle(&db, &push, event)).await
    })
}

/// # Errors
/// If the connection could not be taken off the list; the entry will expire.
pub async fn handle(db: &Database, push: &Push, event: Event) -> Outcome {
    socket::with_device(&event, async |device| {
        let forgotten = push.connections().forget(Address::User(device.user_id), &[&device.connection_id]).await?;
        if forgotten.was_last {
            notify::went_offline(db, push, device.user_id).await?;
        }
        let code = event.request_context.disconnect_status_code;
        tracing::info!(code, "Closed a socket.");
        Ok(socket::status(200))
    })
    .await
}
