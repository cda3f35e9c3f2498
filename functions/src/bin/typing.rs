//! The binary of [`windi_functions::typing`].

use windi_functions::{door, typing};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| typing::handle(&db, &push, event)).await
}
