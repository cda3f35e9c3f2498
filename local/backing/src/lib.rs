//! The backing services on one machine: the real PostgreSQL and the real DynamoDB API, with nothing to install but the
//! PostgreSQL server package.
//!
//! * [`postgres`]: a private PostgreSQL cluster with its own directory. It stops with the process that started it.
//! * [`backup`]: its database to a file and back.
//! * [`binaries`]: finds the PostgreSQL programs.
//! * [`account`]: the account they run under. PostgreSQL refuses to run as root.
//! * [`dynamodb`]: DynamoDB in this process, on a loopback port.
//! * [`s3`]: S3 in this process, with the objects as files.
//! * [`testing`]: a separate database for every test.
//!
//! `local/` uses them unless the environment names others. The tests of every crate use them too.

pub mod account;
pub mod backup;
pub mod binaries;
pub mod dynamodb;
pub mod postgres;
pub mod s3;
pub mod testing;
