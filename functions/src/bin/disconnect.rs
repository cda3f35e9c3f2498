//! The door of [`windi_functions::disconnect`].

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use windi_functions::{disconnect, door};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let push = door::push().await?;
    run(service_fn(async |event: LambdaEvent<_>| disconnect::handle(&db, &push, event.payload).await)).await
}
