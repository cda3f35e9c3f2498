//! The door of [`windi_functions::login`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, login};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    run(service_fn(async |request: Request| Ok::<_, Error>(login::handle(&db, &tokens, request).await))).await
}
