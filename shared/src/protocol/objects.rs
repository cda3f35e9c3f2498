//! Messages, chats and people, the same in HTTP answers and in frames.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ChatId, FileId, MessageId, UserId};
use crate::protocol::files::FileInfo;
use crate::protocol::timestamp::Timestamp;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Message {
    pub chat_id: ChatId,
    /// The message's number in the chat: 1, 2, 3…
    #[schema(value_type = i64)]
    pub id: MessageId,
    pub sender_id: UserId,
    pub kind: MessageKind,
    /// Null once the message is deleted, and in a service entry.
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
    #[serde(flatten)]
    pub details: Details,
    /// What the person who asks has reacted with. Only over HTTP and only if anybody has reacted: a frame is the same for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub my_reactions: Option<Vec<String>>,
}

impl Message {
    /// As it is sent to everybody.
    pub fn for_frame(mut self) -> Self {
        self.my_reactions = None;
        self
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Somebody's words.
    Text,
    /// What has happened in the chat: see `event`.
    Service,
}

/// What a message may have besides its text; stored as it is sent. A field is left out if the message does not have it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Details {
    /// In a service entry: what `sender_id` has done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub event: Option<ChatEvent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reply_to: Option<Quote>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub forwarded_from: Option<Origin>,
    /// The members whose `@username` is in the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub mentions: Vec<UserId>,
    /// In the order in which they first occurred.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub reactions: Vec<Reaction>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub files: Vec<FileInfo>,
}

impl Details {
    pub fn kind(&self) -> MessageKind {
        if self.event.is_some() { MessageKind::Service } else { MessageKind::Text }
    }
}

/// What a service entry tells of; `sender_id` has done it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChatEvent {
    MemberAdded {
        user_id: UserId,
    },
    MemberRemoved {
        user_id: UserId,
    },
    MemberLeft,
    RoleChanged {
        user_id: UserId,
        role: Role,
    },
    /// `sender_id` has come in by a link.
    MemberJoined,
    GroupRenamed {
        /// The new name.
        name: String,
    },
    DescriptionChanged,
    /// The group has another picture, or none.
    PictureChanged,
    PostingChanged {
        posting: Posting,
    },
    SlowModeChanged {
        /// How long a member waits between two messages; 0 for not at all.
        slow_seconds: i32,
    },
    MessagePinned {
        #[schema(value_type = i64)]
        message_id: MessageId,
    },
}

/// The message that a reply answers, as it was then: its later edits and its deletion do not change the quote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    #[schema(value_type = i64)]
    pub id: MessageId,
    pub sender_id: UserId,
    /// The first 200 characters of its text.
    pub text: String,
    /// How many files it had; left out if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub files: Option<i32>,
}

/// Who wrote a forwarded message first, and when. Which chat it comes from is not told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Origin {
    pub user_id: UserId,
    pub timestamp: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reaction {
    pub emoji: String,
    /// How many people have reacted with it.
    pub count: i64,
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
    /// The person's picture; left out if they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar_id: Option<FileId>,
}

/// A person as they see themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    pub id: UserId,
    pub name: String,
    #[schema(required)]
    pub username: Option<String>,
    /// The person's picture; left out if they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar_id: Option<FileId>,
    /// What they say about themselves; left out if nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub about: Option<String>,
    /// Not shown to anybody else.
    pub email: String,
    pub who_may_add: WhoMayAdd,
    pub created_at: Timestamp,
}

/// A person in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    pub id: UserId,
    pub name: String,
    #[schema(required)]
    pub username: Option<String>,
    /// The person's picture; left out if they have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub avatar_id: Option<FileId>,
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
    /// The latest pinned last; left out if there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<i64>, nullable = false)]
    pub pinned_message_ids: Vec<MessageId>,
    /// What a group is about; left out if it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<String>,
    /// The group's picture; left out if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub picture_id: Option<FileId>,
    /// Who writes in a group; left out if it is everyone.
    #[serde(default, skip_serializing_if = "Posting::is_open")]
    #[schema(nullable = false)]
    pub posting: Posting,
    /// How many seconds an ordinary member of a group waits between two messages; left out if they need not.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schema(nullable = false)]
    pub slow_seconds: i32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// Who writes in a group.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Posting {
    #[default]
    Everyone,
    /// Only admins and the owner.
    Admins,
}

impl Posting {
    fn is_open(&self) -> bool {
        *self == Self::Everyone
    }
}

/// What a chat is to the person who asks. Nobody else is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatSettings {
    /// Until when its messages make no noise.
    #[schema(required)]
    pub muted_until: Option<Timestamp>,
    /// Whether it is put away.
    pub archived: bool,
    /// Whether it is shown as unread although it is not.
    pub marked_unread: bool,
    /// Whether it is off the list until its next message; left out if it is not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(nullable = false)]
    pub hidden: bool,
    /// If it is hidden: its last message then. It is back with the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, nullable = false)]
    pub hidden_at_id: Option<MessageId>,
}

/// Who may add a person to groups.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, strum::IntoStaticStr, ToSchema,
)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum WhoMayAdd {
    #[default]
    Everyone,
    /// Those with whom they have a private chat.
    Contacts,
    Nobody,
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
    /// How many messages after `last_read_id` are neither deleted nor service entries.
    pub unread_count: i64,
    /// How many of these mention the person who asks; 100 stands for 100 or more.
    pub unread_mentions: i64,
    #[serde(flatten)]
    pub settings: ChatSettings,
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
