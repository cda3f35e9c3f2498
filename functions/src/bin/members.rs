//! The door of [`windi_functions::members`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, members};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    run(service_fn(async |request: Request| Ok::<_, Error>(members::handle(&db, &tokens, &push, request).await))).await
}
