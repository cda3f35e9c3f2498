//! The whole product through the local gateway: real HTTP, real WebSockets, a real PostgreSQL, the DynamoDB API.
//!
//! Every test has a world of its own (database, connections, gateway on a free port), so all run at once.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod harness;

mod accounts;
mod chats;
mod delivery;
mod exactly_once;
mod history;
mod lifecycle;
mod refusals;
mod sockets;
mod template;
