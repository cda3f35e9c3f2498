//! The binary of [`windi_functions::mark_read`].

use windi_functions::{door, mark_read};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| mark_read::handle(&db, &push, event)).await
}
