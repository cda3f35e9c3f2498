//! What a client may receive over the socket, errors included.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;
use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::objects::{Chat, ChatSettings, ChatWithMembers, Member, Message, Reaction};
use crate::protocol::timestamp::Timestamp;

/// How many chats one `pong` names; more would not fit into a frame. The next `ping` returns the rest.
pub const MAX_STALE: usize = 1000;

/// The chats of which the client does not hold the current revision, including those it does not know, with each chat's
/// current revision; 0 for a chat it is no longer in. A revision below the client's means that the database was restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Pong {
    pub stale: BTreeMap<ChatId, i64>,
}

/// A member's read cursor. It has no revision: cursors only move forward, so a client keeps the furthest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageRead {
    pub chat_id: ChatId,
    pub user_id: UserId,
    /// They have read up to and including this message.
    #[schema(value_type = i64)]
    pub message_id: MessageId,
    /// When the server handled the request.
    pub read_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TypingIndicator {
    pub chat_id: ChatId,
    pub user_id: UserId,
    pub is_typing: bool,
}

/// `user_status`, and part of `chat_joined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserStatus {
    pub user_id: UserId,
    /// Whether any of their devices is connected.
    pub online: bool,
    /// When their last device disconnected; null while one is connected, or if none ever was.
    #[schema(required)]
    pub last_seen_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatCreated {
    pub chat_id: ChatId,
    pub revision: i64,
    pub by: UserId,
    pub chat: ChatWithMembers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatUpdated {
    pub chat_id: ChatId,
    /// The chat's revision after this change.
    pub revision: i64,
    pub by: UserId,
    /// The chat as it is now.
    pub chat: Chat,
    /// The service entry that tells of it in the history, with the same revision; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entry: Option<Message>,
}

/// `member_added` and `member_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberChanged {
    pub chat_id: ChatId,
    /// The chat's revision after this change.
    pub revision: i64,
    pub by: UserId,
    /// The member as they are now.
    pub member: Member,
    /// The service entry that tells of it in the history, with the same revision; left out if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub entry: Option<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberRemoved {
    pub chat_id: ChatId,
    /// The chat's revision after this change.
    pub revision: i64,
    /// The same as `user_id` if they left.
    pub by: UserId,
    pub user_id: UserId,
    /// The service entry that tells of it in the history; it has the same revision.
    pub entry: Message,
}

/// Somebody has changed what they react to a message with. The message's own revision is this one, too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageReacted {
    pub chat_id: ChatId,
    #[schema(value_type = i64)]
    pub message_id: MessageId,
    /// The chat's revision after this change.
    pub revision: i64,
    pub by: UserId,
    /// All that this person reacts with now.
    pub chosen: Vec<String>,
    /// Everybody's reactions, in the order in which they first occurred.
    pub reactions: Vec<Reaction>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatDissolved {
    pub chat_id: ChatId,
    pub revision: i64,
    pub by: UserId,
}

/// What a chat is to this person, changed on another of their devices. It has no revision: only they see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SettingsChanged {
    pub chat_id: ChatId,
    #[serde(flatten)]
    pub settings: ChatSettings,
}

/// The state of a chat that this device has opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatJoined {
    pub chat: ChatWithMembers,
    pub presence: Vec<UserStatus>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatLeft {
    pub chat_id: ChatId,
}

/// An error: the body over HTTP, or the data of an `error` frame on the socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Stable: clients branch on it.
    pub code: String,
    /// For people to read; it may change.
    pub message: String,
    /// Over HTTP, the gateway's id for the request. On the socket, the client's id if it gave one, else the gateway's.
    pub request_id: String,
    /// How many seconds to wait before trying again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub retry_after: Option<u64>,
    /// On the socket: the action that failed, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub action: Option<String>,
    /// On the socket: the key of the send that failed, if it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_message_id: Option<String>,
}

impl ErrorBody {
    pub fn new(error: &Error, request_id: impl Into<String>) -> Self {
        Self {
            code: error.code().to_owned(),
            message: error.to_string(),
            request_id: request_id.into(),
            retry_after: error.retry_after(),
            action: None,
            client_message_id: None,
        }
    }

    /// Like [`new`](Self::new), plus whatever can be read of the failed frame, however broken it is.
    pub fn for_frame(error: &Error, frame: &str, gateway_request_id: &str) -> Self {
        let frame: serde_json::Value = serde_json::from_str(frame).unwrap_or_default();
        let text = |value: &serde_json::Value| value.as_str().filter(|text| text.len() <= 128).map(str::to_owned);
        Self {
            action: text(&frame["action"]),
            client_message_id: text(&frame["data"]["client_message_id"]),
            ..Self::new(error, text(&frame["request_id"]).unwrap_or_else(|| gateway_request_id.to_owned()))
        }
    }
}

/// API Gateway's own error, in the body of an HTTP answer.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct GatewayError {
    pub message: String,
}

/// What the server sends: `{"type":"…","data":{…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ServerFrame {
    /// A message was stored. For its sender, this is the acknowledgement.
    NewMessage(Message),
    /// The message as it is now.
    MessageEdited(Message),
    /// The tombstone that remains of the message.
    MessageDeleted(Message),
    /// Somebody's reactions to a message have changed.
    MessageReacted(MessageReacted),
    /// A member has read further; also the answer to `markRead`.
    MessageRead(MessageRead),
    /// Somebody is typing in a chat that this device has opened, or no longer.
    TypingIndicator(TypingIndicator),
    /// A person's first device has connected, or their last one has disconnected.
    UserStatus(UserStatus),
    /// The receiver is in a new chat.
    ChatCreated(ChatCreated),
    /// What everybody sees of the chat has changed: its name, description, rules or pins.
    ChatUpdated(ChatUpdated),
    /// The owner has ended the group for everybody.
    ChatDissolved(ChatDissolved),
    /// This person's own settings of the chat have changed.
    ChatSettings(SettingsChanged),
    /// Somebody was added, perhaps the receiver.
    MemberAdded(MemberChanged),
    /// Somebody's role or name was changed.
    MemberUpdated(MemberChanged),
    /// Somebody was removed or has left, perhaps the receiver.
    MemberRemoved(MemberRemoved),
    /// The answer to `joinChat`.
    ChatJoined(ChatJoined),
    /// The answer to `leaveChat`.
    ChatLeft(ChatLeft),
    /// The answer to `ping`.
    Pong(Pong),
    /// A frame was refused, or this socket is about to be closed.
    Error(ErrorBody),
}

/// A frame that answers one of the client's and echoes its `request_id`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reply {
    #[serde(flatten)]
    pub frame: ServerFrame,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::client::unknown_action;

    #[test]
    fn an_error_names_what_can_be_read_of_a_broken_frame() {
        let frame = r#"{"action":"sendMessage","request_id":"r1","data":{"client_message_id":"k","text":7}}"#;
        let body = ErrorBody::for_frame(&unknown_action(), frame, "gw");
        assert_eq!(body.action.as_deref(), Some("sendMessage"));
        assert_eq!(body.client_message_id.as_deref(), Some("k"));
        assert_eq!(body.request_id, "r1");
        assert_eq!(ErrorBody::for_frame(&unknown_action(), "{", "gw").request_id, "gw");
    }

    #[test]
    fn a_reply_is_a_frame_with_the_request_id_beside_it() {
        let reply =
            Reply { frame: ServerFrame::Pong(Pong { stale: BTreeMap::new() }), request_id: Some("r".to_owned()) };
        let text = serde_json::to_string(&reply).expect("serialises");
        assert_eq!(text, r#"{"type":"pong","data":{"stale":{}},"request_id":"r"}"#);
    }
}
