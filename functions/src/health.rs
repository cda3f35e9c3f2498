//! `GET /health`: whether the parts behind the functions respond.

use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use windi_shared::Result;
use windi_shared::connections::Connections;
use windi_shared::db::{self, Database};
use windi_shared::protocol::Health;

use crate::door;
use crate::http_api::{self, Answer};

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let connections = door.connections().await?;
        door.http(|request| handle(&db, &connections, request)).await
    })
}

/// Answers `200` if all parts respond, else `503`, showing which do not.
pub async fn handle(db: &Database, connections: &Connections, request: Request) -> Response<Body> {
    http_api::respond(&request, health(db, connections)).await
}

async fn health(db: &Database, connections: &Connections) -> Result<Answer> {
    let (database, table) = tokio::join!(db::ping(db), connections.ping());
    for error in [&database, &table].into_iter().filter_map(|outcome| outcome.as_ref().err()) {
        error.log();
    }
    let word = |well: bool| if well { "ok" } else { "unavailable" }.to_owned();
    let well = database.is_ok() && table.is_ok();
    let body = Health {
        status: word(well),
        database: word(database.is_ok()),
        connections: word(table.is_ok()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    http_api::answer_with(if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}
