//! `GET /messages/search?q=&chat_id=`: finds messages by their words, in the caller's own chats.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, chats, search};
use windi_shared::fields::Words;
use windi_shared::ids::ChatId;
use windi_shared::protocol::{FoundMessages, HitCursor};
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

pub async fn handle(db: &Database, tokens: &Tokens, request: Request) -> Response<Body> {
    http_api::respond(&request, search(db, tokens, &request)).await
}

async fn search(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    rates::take(db, caller.user_id, Deed::Search).await?;
    let limit = http_api::limit(request, 20)?;
    let words: String = http_api::query(request, "q")?.ok_or_else(|| Error::field("q", "is required"))?;
    let words = Words::new(words).map_err(|reason| Error::field("q", reason))?;
    // A malformed id names no chat.
    let chat_id: Option<String> = http_api::query(request, "chat_id")?;
    let chat_id: Option<ChatId> = match chat_id {
        Some(id) => Some(id.parse().map_err(|_| Error::ChatNotFound)?),
        None => None,
    };
    if let Some(chat_id) = chat_id {
        chats::head(db, chat_id, caller.user_id).await?;
    }
    let after = http_api::query::<HitCursor>(request, "after")?;
    let (messages, next) = search::messages(db, caller.user_id, chat_id, words.as_str(), after, limit).await?;
    http_api::ok(&FoundMessages { messages, next: next.map(|next| next.to_string()) })
}
