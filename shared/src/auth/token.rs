//! Access tokens: JWT, HS256, 15 minutes. The algorithm is pinned, every claim is required, and the leeway is small.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::Utc;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::config::TokenConfig;
use crate::ids::{SessionId, UserId};
use crate::protocol::answers::TokenPair;
use crate::secrets::{Secret, SecretError, is_recent};
use crate::{Error, Result};

/// How long an access token is valid, in seconds.
pub const LIFETIME_SECONDS: i64 = 15 * 60;
/// How far two clocks may disagree, in seconds.
const LEEWAY_SECONDS: u64 = 5;
const ISSUER: &str = "windi-messenger";
const AUDIENCE: &str = "windi-messenger-api";
/// RFC 9068: distinguishes an access token from any other JWT.
const TYPE: &str = "at+jwt";
/// A token with an unknown key may be signed with a new one, or be rubbish. Rubbish must not make a function ask for
/// its secret all the time.
const UNKNOWN_KEY_PAUSE: Duration = Duration::from_secs(10);

/// The caller, as identified by the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    pub user_id: UserId,
    pub session_id: SessionId,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
}

struct Key {
    /// Derived from the secret, so tokens name their key and nobody has to number keys.
    id: String,
    decoding: DecodingKey,
}

/// The key to sign with, and those to check with, the same one first.
struct Keys {
    signing: EncodingKey,
    checking: Vec<Key>,
}

/// Issues and checks access tokens.
pub struct Tokens {
    keys: RwLock<Arc<Keys>>,
    /// Where the keys are read again, if they are kept in Secrets Manager.
    secret: Option<Secret>,
    /// When they were last read again because of an unknown key.
    asked: Mutex<SystemTime>,
}

impl Tokens {
    /// # Errors
    /// If a key has fewer than 32 bytes (HS256 needs as many as its output has); the text names its variable.
    pub fn new(config: &TokenConfig) -> std::result::Result<Self, &'static str> {
        Ok(Self { keys: RwLock::new(Arc::new(Keys::new(config)?)), secret: None, asked: Mutex::new(UNIX_EPOCH) })
    }

    /// Keys that may be rotated while the function runs. `secret` holds what [`TokenConfig::from_secret`] describes.
    ///
    /// # Errors
    /// If the secret cannot be read, or holds something else.
    pub async fn kept_in(secret: Secret) -> std::result::Result<Self, SecretError> {
        let keys = secret.read(Keys::from_secret).await?;
        Ok(Self { keys: RwLock::new(Arc::new(keys)), secret: Some(secret), asked: Mutex::new(UNIX_EPOCH) })
    }

    /// Reads the keys again if that was last done more than `age` ago. A failure is logged, and the keys stay.
    pub async fn renew(&self, age: Duration) {
        let Some(secret) = &self.secret else { return };
        if let Some(keys) = secret.read_again(age, Keys::from_secret).await {
            *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        }
    }

    /// Whether an unknown key is a reason to read the keys again now. The first always is.
    fn may_ask(&self) -> bool {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if is_recent(*asked, UNKNOWN_KEY_PAUSE) {
            return false;
        }
        *asked = SystemTime::now();
        true
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The token pair a client gets in exchange for its password or refresh token.
    ///
    /// # Errors
    /// [`Error::Internal`] if signing fails.
    pub fn pair(&self, caller: Caller, refresh_token: String) -> Result<TokenPair> {
        let access_token = self.issue(caller)?;
        Ok(TokenPair { access_token, token_type: "bearer".to_owned(), expires_in: LIFETIME_SECONDS, refresh_token })
    }

    /// An access token for `caller`, valid from now.
    ///
    /// # Errors
    /// [`Error::Internal`] if signing fails.
    pub fn issue(&self, caller: Caller) -> Result<String> {
        self.issue_at(caller, Utc::now().timestamp())
    }

    /// Like [`issue`](Self::issue), but issued at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`Error::Internal`] if signing fails.
    pub fn issue_at(&self, caller: Caller, now: i64) -> Result<String> {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        let keys = self.keys();
        header.kid = keys.checking.first().map(|key| key.id.clone());
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: caller.user_id,
            sid: caller.session_id,
            iat: now,
            nbf: now,
            exp: now + LIFETIME_SECONDS,
        };
        jsonwebtoken::encode(&header, &claims, &keys.signing).map_err(Error::internal)
    }

    /// Returns whose token this is. Only the database knows whether the session is still alive.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] for anything but a valid token of ours; the client does not learn why.
    pub async fn check(&self, token: &str) -> Result<Caller> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Unauthorized)?;
        if header.typ.as_deref() != Some(TYPE) {
            return Err(Error::Unauthorized);
        }
        let mut keys = self.keys();
        if keys.named(header.kid.as_deref()).is_none() {
            if self.may_ask() {
                self.renew(Duration::ZERO).await;
            }
            keys = self.keys();
        }
        // The key id only selects one of our own keys.
        let key = keys.named(header.kid.as_deref()).ok_or(Error::Unauthorized)?;
        let token = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation());
        let claims = token.map_err(|_| Error::Unauthorized)?.claims;
        Ok(Caller { user_id: claims.sub, session_id: claims.sid })
    }
}

impl Keys {
    fn new(config: &TokenConfig) -> std::result::Result<Self, &'static str> {
        let previous = config.previous_secret.iter();
        let secrets = std::iter::once((&config.secret, "JWT_SECRET must have at least 32 bytes"))
            .chain(previous.map(|secret| (secret, "JWT_SECRET_PREVIOUS must have at least 32 bytes")));
        let mut checking = Vec::new();
        for (secret, too_short) in secrets {
            if secret.len() < 32 {
                return Err(too_short);
            }
            checking.push(Key { id: key_id(secret), decoding: DecodingKey::from_secret(secret.as_bytes()) });
        }
        Ok(Self { signing: EncodingKey::from_secret(config.secret.as_bytes()), checking })
    }

    fn from_secret(text: &str) -> std::result::Result<Self, &'static str> {
        Self::new(&TokenConfig::from_secret(text)?).map_err(|_| "its keys must have at least 32 bytes")
    }

    fn named(&self, id: Option<&str>) -> Option<&Key> {
        self.checking.iter().find(|key| Some(key.id.as_str()) == id)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens(..)")
    }
}

/// Overrides the crate's defaults, which allow a minute of leeway, any issuer, a missing audience and a future `nbf`.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.leeway = LEEWAY_SECONDS;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.required_spec_claims = HashSet::from(["exp", "nbf", "iss", "aud", "sub"].map(str::to_owned));
    validation
}

fn key_id(secret: &str) -> String {
    Sha256::digest([b"windi-kid:", secret.as_bytes()].concat())[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "a secret of at least thirty-two bytes";
    const OLD_SECRET: &str = "an older secret, thirty-two bytes too";

    fn tokens(secret: &str, previous: Option<&str>) -> Tokens {
        let config = TokenConfig { secret: secret.to_owned(), previous_secret: previous.map(str::to_owned) };
        Tokens::new(&config).expect("long enough")
    }

    fn caller() -> Caller {
        Caller { user_id: UserId::new(), session_id: SessionId::new() }
    }

    fn signed(header: &Header, claims: &serde_json::Value) -> String {
        jsonwebtoken::encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).expect("signs")
    }

    fn good_header() -> Header {
        let mut header = Header::new(Algorithm::HS256);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(key_id(SECRET));
        header
    }

    fn good_claims() -> serde_json::Value {
        let now = Utc::now().timestamp();
        let caller = caller();
        serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "sub": caller.user_id, "sid": caller.session_id,
            "iat": now, "nbf": now, "exp": now + 60})
    }

    #[tokio::test]
    async fn what_was_issued_is_accepted() {
        let caller = caller();
        let tokens = tokens(SECRET, None);
        assert_eq!(tokens.check(&tokens.issue(caller).expect("issues")).await.expect("accepts"), caller);
    }

    #[tokio::test]
    async fn the_previous_key_is_accepted_and_others_are_not() {
        let old = tokens(OLD_SECRET, None).issue(caller()).expect("issues");
        assert!(tokens(SECRET, Some(OLD_SECRET)).check(&old).await.is_ok());
        assert!(tokens(SECRET, None).check(&old).await.is_err());
    }

    #[tokio::test]
    async fn an_expired_token_is_refused_past_the_leeway() {
        let tokens = tokens(SECRET, None);
        let now = Utc::now().timestamp();
        let fresh = tokens.issue_at(caller(), now - LIFETIME_SECONDS + 30).expect("issues");
        let stale = tokens.issue_at(caller(), now - LIFETIME_SECONDS - 30).expect("issues");
        assert!(tokens.check(&fresh).await.is_ok());
        assert!(tokens.check(&stale).await.is_err());
    }

    #[tokio::test]
    async fn every_claim_and_header_counts() {
        let tokens = tokens(SECRET, None);
        assert!(tokens.check(&signed(&good_header(), &good_claims())).await.is_ok());
        for claim in ["iss", "aud", "sub", "sid", "nbf", "exp"] {
            let mut claims = good_claims();
            claims.as_object_mut().expect("object").remove(claim);
            assert!(tokens.check(&signed(&good_header(), &claims)).await.is_err(), "without {claim}");
        }
        for (claim, value) in [
            ("iss", serde_json::json!("somebody")),
            ("aud", serde_json::json!("somewhere")),
            ("exp", serde_json::json!("9999999999")),
            ("nbf", serde_json::json!(Utc::now().timestamp() + 60)),
            ("sub", serde_json::json!("alice")),
        ] {
            let mut claims = good_claims();
            claims[claim] = value;
            assert!(tokens.check(&signed(&good_header(), &claims)).await.is_err(), "with a wrong {claim}");
        }
        let mut header = good_header();
        header.typ = Some("JWT".to_owned());
        assert!(tokens.check(&signed(&header, &good_claims())).await.is_err(), "another type");
        let mut header = good_header();
        header.kid = None;
        assert!(tokens.check(&signed(&header, &good_claims())).await.is_err(), "no key id");
        let mut header = good_header();
        header.alg = Algorithm::HS512;
        assert!(tokens.check(&signed(&header, &good_claims())).await.is_err(), "another algorithm");
    }

    #[tokio::test]
    async fn garbage_is_refused() {
        let tokens = tokens(SECRET, None);
        for token in ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(tokens.check(token).await.is_err(), "{token:?}");
        }
    }

    #[test]
    fn a_short_secret_is_refused_at_start_by_its_own_name() {
        let refusal = |secret: &str, previous: Option<&str>| {
            let config = TokenConfig { secret: secret.to_owned(), previous_secret: previous.map(str::to_owned) };
            Tokens::new(&config).expect_err("too short")
        };
        assert!(refusal("short", None).starts_with("JWT_SECRET must"));
        assert!(refusal(SECRET, Some("short")).starts_with("JWT_SECRET_PREVIOUS must"));
    }
}
