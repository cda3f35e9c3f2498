//! The binary of [`windi_functions::authorize`].

use windi_functions::{authorize, door};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    door::events(|event| authorize::handle(&db, &tokens, event)).await
}
