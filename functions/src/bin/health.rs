//! The door of [`windi_functions::health`].

use lambda_http::{Error, Request, run, service_fn};
use windi_functions::{door, health};

#[tokio::main]
async fn main() -> Result<(), Error> {
    door::start_logging();
    let db = door::database()?;
    let connections = door::connections().await?;
    run(service_fn(async |request: Request| Ok::<_, Error>(health::handle(&db, &connections, request).await))).await
}
