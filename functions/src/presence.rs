//! Who is told what, and who is there.

use windi_shared::Result;
use windi_shared::db::{PgPool, presence};
use windi_shared::ids::{ConnectionId, UserId};
use windi_shared::protocol::{ServerFrame, UserStatus};

use crate::push::Push;

/// Sends `frame` to every device of `users` but the one that has had it. Whoever turns out to have gone without a word,
/// a closed laptop for one, is shown offline to the people who know them.
pub async fn tell(db: &PgPool, push: &Push, users: &[UserId], frame: &ServerFrame, but: Option<&ConnectionId>) {
    let mut gone = push.to_users(users, frame, but).await;
    // Telling that somebody has gone may find out that others have too; every round takes entries off the lists.
    while let Some(user_id) = gone.pop() {
        match offline(db, user_id).await {
            Ok((peers, status)) => gone.extend(push.to_users(&peers, &status, None).await),
            Err(error) => error.log(),
        }
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
    let (peers, status) = offline(db, user_id).await?;
    tell(db, push, &peers, &status, None).await;
    Ok(())
}

async fn offline(db: &PgPool, user_id: UserId) -> Result<(Vec<UserId>, ServerFrame)> {
    let last_seen_at = presence::seen(db, user_id).await?;
    let status = ServerFrame::UserStatus(UserStatus { user_id, online: false, last_seen_at });
    Ok((presence::peers(db, user_id).await?, status))
}
