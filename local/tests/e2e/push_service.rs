//! A push service on this machine, and browsers that subscribe to it and read what it is given.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::road::{ROAD, Road};

/// A push service that takes everything, unless it is told to answer otherwise.
#[derive(Clone, Default)]
pub struct PushService {
    pub origin: String,
    pub posts: Arc<Mutex<Vec<(String, HeaderMap, Bytes)>>>,
    /// For a device, in place of 201.
    answers: Arc<Mutex<HashMap<String, u16>>>,
    pub delay: Arc<Mutex<Duration>>,
}

impl PushService {
    /// `None` where functions cannot reach it.
    pub async fn start() -> Option<Self> {
        if *ROAD == Road::Elsewhere {
            eprintln!("NOT TRIED: the functions on this road cannot reach a push service on this machine");
            return None;
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let service = Self { origin, ..Self::default() };
        let app = Router::new().route("/{device}", post(take)).with_state(service.clone());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Some(service)
    }

    pub fn answer(&self, browser: &Browser, status: u16) {
        self.answers.lock().unwrap().insert(browser.device.clone(), status);
    }

    /// A browser that can subscribe.
    pub fn browser(&self) -> Browser {
        let key = PrivateKey::generate(&ECDH_P256).unwrap();
        let device = uuid::Uuid::new_v4().simple().to_string();
        Browser { service: self.clone(), device, key, auth: *uuid::Uuid::new_v4().as_bytes() }
    }
}

async fn take(
    State(service): State<PushService>,
    Path(device): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let delay = *service.delay.lock().unwrap();
    tokio::time::sleep(delay).await;
    let status = service.answers.lock().unwrap().get(&device).copied().unwrap_or(201);
    service.posts.lock().unwrap().push((device, headers, body));
    StatusCode::from_u16(status).unwrap()
}

pub struct Browser {
    service: PushService,
    device: String,
    key: PrivateKey,
    auth: [u8; 16],
}

impl Browser {
    pub fn endpoint(&self) -> String {
        format!("{}/{}", self.service.origin, self.device)
    }

    pub fn subscription(&self, shows_text: bool) -> Value {
        let point = self.key.compute_public_key().unwrap();
        let point: &[u8] = point.as_ref();
        let [p256dh, auth] = [point, &self.auth[..]].map(|key| BASE64_URL_SAFE_NO_PAD.encode(key));
        json!({"endpoint": self.endpoint(), "keys": {"p256dh": p256dh, "auth": auth}, "shows_text": shows_text})
    }

    /// What this device was told, decrypted, with the messages' numbers and texts.
    pub fn pushes(&self) -> Vec<Value> {
        let posts = self.service.posts.lock().unwrap();
        posts.iter().filter(|(device, _, _)| *device == self.device).map(|(_, _, body)| self.decrypt(body)).collect()
    }

    pub fn numbers(&self) -> Vec<i64> {
        self.pushes().iter().map(|push| push["message_id"].as_i64().unwrap()).collect()
    }

    /// As RFC 8291 has it.
    fn decrypt(&self, push: &[u8]) -> Value {
        let (salt, rest) = push.split_at(16);
        assert_eq!(rest[..5], [0, 0, 16, 0, 65], "the record's size, and the length of the key");
        let (sender, sealed) = rest[5..].split_at(65);
        let own = self.key.compute_public_key().unwrap();
        let info: [&[u8]; 3] = [b"WebPush: info\0", own.as_ref(), sender];
        let peer = UnparsedPublicKey::new(&ECDH_P256, sender);
        let secret = agreement::agree(&self.key, peer, (), |shared| Ok(derive(&self.auth, shared, &info, 32))).unwrap();
        let key = derive(salt, &secret, &[b"Content-Encoding: aes128gcm\0"], 16);
        let nonce = derive(salt, &secret, &[b"Content-Encoding: nonce\0"], 12);
        let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
        let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed).unwrap();
        let (delimiter, plain) = plain.split_last().unwrap();
        assert_eq!(*delimiter, 2, "the last record");
        serde_json::from_slice(plain).unwrap()
    }
}

fn derive(salt: &[u8], secret: &[u8], info: &[&[u8]], length: usize) -> Vec<u8> {
    let mut key = vec![0; length];
    Salt::new(HKDF_SHA256, salt).extract(secret).expand(info, Length(length)).unwrap().fill(&mut key).unwrap();
    key
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}
