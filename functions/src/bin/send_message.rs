//! The binary of [`windi_functions::send_message`].

use windi_functions::{door, send_message};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    door::events(|event| send_message::handle(&db, &push, event)).await
}
