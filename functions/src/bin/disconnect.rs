//! The binary of [`windi_functions::disconnect`].

use windi_functions::{disconnect, door};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| disconnect::handle(&db, &push, event)).await
}
