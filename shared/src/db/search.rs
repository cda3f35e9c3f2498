//! Full-text search over the messages in a person's own chats.

use sqlx::PgExecutor;

use crate::Result;
use crate::db::messages::{message, select_messages};
use crate::ids::{ChatId, UserId};
use crate::protocol::Message;

/// The newest matching messages in one of `me`'s chats or in all of them. Chats that `me` is not in are not searched,
/// because chat ids are part of the index.
pub async fn messages(
    db: impl PgExecutor<'_>,
    me: UserId,
    chat_id: Option<ChatId>,
    words: &str,
    limit: i64,
) -> Result<Vec<Message>> {
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
        order by m.created_at desc, m.chat_id, m.id desc
        limit $4",
        me as UserId,
        chat_id.map(|chat_id| chat_id.0),
        words,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(|row| message!(row)).collect())
}
