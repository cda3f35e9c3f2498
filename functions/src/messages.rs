//! `POST /messages`: the same deed as `sendMessage` over the socket, for those who have none.

use lambda_http::{Body, Request, Response};
use windi_shared::Result;
use windi_shared::auth::Tokens;
use windi_shared::db::PgPool;
use windi_shared::protocol::SendMessage;

use crate::http::{self, Answer};
use crate::push::Push;
use crate::sending;

/// Answers `201` with a new message, `200` with one that an earlier attempt stored.
pub async fn handle(db: &PgPool, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    http::respond(&request, send(db, tokens, push, &request).await)
}

async fn send(db: &PgPool, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    let message: SendMessage = http::read_json(request)?;
    let sent = sending::send(db, push, caller.user_id, message, None).await?;
    if sent.repeated { http::ok(&sent.message) } else { http::created(&sent.message) }
}
