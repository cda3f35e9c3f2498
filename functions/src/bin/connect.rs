//! The binary of [`windi_functions::connect`].

use windi_functions::{connect, door};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| connect::handle(&db, &push, event)).await
}
