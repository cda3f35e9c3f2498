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
        with: "",
        also: "",
        rest: "from messages m join chat_members mine on mine.chat_id = m.chat_id and m.text is not null
            and (to_tsvector('russian'::regconfig, m.text) || array_to_tsvector(array['#' || m.chat_id::text]))
                @@ (websearch_to_tsquery('russian'::regconfig, $3) && quote_literal('#' || mine.chat_id::text)::tsquery)
        where mine.user_id = $1 and ($2::uuid is null or mine.chat_id = $2)
            -- Words too common to be indexed leave nothing to search for; that is no match, not every message.
            and numnode(websearch_to_tsquery('russian'::regconfig, $3)) > 0
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
