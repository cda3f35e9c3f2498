//! The whole product through the local gateway: real HTTP, real WebSockets, a real PostgreSQL, the DynamoDB API.
//!
//! Every test has its own world (database, connections, gateway on a free port), so all of them run at once.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod answers;
mod harness;
mod push_service;
mod road;

mod accounts;
mod ancestors;
mod backups;
mod chats;
mod cli;
mod contract;
mod delivery;
mod details;
mod devices;
mod edits;
mod exactly_once;
mod export;
mod files;
mod groups;
mod history;
mod in_process_aws;
mod invites;
mod left_alone;
mod leftovers;
mod lifecycle;
mod matrix;
mod presence;
mod push;
mod reads;
mod recover;
mod refusals;
mod replicas;
mod reports;
mod search;
mod self_hosting;
mod sessions;
mod sockets;
mod sync;
mod template;
mod web;
