//! `markRead`: I have read up to here.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::Result;
use windi_shared::db::PgPool;
use windi_shared::protocol::{ClientAction, ClientFrame, Reply, ServerFrame};

use crate::push::Push;
use crate::reading;
use crate::socket::{self, Device, Event};

/// Answers `200`; the reader hears the same `message_read` as everybody who is told.
///
/// # Errors
/// Only if the API is deployed without its authorizer.
pub async fn handle(db: &PgPool, push: &Push, event: Event) -> std::result::Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    let outcome = mark_read(db, push, &device, socket::body(&event)).await;
    socket::answer_refusal(push, &device, &event, outcome).await;
    Ok(socket::done())
}

async fn mark_read(db: &PgPool, push: &Push, device: &Device, frame: &str) -> Result<()> {
    let ClientFrame { action: ClientAction::MarkRead(wish), request_id } = ClientFrame::parse(frame)? else {
        return Err(windi_shared::Error::UnknownAction);
    };
    let read = reading::mark_read(db, push, device.user_id, &wish, Some(&device.connection_id)).await?;
    push.reply(&device.connection_id, &Reply { frame: ServerFrame::MessageRead(read), request_id }).await;
    Ok(())
}
