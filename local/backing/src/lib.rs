//! The backing services on one machine: the real PostgreSQL and the real DynamoDB API, with nothing to install but the
//! PostgreSQL server package.
//!
//! * [`postgres`]: a private PostgreSQL cluster, in a directory of its own, that ends with the process that started it.
//! * [`binaries`]: where the PostgreSQL programs are.
//! * [`account`]: as whom they run when we are root, which PostgreSQL refuses.
//! * [`dynamodb`]: DynamoDB in this process, on a loopback port.
//! * [`testing`]: a database of its own for every test.
//!
//! `local/` uses them unless the environment names others; the tests of every crate use them too.

pub mod account;
pub mod binaries;
pub mod dynamodb;
pub mod postgres;
pub mod testing;
