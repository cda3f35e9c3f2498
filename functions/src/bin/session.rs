//! The binary of [`windi_functions::session`].

use windi_functions::{door, session};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    door::http(|request| session::handle(&db, &tokens, &push, request)).await
}
