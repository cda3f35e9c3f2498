//! The binary of [`windi_functions::health`].

use windi_functions::{door, health};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let connections = door::connections().await?;
    door::http(|request| health::handle(&db, &connections, request)).await
}
