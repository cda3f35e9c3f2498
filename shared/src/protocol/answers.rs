//! The HTTP answer bodies that are not one of the shared objects.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ChatId, FileId, MessageId, SessionId, UserId};
use crate::protocol::objects::{Account, ChatWithMembers, ListedChat, Message, Person};
use crate::protocol::server::UserStatus;
use crate::protocol::timestamp::Timestamp;

/// `POST /auth/login` and `POST /auth/refresh`. The names are OAuth 2.0's (RFC 6749, section 5.1).
#[derive(Serialize, Deserialize, ToSchema)]
pub struct TokenPair {
    pub access_token: String,
    /// Always `bearer`.
    pub token_type: String,
    /// Lifetime of the access token, in seconds.
    pub expires_in: i64,
    pub refresh_token: String,
}

/// `GET /auth/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Sessions {
    /// The live sessions, newest first.
    pub sessions: Vec<Session>,
    /// The session that made the request.
    pub current: SessionId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    pub id: SessionId,
    /// The `User-Agent` at login.
    #[schema(required)]
    pub device: Option<String>,
    /// When the user logged in.
    pub created_at: Timestamp,
    /// When it last refreshed its tokens.
    pub refreshed_at: Timestamp,
    /// When it ends unless it is refreshed.
    pub expires_at: Timestamp,
}

/// `GET /users` and `GET /users/blocked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundPeople {
    pub users: Vec<Person>,
    /// The `?after=` of the next page; null on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

/// `GET /users/{user_id}`: a [`Person`], and what they say about themselves, which is only here. It would make every list and
/// every frame with people longer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Profile {
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
}

/// `GET /chats`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ChatList {
    pub chats: Vec<ListedChat>,
    /// The `?after=` of the next page; null on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

/// `GET /chats/unread`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UnreadTotal {
    /// The sum of the `unread_count` of all chats.
    pub unread_count: i64,
    /// How many chats have unread messages.
    pub unread_chats: i64,
    /// The sum of their `unread_mentions`.
    pub unread_mentions: i64,
}

/// `GET /users/presence`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PresenceList {
    /// The people who are told when the caller comes and goes, 500 at most.
    pub presence: Vec<UserStatus>,
}

/// A link by which people come into a group by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invite {
    /// Whoever knows it may join.
    pub code: String,
    pub chat_id: ChatId,
    pub created_by: UserId,
    pub created_at: Timestamp,
    /// Null: never.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// Null: any number.
    #[schema(required)]
    pub max_uses: Option<i32>,
    /// How many people have joined by it.
    pub uses: i32,
}

/// `GET /chats/{chat_id}/invites`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invites {
    /// Those that work, oldest first.
    pub invites: Vec<Invite>,
}

/// `GET /invites/{code}`: what somebody who holds a link sees before they join.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InvitePreview {
    pub chat_id: ChatId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub description: Option<String>,
    pub member_count: i64,
    pub is_member: bool,
}

/// `GET /chats/{chat_id}/changes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    /// The chat as it is now, with its members and their cursors.
    pub chat: ChatWithMembers,
    /// The messages changed since, each as it is now, in order of revision.
    pub messages: Vec<Message>,
    /// The revision that the client holds after applying this.
    pub revision: i64,
    /// Whether to ask again from that revision.
    pub has_more: bool,
}

/// `DELETE /chats/{chat_id}/members/{user_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    pub chat_id: ChatId,
    pub revision: i64,
}

/// `GET /messages/history/{chat_id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct History {
    pub chat_id: ChatId,
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Whether there are more messages in the page's direction.
    pub has_more: bool,
    #[schema(value_type = i64)]
    pub last_message_id: MessageId,
    /// The chat's revision before the page was read: sync from here.
    pub revision: i64,
}

/// `GET /messages/search`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FoundMessages {
    /// Newest first.
    pub messages: Vec<Message>,
    /// The `?after=` of the next page; null on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

/// `GET /export`: a page of what is a person's own. The first page has the account, the sessions and those who are blocked; then come
/// the chats, also those that are hidden, and then the person's own words, chat by chat.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Export {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub account: Option<Account>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub sessions: Vec<Session>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub blocked: Vec<Person>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub chats: Vec<ListedChat>,
    /// May be left out of a page that another one follows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(nullable = false)]
    pub messages: Vec<Message>,
    /// The `?after=` of the next page; null on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

/// `GET /health`. Each part is `ok` or `unavailable`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    pub status: String,
    pub database: String,
    pub connections: String,
    pub version: String,
}

/// `GET /config.json`: what the page must know before anybody logs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageConfig {
    /// Where sockets are opened.
    pub web_socket_url: String,
}
