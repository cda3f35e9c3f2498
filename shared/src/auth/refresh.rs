//! Refresh tokens: 256 random bits for the client, their SHA-256 for the database.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// How long a refresh token may be used, in days.
pub const LIFETIME_DAYS: i32 = 30;

/// A new token.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub fn generate() -> Result<String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What the database keeps of a token. 256 random bits need no slow hash.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
