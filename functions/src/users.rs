//! `GET /auth/me` and `GET /users?search=`: the caller's own account, and people to talk to.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::{PgPool, users};
use windi_shared::protocol::FoundPeople;
use windi_shared::{Error, Result};

use crate::http_api::{self, Answer};

const MAX_FOUND: i64 = 20;

/// Never answers with anybody else's e-mail address.
pub async fn handle(db: &PgPool, tokens: &Tokens, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "GET /auth/me" => me(db, tokens, &request).await,
            "GET /users" => search(db, tokens, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn me(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    http_api::ok(&users::account(db, caller.user_id).await?)
}

async fn search(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    http_api::caller(db, tokens, request).await?;
    let words: String = http_api::query(request, "search")?.ok_or_else(|| Error::field("search", "is required"))?;
    if words.is_empty() || words.len() > 200 || words.contains('\0') {
        return Err(Error::field("search", "must have 1 to 200 bytes and no U+0000"));
    }
    http_api::ok(&FoundPeople { users: users::search(db, &words, MAX_FOUND).await? })
}
