//! The binary of [`windi_functions::search`].

use windi_functions::{door, search};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    door::http(|request| search::handle(&db, &tokens, request)).await
}
