//! `GET /messages/history/{chat_id}`: a chat's messages, page by page; and `GET /export`, which [`export`] answers.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::{Caller, Tokens};
use windi_shared::db::Database;
use windi_shared::db::chats::Head;
use windi_shared::db::messages::{self, Page};
use windi_shared::ids::MessageId;
use windi_shared::protocol::History;
use windi_shared::{Error, Result};

use crate::http_api::{self, Answer};
use crate::{door, export};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        door.http(|request| handle(&db, &tokens, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "GET /messages/history/{chat_id}" => history(db, tokens, &request).await,
            "GET /export" => export::export(db, tokens, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn history(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let history = http_api::if_live(db, caller, read(db, caller, request).await).await?;
    http_api::ok(&history)
}

async fn read(db: &Database, caller: Caller, request: &Request) -> Result<History> {
    let Caller { user_id, session_id } = caller;
    let limit = http_api::limit(request, 50)?;
    let page = wanted_page(request)?;
    let chat_id = http_api::chat_id(request)?;
    let (messages, head) = messages::page(db, chat_id, user_id, Some(session_id), page, limit).await?;
    let Head { last_message_id, revision } = head;
    // Numbers have no gaps, so whether there is more can be calculated.
    let has_more = match page {
        Page::After(id) => id.saturating_add(limit) < last_message_id,
        Page::Before(id) => id.min(last_message_id + 1) - limit > 1,
    };
    Ok(History { chat_id, messages, has_more, last_message_id, revision })
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
