//! Files, over HTTP and in messages. Their contents go to and from the store by links.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::file_fields::{FileName, MediaType, Preview};
use crate::ids::FileId;
use crate::json::not_null;
use crate::protocol::timestamp::Timestamp;

/// A file as those see it who may have it. `GET /files` tells where its contents are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = File)]
pub struct FileInfo {
    pub id: FileId,
    pub name: String,
    pub content_type: String,
    /// In bytes.
    pub size: i64,
    /// Of a picture, in pixels; left out for other files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub width: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub height: Option<i32>,
    /// A tiny picture of at most 32 by 32 pixels, in base64: a JPEG, PNG, GIF or WebP, as its first bytes tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub preview: Option<String>,
}

/// `POST /files`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFile {
    pub name: FileName,
    pub content_type: MediaType,
    /// In bytes.
    #[schema(minimum = 1, maximum = 26_214_400)]
    pub size: i64,
    /// Of a picture (`image/jpeg`, `image/png`, `image/gif` or `image/webp`), in pixels, with the height.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 12_000)]
    pub width: Option<i32>,
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 1, maximum = 12_000)]
    pub height: Option<i32>,
    /// Of a picture.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub preview: Option<Preview>,
}

/// `POST /files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnnouncedFile {
    pub file: FileInfo,
    pub upload: Upload,
}

/// A request that puts a file's contents into the store. The store refuses any other length or type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Upload {
    /// Always `PUT`.
    pub method: String,
    /// Relative to the address of the API if it begins with a slash.
    pub url: String,
    /// The request has exactly these headers besides those that every client sends by itself.
    pub headers: BTreeMap<String, String>,
    pub expires_at: Timestamp,
}

/// `GET /files`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileLinks {
    /// Those of the files that the caller may have; the others are left out.
    pub links: Vec<FileLink>,
}

/// Where to get a file's contents for a few minutes, without a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FileLink {
    pub id: FileId,
    /// Relative to the address of the API if it begins with a slash.
    pub url: String,
    pub expires_at: Timestamp,
}
