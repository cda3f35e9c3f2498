//! The binary of [`windi_functions::focus`].

use windi_functions::{door, focus};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| focus::handle(&db, &push, event)).await
}
