//! API Gateway on your own machine, driven by a SAM template: HTTP APIs, WebSocket APIs and `@connections`.
//!
//! It builds exactly the events AWS would send, and passes them to the functions through one interface. The modules,
//! from the bottom up:
//!
//! * [`aws`], [`headers`], [`answers`]: constants, header values, the gateway's own answers.
//! * [`routes`], [`selection`], [`cors`]: the decisions that need nothing but the request.
//! * [`template`]: what the template says about routes, functions and the authorizer.
//! * [`invoke`]: the interface to the functions. [`access`]: proxies in front, and who is a function.
//! * [`metrics`]: what is counted for Prometheus.
//! * [`faults`]: what can go wrong on AWS, on demand. [`sockets`]: the open sockets, each with a bounded queue.
//! * [`state`]: what all requests share.
//! * [`events`]: the JSON of every event.
//! * [`http_api`], [`websocket_api`], [`management`]: the three APIs: HTTP, WebSocket and `@connections`.
//! * [`listener`]: TCP connections, and deadlines for requests.
//! * [`neighbour`]: something else behind the same port.
//! * [`gateway`]: the three APIs on one port. [`options`]: the command line of a program that serves them.

pub mod access;
pub mod answers;
pub mod aws;
pub mod cors;
pub mod events;
pub mod faults;
pub mod gateway;
pub mod headers;
pub mod http_api;
pub mod invoke;
pub mod listener;
pub mod management;
pub mod metrics;
pub mod neighbour;
pub mod options;
pub mod routes;
pub mod selection;
pub mod sockets;
pub mod state;
pub mod template;
pub mod websocket_api;
