//! API Gateway on your own machine, driven by `template.yaml`.
//!
//! Two faces build exactly the events AWS would send, and hand them through one seam to the functions:
//!
//! * [`template`]: what `template.yaml` says: routes, functions, authorizer.
//! * [`http`]: the HTTP API: a request in, an event out, the function's answer back. [`routes`] chooses the function.
//! * [`websocket`]: the WebSocket API: the life of one socket. [`authorizer`] and [`selection`] are its two decisions.
//! * [`management`]: `@connections`, through which functions reach sockets.
//! * [`sockets`]: the open sockets, and the bounded queue to each.
//! * [`cors`]: cross-origin requests, as the template allows them.
//! * [`faults`]: what can go wrong on AWS, at will.
//! * [`events`]: the JSON of every event, to the byte where AWS documents it.
//! * [`invoke`]: the seam: event in, answer out.
//!
//! And what makes it a messenger with one command:
//!
//! * [`gateway`]: the faces on one port.
//! * [`stack`]: PostgreSQL, DynamoDB and secrets, found or started; [`app`]: the functions' clients.
//! * [`demo`]: people and chats to look at.

pub mod app;
pub mod authorizer;
pub mod cors;
pub mod demo;
pub mod events;
pub mod faults;
pub mod gateway;
pub mod http;
pub mod invoke;
pub mod management;
pub mod routes;
pub mod selection;
pub mod sockets;
pub mod stack;
pub mod template;
pub mod websocket;

/// The functions allocate much and briefly, on all threads at once: the system's allocator costs a tenth of the messages
/// per second (measured with the throughput benchmark).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
