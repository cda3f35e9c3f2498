//! `GET /messages/search?q=&chat_id=`: what was said, by its words, in one's own chats.

use lambda_http::{Body, Request, Response};
use serde::Serialize;
use windi_shared::auth::Tokens;
use windi_shared::db::{PgPool, chats, search};
use windi_shared::ids::ChatId;
use windi_shared::protocol::Message;
use windi_shared::{Error, Result};

use crate::http::{self, Answer};

/// Answers with the newest messages that match.
pub async fn handle(db: &PgPool, tokens: &Tokens, request: Request) -> Response<Body> {
    http::respond(&request, search(db, tokens, &request).await)
}

#[derive(Serialize)]
struct Found {
    messages: Vec<Message>,
}

async fn search(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let limit = http::limit(request, 20)?;
    let words: String = http::query(request, "q")?.ok_or_else(|| Error::field("q", "is required"))?;
    if words.trim().is_empty() || words.len() > 200 || words.contains('\0') {
        return Err(Error::field("q", "must have 1 to 200 bytes and no U+0000"));
    }
    // What is no id at all is no chat either.
    let chat_id: Option<String> = http::query(request, "chat_id")?;
    let chat_id: Option<ChatId> = match chat_id {
        Some(id) => Some(id.parse().map_err(|_| Error::ChatNotFound)?),
        None => None,
    };
    if let Some(chat_id) = chat_id {
        chats::head(db, chat_id, caller.user_id).await?;
    }
    http::ok(&Found { messages: search::messages(db, caller.user_id, chat_id, &words, limit).await? })
}
