//! Does the local gateway behave like API Gateway? One test per fact that a client or a function can observe, by name.
//!
//! The facts are those of the API Gateway developer guide and of logs of the real thing; where a source is one of the two is
//! said at the code that acts on it.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod harness;

mod authorizer;
mod connections;
mod cors;
mod events;
mod faults;
mod frames;
mod handshake;
mod http;
mod lifetime;
