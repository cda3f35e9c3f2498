//! What a person has written, chat by chat.

use sqlx::PgExecutor;

use crate::Result;
use crate::db::messages::{message, select_messages};
use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::Message;

/// A person's chats from this one on, in the order of their ids, each with the number of its last message.
pub async fn chats(db: impl PgExecutor<'_>, me: UserId, from: ChatId, limit: i64) -> Result<Vec<(ChatId, MessageId)>> {
    let rows = sqlx::query!(
        r#"
        select c.chat_id as "chat_id: ChatId", c.last_message_id
        from chat_members m join chats c on c.chat_id = m.chat_id
        where m.user_id = $1 and c.chat_id >= $2 order by c.chat_id limit $3
        "#,
        me as UserId,
        from as ChatId,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.chat_id, row.last_message_id)).collect())
}

/// A person's own words among the messages in `(after, up_to]` of a chat, in order.
pub async fn words(
    db: impl PgExecutor<'_>,
    chat_id: ChatId,
    me: UserId,
    after: MessageId,
    up_to: MessageId,
    limit: i64,
) -> Result<Vec<Message>> {
    let rows = select_messages!(
        of_one_chat,
        me: "$2",
        with: "",
        also: "",
        rest: "from messages m
            where m.chat_id = $1 and m.sender_id = $2 and m.id > $3 and m.id <= $4 and m.text is not null
            order by m.id limit $5",
        chat_id as ChatId,
        me as UserId,
        after,
        up_to,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(|row| message!(row)).collect())
}
