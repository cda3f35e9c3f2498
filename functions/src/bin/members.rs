//! The binary of [`windi_functions::members`].

use windi_functions::{door, members};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    door::http(|request| members::handle(&db, &tokens, &push, request)).await
}
