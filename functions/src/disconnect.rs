//! `$disconnect`: forgets the connection, and tells the people who know its user if it was their last. API Gateway calls
//! this at most once and may not call it at all; entries it leaves behind go with their first 410, or with time.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::connections::Address;
use windi_shared::db::PgPool;

use crate::presence;
use crate::push::Push;
use crate::socket::{self, Device, Event};

/// Answers `200`, which nobody reads.
///
/// # Errors
/// If the connection could not be forgotten; the entry dies with time.
pub async fn handle(db: &PgPool, push: &Push, event: Event) -> Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    let forgotten = push.connections().forget(Address::User(device.user_id), &[&device.connection_id]).await?;
    if forgotten.was_last {
        presence::went(db, push, device.user_id).await?;
    }
    Ok(socket::done())
}
