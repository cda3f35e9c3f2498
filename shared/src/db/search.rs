//! Full text search over the messages of one's own chats.

use sqlx::PgExecutor;

use crate::Result;
use crate::ids::{ChatId, UserId};
use crate::protocol::{Message, Timestamp};

/// The newest messages that match, in one of `me`'s chats or in all of them. What may not be read is not looked at: the
/// chats are those of the membership, and their ids are part of the index that is searched.
///
/// # Errors
/// Only those of the database.
pub async fn messages(
    db: impl PgExecutor<'_>,
    me: UserId,
    chat_id: Option<ChatId>,
    words: &str,
    limit: i64,
) -> Result<Vec<Message>> {
    Ok(sqlx::query_as!(
        Message,
        r#"
        select m.chat_id as "chat_id: ChatId", m.id, m.sender_id as "sender_id: UserId", m.text,
            m.created_at as "timestamp: Timestamp", m.edited_at as "edited_at: Timestamp",
            m.deleted_at as "deleted_at: Timestamp",
            exists (select 1 from chat_members o where o.chat_id = m.chat_id and o.user_id <> m.sender_id
                and o.last_read_id >= m.id) as "is_read!",
            m.client_message_id, m.revision
        from chat_members mine
        join messages m on m.chat_id = mine.chat_id and m.text is not null
            and (to_tsvector('russian'::regconfig, m.text) || array_to_tsvector(array['#' || m.chat_id::text]))
                @@ (websearch_to_tsquery('russian'::regconfig, $3) && quote_literal('#' || mine.chat_id::text)::tsquery)
        where mine.user_id = $1 and ($2::uuid is null or mine.chat_id = $2)
            -- Words too common to be indexed leave nothing to search for; that is no match, not every message.
            and numnode(websearch_to_tsquery('russian'::regconfig, $3)) > 0
        order by m.created_at desc, m.chat_id, m.id desc
        limit $4
        "#,
        me as UserId,
        chat_id.map(|chat_id| chat_id.0),
        words,
        limit,
    )
    .fetch_all(db)
    .await?)
}
