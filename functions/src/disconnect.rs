//! `$disconnect`: forgets the connection. API Gateway calls this at most once and may not call it at all; entries it
//! leaves behind go with their first 410, or with time.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::connections::Connections;

use crate::socket::{self, Device, Event};

/// Answers `200`, which nobody reads.
///
/// # Errors
/// If the connection could not be forgotten; the entry dies with time.
pub async fn handle(connections: &Connections, event: Event) -> Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    connections.forget(device.user_id, &device.connection_id).await?;
    Ok(socket::done())
}
