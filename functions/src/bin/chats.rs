//! The binary of [`windi_functions::chats`].

use windi_functions::{chats, door};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    door::http(|request| chats::handle(&db, &tokens, &push, request)).await
}
