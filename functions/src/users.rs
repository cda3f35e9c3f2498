//! `GET /auth/me` and `GET /users?search=`: who am I, and who is there to talk to.

use lambda_http::{Body, Request, Response};
use serde::Serialize;
use windi_shared::auth::Tokens;
use windi_shared::db::{PgPool, users};
use windi_shared::protocol::Person;
use windi_shared::{Error, Result};

use crate::http::{self, Answer};

/// How many people a search shows.
const FOUND: i64 = 20;

/// Answers with one's account, or with people found; never with anybody else's e-mail address.
pub async fn handle(db: &PgPool, tokens: &Tokens, request: Request) -> Response<Body> {
    let outcome = match http::route(&request).as_str() {
        "GET /auth/me" => me(db, tokens, &request).await,
        "GET /users" => search(db, tokens, &request).await,
        route => http::unknown_route(route),
    };
    http::respond(&request, outcome)
}

async fn me(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http::caller(db, tokens, request).await?;
    http::ok(&users::account(db, caller.user_id).await?)
}

#[derive(Serialize)]
struct Found {
    users: Vec<Person>,
}

async fn search(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Answer> {
    http::caller(db, tokens, request).await?;
    let words: String = http::query(request, "search")?.ok_or_else(|| Error::field("search", "is required"))?;
    if words.is_empty() || words.len() > 200 || words.contains('\0') {
        return Err(Error::field("search", "must have 1 to 200 bytes and no U+0000"));
    }
    http::ok(&Found { users: users::search(db, &words, FOUND).await? })
}
