//! The door of [`windi_functions::messages`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, messages};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    run(service_fn(async |request: Request| Ok::<_, Error>(messages::handle(&db, &tokens, &push, request).await))).await
}
