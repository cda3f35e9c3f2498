//! The binary of [`windi_functions::history`].

use windi_functions::{door, history};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    door::http(|request| history::handle(&db, &tokens, request)).await
}
