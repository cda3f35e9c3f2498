//! The bodies of HTTP requests. Those also sent over the socket are in [`client`](super::client).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fields::{
    ClientMessageId, Description, Email, Emoji, MAX_GROUP_MEMBERS, MessageText, Name, Password, Username,
};
use crate::ids::{ChatId, FileId, UserId};
use crate::json::{given, not_null};
use crate::protocol::objects::{ChatKind, Posting, Role, WhoMayAdd};
use crate::protocol::timestamp::Timestamp;
use crate::short_fields::{About, Reason};
use crate::{Error, Result};

/// `POST /auth/register`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    pub name: Name,
    pub email: Email,
    pub password: Password,
    pub username: Option<Username>,
}

/// `POST /auth/login` as JSON, with either `email` or `username`; each of them may hold either.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonLogin {
    pub email: Option<String>,
    pub username: Option<String>,
    pub password: String,
}

/// [`JsonLogin`] as the contract says it: its fields depend on each other.
#[derive(ToSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schema(as = Login, description = "Either `email` or `username`; each of them may hold either.")]
pub enum LoginSchema {
    #[schema(title = "LoginByEmail")]
    Email {
        #[schema(min_length = 1, max_length = 254)]
        email: String,
        #[schema(max_length = 256)]
        password: String,
    },
    #[schema(title = "LoginByUsername")]
    Username {
        #[schema(min_length = 1, max_length = 254)]
        username: String,
        #[schema(max_length = 256)]
        password: String,
    },
}

/// `POST /auth/login` as a form (RFC 6749, section 4.3.2). `username` may hold an e-mail address. The other fields of
/// the grant are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FormLogin {
    #[schema(min_length = 1, max_length = 254)]
    pub username: String,
    #[schema(max_length = 256)]
    pub password: String,
    #[schema(pattern = "^(password)?$")]
    pub grant_type: Option<String>,
    #[serde(rename = "scope")]
    _scope: Option<String>,
    #[serde(rename = "client_id")]
    _client_id: Option<String>,
    #[serde(rename = "client_secret")]
    _client_secret: Option<String>,
}

/// `POST /auth/refresh`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub refresh_token: String,
}

/// `POST /auth/password`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    #[schema(max_length = 256)]
    pub current_password: String,
    pub new_password: Password,
}

/// `POST /auth/forgot`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForgottenPassword {
    pub email: Email,
}

/// `POST /auth/reset`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordReset {
    pub email: Email,
    /// As it was mailed; in any case, with or without the hyphen.
    #[schema(max_length = 32)]
    pub code: String,
    pub new_password: Password,
}

/// `POST /users/me/email`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEmail {
    pub email: Email,
    #[schema(max_length = 256)]
    pub password: String,
}

/// `POST /users/me/email/confirm`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailConfirmation {
    /// As it was mailed; in any case, with or without the hyphen.
    #[schema(max_length = 32)]
    pub code: String,
}

/// `POST /users/me/delete`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Farewell {
    #[schema(max_length = 256)]
    pub password: String,
}

/// `POST /chats`. The fields it needs depend on its kind: see [`NewChat::check`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewChat {
    pub kind: ChatKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_ids: Option<BTreeSet<UserId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_chat_id: Option<ClientMessageId>,
}

/// [`NewChat`] as the contract says it, a kind at a time.
#[derive(ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = NewChat, description = "A private chat with one other person, or a group.")]
pub enum NewChatSchema {
    #[schema(title = "NewPrivateChat")]
    Private {
        /// The other person.
        user_id: UserId,
    },
    #[schema(title = "NewGroup")]
    Group {
        name: Name,
        /// The members besides the creator.
        #[schema(value_type = Option<Vec<UserId>>, max_items = 999)]
        member_ids: Option<BTreeSet<UserId>>,
        /// The idempotency key: a repetition returns the group that was made.
        client_chat_id: Option<ClientMessageId>,
    },
}

/// A checked [`NewChat`], with the fields its kind needs.
#[derive(Debug)]
pub enum WantedChat {
    Private {
        other: UserId,
    },
    Group {
        name: Name,
        /// Does not include the creator.
        others: Vec<UserId>,
        key: Option<ClientMessageId>,
    },
}

impl NewChat {
    /// # Errors
    /// [`Error::InvalidField`] if a field that the kind needs is missing, or one that it does not take is present.
    pub fn check(self, creator: UserId) -> Result<WantedChat> {
        match self.kind {
            ChatKind::Private => {
                for (field, given) in [
                    ("name", self.name.is_some()),
                    ("member_ids", self.member_ids.is_some()),
                    ("client_chat_id", self.client_chat_id.is_some()),
                ] {
                    if given {
                        return Err(Error::field(field, "is for groups; a private chat takes user_id"));
                    }
                }
                match self.user_id {
                    None => Err(Error::field("user_id", "is required for a private chat")),
                    Some(other) if other == creator => Err(Error::field("user_id", "must be somebody else")),
                    Some(other) => Ok(WantedChat::Private { other }),
                }
            }
            ChatKind::Group => {
                if self.user_id.is_some() {
                    return Err(Error::field("user_id", "is for private chats; a group takes member_ids"));
                }
                let name = self.name.ok_or_else(|| Error::field("name", "is required for a group"))?;
                let mut others = self.member_ids.unwrap_or_default();
                others.remove(&creator);
                if others.len() >= MAX_GROUP_MEMBERS {
                    return Err(Error::field("member_ids", format!("a group has at most {MAX_GROUP_MEMBERS} members")));
                }
                Ok(WantedChat::Group { name, others: others.into_iter().collect(), key: self.client_chat_id })
            }
        }
    }
}

/// `PATCH /chats/{chat_id}`. What is left out stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatChange {
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<Name>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Description>)]
    pub description: Option<Option<Description>>,
    /// A picture of the caller's, of at most 1 MiB and 1,024 pixels a side. Null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FileId>)]
    pub picture_id: Option<Option<FileId>>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub posting: Option<Posting>,
    /// 0 takes it away.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 3600)]
    pub slow_seconds: Option<i32>,
}

/// `PATCH /chats/{chat_id}/settings`. What is left out stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SettingsChange {
    /// Null ends it.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Timestamp>)]
    pub muted_until: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub archived: Option<bool>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub marked_unread: Option<bool>,
    /// Takes the chat off the list until its next message.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub hidden: Option<bool>,
}

/// `PATCH /users/me`. What is left out stays as it is.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub name: Option<Name>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Username>)]
    pub username: Option<Option<Username>>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<About>)]
    pub about: Option<Option<About>>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub who_may_add: Option<WhoMayAdd>,
    /// A picture of the caller's, of at most 1 MiB and 1,024 pixels a side. Null takes it away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FileId>)]
    pub avatar_id: Option<Option<FileId>>,
}

/// `POST /chats/{chat_id}/invites`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInvite {
    /// How long it works, in seconds; for ever if left out.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 60, maximum = 31_536_000)]
    pub expires_in: Option<i64>,
    /// How many people may join by it; any number if left out.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 1000)]
    pub max_uses: Option<i32>,
}

/// `POST /chats/{chat_id}/members`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub user_id: UserId,
}

/// `PATCH /chats/{chat_id}/members/{user_id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRole {
    pub role: Role,
}

/// `PATCH /messages/{chat_id}/{message_id}`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewText {
    pub text: MessageText,
}

/// `POST /messages/{chat_id}/{message_id}/forward`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The chat to forward the message to.
    pub chat_id: ChatId,
    /// The idempotency key, as of any send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_message_id: Option<ClientMessageId>,
}

/// `PUT /messages/{chat_id}/{message_id}/reactions`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChosenReactions {
    /// All that the caller reacts with from now on, up to three; none takes back what there was.
    #[schema(max_items = 3)]
    pub reactions: Vec<Emoji>,
}

/// `POST /messages/{chat_id}/{message_id}/report`.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReport {
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub reason: Option<Reason>,
}
