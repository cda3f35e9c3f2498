//! Who is told what, and who is there.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use windi_shared::Result;
use windi_shared::db::{PgPool, presence};
use windi_shared::ids::{ConnectionId, UserId};
use windi_shared::protocol::{ServerFrame, UserStatus};

use crate::push::Push;

/// How long telling that others have gone may take, beside the fan-out that found it out.
const PATIENCE: Duration = Duration::from_secs(5);
/// Of how many people that is told at once.
const ROUND: usize = 8;

/// Sends `frame` to every device of `users` but the one that has had it. Whoever turns out to have gone without a word,
/// a closed laptop for one, is shown offline to the people who know them.
pub async fn tell(db: &PgPool, push: &Push, users: &[UserId], frame: &ServerFrame, but: Option<&ConnectionId>) {
    let mut gone = push.to_users(users, frame, but).await;
    // Telling that somebody has gone may find out that others have too; every round takes entries off the lists. All
    // rounds together have their time: nobody waits longer for other people's phones.
    let rounds = async {
        while !gone.is_empty() {
            let round = stream::iter(std::mem::take(&mut gone)).map(async |user_id| {
                let (peers, status) = match offline(db, push, user_id).await {
                    Ok(news) => news?,
                    Err(error) => {
                        error.log();
                        return None;
                    }
                };
                Some(push.to_users(&peers, &status, None).await)
            });
            gone = round.buffer_unordered(ROUND).filter_map(async |found| found).concat().await;
        }
    };
    if tokio::time::timeout(PATIENCE, rounds).await.is_err() {
        tracing::warn!("Some who have gone were not shown offline; their next coming or going will put it right.");
    }
}

/// Tells the people who know somebody that their first device has come.
///
/// # Errors
/// Only those of the database.
pub async fn came(db: &PgPool, push: &Push, user_id: UserId) -> Result<()> {
    let last_seen_at = presence::last_seen(db, user_id).await?;
    let status = ServerFrame::UserStatus(UserStatus { user_id, online: true, last_seen_at });
    tell(db, push, &presence::peers(db, user_id).await?, &status, None).await;
    Ok(())
}

/// Tells the people who know somebody that their last device has gone.
///
/// # Errors
/// Only those of the database.
pub async fn went(db: &PgPool, push: &Push, user_id: UserId) -> Result<()> {
    if let Some((peers, status)) = offline(db, push, user_id).await? {
        tell(db, push, &peers, &status, None).await;
    }
    Ok(())
}

/// Whom to tell what; nothing if they have come back meanwhile, which has been told and must not be overtaken.
async fn offline(db: &PgPool, push: &Push, user_id: UserId) -> Result<Option<(Vec<UserId>, ServerFrame)>> {
    let last_seen_at = presence::seen(db, user_id).await?;
    let peers = presence::peers(db, user_id).await?;
    if !push.connections().of_users(&[user_id]).await?.is_empty() {
        return Ok(None);
    }
    Ok(Some((peers, ServerFrame::UserStatus(UserStatus { user_id, online: false, last_seen_at }))))
}
