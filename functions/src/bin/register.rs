//! The door of [`windi_functions::register`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, register};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    run(service_fn(async |request: Request| Ok::<_, Error>(register::handle(&db, request).await))).await
}
