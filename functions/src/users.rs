//! `GET /auth/me` and `GET /users?search=` or `?ids=`: the caller's own account, and other people.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::{Database, users};
use windi_shared::fields::Words;
use windi_shared::ids::UserId;
use windi_shared::protocol::FoundPeople;
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};

const MAX_FOUND: i64 = 20;
/// How many people can be asked for by their ids at once.
pub const MAX_IDS: usize = 100;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        door.http(|request| handle(&db, &tokens, request)).await
    })
}

/// Never returns anybody else's e-mail address.
pub async fn handle(db: &Database, tokens: &Tokens, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "GET /auth/me" => me(db, tokens, &request).await,
            "GET /users" => find(db, tokens, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn me(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    http_api::ok(&users::account(db, caller.user_id).await?)
}

/// Finds people by the beginnings of their names or by their ids: those who have left a chat are still named in its
/// history.
async fn find(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    http_api::caller(db, tokens, request).await?;
    let words: Option<String> = http_api::query(request, "search")?;
    let ids: Option<String> = http_api::query(request, "ids")?;
    let users = match (words, ids) {
        (Some(words), None) => {
            let words = Words::new(words).map_err(|reason| Error::field("search", reason))?;
            users::search(db, words.as_str(), MAX_FOUND).await?
        }
        (None, Some(ids)) => {
            let ids: std::result::Result<Vec<UserId>, _> = ids.split(',').map(str::parse).collect();
            let ids = ids.map_err(|_| Error::field("ids", "must be UUIDs separated by commas"))?;
            if ids.len() > MAX_IDS {
                return Err(Error::field("ids", format!("must have at most {MAX_IDS} ids, has {}", ids.len())));
            }
            users::by_ids(db, &ids).await?
        }
        _ => return Err(Error::field("search", "give either search or ids")),
    };
    http_api::ok(&FoundPeople { users })
}
