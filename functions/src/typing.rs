//! `typing`: to the devices that have the chat open, at most once in three seconds, and never stored.

use aws_lambda_events::apigw::ApiGatewayProxyResponse;
use lambda_runtime::Error;
use windi_shared::Result;
use windi_shared::db::{PgPool, members};
use windi_shared::protocol::{ClientAction, ClientFrame, ServerFrame, TypingIndicator};

use crate::push::Push;
use crate::socket::{self, Device, Event};

/// Answers `200`; only a refusal is told to the sender.
///
/// # Errors
/// Only if the API is deployed without its authorizer.
pub async fn handle(db: &PgPool, push: &Push, event: Event) -> std::result::Result<ApiGatewayProxyResponse, Error> {
    let device = Device::of(&event)?;
    let outcome = typing(db, push, &device, socket::body(&event)).await;
    socket::answer_refusal(push, &device, &event, outcome).await;
    Ok(socket::done())
}

async fn typing(db: &PgPool, push: &Push, device: &Device, frame: &str) -> Result<()> {
    let ClientFrame { action: ClientAction::Typing(typing), .. } = ClientFrame::parse(frame)? else {
        return Err(windi_shared::Error::UnknownAction);
    };
    let (chat_id, user_id, is_typing) = (typing.chat_id, device.user_id, typing.is_typing);
    let members = members::ids(db, chat_id).await?;
    if !members.contains(&user_id) {
        return Err(windi_shared::Error::ChatNotFound);
    }
    if push.connections().is_typing_news(chat_id, user_id, is_typing).await? {
        let frame = ServerFrame::TypingIndicator(TypingIndicator { chat_id, user_id, is_typing });
        push.to_open(chat_id, &frame, |listener| listener != user_id && members.contains(&listener)).await;
    }
    Ok(())
}
