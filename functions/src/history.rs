//! `GET /messages/history/{chat_id}`: a chat's messages, page by page.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::messages::{self, Page};
use windi_shared::db::{PgPool, chats};
use windi_shared::ids::MessageId;
use windi_shared::protocol::History;
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        door.http(|request| handle(&db, &tokens, request)).await
    })
}

pub async fn handle(db: &PgPool, tokens: &Tokens, request: Request) -> Response<Body> {
    http_api::respond(&request, history(db, tokens, &request)).await
}

async fn history(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let limit = http_api::limit(request, 50)?;
    let page = wanted_page(request)?;
    let chat_id = http_api::chat_id(request)?;
    let head = chats::head(db, chat_id, caller.user_id).await?;
    // Numbers have no gaps, so the position of a page and whether there is more can be calculated.
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
        // The caller was removed after the chat was read: messages sent after that are not for them.
        return Err(Error::ChatNotFound);
    }
    let has_more = match page {
        Page::After(id) => id.saturating_add(limit) < head.last_message_id,
        Page::Before(id) => id - limit > 1,
    };
    http_api::ok(&History {
        chat_id,
        messages,
        has_more,
        last_message_id: head.last_message_id,
        revision: head.revision,
    })
}

/// The page that `offset`, `before` or `after` asks for; without any of them, the first. Ids are 1, 2, 3…, so
/// `offset=k` is `after=k`, and `before=latest` is before the number that the next message will get.
fn wanted_page(request: &Request) -> Result<Page> {
    let given = |name| http_api::query::<MessageId>(request, name);
    let before = match http_api::query::<String>(request, "before")? {
        Some(latest) if latest == "latest" => Some(MessageId::MAX),
        _ => given("before")?,
    };
    let pages: Vec<(&str, MessageId)> = [("offset", given("offset")?), ("before", before), ("after", given("after")?)]
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
