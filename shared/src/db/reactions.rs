//! What people react to messages with.

use sqlx::PgConnection;

use crate::db::messages::column;
use crate::fields::{Emoji, MAX_REACTIONS};
use crate::ids::{ChatId, UserId};
use crate::protocol::{Message, Reaction};
use crate::{Error, Result};

/// Makes these the reactions of `me` to a message, and counts everybody's anew, at this revision. Must be called under the chat's
/// lock.
///
/// # Errors
/// [`Error::TooManyReactions`].
pub async fn choose(
    db: &mut PgConnection,
    message: &Message,
    me: UserId,
    chosen: &[Emoji],
    revision: i64,
) -> Result<Vec<Reaction>> {
    let Message { chat_id, id, .. } = *message;
    let chosen: Vec<_> = chosen.iter().map(|emoji| emoji.as_str().to_owned()).collect();
    // Those that stay keep their time, and with it their place.
    sqlx::query!(
        "delete from reactions where chat_id = $1 and message_id = $2 and user_id = $3 and emoji <> all ($4)",
        chat_id as ChatId,
        id,
        me as UserId,
        &chosen,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "
        insert into reactions (chat_id, message_id, user_id, emoji) select $1, $2, $3, unnest($4::text[])
        on conflict on constraint reactions_pkey do nothing
        ",
        chat_id as ChatId,
        id,
        me as UserId,
        &chosen,
    )
    .execute(&mut *db)
    .await?;
    let reactions = sqlx::query_as!(
        Reaction,
        r#"
        select emoji, count(*) as "count!" from reactions where chat_id = $1 and message_id = $2
        group by emoji order by min(reacted_at), emoji
        "#,
        chat_id as ChatId,
        id,
    )
    .fetch_all(&mut *db)
    .await?;
    if reactions.len() > MAX_REACTIONS {
        return Err(Error::TooManyReactions { max: MAX_REACTIONS });
    }
    let mut details = message.details.clone();
    details.reactions.clone_from(&reactions);
    sqlx::query!(
        "update messages set details = $3, revision = $4 where chat_id = $1 and id = $2",
        chat_id as ChatId,
        id,
        column(details) as _,
        revision,
    )
    .execute(db)
    .await?;
    Ok(reactions)
}
