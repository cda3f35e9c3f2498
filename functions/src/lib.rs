//! The messenger's Lambda functions. Each has one file here, one binary in `src/bin/` and one resource in
//! `template.yaml`, all with the same name.
//!
//! Over HTTP: [`register`], [`login`], [`session`], [`recover`], [`users`], [`chats`], [`members`], [`messages`],
//! [`history`], [`invites`], [`files`], [`search`], [`subscriptions`], [`health`], [`web`].
//!
//! Over the WebSocket: [`authorize`], [`connect`], [`disconnect`], [`send_message`], [`mark_read`], [`typing`],
//! [`focus`], [`default`].
//!
//! During a deployment: [`migrate`].
//!
//! They share:
//!
//! * [`function`]: the list of functions. [`routes`]: the list of HTTP routes.
//! * [`http_api`]: reads a request's body, path and caller, and returns JSON or an error.
//! * [`socket`]: reads a frame and sends its answer. [`liveness`]: checks whether the frame's session is still alive.
//! * [`messaging`]: sends and reads messages, over HTTP or the socket.
//! * [`notify`]: sends frames to all of people's devices. [`push`]: finds their connections and
//!   posts to them. [`posts`]: one post.
//! * [`web_push`]: tells devices that are not connected. [`push_services`]: what may be posted to. [`vapid`]: the key.
//!   [`aes128gcm`]: the encryption.
//! * [`export`]: everything of a person's own, for `history`.
//! * [`store`]: the contents of files.
//! * [`mail`]: sends mail. [`letters`]: its texts.
//! * [`door`]: what every binary does before it serves.
//! * [`contract`]: the API's description for other people's clients, which `web` serves.
//!
//! Each handler takes only the clients it uses. A single state with all of them would add the code of all of them to
//! every binary: the linker drops only what is unreachable.

pub mod aes128gcm;
pub mod contract;
pub mod door;
pub mod export;
pub mod function;
pub mod http_api;
pub mod letters;
pub mod liveness;
pub mod mail;
pub mod messaging;
pub mod notify;
pub mod posts;
pub mod push;
pub mod push_services;
pub mod routes;
pub mod socket;
pub mod store;
pub mod vapid;
pub mod web_push;

pub mod authorize;
pub mod chats;
pub mod connect;
pub mod default;
pub mod disconnect;
pub mod files;
pub mod focus;
pub mod health;
pub mod history;
pub mod invites;
pub mod login;
pub mod mark_read;
pub mod members;
pub mod messages;
pub mod migrate;
pub mod recover;
pub mod register;
pub mod search;
pub mod send_message;
pub mod session;
pub mod subscriptions;
pub mod typing;
pub mod users;
pub mod web;

pub use function::Function;
