//! Full-text search over the messages in a person's own chats.

use sqlx::PgExecutor;

use crate::Result;
use crate::db::has_more;
use crate::db::messages::{message, select_messages};
use crate::ids::{ChatId, UserId};
use crate::protocol::{HitCursor, Message};

/// A page of the matching messages in one of `me`'s chats or in all of them, newest first, and where the next one begins. Chats that `me` is not in are not searched,
/// because chat ids are part of the index.
pub async fn messages(
    db: impl PgExecutor<'_>,
    me: UserId,
    chat_id: Option<ChatId>,
    words: &str,
    after: Option<HitCursor>,
    limit: i64,
) -> Result<(Vec<Message>, Option<HitCursor>)> {
    let rows = select_messages!(
        of_any_chat,
        me: "$1",
        with: ", mine as materialized (
            select string_agg(quote_literal('#' || chat_id::text), ' | ')::tsquery as chats from chat_members
            where user_id = $1 and ($2::uuid is null or chat_id = $2)
        )",
        also: "",
        rest: "from messages m
        -- Two conditions, which one scan of the index answers together. Chat by chat, each scan would collect anew what begins
        -- with the words; in one condition with all the chats, each chat would be looked at for each word.
        where m.text is not null and search_vector(m.chat_id, m.text) @@ search_words($3)
            and search_vector(m.chat_id, m.text) @@ (select chats from mine)
            and ($4::timestamptz is null or (m.created_at, m.chat_id, m.id) < ($4, $5, $6))
        order by m.created_at desc, m.chat_id desc, m.id desc
        limit $7",
        me as UserId,
        chat_id.map(|chat_id| chat_id.0),
        words,
        after.map(|after| after.timestamp.0),
        after.map(|after| after.chat_id.0),
        after.map(|after| after.id),
        limit + 1,
    )
    .fetch_all(db)
    .await?;
    let mut found: Vec<Message> = rows.into_iter().filter_map(|row| message!(row)).collect();
    let has_more = has_more(&mut found, limit)?;
    let next = found.last().filter(|_| has_more);
    let next = next.map(|last| HitCursor { timestamp: last.timestamp, chat_id: last.chat_id, id: last.id });
    Ok((found, next))
}
