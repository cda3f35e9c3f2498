//! `sendMessage`: store, then fan out. The acknowledgement is the `new_message` frame itself.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::Result;
use windi_shared::db::PgPool;
use windi_shared::protocol::{ClientAction, ClientFrame};

use crate::push::Push;
use crate::sending::{self, AckTo};
use crate::socket::{self, Device, Event};

/// Answers `200`; the sender hears through its connection.
///
/// # Errors
/// Only if the API is deployed without its authorizer.
pub async fn handle(db: &PgPool, push: &Push, event: Event) -> std::result::Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    let outcome = send(db, push, &device, socket::body(&event)).await;
    socket::answer_refusal(push, &device, &event, outcome).await;
    Ok(socket::done())
}

async fn send(db: &PgPool, push: &Push, device: &Device, frame: &str) -> Result<()> {
    let ClientFrame { action: ClientAction::SendMessage(message), request_id } = ClientFrame::parse(frame)? else {
        return Err(windi_shared::Error::UnknownAction);
    };
    let ack = AckTo { connection_id: &device.connection_id, request_id };
    sending::send(db, push, device.user_id, message, Some(ack)).await?;
    Ok(())
}
