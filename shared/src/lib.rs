//! The messenger's rules, independent of transport.
//!
//! Nothing here knows whether it runs in AWS Lambda or behind the local gateway. In reading order:
//!
//! * [`error`]: the one error type, and the stable code that clients read for each variant.
//! * [`ids`]: a type for each kind of id.
//! * [`fields`]: what a person may type (a name, a password, a message). [`limits`]: the same in terms of JSON Schema.
//!   [`file_fields`], [`push_fields`], [`short_fields`]: the same for files, push subscriptions and other short texts.
//! * [`json`]: bytes in, checked values out.
//! * [`protocol`]: the whole wire format: every frame in both directions and the body of every HTTP request and answer.
//! * [`auth`]: passwords, access tokens, refresh tokens, codes sent by mail.
//! * [`db`]: all SQL, one file per subject.
//! * [`connections`]: who is connected where, in DynamoDB.
//! * [`config`]: every environment variable, read once. [`secrets`]: what Secrets Manager keeps instead.

pub mod auth;
pub mod characters;
pub mod config;
pub mod connections;
pub mod db;
pub mod error;
pub mod fields;
pub mod file_fields;
pub mod ids;
pub mod json;
pub mod limits;
mod mentions;
pub mod protocol;
pub mod push_fields;
pub mod secrets;
pub mod short_fields;

pub use error::{Error, Result};
