//! Authentication: passwords, access tokens, refresh tokens.

pub mod password;
pub mod refresh;
pub mod token;

pub use token::{Caller, Tokens};
