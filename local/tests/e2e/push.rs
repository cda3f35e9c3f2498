//! Devices that are not connected are told of messages through a push service: here one of our own, on this machine.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use reqwest::Method;
use serde_json::{Value, json};

use crate::answers::code;
use crate::harness::{PASSWORD, Person, World, text};
use crate::push_service::{Browser, PushService};

impl Browser {
    async fn subscribe(&self, who: &Person, shows_text: bool) {
        let (status, answer) = put(who, self.subscription(shows_text)).await;
        assert_eq!(status, 204, "{answer}");
    }
}

async fn put(who: &Person, subscription: Value) -> (u16, Value) {
    who.call(Method::PUT, "/push/subscription", Some(subscription)).await
}

async fn read(who: &Person, chat_id: &str, message_id: i64) {
    let path = format!("/messages/{chat_id}/{message_id}/read");
    assert_eq!(who.call(Method::POST, &path, None).await.0, 200);
}

/// How many subscriptions there are.
async fn kept(world: &World) -> i64 {
    sqlx::query_scalar("select count(*) from push_subscriptions").fetch_one(&world.app.db).await.unwrap()
}

#[tokio::test]
async fn whoever_is_away_is_told_once_in_each_chat_until_they_have_read() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let phone = service.browser();
    phone.subscribe(&bob, true).await;
    let first = json!({"chat_id": chat_id, "text": "one", "client_message_id": "k"});
    for status in [201, 200] {
        assert_eq!(alice.post("/messages", first.clone()).await.0, status);
    }
    alice.say(&chat_id, "two").await;
    assert_eq!(phone.pushes(), [json!({"chat_id": chat_id, "message_id": 1, "title": "alice", "body": "one"})]);
    let group = alice.group("Friends", &[&bob]).await;
    alice.say(&group, "there").await;
    let expected = json!({"chat_id": group, "message_id": 1, "title": "Friends", "body": "alice: there"});
    assert_eq!(phone.pushes()[1..], [expected]);
    read(&bob, &chat_id, 1).await;
    alice.say(&chat_id, "three").await;
    assert_eq!(phone.numbers(), [1, 1, 3], "what was told of has been read");
    alice.say(&chat_id, "four").await;
    // Whoever writes has read.
    bob.say(&chat_id, "five").await;
    alice.say(&chat_id, "six").await;
    assert_eq!(phone.numbers(), [1, 1, 3, 6]);
}

#[tokio::test]
async fn a_push_service_learns_who_we_are_and_nothing_else() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (phone, laptop) = (service.browser(), service.browser());
    phone.subscribe(&bob, true).await;
    laptop.subscribe(&bob, false).await;
    alice.say(&chat_id, "a secret").await;
    assert_eq!(laptop.pushes(), [json!({"chat_id": chat_id, "message_id": 1, "title": "alice"})], "without the text");
    let public_key = text(&bob.get("/push/key").await["public_key"]);
    let posts = service.posts.lock().unwrap().clone();
    assert_eq!(posts.len(), 2);
    let header = |at: usize, name: &str| posts[at].1[name].to_str().unwrap().to_owned();
    assert_ne!(header(0, "topic"), header(1, "topic"), "nobody can tell that the two are in one chat");
    for (at, (_, _, body)) in posts.iter().enumerate() {
        assert!(!String::from_utf8_lossy(body).contains("secret"));
        assert_eq!((header(at, "ttl"), header(at, "urgency")), ("86400".to_owned(), "high".to_owned()));
        assert_eq!(header(at, "content-encoding"), "aes128gcm");
        assert_eq!(header(at, "topic").len(), 32);
        let authorization = header(at, "authorization");
        let (token, key) = authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(key, public_key);
        let point = BASE64_URL_SAFE_NO_PAD.decode(key).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&[&service.origin]);
        let claims = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_ec_der(&point), &validation);
        let claims = claims.unwrap().claims;
        assert_eq!(claims["sub"], "mailto:tests@example.com");
        let left = claims["exp"].as_i64().unwrap() - chrono::Utc::now().timestamp();
        assert!(left > 0 && left <= 24 * 3600, "{left}");
    }
}

#[tokio::test]
async fn nobody_is_told_of_what_they_see_or_do_not_want() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob, carol] = world.people(["alice", "bob", "carol"]).await;
    let (own, phone) = (service.browser(), service.browser());
    own.subscribe(&alice, true).await;
    phone.subscribe(&bob, true).await;

    let connected = alice.group("Connected", &[&bob]).await;
    let device = bob.device().await;
    alice.say(&connected, "x").await;
    assert!(phone.pushes().is_empty(), "connected");
    drop(device);

    let muted = alice.group("Muted", &[&bob]).await;
    let set = async |muted_until: Value| {
        let body = Some(json!({"muted_until": muted_until}));
        assert_eq!(bob.call(Method::PATCH, &format!("/chats/{muted}/settings"), body).await.0, 200);
    };
    // The socket that was dropped may be on the list for another moment.
    until_away(&world, &bob).await;
    set(json!("2099-01-01T00:00:00.000Z")).await;
    alice.say(&muted, "x").await;
    assert!(phone.pushes().is_empty(), "muted");
    set(Value::Null).await;
    alice.say(&muted, "x").await;
    assert_eq!(phone.numbers(), [2], "no longer muted");

    let blocked = carol.group("Blocked", &[&alice, &bob]).await;
    assert_eq!(bob.call(Method::PUT, &format!("/users/{}/block", alice.id), None).await.0, 204);
    alice.say(&blocked, "x").await;
    assert_eq!(phone.numbers(), [2], "blocked");
    carol.say(&blocked, "x").await;
    assert_eq!(phone.numbers(), [2, 2], "somebody else");

    let left = carol.group("Left", &[&bob]).await;
    let leave = bob.call(Method::DELETE, &format!("/chats/{left}/members/{}", bob.id), None).await;
    assert_eq!(leave.0, 200);
    carol.say(&left, "x").await;
    assert_eq!(phone.numbers(), [2, 2], "left");
    assert_eq!(own.numbers(), [2], "of others' messages only");
}

/// Waits until somebody has no socket any more.
async fn until_away(world: &World, who: &Person) {
    let user_id = who.id.parse().unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    while !world.app.connections.of_users(&[user_id]).await.unwrap().is_empty() {
        assert!(Instant::now() < end, "the socket stays on the list");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_subscription_that_is_gone_is_removed_and_one_that_failed_is_tried_with_the_next_message() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (phone, laptop, tablet) = (service.browser(), service.browser(), service.browser());
    phone.subscribe(&bob, true).await;
    service.answer(&phone, 500);
    alice.say(&chat_id, "one").await;
    service.answer(&phone, 201);
    alice.say(&chat_id, "two").await;
    alice.say(&chat_id, "three").await;
    assert_eq!(phone.numbers(), [1, 2]);
    laptop.subscribe(&bob, true).await;
    tablet.subscribe(&bob, true).await;
    service.answer(&laptop, 410);
    service.answer(&tablet, 404);
    read(&bob, &chat_id, 3).await;
    alice.say(&chat_id, "four").await;
    assert_eq!((phone.numbers().len(), laptop.numbers(), tablet.numbers()), (3, vec![4], vec![4]));
    assert_eq!(kept(&world).await, 1);
}

#[tokio::test]
async fn a_slow_push_service_holds_up_nobody_for_long() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    service.browser().subscribe(&bob, true).await;
    *service.delay.lock().unwrap() = Duration::from_secs(60);
    let mut device = alice.device().await;
    let start = Instant::now();
    device.say(&chat_id, "over the socket", "k").await;
    device.next_of("new_message").await;
    assert!(start.elapsed() < Duration::from_millis(2500), "the acknowledgement does not wait: {:?}", start.elapsed());
    let start = Instant::now();
    alice.say(&chat_id, "over HTTP").await;
    assert!(start.elapsed() < Duration::from_secs(10), "three seconds, and some for a busy machine");
}

#[tokio::test]
async fn a_subscription_ends_with_its_session_and_when_its_owner_wishes() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (phone, laptop) = (service.browser(), service.browser());
    let elsewhere = bob.with_token(&world.login("bob").await);
    phone.subscribe(&bob, true).await;
    laptop.subscribe(&elsewhere, true).await;
    assert_eq!(elsewhere.call(Method::POST, "/auth/logout", None).await.0, 204);
    assert_eq!(kept(&world).await, 1, "a logout");
    let elsewhere = bob.with_token(&world.login("bob").await);
    laptop.subscribe(&elsewhere, true).await;
    let session = text(&elsewhere.get("/auth/sessions").await["current"]);
    assert_eq!(bob.call(Method::DELETE, &format!("/auth/sessions/{session}"), None).await.0, 204);
    assert_eq!(kept(&world).await, 1, "a session that was ended");
    let elsewhere = bob.with_token(&world.login("bob").await);
    laptop.subscribe(&elsewhere, true).await;
    let change = json!({"current_password": PASSWORD, "new_password": "another password"});
    assert_eq!(bob.post("/auth/password", change).await.0, 204);
    assert_eq!(kept(&world).await, 1, "a change of password");
    let gone = Some(json!({"endpoint": phone.endpoint()}));
    assert_eq!(alice.call(Method::DELETE, "/push/subscription", gone.clone()).await.0, 204);
    assert_eq!(kept(&world).await, 1, "somebody else's");
    assert_eq!(bob.call(Method::DELETE, "/push/subscription", gone).await.0, 204);
    assert_eq!(kept(&world).await, 0);
    phone.subscribe(&bob, true).await;
    sqlx::query("update sessions set expires_at = now() where user_id = $1::uuid")
        .bind(&bob.id)
        .execute(&world.app.db)
        .await
        .unwrap();
    alice.say(&chat_id, "x").await;
    assert!(phone.pushes().is_empty(), "the session has expired");
    let carol = world.person("carol").await;
    assert_eq!(kept(&world).await, 0, "her login has cleared away what had expired");
    laptop.subscribe(&carol, true).await;
    assert_eq!(kept(&world).await, 1);
    assert_eq!(carol.post("/users/me/delete", json!({"password": PASSWORD})).await.0, 204);
    assert_eq!(kept(&world).await, 0, "an account that was deleted");
}

#[tokio::test]
async fn a_person_has_ten_subscriptions_and_a_browser_one() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let browsers: Vec<_> = (0..12).map(|_| service.browser()).collect();
    for browser in &browsers {
        browser.subscribe(&bob, true).await;
    }
    // Once more changes nothing but the wish.
    browsers[11].subscribe(&bob, false).await;
    assert_eq!(kept(&world).await, 10);
    alice.say(&chat_id, "x").await;
    let told: Vec<_> = browsers.iter().map(|browser| browser.pushes().len()).collect();
    assert_eq!(told, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    assert_eq!(browsers[11].pushes()[0].get("body"), None);
    // Whoever only knows the endpoint does not get it; whoever logs in with the same browser does.
    let mut stolen = service.browser().subscription(true);
    stolen["endpoint"] = json!(browsers[11].endpoint());
    assert_eq!(code(&put(&alice, stolen).await), (422, "invalid_field"));
    browsers[11].subscribe(&alice, true).await;
    assert_eq!(kept(&world).await, 10);
    bob.say(&chat_id, "for alice").await;
    assert_eq!(browsers[11].pushes()[1]["body"], "for alice");
}

#[tokio::test]
async fn a_subscription_that_is_none_is_refused() {
    let Some(service) = PushService::start().await else { return };
    let world = World::new().await;
    let bob = world.person("bob").await;
    let good = service.browser().subscription(true);
    let point = |first: u8| BASE64_URL_SAFE_NO_PAD.encode([&[first][..], &[7; 64][..]].concat());
    for (field, bad) in [
        ("/endpoint", json!("https://127.0.0.1/x")),
        ("/endpoint", json!("https://user@push.example.com/x")),
        ("/endpoint", json!("https://database.internal/x")),
        ("/endpoint", json!("http://push.example.com/x")),
        ("/endpoint", json!(format!("https://push.example.com/{}", "x".repeat(1024)))),
        ("/endpoint", json!("")),
        ("/keys/p256dh", json!(point(4))),
        ("/keys/p256dh", json!(point(2))),
        ("/keys/p256dh", json!("AAAA")),
        ("/keys/p256dh", json!("A")),
        ("/keys/auth", json!("AAAA")),
        ("/keys/auth", json!("!")),
        ("/shows_text", Value::Null),
    ] {
        let mut subscription = good.clone();
        *subscription.pointer_mut(field).unwrap() = bad.clone();
        let answer = put(&bob, subscription).await;
        assert_eq!(code(&answer), (422, "invalid_field"), "{field} {bad}");
        let name = field[1..].replace('/', ".");
        assert!(answer.1["message"].as_str().unwrap().starts_with(&name), "{}", answer.1);
    }
    assert_eq!(kept(&world).await, 0);
    assert_eq!(put(&bob, good).await.0, 204);
}
