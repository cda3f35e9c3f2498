//! `POST /auth/register`: opens an account.

use lambda_http::{Body, Request, Response};
use serde::Deserialize;
use windi_shared::Result;
use windi_shared::auth::password;
use windi_shared::db::PgPool;
use windi_shared::db::users::{self, NewUser};
use windi_shared::fields::{Email, Name, Password, Username};

use crate::http::{self, Answer};

/// Answers `201` with the new account.
pub async fn handle(db: &PgPool, request: Request) -> Response<Body> {
    http::respond(&request, register(db, &request).await)
}

/// Somebody who wants an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    name: Name,
    email: Email,
    password: Password,
    username: Option<Username>,
}

async fn register(db: &PgPool, request: &Request) -> Result<Answer> {
    let new: Registration = http::read_json(request)?;
    let password_hash = password::hash(new.password).await?;
    let new =
        NewUser { name: &new.name, username: new.username.as_ref(), email: &new.email, password_hash: &password_hash };
    http::created(&users::insert(db, &new).await?)
}
