//! What a client may be told, errors included.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::{Chat, Member, Message, Timestamp};

/// `pong`: the chats the client is behind on, with the revision each has reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pong {
    /// Chats the client does not know are included.
    pub stale: BTreeMap<ChatId, i64>,
}

/// `message_read`: somebody has read on. Has no revision: cursors only move forward, so a client keeps the furthest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageRead {
    /// Where.
    pub chat_id: ChatId,
    /// Who has read.
    pub user_id: UserId,
    /// Up to and including this message.
    pub message_id: MessageId,
    /// When.
    pub read_at: Timestamp,
}

/// `typing_indicator`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypingIndicator {
    /// Where.
    pub chat_id: ChatId,
    /// Who.
    pub user_id: UserId,
    /// Began or stopped.
    pub is_typing: bool,
}

/// Whether somebody is there: `user_status`, and part of `chat_joined`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserStatus {
    /// Who.
    pub user_id: UserId,
    /// Whether any device of theirs is connected.
    pub online: bool,
    /// When the last one went; null if none ever did.
    pub last_seen_at: Option<Timestamp>,
}

/// `member_added` and `member_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberChanged {
    /// Where.
    pub chat_id: ChatId,
    /// The chat's revision with this change.
    pub revision: i64,
    /// Who did it.
    pub by: UserId,
    /// The member as they are now.
    pub member: Member,
}

/// `member_removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberRemoved {
    /// Where.
    pub chat_id: ChatId,
    /// The chat's revision with this change.
    pub revision: i64,
    /// Who did it; the same as `user_id` if they left.
    pub by: UserId,
    /// Who is no longer in the chat.
    pub user_id: UserId,
}

/// `chat_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatUpdated {
    /// Which.
    pub chat_id: ChatId,
    /// The chat's revision with this change.
    pub revision: i64,
    /// Who did it.
    pub by: UserId,
    /// What the group is called now.
    pub name: String,
}

/// `chat_joined`: the state of a chat one has opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatJoined {
    /// The chat with its members and their cursors.
    pub chat: Chat,
    /// Who of them is there.
    pub presence: Vec<UserStatus>,
}

/// `chat_left`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatLeft {
    /// Which.
    pub chat_id: ChatId,
}

/// An error, on HTTP the body and on the socket the data of an `error` frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorBody {
    /// Stable; branch on this.
    pub code: String,
    /// For people; may change.
    pub message: String,
    /// On HTTP the gateway's name for the request; on the socket the client's if it gave one, else the gateway's.
    pub request_id: String,
    /// Seconds after which to try again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// Socket only: the action that failed, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Socket only: the send that failed, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<String>,
}

impl ErrorBody {
    /// What the client reads of `error`.
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

    /// As [`new`](Self::new), naming what can be made out of the frame that failed, however broken it is.
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

/// What the server sends: `{"type":"…","data":{…}}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data", rename_all = "snake_case")]
pub enum ServerFrame {
    /// A message was stored. To its sender this is the acknowledgement.
    NewMessage(Message),
    /// A message was edited; it is as it is now.
    MessageEdited(Message),
    /// A message was deleted; what is left is its tombstone.
    MessageDeleted(Message),
    /// Somebody has read on.
    MessageRead(MessageRead),
    /// Somebody is typing, or no longer.
    TypingIndicator(TypingIndicator),
    /// Somebody has come or gone.
    UserStatus(UserStatus),
    /// A chat one is in was made.
    ChatCreated(Chat),
    /// A group was renamed.
    ChatUpdated(ChatUpdated),
    /// Somebody was added; perhaps oneself.
    MemberAdded(MemberChanged),
    /// Somebody's role has changed.
    MemberUpdated(MemberChanged),
    /// Somebody was removed or has left; perhaps oneself.
    MemberRemoved(MemberRemoved),
    /// The answer to `joinChat`.
    ChatJoined(ChatJoined),
    /// The answer to `leaveChat`.
    ChatLeft(ChatLeft),
    /// The answer to `ping`.
    Pong(Pong),
    /// The answer to a frame that was refused.
    Error(ErrorBody),
}

/// A frame that answers one of the client's: the same, with the client's `request_id` echoed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The answer.
    #[serde(flatten)]
    pub frame: ServerFrame,
    /// What the client called its request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_what_can_be_read_of_a_broken_frame() {
        let frame = r#"{"action":"sendMessage","request_id":"r1","data":{"client_message_id":"k","text":7}}"#;
        let body = ErrorBody::for_frame(&Error::UnknownAction, frame, "gw");
        assert_eq!(body.action.as_deref(), Some("sendMessage"));
        assert_eq!(body.client_message_id.as_deref(), Some("k"));
        assert_eq!(body.request_id, "r1");
        assert_eq!(ErrorBody::for_frame(&Error::UnknownAction, "{", "gw").request_id, "gw");
    }

    #[test]
    fn a_reply_is_a_frame_with_the_request_id_beside_it() {
        let reply =
            Reply { frame: ServerFrame::Pong(Pong { stale: BTreeMap::new() }), request_id: Some("r".to_owned()) };
        let text = serde_json::to_string(&reply).expect("serialises");
        assert_eq!(text, r#"{"type":"pong","data":{"stale":{}},"request_id":"r"}"#);
    }
}
