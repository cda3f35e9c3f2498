//! Refresh tokens: the client holds 256 bits, the database their SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::{Error, Result};

/// How long a refresh token is valid, in days.
pub const LIFETIME_DAYS: i32 = 30;

/// How long after its first use a token may be used again, in seconds: long enough for a second tab, or for a client
/// that lost the answer to try again; too short for most thieves.
pub const GRACE_SECONDS: i32 = 10;

/// The first token of a session.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub fn generate() -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(random()?))
}

/// The salt that the database keeps for a rotation, to be able to repeat it.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub fn salt() -> Result<Vec<u8>> {
    random().map(Vec::from)
}

/// The token that follows `token`. Both inputs are 256 random bits; the client holds one and the database the other.
pub fn successor(token: &str, salt: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(salt).chain_update(token.as_bytes()).finalize())
}

fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| Error::internal(e.to_string()))?;
    Ok(bytes)
}

/// The hash that the database keeps of a token. 256 random bits do not need a slow hash.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}
