//! The messenger on one machine: `cargo run`.
//!
//! * [`app`]: the clients the functions use, and the settings they are made of.
//! * [`stack`]: PostgreSQL, DynamoDB and the signing key: what the environment names, and what is started here.
//! * [`in_process`]: the functions linked into this process, as the gateway invokes them.
//! * [`demo`]: people and chats to look at.
//!
//! API Gateway itself is the crate `sam_gateway`, which knows nothing of the messenger.

pub mod app;
pub mod demo;
pub mod in_process;
pub mod stack;
