//! The binary of [`windi_functions::login`].

use windi_functions::{door, login};

#[tokio::main]
async fn main() -> door::Outcome {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    door::http(|request| login::handle(&db, &tokens, request)).await
}
