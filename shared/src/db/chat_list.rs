//! A person's list of chats, most recently active first.

use sqlx::PgExecutor;

use crate::db::messages::{message, select_messages};
use crate::ids::{ChatId, SessionId, UserId};
use crate::protocol::{Chat, ChatKind, ListCursor, ListedChat, Person, Role, Timestamp};
use crate::{Error, Result};

/// One page, and where the next one begins; empty if the session has ended. Each chat costs a few index look-ups, however
/// many messages it holds.
pub async fn page(
    db: impl PgExecutor<'_>,
    me: UserId,
    session_id: SessionId,
    after: Option<ListCursor>,
    limit: i64,
) -> Result<(Vec<ListedChat>, Option<ListCursor>)> {
    let mut rows = select_messages!(
        of_any_chat,
        also: r#"c.chat_id as "id: ChatId", c.kind as "kind: ChatKind", c.name, c.created_by as "created_by: UserId",
            c.created_at as "created_at: Timestamp", c.revision, c.last_message_id,
            mine.role as "role: Role", mine.last_read_id,
            peer.user_id as "peer_id?: UserId", peer.name as "peer_name?", peer.username as "peer_username?",
            coalesce(m.created_at, c.created_at) as "activity!: Timestamp", "#,
        rest: "from chat_members mine
        join chats c on c.chat_id = mine.chat_id
        left join messages m on m.chat_id = c.chat_id and m.id = c.last_message_id
        left join chat_members other
            on c.kind = 'private' and other.chat_id = c.chat_id and other.user_id <> mine.user_id
        left join users peer on peer.user_id = other.user_id
        where mine.user_id = $1 and session_is_live($5)
            and ($2::timestamptz is null or (coalesce(m.created_at, c.created_at), c.chat_id) < ($2, $3))
        order by coalesce(m.created_at, c.created_at) desc, c.chat_id desc
        limit $4",
        me as UserId,
        after.map(|after| after.activity.0),
        after.map(|after| after.chat_id.0),
        limit + 1,
        session_id as SessionId,
    )
    .fetch_all(db)
    .await?;
    let page = usize::try_from(limit).map_err(Error::internal)?;
    let has_more = rows.len() > page;
    rows.truncate(page);
    let next = rows.last().filter(|_| has_more);
    let next = next.map(|row| ListCursor { activity: row.activity, chat_id: row.id });
    let chats = rows.into_iter().map(|row| {
        let peer = row.peer_id.zip(row.peer_name);
        ListedChat {
            peer: peer.map(|(id, name)| Person { id, name, username: row.peer_username }),
            role: row.role,
            last_read_id: row.last_read_id,
            unread_count: row.last_message_id - row.last_read_id,
            chat: Chat {
                id: row.id,
                kind: row.kind,
                name: row.name,
                created_by: row.created_by,
                created_at: row.created_at,
                revision: row.revision,
                last_message_id: row.last_message_id,
            },
            last_message: message!(row),
        }
    });
    Ok((chats.collect(), next))
}
