//! Authentication: passwords, access tokens, refresh tokens, codes sent by mail.

pub mod code;
pub mod password;
pub mod refresh;
pub mod token;

pub use token::{Caller, Tokens};
