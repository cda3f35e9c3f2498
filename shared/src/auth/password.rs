//! Password hashing: argon2id, 19 MiB, two passes (OWASP's minimum and ASVS 5.0 appendix C), off the async threads.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::fields::Password;
use crate::{Error, Result};

/// Each hash takes 19 MiB and a core; running more at once than there are cores only costs memory.
static AT_ONCE: LazyLock<Arc<Semaphore>> =
    LazyLock::new(|| Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))));

/// Logins without an account are verified against this hash, so they take the same time as the others. It has the
/// parameters of [`hasher`]. It is a constant so that not even the first such login pays for creating it.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$+gfD4eZuvcD1WXkzWAcpVQ$ukAL5lmkuj3cj0Svv6DXj/L2Q3/+eNyJJbVX0X71vM4";

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|e| Error::internal(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String> {
    let hash = hasher()?.hash_password(password).map_err(|e| Error::internal(e.to_string()))?;
    Ok(hash.to_string())
}

/// Hashes a new password with a fresh random salt and returns a PHC string.
///
/// # Errors
/// [`Error::Internal`] if the system has no randomness.
pub async fn hash(password: Password) -> Result<String> {
    off_thread(move || hash_now(password.as_bytes())).await
}

/// Whether `password` matches `hash`. Without a hash (no such account), does the same work and returns false.
///
/// # Errors
/// [`Error::Internal`] if the stored hash cannot be read.
pub async fn verify(password: Password, hash: Option<String>) -> Result<bool> {
    off_thread(move || {
        let known = hash.is_some();
        let hash = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY)).map_err(|e| Error::internal(e.to_string()))?;
        Ok(hasher()?.verify_password(password.as_bytes(), &hash).is_ok() && known)
    })
    .await
}

async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let _permit = AT_ONCE.clone().acquire_owned().await.map_err(Error::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text).expect("valid")
    }

    #[tokio::test]
    async fn only_the_right_password_verifies() {
        let hash = hash(password("correct horse")).await.expect("hashes");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(password("correct horse"), Some(hash.clone())).await.expect("verifies"));
        assert!(!verify(password("wrong horse"), Some(hash)).await.expect("verifies"));
    }

    #[tokio::test]
    async fn nobody_never_verifies() {
        assert!(!verify(password("nobody has this password"), None).await.expect("verifies"));
    }

    #[tokio::test]
    async fn a_login_of_nobody_is_checked_against_a_constant_with_the_same_parameters() {
        let parameters = |hash: &str| {
            let hash = PasswordHash::new(hash).expect("a PHC string");
            (hash.algorithm.to_string(), hash.version, hash.params.to_string(), hash.hash.map(|hash| hash.len()))
        };
        const CONSTANT: &str = NOBODY;
        assert_eq!(parameters(CONSTANT), parameters(&hash(password("correct horse")).await.expect("hashes")));
    }
}
