//! The whole wire: [`ClientFrame`] in, [`ServerFrame`] out, and the objects both share with the HTTP answers.
//!
//! `docs/protocol.md` is the same for readers; a test parses every example in it with these types.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::fields::{ClientMessageId, MessageText};
use crate::ids::{ChatId, MessageId, UserId};
use crate::{Error, Result, json};

/// A moment, written as `2026-11-20T08:00:00.123Z`: always UTC, always milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct Timestamp(pub DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        DateTime::<Utc>::deserialize(deserializer).map(Self)
    }
}

/// A message, the same object in history, changes and pushes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The chat it stands in.
    pub chat_id: ChatId,
    /// Its number there: 1, 2, 3…
    pub id: MessageId,
    /// Who wrote it.
    pub sender_id: UserId,
    /// What it says; null once deleted.
    pub text: Option<String>,
    /// When it was stored.
    pub timestamp: Timestamp,
    /// When it was last edited.
    pub edited_at: Option<Timestamp>,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
    /// Whether somebody other than the sender has read it.
    pub is_read: bool,
    /// The sender's idempotency key.
    pub client_message_id: String,
    /// The chat's revision at this message's last change.
    pub revision: i64,
}

/// What a chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChatKind {
    /// Two people, for ever.
    Private,
    /// Any number of people, with a name.
    Group,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also manages members and the name.
    Admin,
    /// Also manages admins.
    Owner,
}

/// A person, as everybody may see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// Their handle, if they chose one.
    pub username: Option<String>,
}

/// A person, as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Who.
    pub id: UserId,
    /// What they are called.
    pub name: String,
    /// Their handle, if they chose one.
    pub username: Option<String>,
    /// Their address; shown to nobody else.
    pub email: String,
    /// When they registered.
    pub created_at: Timestamp,
}

/// Somebody in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// What they are called.
    pub name: String,
    /// Their handle, if they chose one.
    pub username: Option<String>,
    /// What they may do here.
    pub role: Role,
    /// Since when they are in.
    pub joined_at: Timestamp,
    /// Up to which message they have read.
    pub last_read_id: MessageId,
}

/// A chat in one's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChatSummary {
    /// Which.
    pub id: ChatId,
    /// Private or group.
    pub kind: ChatKind,
    /// A group's name; for a private chat null, it is called after `peer`.
    pub name: Option<String>,
    /// The other person of a private chat.
    pub peer: Option<Person>,
    /// One's own role.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
    /// How far the chat has changed.
    pub revision: i64,
    /// The newest message's number; 0 if there is none.
    pub last_message_id: MessageId,
    /// Up to which message one has read.
    pub last_read_id: MessageId,
    /// How many messages one has not read.
    pub unread_count: i64,
    /// The newest message.
    pub last_message: Option<Message>,
}

/// A chat with its members, the same for every member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chat {
    /// Which.
    pub chat_id: ChatId,
    /// Private or group.
    pub kind: ChatKind,
    /// A group's name.
    pub name: Option<String>,
    /// Who made it.
    pub created_by: UserId,
    /// When.
    pub created_at: Timestamp,
    /// How far it has changed.
    pub revision: i64,
    /// The newest message's number; 0 if there is none.
    pub last_message_id: MessageId,
    /// Everybody in it, in the order they joined.
    pub members: Vec<Member>,
}

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

/// The answer to `GET /chats/{chat_id}/changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// The chat as it is now, with its members and their cursors.
    pub chat: Chat,
    /// The messages changed since, each as it is now, in the order of their revisions.
    pub messages: Vec<Message>,
    /// The revision one holds after applying this.
    pub revision: i64,
    /// Whether to ask again, from that revision.
    pub has_more: bool,
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
