//! Push subscriptions, and whose devices a push service is told of a message.

use sqlx::PgExecutor;
use uuid::Uuid;

use crate::auth::Caller;
use crate::ids::{ChatId, MessageId, UserId};
use crate::{Error, Result};

/// How many subscriptions a person has; another one replaces the oldest.
const MAX_SUBSCRIPTIONS: i64 = 10;

/// A subscription to keep.
#[derive(Debug)]
pub struct NewSubscription<'a> {
    pub endpoint: &'a str,
    /// An uncompressed point.
    pub p256dh: &'a [u8],
    pub auth: &'a [u8],
    pub shows_text: bool,
}

/// Keeps the subscription of the caller's session. A browser in which somebody else logs in keeps its endpoint and its keys, so
/// they go to the newcomer; whoever has learned only the endpoint cannot take it away.
///
/// # Errors
/// [`Error::InvalidField`] if the endpoint is somebody else's, with other keys.
pub async fn put(db: impl PgExecutor<'_>, caller: Caller, new: &NewSubscription<'_>) -> Result<()> {
    let put = sqlx::query_scalar!(
        r#"
        with kept as (
        insert into push_subscriptions as p (subscription_id, user_id, session_id, endpoint, p256dh, auth, shows_text)
        select $1, $2, $3, $4, $5, $6, $7 where session_is_live($3)
        on conflict on constraint push_subscriptions_endpoint_key do update set
            user_id = excluded.user_id, session_id = excluded.session_id, p256dh = excluded.p256dh,
            auth = excluded.auth, shows_text = excluded.shows_text, created_at = excluded.created_at, failures = 0
        where p.user_id = excluded.user_id or (p.p256dh = excluded.p256dh and p.auth = excluded.auth)
        returning p.subscription_id
        ), replaced as (
            delete from push_subscriptions where exists (select from kept) and subscription_id in (
                select subscription_id from push_subscriptions where user_id = $2 and endpoint <> $4
                order by session_is_live(session_id) desc, created_at desc, subscription_id desc offset $8)
        )
        select count(*) as "kept!" from kept
        "#,
        Uuid::now_v7(),
        caller.user_id as UserId,
        caller.session_id.0,
        new.endpoint,
        new.p256dh,
        new.auth,
        new.shows_text,
        MAX_SUBSCRIPTIONS - 1,
    );
    // Or the session has ended at this moment, and then nobody waits for the answer.
    let is_kept = put.fetch_one(db).await? > 0;
    if is_kept { Ok(()) } else { Err(Error::field("endpoint", "is that of another subscription")) }
}

/// Takes a subscription back. One that does not exist, or is somebody else's, changes nothing.
pub async fn remove(db: impl PgExecutor<'_>, user_id: UserId, endpoint: &str) -> Result<()> {
    sqlx::query!("delete from push_subscriptions where user_id = $1 and endpoint = $2", user_id as UserId, endpoint)
        .execute(db)
        .await?;
    Ok(())
}

/// A device to tell of a message.
#[derive(Debug)]
pub struct Due {
    pub subscription_id: Uuid,
    pub user_id: UserId,
    pub endpoint: String,
    pub p256dh: Vec<u8>,
    pub auth: Vec<u8>,
    pub shows_text: bool,
    /// None in a private chat.
    pub group_name: Option<String>,
    pub sender_name: String,
}

/// Which message to tell of.
#[derive(Debug, Clone, Copy)]
pub struct News {
    pub chat_id: ChatId,
    pub message_id: MessageId,
    pub sender_id: UserId,
}

/// Up to `limit` devices of those of the users who are to be told: not the sender, and nobody who has muted the chat, has blocked
/// the sender, or was told of an earlier message that they have not read. From now on they count as told, so that of several
/// attempts one succeeds.
pub async fn claim(db: impl PgExecutor<'_>, news: News, users: &[UserId], limit: i64) -> Result<Vec<Due>> {
    let users: Vec<_> = users.iter().map(|id| id.0).collect();
    // The chat's lock, because a send may change all members of a chat too, in another order.
    Ok(sqlx::query_as!(
        Due,
        r#"
        with picked as materialized (
            -- One of each person before anybody's second.
            select s.subscription_id, s.user_id, s.endpoint, s.p256dh, s.auth, s.shows_text,
                row_number() over (partition by s.user_id order by s.created_at desc, s.subscription_id) as nth
            from push_subscriptions s join chat_members m on m.chat_id = $1 and m.user_id = s.user_id
            where s.user_id = any ($4) and s.user_id <> $3 and session_is_live(s.session_id)
                and (m.muted_until > now()) is not true
                and m.last_read_id < $2 and coalesce(m.pushed_id, 0) <= m.last_read_id
                and not exists (select from blocks b where b.user_id = s.user_id and b.blocked_id = $3)
                and s.failures < 5
            order by nth, s.created_at desc, s.subscription_id limit $5
        ),
        chat as materialized (
            select chat_id, name from chats where chat_id = $1 and exists (select from picked) for no key update
        ),
        told as (
            update chat_members m set pushed_id = $2 from chat
            where m.chat_id = chat.chat_id and m.user_id in (select p.user_id from picked p)
                and m.last_read_id < $2 and coalesce(m.pushed_id, 0) <= m.last_read_id
            returning m.user_id
        )
        select p.subscription_id as "subscription_id!", p.user_id as "user_id!: UserId", p.endpoint as "endpoint!",
            p.p256dh as "p256dh!", p.auth as "auth!", p.shows_text as "shows_text!", chat.name as "group_name?",
            u.name as "sender_name!"
        from picked p join told on told.user_id = p.user_id cross join chat join users u on u.user_id = $3
        order by p.nth
        "#,
        news.chat_id as ChatId,
        news.message_id,
        news.sender_id as UserId,
        &users,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// These people could not be told after all: the next message is due again.
pub async fn release(db: impl PgExecutor<'_>, news: News, users: &[UserId]) -> Result<()> {
    let users: Vec<_> = users.iter().map(|id| id.0).collect();
    sqlx::query!(
        "
        with chat as materialized (select chat_id from chats where chat_id = $1 for no key update)
        update chat_members m set pushed_id = null from chat
        where m.chat_id = chat.chat_id and m.user_id = any ($3) and m.pushed_id = $2
        ",
        news.chat_id as ChatId,
        news.message_id,
        &users,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Counts a failure of each of these. After the fifth, a subscription is left alone until its browser renews it, which it does
/// whenever the page is opened.
pub async fn count_failures(db: impl PgExecutor<'_>, subscriptions: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "update push_subscriptions set failures = failures + 1 where subscription_id = any ($1)",
        subscriptions
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes subscriptions that no longer exist.
pub async fn forget(db: impl PgExecutor<'_>, subscriptions: &[Uuid]) -> Result<()> {
    sqlx::query!("delete from push_subscriptions where subscription_id = any ($1)", subscriptions).execute(db).await?;
    Ok(())
}
