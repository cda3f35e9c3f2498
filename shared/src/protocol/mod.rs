//! The whole wire format: [`ClientFrame`] in, [`ServerFrame`] out, the bodies of HTTP requests and answers, and the
//! objects they share.
//!
//! * [`objects`]: messages, chats and people, the same in answers and in frames.
//! * [`requests`], [`answers`]: the bodies over HTTP.
//! * [`files`]: files, and the bodies of the calls about them. [`pushes`]: the same for pushes to devices that are not
//!   connected.
//! * [`cursors`]: where the next page of a list begins.
//! * [`client`]: what a client may send over the socket; [`server`]: what it may receive, errors included.
//!
//! An object's own id is called `id`; a reference to another object is called `<what>_id`. `docs/protocol.md` describes
//! the wire format for readers; a test parses every example in it with these types.

pub mod answers;
pub mod client;
pub mod cursors;
pub mod files;
pub mod objects;
pub mod pushes;
pub mod requests;
pub mod server;
pub mod timestamp;

pub use answers::*;
pub use client::*;
pub use cursors::*;
pub use files::*;
pub use objects::*;
pub use pushes::*;
pub use requests::*;
pub use server::*;
pub use timestamp::*;
