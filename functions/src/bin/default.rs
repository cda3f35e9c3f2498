//! The binary of [`windi_functions::default`].

use windi_functions::{default, door};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| default::handle(&db, &push, event)).await
}
