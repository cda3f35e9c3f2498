//! What other people's clients are written against: the HTTP API as OpenAPI 3.1, the socket as AsyncAPI 3.
//!
//! Both are made from the types of [`windi_shared::protocol`] when somebody asks for them, so they have exactly the fields
//! that the code has. [`calls`] adds what the types do not say: which call takes and returns which of them, and how it can
//! fail. Examples, and what the errors mean, are those of `docs/protocol.md`. The end-to-end tests check every answer and
//! every frame that they get against the documents.

mod asyncapi;
pub mod call;
pub mod calls;
mod openapi;
mod people_calls;
pub mod prose;
mod schemas;

pub use asyncapi::asyncapi;
pub use openapi::openapi;
