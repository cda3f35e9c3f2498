//! The door of [`windi_functions::session`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, session};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    let push = door::push().await?;
    run(service_fn(async |request: Request| Ok::<_, Error>(session::handle(&db, &tokens, &push, request).await))).await
}
