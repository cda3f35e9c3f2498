//! Sends frames to all devices of people, and announces who comes online or goes offline.

use std::collections::HashSet;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use windi_shared::Result;
use windi_shared::connections::Connections;
use windi_shared::db::{Database, presence};
use windi_shared::ids::{ConnectionId, UserId};
use windi_shared::protocol::{ServerFrame, UserStatus};

use crate::push::{Missed, Push};

/// How long a fan-out may afterwards spend on reporting the people it found to have gone.
const REPORT_LIMIT: Duration = Duration::from_secs(5);
/// How many of these people are reported at once.
const REPORTED_AT_ONCE: usize = 8;

/// Sends `frame` to every device of `users` except one. Anybody found to have gone without a `$disconnect`, for example
/// by closing a laptop, is shown as offline to the people who know them. Returns those of the users who are not connected,
/// as far as that is known.
pub async fn users(
    db: &Database,
    push: &Push,
    users: &[UserId],
    frame: &ServerFrame,
    except: Option<&ConnectionId>,
) -> Vec<UserId> {
    let Missed { mut absent, mut gone } = push.to_users(users, frame, except).await;
    absent.extend_from_slice(&gone);
    // Reporting that one person has gone may reveal that others have too; every round takes entries off the lists. All
    // rounds together are limited, so nobody waits longer because of other people's phones.
    let rounds = async {
        while !gone.is_empty() {
            let round = stream::iter(std::mem::take(&mut gone)).map(|user_id| async move {
                let (peers, status) = match offline(db, push, user_id).await {
                    Ok(news) => news?,
                    Err(error) => {
                        error.log();
                        return None;
                    }
                };
                Some(push.to_users(&peers, &status, None).await.gone)
            });
            gone = round.buffer_unordered(REPORTED_AT_ONCE).filter_map(std::future::ready).concat().await;
        }
    };
    if tokio::time::timeout(REPORT_LIMIT, rounds).await.is_err() {
        tracing::warn!("Some people who have gone were not shown offline; their next coming or going will correct it.");
    }
    absent
}

/// Says of these people who is online.
pub async fn fill_in(connections: &Connections, presence: &mut [UserStatus]) -> Result<()> {
    let people: Vec<_> = presence.iter().map(|status| status.user_id).collect();
    let online: HashSet<_> = connections.of_users(&people).await?.into_iter().map(|open| open.user_id).collect();
    for status in presence.iter_mut().filter(|status| online.contains(&status.user_id)) {
        (status.online, status.last_seen_at) = (true, None);
    }
    Ok(())
}

/// Notifies the people who know a user that their first device has connected.
pub async fn came_online(db: &Database, push: &Push, user_id: UserId) -> Result<()> {
    let status = ServerFrame::UserStatus(UserStatus { user_id, online: true, last_seen_at: None });
    users(db, push, &presence::peers(db, user_id).await?, &status, None).await;
    Ok(())
}

/// Notifies the people who know a user that their last device has gone.
pub async fn went_offline(db: &Database, push: &Push, user_id: UserId) -> Result<()> {
    if let Some((peers, status)) = offline(db, push, user_id).await? {
        users(db, push, &peers, &status, None).await;
    }
    Ok(())
}

/// Whom to notify, and with which frame; `None` if the user has come back, because that news must not be overtaken.
async fn offline(db: &Database, push: &Push, user_id: UserId) -> Result<Option<(Vec<UserId>, ServerFrame)>> {
    let last_seen_at = presence::seen(db, user_id).await?;
    let peers = presence::peers(db, user_id).await?;
    if !push.connections().of_users(&[user_id]).await?.is_empty() {
        return Ok(None);
    }
    Ok(Some((peers, ServerFrame::UserStatus(UserStatus { user_id, online: false, last_seen_at }))))
}
