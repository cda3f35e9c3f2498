//! The binary of [`windi_functions::register`].

use windi_functions::{door, register};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    door::http(|request| register::handle(&db, request)).await
}
