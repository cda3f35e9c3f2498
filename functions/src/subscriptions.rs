//! `GET /push/key`, `PUT` and `DELETE /push/subscription`: a device that wants to be told of messages while it is not connected.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::Database;
use windi_shared::db::pushes::{self, NewSubscription};
use windi_shared::db::rates::{self, Deed};
use windi_shared::protocol::{NewPushSubscription, OldPushSubscription, PushKey};
use windi_shared::push_fields::KeyText;
use windi_shared::{Error, Result};

use crate::aes128gcm::{self, AUTH_BYTES};
use crate::door;
use crate::http_api::{self, Answer};
use crate::web_push::WebPush;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let web_push = door.web_push().await?;
        door.http(|request| handle(&db, &tokens, &web_push, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, web_push: &WebPush, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "GET /push/key" => key(db, tokens, web_push, &request).await,
            "PUT /push/subscription" => subscribe(db, tokens, web_push, &request).await,
            "DELETE /push/subscription" => unsubscribe(db, tokens, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn key(db: &Database, tokens: &Tokens, web_push: &WebPush, request: &Request) -> Result<Answer> {
    http_api::caller(db, tokens, request).await?;
    http_api::ok(&PushKey { public_key: web_push.key().await?.public_key().to_owned() })
}

/// Keeps a subscription for as long as the session lives.
async fn subscribe(db: &Database, tokens: &Tokens, web_push: &WebPush, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let NewPushSubscription { endpoint, keys, shows_text } = http_api::read_json(request)?;
    web_push.key().await?;
    web_push.check(endpoint.as_str())?;
    let (p256dh, auth) = (bytes(&keys.p256dh, "keys.p256dh")?, bytes(&keys.auth, "keys.auth")?);
    if !aes128gcm::is_point(&p256dh) {
        return Err(Error::field("keys.p256dh", "must be an uncompressed point on P-256"));
    }
    if auth.len() != AUTH_BYTES {
        return Err(Error::field("keys.auth", format!("must be {AUTH_BYTES} bytes")));
    }
    rates::take(db, caller.user_id, Deed::Subscription).await?;
    let new = NewSubscription { endpoint: endpoint.as_str(), p256dh: &p256dh, auth: &auth, shows_text };
    pushes::put(db, caller, &new).await?;
    Ok(http_api::no_content())
}

fn bytes(key: &KeyText, field: &str) -> Result<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(key.as_str()).map_err(|_| Error::field(field, "must be base64url without padding"))
}

async fn unsubscribe(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let OldPushSubscription { endpoint } = http_api::read_json(request)?;
    pushes::remove(db, caller.user_id, endpoint.as_str()).await?;
    Ok(http_api::no_content())
}
