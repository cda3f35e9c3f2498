//! The door of [`windi_functions::authorize`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use windi_functions::{authorize, door};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let tokens = door::tokens()?;
    run(service_fn(async |event: LambdaEvent<_>| authorize::handle(&db, &tokens, event.payload).await)).await
}
