//! `ping`, and `$default`: every frame that does not name one of our actions.

use std::collections::BTreeMap;

use windi_shared::Result;
use windi_shared::db::{Database, chats};
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{MAX_STALE, Ping, Pong, ServerFrame};

use crate::door;
use crate::posts::Posts;
use crate::socket::{Answer, Device, Event, Outcome, serve};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let posts = door.posts().await?;
        door.events(|event| handle(&db, &posts, event)).await
    })
}

pub async fn handle(db: &Database, posts: &Posts, event: Event) -> Outcome {
    serve(db, posts, event, |device: Device, held: Ping| async move {
        let stale = stale(db, device.user_id, &held.chats).await?;
        Ok(Answer::frame(ServerFrame::Pong(Pong { stale })))
    })
    .await
}

/// The chats that a client with these revisions has to ask for.
async fn stale(db: &Database, user_id: UserId, held: &BTreeMap<ChatId, i64>) -> Result<BTreeMap<ChatId, i64>> {
    let progress = chats::progress(db, user_id).await?;
    // Chats that the user is no longer in are named too: there is nothing to catch up on, and requesting one is a 404.
    let left = held.keys().filter(|chat_id| !progress.contains_key(chat_id)).map(|chat_id| (*chat_id, 0));
    // A client that holds more than there is knows a database from before it was restored. One that does not know what the
    // user has taken off their list need not learn it.
    let behind = progress.iter().filter(|(chat_id, known)| match held.get(*chat_id) {
        Some(revision) => *revision != known.revision,
        None => !known.is_hidden,
    });
    let stale: BTreeMap<_, _> = behind.map(|(chat_id, known)| (*chat_id, known.revision)).chain(left).collect();
    Ok(stale.into_iter().take(MAX_STALE).collect())
}
