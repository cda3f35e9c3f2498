//! What a client may send.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::fields::{ClientMessageId, MessageText};
use crate::ids::{ChatId, MessageId};
use crate::{Error, Result, json};

/// `sendMessage`, and the body of `POST /messages`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    /// Where to.
    pub chat_id: ChatId,
    /// What.
    pub text: MessageText,
    /// The idempotency key. Without one the server makes one, and the send is not repeatable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<ClientMessageId>,
}

/// `markRead`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    /// Where.
    pub chat_id: ChatId,
    /// Up to and including this message.
    pub message_id: MessageId,
}

/// `typing`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Typing {
    /// Where.
    pub chat_id: ChatId,
    /// Began or stopped.
    pub is_typing: bool,
}

/// `joinChat` and `leaveChat`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Focus {
    /// Which chat this device has opened or closed.
    pub chat_id: ChatId,
}

/// `ping`.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// Which revision of which chat the client holds.
    #[serde(default)]
    pub chats: BTreeMap<ChatId, i64>,
}

/// What a client may ask for over the socket.
#[derive(Debug, Clone)]
pub enum ClientAction {
    /// Store a message and tell everybody.
    SendMessage(SendMessage),
    /// I have read up to here.
    MarkRead(MarkRead),
    /// I am typing, or no longer.
    Typing(Typing),
    /// This device has the chat open.
    JoinChat(Focus),
    /// This device has closed the chat.
    LeaveChat(Focus),
    /// Which chats am I behind on?
    Ping(Ping),
}

/// A frame from a client: `{"action":"sendMessage","data":{…},"request_id":"…"}`.
#[derive(Debug, Clone)]
pub struct ClientFrame {
    /// What is asked.
    pub action: ClientAction,
    /// The client's own name for the request, echoed in the answer.
    pub request_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    action: String,
    #[serde(default)]
    data: Option<Box<RawValue>>,
    #[serde(default)]
    request_id: Option<String>,
}

impl ClientFrame {
    /// Reads a frame.
    ///
    /// # Errors
    /// [`Error::MalformedJson`], [`Error::InvalidField`], [`Error::UnknownAction`] or [`Error::PayloadTooLarge`].
    pub fn parse(body: &str) -> Result<Self> {
        let envelope: Envelope = json::parse(body.as_bytes())?;
        if envelope.request_id.as_ref().is_some_and(|id| id.len() > 128) {
            return Err(Error::field("request_id", "must have at most 128 bytes"));
        }
        let data = envelope.data.as_ref().map_or("{}", |data| data.get()).as_bytes();
        let action = match envelope.action.as_str() {
            "sendMessage" => ClientAction::SendMessage(json::parse_at("data", data)?),
            "markRead" => ClientAction::MarkRead(json::parse_at("data", data)?),
            "typing" => ClientAction::Typing(json::parse_at("data", data)?),
            "joinChat" => ClientAction::JoinChat(json::parse_at("data", data)?),
            "leaveChat" => ClientAction::LeaveChat(json::parse_at("data", data)?),
            "ping" => ClientAction::Ping(json::parse_at("data", data)?),
            _ => return Err(Error::UnknownAction),
        };
        Ok(Self { action, request_id: envelope.request_id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: &str = "0199a1b2-0000-7000-8000-000000000001";

    fn refusal(frame: &str) -> (&'static str, String) {
        let error = ClientFrame::parse(frame).expect_err("should be refused");
        (error.code(), error.to_string())
    }

    #[test]
    fn a_send_is_read_with_its_request_id() {
        let frame =
            format!(r#"{{"action":"sendMessage","request_id":"r1","data":{{"chat_id":"{CHAT}","text":"hi"}}}}"#);
        let frame = ClientFrame::parse(&frame).expect("valid");
        assert_eq!(frame.request_id.as_deref(), Some("r1"));
        assert!(matches!(frame.action, ClientAction::SendMessage(send) if send.text.as_str() == "hi"));
    }

    #[test]
    fn a_ping_needs_no_data() {
        for frame in [r#"{"action":"ping"}"#, r#"{"action":"ping","data":null}"#, r#"{"action":"ping","data":{}}"#] {
            assert!(matches!(ClientFrame::parse(frame).expect(frame).action, ClientAction::Ping(_)));
        }
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        assert_eq!(refusal("hello").0, "malformed_json");
        assert_eq!(refusal(r#"["sendMessage"]"#).0, "invalid_field");
        assert_eq!(refusal(r#"{"action":"fly"}"#).0, "unknown_action");
        assert!(refusal(r#"{"action":"ping","extra":1}"#).1.contains("unknown field `extra`"));
        assert!(refusal(r#"{"action":"ping","data":[]}"#).1.starts_with("data: "));
        let (code, text) = refusal(&format!(r#"{{"action":"sendMessage","data":{{"chat_id":"{CHAT}","text":""}}}}"#));
        assert_eq!((code, text.as_str()), ("invalid_field", "data.text: must not be blank"));
    }
}
