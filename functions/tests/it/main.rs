//! Tests each handler through its entry point, against a real PostgreSQL and the DynamoDB API, for behaviour that shows
//! only when a part behind it fails. Behaviour that shows from outside is tested end to end in `local/`.

#![expect(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

mod harness;

mod accounts;
mod database;
mod lists;
mod logins;
mod mail;
mod migrate;
mod outages;
mod protocol_doc;
mod push;
mod rates;
mod recover;
mod sending;
mod sessions;
mod sockets;
