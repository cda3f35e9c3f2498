//! The messenger on one machine: `cargo run`.
//!
//! * [`app`]: the clients the functions use, and the settings they are built from.
//! * [`stack`]: PostgreSQL, DynamoDB and the signing key, named by the environment or started here.
//! * [`in_process`]: the functions linked into this process, as the gateway invokes them.
//! * [`in_process_aws`]: the AWS services of this process, asked without a socket.
//! * [`demo`]: demo users, chats and messages. [`reports`]: what people have reported, for the operator.
//!
//! API Gateway itself is the crate `sam_gateway`, which knows nothing about the messenger.

pub mod app;
pub mod demo;
pub mod in_process;
pub mod in_process_aws;
pub mod reports;
pub mod stack;
pub mod store;
