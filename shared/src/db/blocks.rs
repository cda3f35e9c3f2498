//! Who does not want to hear from whom. A block closes the private chat of the two; in groups it changes nothing.

use sqlx::{PgConnection, PgExecutor};

use crate::db::has_more;
use crate::fields::MAX_BLOCKED;
use crate::ids::{FileId, UserId};
use crate::protocol::{BlockCursor, Person, Timestamp};
use crate::{Error, Result};

/// Names the private chat of two people.
pub(super) fn pair(one: UserId, other: UserId) -> String {
    format!("{}:{}", one.min(other), one.max(other))
}

/// A private chat is created, and a block set, one after the other: whichever comes second sees the first. Held until the
/// transaction ends.
pub(super) async fn lock_pair(db: impl PgExecutor<'_>, pair: &str) -> Result<()> {
    sqlx::query_scalar!(r#"select true as "locked!" from pg_advisory_xact_lock(hashtextextended($1, 0))"#, pair)
        .fetch_one(db)
        .await?;
    Ok(())
}

/// # Errors
/// [`Error::NotReachable`] if one of the two has blocked the other, or the other is deleted.
pub(super) async fn require_none(db: impl PgExecutor<'_>, one: UserId, other: UserId) -> Result<()> {
    let blocked = sqlx::query_scalar!(
        r#"
        select exists (select from blocks
            where (user_id = $1 and blocked_id = $2) or (user_id = $2 and blocked_id = $1))
            or exists (select from users where user_id = $2 and deleted_at is not null) as "blocked!"
        "#,
        one as UserId,
        other as UserId,
    );
    if blocked.fetch_one(db).await? { Err(Error::NotReachable) } else { Ok(()) }
}

/// Blocks somebody, or no longer. Must be called in a transaction.
///
/// # Errors
/// [`Error::UserNotFound`], [`Error::TooManyBlocked`].
pub async fn set(db: &mut PgConnection, me: UserId, other: UserId, blocked: bool) -> Result<()> {
    let pair = pair(me, other);
    lock_pair(&mut *db, &pair).await?;
    if blocked {
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from blocks where user_id = $1 and blocked_id <> $2"#,
            me as UserId,
            other as UserId
        );
        if count.fetch_one(&mut *db).await? >= MAX_BLOCKED {
            return Err(Error::TooManyBlocked { max: MAX_BLOCKED });
        }
        let known = sqlx::query!(
            "
            insert into blocks (user_id, blocked_id) select $1, user_id from users where user_id = $2
            on conflict on constraint blocks_pkey do update set created_at = blocks.created_at
            ",
            me as UserId,
            other as UserId,
        );
        if known.execute(&mut *db).await?.rows_affected() == 0 {
            return Err(Error::UserNotFound);
        }
    } else {
        sqlx::query!("delete from blocks where user_id = $1 and blocked_id = $2", me as UserId, other as UserId)
            .execute(&mut *db)
            .await?;
    }
    sqlx::query!(
        "
        update chats set closed = case when exists (select from blocks
            where (user_id = $2 and blocked_id = $3) or (user_id = $3 and blocked_id = $2))
            or exists (select from users where user_id in ($2, $3) and deleted_at is not null) then true end
        where private_pair = $1
        ",
        pair,
        me as UserId,
        other as UserId,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A page of those whom a person has blocked, the latest first, and where the next one begins.
pub async fn page(
    db: impl PgExecutor<'_>,
    me: UserId,
    after: Option<BlockCursor>,
    limit: i64,
) -> Result<(Vec<Person>, Option<BlockCursor>)> {
    let mut rows = sqlx::query!(
        r#"
        select u.user_id as "id: UserId", u.name, u.username, u.avatar_id as "avatar_id: FileId",
            b.created_at as "blocked_at: Timestamp"
        from blocks b join users u on u.user_id = b.blocked_id
        where b.user_id = $1 and ($2::timestamptz is null or (b.created_at, b.blocked_id) < ($2, $3))
        order by b.created_at desc, b.blocked_id desc limit $4
        "#,
        me as UserId,
        after.map(|after| after.blocked_at.0),
        after.map(|after| after.user_id.0),
        limit + 1,
    )
    .fetch_all(db)
    .await?;
    let has_more = has_more(&mut rows, limit)?;
    let next = rows.last().filter(|_| has_more);
    let next = next.map(|row| BlockCursor { blocked_at: row.blocked_at, user_id: row.id });
    let people = rows.into_iter().map(|row| Person {
        id: row.id,
        name: row.name,
        username: row.username,
        avatar_id: row.avatar_id,
    });
    Ok((people.collect(), next))
}
