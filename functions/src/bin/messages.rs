//! The binary of [`windi_functions::messages`].

use windi_functions::{door, messages};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    door::http(|request| messages::handle(&db, &tokens, &push, request)).await
}
