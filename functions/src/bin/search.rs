//! The door of [`windi_functions::search`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, search};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    run(service_fn(async |request: Request| Ok::<_, Error>(search::handle(&db, &tokens, request).await))).await
}
