//! Messages, chats, people: the same in HTTP answers and in frames.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::ids::{ChatId, MessageId, UserId};

/// A moment, written as `2026-11-20T08:00:00.123Z`: always UTC, always milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct Timestamp(pub DateTime<Utc>);

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
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
    /// Everybody in it, in the order they joined. Left out of the frames of a group with more than
    /// [`MAX_MEMBERS_IN_FRAME`]; over HTTP it is always there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub members: Option<Vec<Member>>,
}

/// With more members a frame might not fit into the 128 KB that API Gateway takes.
pub const MAX_MEMBERS_IN_FRAME: usize = 100;

impl Chat {
    /// As it fits into a frame.
    pub fn for_frame(mut self) -> Self {
        self.members = self.members.filter(|members| members.len() <= MAX_MEMBERS_IN_FRAME);
        self
    }
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
