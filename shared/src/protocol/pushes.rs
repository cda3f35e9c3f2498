//! Pushes to devices that are not connected (Web Push).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ChatId, MessageId};
use crate::push_fields::{Endpoint, KeyText};

/// `GET /push/key`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PushKey {
    /// The key by which push services know this messenger (RFC 8292), in base64url: the `applicationServerKey` of a
    /// browser's `subscribe`.
    pub public_key: String,
}

/// `PUT /push/subscription`: what a browser's `subscribe` returns.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPushSubscription {
    pub endpoint: Endpoint,
    pub keys: PushKeys,
    /// Whether pushes carry the text of messages, or only who writes.
    pub shows_text: bool,
}

/// The keys with which only the browser can read a push (RFC 8291).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PushKeys {
    /// An uncompressed point on P-256.
    pub p256dh: KeyText,
    /// 16 bytes.
    pub auth: KeyText,
}

/// `DELETE /push/subscription`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OldPushSubscription {
    pub endpoint: Endpoint,
}

/// What a push carries, encrypted for the browser.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushMessage {
    pub chat_id: ChatId,
    pub message_id: MessageId,
    /// The group's name, or the sender's.
    pub title: String,
    /// The beginning of the text, if the subscription allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}
