//! Messages, chats and people, the same in HTTP answers and in frames.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::ids::{ChatId, MessageId, UserId};

/// A moment, written as `2026-11-20T08:00:00.123Z`: always in UTC, always with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, sqlx::Type, ToSchema)]
#[sqlx(transparent)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T08:00:00.123Z")]
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

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub chat_id: ChatId,
    /// The message's number in the chat: 1, 2, 3…
    #[schema(value_type = i64)]
    pub id: MessageId,
    pub sender_id: UserId,
    /// Null once the message is deleted.
    #[schema(required)]
    pub text: Option<String>,
    /// When the message was stored.
    pub timestamp: Timestamp,
    #[schema(required)]
    pub edited_at: Option<Timestamp>,
    #[schema(required)]
    pub deleted_at: Option<Timestamp>,
    /// Whether anybody other than the sender has read it.
    pub is_read: bool,
    /// The sender's idempotency key.
    pub client_message_id: String,
    /// The chat's revision at this message's last change.
    pub revision: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, strum::IntoStaticStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ChatKind {
    /// Always the same two people.
    Private,
    /// Any number of people, with a name.
    Group,
}

#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    sqlx::Type,
    strum::IntoStaticStr,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also manages members and the name.
    Admin,
    /// Also manages admins.
    Owner,
}

/// A person as everybody may see them. [`Account`] and [`Member`] have these fields and more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Person {
    pub id: UserId,
    pub name: String,
    /// Null if they have not chosen one.
    #[schema(required)]
    pub username: Option<String>,
}

/// A person as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    pub id: UserId,
    pub name: String,
    #[schema(required)]
    pub username: Option<String>,
    /// Not shown to anybody else.
    pub email: String,
    pub created_at: Timestamp,
}

/// A person in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    pub id: UserId,
    pub name: String,
    #[schema(required)]
    pub username: Option<String>,
    pub role: Role,
    pub joined_at: Timestamp,
    /// The read cursor: they have read up to and including this message.
    #[schema(value_type = i64)]
    pub last_read_id: MessageId,
}

/// A chat, the same for every member. [`ListedChat`] and [`ChatWithMembers`] have these fields and more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Chat {
    pub id: ChatId,
    pub kind: ChatKind,
    /// Null for a private chat, which each of the two sees under the other's name.
    #[schema(required)]
    pub name: Option<String>,
    pub created_by: UserId,
    pub created_at: Timestamp,
    /// How many changes the chat has had; its creation is the first.
    pub revision: i64,
    /// The newest message's number; 0 if there are none.
    #[schema(value_type = i64)]
    pub last_message_id: MessageId,
}

/// A chat in a person's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedChat {
    #[serde(flatten)]
    pub chat: Chat,
    /// The other person in a private chat.
    #[schema(required)]
    pub peer: Option<Person>,
    /// The role of the person who asks.
    pub role: Role,
    /// The read cursor of the person who asks.
    #[schema(value_type = i64)]
    pub last_read_id: MessageId,
    /// `last_message_id - last_read_id`.
    pub unread_count: i64,
    #[schema(required)]
    pub last_message: Option<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatWithMembers {
    #[serde(flatten)]
    pub chat: Chat,
    /// In the order they joined. Left out of frames for a group with more than 100; always present over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub members: Option<Vec<Member>>,
}

/// With more members, a frame might not fit into the 128 KB that API Gateway accepts.
pub const MAX_MEMBERS_IN_FRAME: usize = 100;

impl ChatWithMembers {
    /// Drops the members if they might not fit into a frame.
    pub fn for_frame(mut self) -> Self {
        self.members = self.members.filter(|members| members.len() <= MAX_MEMBERS_IN_FRAME);
        self
    }

    pub fn member_ids(&self) -> Vec<UserId> {
        self.members.iter().flatten().map(|member| member.id).collect()
    }
}
