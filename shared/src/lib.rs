//! What is true of the messenger whatever carries it.
//!
//! Nothing here knows whether it runs in AWS Lambda or in the local gateway. In reading order:
//!
//! * [`error`]: the one error, and the stable code a client reads for each variant.
//! * [`ids`]: the names of things (`UserId`, `ChatId`, …).
//! * [`fields`]: what a person may type (a name, a password, a message) and its limits.
//! * [`json`]: bytes in, checked values out.
//! * [`protocol`]: the whole wire: every frame in both directions and the objects HTTP answers with.
//! * [`auth`]: passwords, access tokens, refresh tokens.
//! * [`db`]: all SQL, one file per table.
//! * [`connections`]: who is connected where, in DynamoDB.
//! * [`config`]: every environment variable, read once.

pub mod auth;
pub mod config;
pub mod connections;
pub mod db;
pub mod error;
pub mod fields;
pub mod ids;
pub mod json;
pub mod protocol;

pub use error::{Error, Result};
