//! The whole wire: [`ClientFrame`] in, [`ServerFrame`] out, and the objects both share with the HTTP answers.
//!
//! * [`objects`]: messages, chats, people: the same in answers and in frames.
//! * [`client`]: what a client may send.
//! * [`server`]: what it may be told, errors included.
//!
//! `docs/protocol.md` is the same for readers; a test parses every example in it with these types.

pub mod client;
pub mod objects;
pub mod server;

pub use client::*;
pub use objects::*;
pub use server::*;
