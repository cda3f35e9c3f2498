//! Who is notified when a person comes online or goes offline, and when people were last seen.

use sqlx::PgExecutor;

use crate::Result;
use crate::ids::{ChatId, UserId};
use crate::protocol::{Timestamp, UserStatus};

/// Members of larger groups are not notified when somebody comes online or goes offline.
const LARGEST_GROUP: i64 = 100;
const MAX_PEERS: i64 = 500;

/// The people with whom a person shares a private chat or a group of up to 100, 500 at most; nobody whom they have blocked, or
/// who has blocked them.
pub async fn peers(db: impl PgExecutor<'_>, user_id: UserId) -> Result<Vec<UserId>> {
    Ok(sqlx::query_scalar!(
        r#"
        select distinct other.user_id as "user_id: UserId"
        from chat_members me join chat_members other on other.chat_id = me.chat_id
        where me.user_id = $1 and other.user_id <> $1
            and (select count(*) from chat_members m where m.chat_id = me.chat_id) <= $2
            and not exists (select from blocks b where b.user_id = $1 and b.blocked_id = other.user_id
                or b.user_id = other.user_id and b.blocked_id = $1)
        limit $3
        "#,
        user_id as UserId,
        LARGEST_GROUP,
        MAX_PEERS,
    )
    .fetch_all(db)
    .await?)
}

/// Records that a person's last device has disconnected, and returns when.
pub async fn seen(db: impl PgExecutor<'_>, user_id: UserId) -> Result<Option<Timestamp>> {
    let seen = sqlx::query_scalar!(
        r#"
        update users set last_seen_at = date_trunc('milliseconds', clock_timestamp())
        where user_id = $1 and deleted_at is null
        returning last_seen_at as "last_seen_at: Timestamp"
        "#,
        user_id as UserId,
    );
    Ok(seen.fetch_optional(db).await?.flatten())
}

/// The members of a chat, all as offline, with when each was last seen; nobody whom `me` has blocked, or who has blocked `me`.
/// The caller fills in who is online.
pub async fn of_chat(db: impl PgExecutor<'_>, chat_id: ChatId, me: UserId) -> Result<Vec<UserStatus>> {
    Ok(sqlx::query_as!(
        UserStatus,
        r#"
        select u.user_id as "user_id: UserId", false as "online!", u.last_seen_at as "last_seen_at: Timestamp"
        from chat_members m join users u on u.user_id = m.user_id where m.chat_id = $1
            and not exists (select from blocks b where b.user_id = $2 and b.blocked_id = m.user_id
                or b.user_id = m.user_id and b.blocked_id = $2)
        "#,
        chat_id as ChatId,
        me as UserId,
    )
    .fetch_all(db)
    .await?)
}

/// These people, all as offline, with when each was last seen.
pub async fn of_users(db: impl PgExecutor<'_>, user_ids: &[UserId]) -> Result<Vec<UserStatus>> {
    let user_ids: Vec<_> = user_ids.iter().map(|user_id| user_id.0).collect();
    Ok(sqlx::query_as!(
        UserStatus,
        r#"
        select user_id as "user_id: UserId", false as "online!", last_seen_at as "last_seen_at: Timestamp"
        from users where user_id = any ($1)
        "#,
        &user_ids,
    )
    .fetch_all(db)
    .await?)
}
