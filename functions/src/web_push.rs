//! Tells devices that are not connected of a message (Web Push, RFC 8030): what a push service carries to a browser that has
//! subscribed. This is best effort, like every push.

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use futures_util::{StreamExt as _, stream};
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use reqwest::{Client, StatusCode, Url};
use sha2::{Digest as _, Sha256};
use tokio::sync::{OnceCell, Semaphore};
use uuid::Uuid;
use windi_shared::config::PushConfig;
use windi_shared::db::Database;
use windi_shared::db::pushes::{self, Due, News};
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{Message, PushMessage};
use windi_shared::secrets::Secret;
use windi_shared::{Error, Result};

use crate::aes128gcm;
use crate::push_services::{client, endpoint};
use crate::vapid::VapidKey;

/// How many devices are told of one message, and how many of them at once.
const MAX_POSTS: i64 = 50;
const POSTS_AT_ONCE: usize = 8;
/// How many posts the whole process makes at once: one machine has everybody's.
const PROCESS_POSTS_AT_ONCE: usize = 64;
/// How long all posts about one message may take. Whoever sends over HTTP waits for them, because after an answer Lambda freezes
/// the function.
const LIMIT: Duration = Duration::from_secs(3);
/// How long a push service keeps a message for a device that is off, in seconds.
const TTL_SECONDS: &str = "86400";
/// How much of a text is shown, in characters.
const MAX_BODY_CHARS: usize = 200;
/// A topic has up to 32 characters of base64url (RFC 8030, section 5.4).
const TOPIC_BYTES: usize = 24;

/// The way to push services.
#[derive(Debug)]
pub struct WebPush {
    source: Source,
    key: OnceCell<VapidKey>,
    subject: String,
    allows_http: bool,
    /// Made by the first push: most functions of a messenger without subscriptions never need it.
    client: OnceLock<Client>,
    places: Semaphore,
}

/// Where the key comes from.
#[derive(Debug)]
enum Source {
    Off,
    Given,
    /// Read when it is first needed.
    Kept(Secret),
}

/// What has become of the posts about one message.
#[derive(Debug, Default)]
struct Tally {
    reached: HashSet<UserId>,
    /// Subscriptions that no longer exist.
    dead: Vec<Uuid>,
    failed: Vec<Uuid>,
}

enum Posted {
    Arrived,
    /// The subscription does not exist any more.
    Gone,
    Failed,
}

impl WebPush {
    /// With the key in the configuration, or without one.
    ///
    /// # Errors
    /// If the key is too short.
    pub fn new(config: &PushConfig) -> std::result::Result<Self, &'static str> {
        Ok(match config.secret.as_deref().map(VapidKey::of_secret).transpose()? {
            Some(key) => Self { key: OnceCell::new_with(Some(key)), ..Self::with(Source::Given, config) },
            None => Self::with(Source::Off, config),
        })
    }

    /// With the key in Secrets Manager.
    pub fn kept_in(secret: Secret, config: &PushConfig) -> Self {
        Self::with(Source::Kept(secret), config)
    }

    fn with(source: Source, config: &PushConfig) -> Self {
        Self {
            source,
            key: OnceCell::new(),
            subject: config.subject.clone(),
            allows_http: config.allows_http,
            client: OnceLock::new(),
            places: Semaphore::new(PROCESS_POSTS_AT_ONCE),
        }
    }

    /// The key by which push services know this messenger.
    ///
    /// # Errors
    /// [`Error::PushDisabled`]; [`Error::Unavailable`] if it cannot be read.
    pub async fn key(&self) -> Result<&VapidKey> {
        self.key
            .get_or_try_init(|| async {
                match &self.source {
                    Source::Kept(secret) => {
                        secret.read(VapidKey::of_secret).await.map_err(|e| Error::Unavailable(e.into()))
                    }
                    Source::Off | Source::Given => Err(Error::PushDisabled),
                }
            })
            .await
    }

    /// The address of a push service, if it may be posted to.
    ///
    /// # Errors
    /// [`Error::InvalidField`].
    pub fn check(&self, text: &str) -> Result<Url> {
        endpoint(text, self.allows_http).map_err(|reason| Error::field("endpoint", reason))
    }

    /// Tells those of the users of a message who have subscribed. A failure is logged.
    pub async fn tell(&self, db: &Database, message: &Message, users: &[UserId]) {
        if matches!(self.source, Source::Off) || users.is_empty() {
            return;
        }
        if let Err(error) = self.try_to_tell(db, message, users).await {
            error.log();
        }
    }

    async fn try_to_tell(&self, db: &Database, message: &Message, users: &[UserId]) -> Result<()> {
        // Before anybody counts as told.
        let (key, client) = (self.key().await?, self.client()?);
        let news = News { chat_id: message.chat_id, message_id: message.id, sender_id: message.sender_id };
        let due = pushes::claim(db, news, users, MAX_POSTS).await?;
        if due.is_empty() {
            return Ok(());
        }
        let (start, posts) = (Instant::now(), due.len());
        let told: HashSet<_> = due.iter().map(|due| due.user_id).collect();
        let tally = Mutex::new(Tally::default());
        let post_all = stream::iter(due).for_each_concurrent(POSTS_AT_ONCE, |due| {
            let tally = &tally;
            async move {
                let posted = self.post(client, key, message, &due).await;
                let mut tally = tally.lock().unwrap_or_else(PoisonError::into_inner);
                match posted {
                    Posted::Arrived => {
                        tally.reached.insert(due.user_id);
                    }
                    Posted::Gone => tally.dead.push(due.subscription_id),
                    Posted::Failed => tally.failed.push(due.subscription_id),
                }
            }
        });
        let is_cut_short = tokio::time::timeout(LIMIT, post_all).await.is_err();
        let Tally { reached, dead, failed } = tally.into_inner().unwrap_or_else(PoisonError::into_inner);
        let ms = start.elapsed().as_millis() as u64;
        tracing::info!(
            posts,
            gone = dead.len(),
            failed = failed.len(),
            is_cut_short,
            ms,
            "Told devices that are not connected."
        );
        let missed: Vec<_> = told.difference(&reached).copied().collect();
        if !missed.is_empty() {
            pushes::release(db, news, &missed).await?;
        }
        if !failed.is_empty() {
            pushes::count_failures(db, &failed).await?;
        }
        if !dead.is_empty() {
            pushes::forget(db, &dead).await?;
        }
        Ok(())
    }

    fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = client(self.allows_http).map_err(Error::internal)?;
        Ok(self.client.get_or_init(|| client))
    }

    async fn post(&self, client: &Client, key: &VapidKey, message: &Message, due: &Due) -> Posted {
        let _place = self.places.acquire().await;
        match self.try_to_post(client, key, message, due).await {
            Ok(status) if status.is_success() => Posted::Arrived,
            Ok(StatusCode::NOT_FOUND | StatusCode::GONE) => Posted::Gone,
            Ok(status) => {
                tracing::warn!(status = status.as_u16(), "A push service has refused a push.");
                Posted::Failed
            }
            Err(error) => {
                tracing::warn!(?error, "A push service could not be told.");
                Posted::Failed
            }
        }
    }

    /// Its errors do not have the endpoint, which is a secret.
    async fn try_to_post(&self, client: &Client, key: &VapidKey, message: &Message, due: &Due) -> Result<StatusCode> {
        let url = self.check(&due.endpoint)?;
        let authorization = key.authorization(&url.origin().ascii_serialization(), &self.subject)?;
        let plain = serde_json::to_vec(&shown(message, due)).map_err(Error::internal)?;
        let body = aes128gcm::encrypt(&plain, &due.p256dh, &due.auth)?;
        let request = client
            .post(url)
            .header(AUTHORIZATION, authorization)
            .header(CONTENT_ENCODING, "aes128gcm")
            .header(CONTENT_TYPE, "application/octet-stream")
            .header("ttl", TTL_SECONDS)
            .header("urgency", "high")
            .header("topic", topic(message.chat_id, &due.endpoint))
            .body(body);
        let answer = request.send().await.map_err(|error| Error::Unavailable(error.without_url().into()))?;
        Ok(answer.status())
    }
}

/// What a push service knows a chat by: of several messages that wait there for a device, the last replaces the others. It
/// differs from device to device, so that nobody learns there who talks to whom.
fn topic(chat_id: ChatId, endpoint: &str) -> String {
    let hash = Sha256::new().chain_update(chat_id.0.as_bytes()).chain_update(endpoint.as_bytes()).finalize();
    BASE64_URL_SAFE_NO_PAD.encode(&hash[..TOPIC_BYTES])
}

fn shown(message: &Message, due: &Due) -> PushMessage {
    let Due { group_name, sender_name, .. } = due;
    let body = due.shows_text.then(|| {
        let text = excerpt(message);
        if group_name.is_some() { format!("{sender_name}: {text}") } else { text }
    });
    let title = group_name.as_ref().unwrap_or(sender_name).clone();
    PushMessage { chat_id: message.chat_id, message_id: message.id, title, body }
}

/// The beginning of a message's text, or what it has instead of one.
fn excerpt(message: &Message) -> String {
    let text = message.text.as_deref().unwrap_or_default();
    let text = match message.details.files.first() {
        Some(file) if text.is_empty() => {
            if file.width.is_some() {
                "Photo"
            } else {
                file.name.as_str()
            }
        }
        _ => text,
    };
    let mut excerpt: String = text.chars().take(MAX_BODY_CHARS).collect();
    if excerpt.len() < text.len() {
        excerpt.push('…');
    }
    excerpt
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, files: &serde_json::Value) -> Message {
        let message = serde_json::json!({"chat_id": "019a1b2c-0000-7000-8000-000000000001", "id": 7,
            "sender_id": "019a1b2c-0000-7000-8000-00000000000a", "kind": "text", "text": text,
            "timestamp": "2026-11-20T08:00:00.123Z", "edited_at": null, "deleted_at": null, "is_read": false,
            "client_message_id": "k", "revision": 8, "files": files});
        serde_json::from_value(message).expect("a message")
    }

    fn due(group_name: Option<&str>, shows_text: bool) -> Due {
        Due {
            subscription_id: Uuid::nil(),
            user_id: UserId::new(),
            endpoint: "https://push.example.com/x".to_owned(),
            p256dh: Vec::new(),
            auth: Vec::new(),
            shows_text,
            group_name: group_name.map(str::to_owned),
            sender_name: "Ann".to_owned(),
        }
    }

    #[test]
    fn a_push_has_the_text_only_if_that_is_allowed() {
        let hello = message("hello", &serde_json::json!([]));
        let words = |group_name, shows_text| {
            let PushMessage { title, body, .. } = shown(&hello, &due(group_name, shows_text));
            (title, body)
        };
        assert_eq!(words(None, true), ("Ann".to_owned(), Some("hello".to_owned())));
        assert_eq!(words(None, false), ("Ann".to_owned(), None));
        assert_eq!(words(Some("Friends"), true), ("Friends".to_owned(), Some("Ann: hello".to_owned())));
        assert_eq!(words(Some("Friends"), false), ("Friends".to_owned(), None));
    }

    #[test]
    fn a_file_is_shown_by_its_name_and_a_long_text_is_cut() {
        let id = "019a1b2c-0000-7000-8000-0000000000c1";
        let file = serde_json::json!([{"id": id, "name": "a.pdf", "content_type": "application/pdf", "size": 1}]);
        let photo = serde_json::json!([{"id": id, "name": "a.png", "content_type": "image/png", "size": 1, "width": 1, "height": 1}]);
        assert_eq!(excerpt(&message("", &file)), "a.pdf");
        assert_eq!(excerpt(&message("", &photo)), "Photo");
        assert_eq!(excerpt(&message("look", &photo)), "look");
        let none = serde_json::json!([]);
        assert_eq!(excerpt(&message(&"ж".repeat(200), &none)), "ж".repeat(200));
        assert_eq!(excerpt(&message(&"ж".repeat(201), &none)), format!("{}…", "ж".repeat(200)));
    }

    #[test]
    fn the_longest_push_fits() {
        let mut due = due(Some(&"\u{1f600}".repeat(100)), true);
        due.sender_name = "\u{1f600}".repeat(100);
        let long = message(&"\u{1f600}".repeat(4096), &serde_json::json!([]));
        let plain = serde_json::to_vec(&shown(&long, &due)).expect("JSON");
        assert!(plain.len() <= aes128gcm::MAX_BYTES, "{}", plain.len());
        assert_eq!(topic(long.chat_id, "https://push.example.com/x").len(), 32);
        assert_ne!(topic(long.chat_id, "https://a.example.com/x"), topic(long.chat_id, "https://b.example.com/x"));
    }
}
