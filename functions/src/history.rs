//! `GET /messages/history/{chat_id}`: what was said, a page at a time.

use lambda_http::{Body, Request, Response};
use serde::Serialize;
use windi_shared::auth::Tokens;
use windi_shared::db::messages::{self, Page};
use windi_shared::db::{PgPool, chats};
use windi_shared::ids::{ChatId, MessageId};
use windi_shared::protocol::Message;
use windi_shared::{Error, Result};

use crate::http::{self, Answer};

/// Answers with one page, oldest message first.
pub async fn handle(db: &PgPool, tokens: &Tokens, request: Request) -> Response<Body> {
    http::respond(&request, history(db, tokens, &request).await)
}

#[derive(Serialize)]
struct History {
    chat_id: ChatId,
    messages: Vec<Message>,
    /// Whether there are more in the direction of the page.
    has_more: bool,
    last_message_id: MessageId,
    /// How far the chat had got before the page was read: sync from here.
    revision: i64,
}

async fn history(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let limit = http::limit(request, 50)?;
    let page = wanted_page(request)?;
    let chat_id = http::chat_id(request)?;
    let head = chats::head(db, chat_id, caller.user_id).await?;
    // Numbers have no holes, so where a page lies and whether there is more is arithmetic.
    let page = match page {
        Page::After(id) => Page::After(id),
        Page::Before(id) => Page::Before(id.min(head.last_message_id + 1)),
    };
    let messages = messages::page(db, chat_id, caller.user_id, page, limit).await?;
    let there_were = match page {
        Page::After(id) => head.last_message_id - id,
        Page::Before(id) => id - 1,
    };
    if (messages.len() as i64) < there_were.min(limit) {
        // Removed since the chat was looked at: what was said after that is not for them.
        return Err(Error::ChatNotFound);
    }
    let has_more = match page {
        Page::After(id) => id.saturating_add(limit) < head.last_message_id,
        Page::Before(id) => id - limit > 1,
    };
    http::ok(&History { chat_id, messages, has_more, last_message_id: head.last_message_id, revision: head.revision })
}

/// The page that `offset`, `before` or `after` asks for; from the beginning if none does. Ids are 1, 2, 3…, so
/// `offset=k` is `after=k`.
fn wanted_page(request: &Request) -> Result<Page> {
    let given = |name| http::query::<MessageId>(request, name);
    let pages: Vec<(&str, MessageId)> =
        [("offset", given("offset")?), ("before", given("before")?), ("after", given("after")?)]
            .into_iter()
            .filter_map(|(name, id)| Some((name, id?)))
            .collect();
    match pages[..] {
        [] => Ok(Page::After(0)),
        [(name, id)] if id < 0 => Err(Error::field(name, format!("must not be negative, is {id}"))),
        [("before", id)] => Ok(Page::Before(id)),
        [(_, id)] => Ok(Page::After(id)),
        _ => Err(Error::field("offset", "give only one of offset, before and after")),
    }
}
