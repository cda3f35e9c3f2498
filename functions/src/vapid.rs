//! The key by which push services know this messenger, and the tokens that it signs (VAPID, RFC 8292).

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use windi_shared::{Error, Result};

/// How long a token is valid, in seconds; a day is the most (RFC 8292, section 2).
const LIFETIME_SECONDS: i64 = 12 * 3600;
/// The shortest secret that a key is made of, in bytes.
const MIN_SECRET_BYTES: usize = 32;

#[derive(Clone)]
pub struct VapidKey {
    signing: EncodingKey,
    /// An uncompressed point, in base64url.
    public: String,
}

impl std::fmt::Debug for VapidKey {
    /// Leaves out the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VapidKey({})", self.public)
    }
}

impl VapidKey {
    /// The key that a random secret stands for, always the same: the SHA-256 of a number and the secret, with the first number from
    /// 0 for which it is a private key of P-256. That is 0, but for one secret in four thousand million.
    ///
    /// # Errors
    /// If the secret has fewer than 32 bytes.
    pub fn of_secret(secret: &str) -> std::result::Result<Self, &'static str> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err("the key of pushes (PUSH_KEY) must have at least 32 bytes");
        }
        let keys = (0..=u8::MAX).find_map(|number| {
            let scalar = Sha256::new().chain_update([number]).chain_update(secret.as_bytes()).finalize();
            Self::of_scalar(&scalar[..])
        });
        keys.ok_or("the key of pushes (PUSH_KEY) cannot be used")
    }

    fn of_scalar(scalar: &[u8]) -> Option<Self> {
        let public = PrivateKey::from_private_key(&ECDH_P256, scalar).ok()?.compute_public_key().ok()?;
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(algorithm, scalar, public.as_ref()).ok()?;
        let signing = EncodingKey::from_ec_der(pair.to_pkcs8v1().ok()?.as_ref());
        Some(Self { signing, public: BASE64_URL_SAFE_NO_PAD.encode(public.as_ref()) })
    }

    /// What a browser needs to subscribe: an uncompressed point, in base64url.
    pub fn public_key(&self) -> &str {
        &self.public
    }

    /// The `Authorization` header for the push service with this origin. It may turn to `subject`.
    ///
    /// # Errors
    /// [`Error::Internal`] if signing fails.
    pub fn authorization(&self, origin: &str, subject: &str) -> Result<String> {
        #[derive(Serialize)]
        struct Claims<'a> {
            aud: &'a str,
            exp: i64,
            sub: &'a str,
        }
        let claims = Claims { aud: origin, exp: Utc::now().timestamp() + LIFETIME_SECONDS, sub: subject };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.signing);
        Ok(format!("vapid t={}, k={}", token.map_err(Error::internal)?, self.public))
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde::Deserialize;

    use super::*;

    const SECRET: &str = "a secret that is long enough for a key";

    #[test]
    fn a_secret_always_stands_for_the_same_key() {
        let key = VapidKey::of_secret(SECRET).expect("a key");
        assert_eq!(key.public_key(), VapidKey::of_secret(SECRET).expect("a key").public_key());
        assert_eq!(BASE64_URL_SAFE_NO_PAD.decode(key.public_key()).expect("base64url").len(), 65);
        assert_ne!(key.public_key(), VapidKey::of_secret(&SECRET.to_uppercase()).expect("a key").public_key());
        assert!(VapidKey::of_secret("too short").is_err());
        assert_eq!(format!("{key:?}"), format!("VapidKey({})", key.public_key()));
    }

    #[test]
    fn a_number_that_is_no_private_key_is_passed_over() {
        for scalar in [[0; 32], [0xff; 32]] {
            assert!(VapidKey::of_scalar(&scalar).is_none());
        }
    }

    #[test]
    fn a_token_is_for_one_service_and_for_less_than_a_day() {
        #[derive(Deserialize)]
        struct Claims {
            aud: String,
            exp: i64,
            sub: String,
        }
        let key = VapidKey::of_secret(SECRET).expect("a key");
        let header = key.authorization("https://push.example.com", "mailto:a@example.com").expect("a header");
        let (token, public) =
            header.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).expect("the form of RFC 8292");
        assert_eq!(public, key.public_key());
        let point = BASE64_URL_SAFE_NO_PAD.decode(public).expect("base64url");
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["https://push.example.com"]);
        let decoded = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_ec_der(&point), &validation);
        let Claims { aud, exp, sub } = decoded.expect("a good signature").claims;
        assert_eq!((aud.as_str(), sub.as_str()), ("https://push.example.com", "mailto:a@example.com"));
        let left = exp - Utc::now().timestamp();
        assert!(left > 3600 && left < 24 * 3600, "{left}");
    }
}
