//! A person's list of chats, most recently active first.

use sqlx::PgExecutor;

use crate::Result;
use crate::db::chats::chat;
use crate::db::has_more;
use crate::db::messages::{message, select_messages};
use crate::ids::{ChatId, FileId, SessionId, UserId};
use crate::protocol::{ChatKind, ChatSettings, ListCursor, ListedChat, Person, Role, Timestamp, UnreadTotal};

/// How many messages that do not count are looked for among the unread ones of a chat. The count stays a subtraction, and what it
/// costs is bounded: with more than these, which takes a thousand deletions or changes of members since the last visit, it is too
/// high by the rest.
const MAX_UNCOUNTED: i64 = 1000;
/// How many unread mentions are counted.
const MAX_MENTIONS: i64 = 100;

/// Counts what is unread in all chats on a person's list, chat by chat as [`page`] does.
pub async fn unread(db: impl PgExecutor<'_>, me: UserId) -> Result<UnreadTotal> {
    Ok(sqlx::query_as!(
        UnreadTotal,
        r#"
        with counted as materialized (
            select c.last_message_id - mine.last_read_id - (select count(*) from (select from messages u
                    where u.chat_id = c.chat_id and u.id > mine.last_read_id and u.text is null limit $2) u) as messages,
                (select count(*) from (select from mentions x where x.user_id = $1 and x.chat_id = c.chat_id
                    and x.message_id > mine.last_read_id limit $3) x) as mentions
            from chat_members mine join chats c on c.chat_id = mine.chat_id
            where mine.user_id = $1 and c.last_message_id > mine.last_read_id
                and (mine.hidden_at_id >= c.last_message_id) is not true
        )
        select coalesce(sum(messages), 0)::int8 as "unread_count!", count(*) filter (where messages > 0) as "unread_chats!",
            coalesce(sum(mentions), 0)::int8 as "unread_mentions!"
        from counted
        "#,
        me as UserId,
        MAX_UNCOUNTED,
        MAX_MENTIONS,
    )
    .fetch_one(db)
    .await?)
}

/// The chat in a row of [`page`].
macro_rules! listed {
    ($row:expr) => {{
        let peer = $row.peer_id.zip($row.peer_name);
        ListedChat {
            peer: peer.map(|(id, name)| Person {
                id,
                name,
                username: $row.peer_username,
                avatar_id: $row.peer_avatar_id,
            }),
            role: $row.role,
            last_read_id: $row.last_read_id,
            unread_count: $row.last_message_id - $row.last_read_id - $row.uncounted,
            unread_mentions: $row.unread_mentions,
            settings: ChatSettings {
                muted_until: $row.muted_until,
                archived: $row.archived.unwrap_or_default(),
                marked_unread: $row.marked_unread.unwrap_or_default(),
                hidden: $row.is_hidden,
                hidden_at_id: $row.hidden_at_id.filter(|_| $row.is_hidden),
            },
            chat: chat!($row),
            last_message: message!($row),
        }
    }};
}

/// One page, and where the next one begins; empty if the session has ended. `with_hidden`, also of those that the person has taken
/// off their list. What it costs depends on the chats of the page and on those that were active in the hour before, not on how
/// many there are.
pub async fn page(
    db: impl PgExecutor<'_>,
    me: UserId,
    session_id: SessionId,
    after: Option<ListCursor>,
    limit: i64,
    with_hidden: bool,
) -> Result<(Vec<ListedChat>, Option<ListCursor>)> {
    // The index has a time for each chat that is up to an hour too early (`migrations/11_activity_of_chats.sql`). `oldest` is that
    // of the last chat of as many as asked for. Each of these was active then or later, so a chat that belongs on the page was
    // too, and the index has it at most an hour earlier.
    let mut rows = select_messages!(
        of_any_chat,
        me: "$1",
        with: ", oldest as materialized (
            select mine.active_at from chat_members mine join chats c on c.chat_id = mine.chat_id
            where mine.user_id = $1 and mine.active_at <= coalesce($2::timestamptz, 'infinity')
                and (c.active_at, c.chat_id) < (coalesce($2, 'infinity'), $3)
                and ($8 or (mine.hidden_at_id >= c.last_message_id) is not true)
            order by mine.active_at desc offset $4::int8 - 1 limit 1
        ), listed as materialized (
            select c.*, mine.user_id, mine.role, mine.last_read_id, mine.muted_until, mine.archived, mine.marked_unread,
                mine.hidden_at_id, coalesce(mine.hidden_at_id >= c.last_message_id, false) as is_hidden
            from chat_members mine join chats c on c.chat_id = mine.chat_id
            where mine.user_id = $1 and session_is_live($5) and mine.active_at <= coalesce($2, 'infinity')
                and mine.active_at > coalesce((select active_at - interval '1 hour' from oldest), '-infinity')
                and (c.active_at, c.chat_id) < (coalesce($2, 'infinity'), $3)
                and ($8 or (mine.hidden_at_id >= c.last_message_id) is not true)
            order by c.active_at desc, c.chat_id desc limit $4
        )",
        also: r#"c.chat_id as "id!: ChatId", c.kind as "kind!: ChatKind", c.name, c.created_by as "created_by!: UserId",
            c.created_at as "created_at!: Timestamp", c.revision as "revision!",
            c.last_message_id as "last_message_id!", c.role as "role!: Role", c.last_read_id as "last_read_id!",
            peer.user_id as "peer_id?: UserId", peer.name as "peer_name?", peer.username as "peer_username?",
            peer.avatar_id as "peer_avatar_id?: FileId", c.picture_id as "picture_id: FileId",
            c.active_at as "activity!: Timestamp", c.pinned_message_ids, c.description, c.admins_post, c.slow_seconds,
            c.muted_until as "muted_until: Timestamp", c.archived, c.marked_unread, c.is_hidden as "is_hidden!", c.hidden_at_id,
            (select count(*) from (select from messages u where u.chat_id = c.chat_id and u.id > c.last_read_id
                and u.text is null limit $6) u) as "uncounted!",
            (select count(*) from (select from mentions x where x.user_id = $1 and x.chat_id = c.chat_id
                and x.message_id > c.last_read_id limit $7) x) as "unread_mentions!", "#,
        rest: "from listed c
        left join messages m on m.chat_id = c.chat_id and m.id = c.last_message_id
        left join chat_members other on c.kind = 'private' and other.chat_id = c.chat_id and other.user_id <> c.user_id
        left join users peer on peer.user_id = other.user_id
        order by c.active_at desc, c.chat_id desc",
        me as UserId,
        after.map(|after| after.activity.0),
        after.map(|after| after.chat_id.0),
        limit + 1,
        session_id as SessionId,
        MAX_UNCOUNTED,
        MAX_MENTIONS,
        with_hidden,
    )
    .fetch_all(db)
    .await?;
    let has_more = has_more(&mut rows, limit)?;
    let next = rows.last().filter(|_| has_more);
    let next = next.map(|row| ListCursor { activity: row.activity, chat_id: row.id });
    Ok((rows.into_iter().map(|row| listed!(row)).collect(), next))
}
