//! `POST /auth/register`: creates an account.

use lambda_http::{Body, Request, Response};
use windi_shared::Result;
use windi_shared::auth::password;
use windi_shared::db::Database;
use windi_shared::db::users::{self, NewUser};
use windi_shared::protocol::Registration;

use crate::door;
use crate::http_api::{self, Answer};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        door.http(|request| handle(&db, request)).await
    })
}

pub async fn handle(db: &Database, request: Request) -> Response<Body> {
    http_api::respond(&request, register(db, &request)).await
}

async fn register(db: &Database, request: &Request) -> Result<Answer> {
    let Registration { name, email, password, username } = http_api::read_json(request)?;
    let password_hash = password::hash(password).await?;
    let new = NewUser { name: &name, username: username.as_ref(), email: &email, password_hash: &password_hash };
    let account = users::insert(db, &new).await?;
    tracing::info!(user_id = %account.id, "Registered.");
    http_api::created(&account)
}
