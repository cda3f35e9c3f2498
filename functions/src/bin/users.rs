//! The binary of [`windi_functions::users`].

use windi_functions::{door, users};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    door::http(|request| users::handle(&db, &tokens, request)).await
}
