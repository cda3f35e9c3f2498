//! The messenger's Lambda functions. Each has one file here, one binary in `src/bin/` and one resource in `template.yaml`, all
//! of one name.
//!
//! Over HTTP: [`register`], [`login`], [`session`], [`users`], [`chats`], [`members`], [`messages`], [`history`], [`search`],
//! [`health`].
//!
//! Over the WebSocket: [`authorize`], [`connect`], [`disconnect`], [`send_message`], [`mark_read`], [`typing`], [`focus`],
//! [`default`].
//!
//! They share:
//!
//! * [`function`]: the list of them. [`routes`]: the list of HTTP routes.
//! * [`http_api`]: a request's body, path and caller in, JSON or an error out.
//! * [`socket`]: a frame in, its answer out. [`liveness`]: whether the frame's session is still alive.
//! * [`messaging`]: sending and reading messages, whichever way the request came.
//! * [`notify`]: frames to all devices of people. [`push`]: posts to connections.
//! * [`door`]: what every binary does before it serves.
//!
//! Each handler takes just the clients it uses. One state with all of them would cost every binary the code of all of
//! them: the linker drops only what is not reached.

pub mod door;
pub mod function;
pub mod http_api;
pub mod liveness;
pub mod messaging;
pub mod notify;
pub mod push;
pub mod routes;
pub mod socket;

pub mod authorize;
pub mod chats;
pub mod connect;
pub mod default;
pub mod disconnect;
pub mod focus;
pub mod health;
pub mod history;
pub mod login;
pub mod mark_read;
pub mod members;
pub mod messages;
pub mod register;
pub mod search;
pub mod send_message;
pub mod session;
pub mod typing;
pub mod users;

pub use function::Function;
