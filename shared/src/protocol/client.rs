//! What a client may send over the socket.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::fields::{ClientMessageId, MessageText};
use crate::file_fields::MAX_FILES;
use crate::ids::{ChatId, FileId, MessageId};
use crate::{Error, Result, json};

/// Every action, as listed to a client in an error.
const ACTIONS: &str = "sendMessage, markRead, typing, joinChat, leaveChat, ping";

/// `sendMessage`, and the body of `POST /messages`.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SendMessage {
    pub chat_id: ChatId,
    /// May be left out if there are files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<MessageText>,
    /// Files of the caller that are in the store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 10)]
    pub file_ids: Option<Vec<FileId>>,
    /// The message of this chat that this one replies to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>)]
    pub reply_to_id: Option<MessageId>,
    /// The idempotency key. Without one, the server creates one and the send cannot be repeated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<ClientMessageId>,
}

impl SendMessage {
    /// # Errors
    /// [`Error::InvalidField`] if there is neither a text nor a file, or if the files are too many or not all different.
    pub fn check(&self) -> Result<()> {
        let Some(file_ids) = &self.file_ids else {
            return if self.text.is_some() { Ok(()) } else { Err(Error::field("text", "is required without files")) };
        };
        if !(1..=MAX_FILES).contains(&file_ids.len()) {
            return Err(Error::field("file_ids", format!("must be from 1 to {MAX_FILES}, are {}", file_ids.len())));
        }
        if file_ids.iter().collect::<BTreeSet<_>>().len() < file_ids.len() {
            return Err(Error::field("file_ids", "must all be different"));
        }
        Ok(())
    }
}

#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MarkRead {
    pub chat_id: ChatId,
    /// Everything up to and including this message has been read.
    #[schema(value_type = i64)]
    pub message_id: MessageId,
}

#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Typing {
    pub chat_id: ChatId,
    /// False when the person stops typing.
    pub is_typing: bool,
}

/// `joinChat` and `leaveChat`: this device has opened or closed the chat.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Focus {
    pub chat_id: ChatId,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ping {
    /// The revision that the client holds of each chat.
    #[serde(default)]
    pub chats: BTreeMap<ChatId, i64>,
}

/// Everything a client may request over the socket: `{"action":"…","data":{…}}`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "action", content = "data", rename_all = "camelCase")]
pub enum ClientAction {
    /// Sends a message to a chat.
    SendMessage(SendMessage),
    /// Moves the person's read cursor.
    MarkRead(MarkRead),
    /// Shows the others that the person is typing, or no longer.
    Typing(Typing),
    /// This device has opened the chat, and is sent who types in it.
    JoinChat(Focus),
    /// This device has closed the chat.
    LeaveChat(Focus),
    /// Asks of which chats this client does not hold the current revision.
    Ping(Ping),
}

impl ClientAction {
    /// The action's name on the wire, which is also its route key.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SendMessage(_) => "sendMessage",
            Self::MarkRead(_) => "markRead",
            Self::Typing(_) => "typing",
            Self::JoinChat(_) => "joinChat",
            Self::LeaveChat(_) => "leaveChat",
            Self::Ping(_) => "ping",
        }
    }
}

/// The error for an action that does not exist or that this function does not serve.
pub fn unknown_action() -> Error {
    Error::UnknownAction { known: ACTIONS }
}

/// A function that serves a single action takes only that action's data and treats any other action as unknown.
macro_rules! data_of {
    ($($action:ident),*) => {
        $(impl TryFrom<ClientAction> for $action {
            type Error = Error;

            fn try_from(action: ClientAction) -> Result<Self> {
                match action {
                    ClientAction::$action(data) => Ok(data),
                    _ => Err(unknown_action()),
                }
            }
        })*
    };
}

data_of!(SendMessage, MarkRead, Typing, Ping);

/// A frame from a client: `{"action":"sendMessage","data":{…},"request_id":"…"}`.
#[derive(Debug, Clone, Serialize)]
pub struct ClientFrame {
    #[serde(flatten)]
    pub action: ClientAction,
    /// The client's own id for the request, up to 128 bytes, echoed in the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
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
            _ => return Err(unknown_action()),
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
        assert!(
            matches!(frame.action, ClientAction::SendMessage(send) if send.text.as_ref().map(MessageText::as_str) == Some("hi"))
        );
    }

    #[test]
    fn a_ping_needs_no_data() {
        for frame in [r#"{"action":"ping"}"#, r#"{"action":"ping","data":null}"#, r#"{"action":"ping","data":{}}"#] {
            assert!(matches!(ClientFrame::parse(frame).expect(frame).action, ClientAction::Ping(_)));
        }
    }

    #[test]
    fn every_action_is_listed_and_named_as_it_is_written() {
        for name in ACTIONS.split(", ") {
            let data = format!(r#"{{"chat_id":"{CHAT}","text":"x","message_id":1,"is_typing":true}}"#);
            let data: serde_json::Value = serde_json::from_str(&data).expect("JSON");
            let fields: &[&str] = match name {
                "sendMessage" => &["chat_id", "text"],
                "markRead" => &["chat_id", "message_id"],
                "typing" => &["chat_id", "is_typing"],
                "ping" => &[],
                _ => &["chat_id"],
            };
            let data: BTreeMap<_, _> = fields.iter().map(|field| (*field, &data[*field])).collect();
            let frame = serde_json::json!({"action": name, "data": data}).to_string();
            assert_eq!(ClientFrame::parse(&frame).expect(name).action.name(), name);
        }
    }

    #[test]
    fn refusals_name_what_is_wrong() {
        assert_eq!(refusal("hello").0, "malformed_json");
        assert_eq!(refusal(r#"["sendMessage"]"#).0, "invalid_field");
        let (code, text) = refusal(r#"{"action":"fly"}"#);
        assert_eq!((code, text.as_str()), ("unknown_action", &*unknown_action().to_string()));
        assert!(refusal(r#"{"action":"ping","extra":1}"#).1.starts_with("extra: is not a field here"));
        assert!(refusal(r#"{"action":"ping","data":[]}"#).1.starts_with("data: "));
        let (code, text) = refusal(&format!(r#"{{"action":"sendMessage","data":{{"chat_id":"{CHAT}","text":""}}}}"#));
        assert_eq!((code, text.as_str()), ("invalid_field", "data.text: must not be blank"));
    }
}
