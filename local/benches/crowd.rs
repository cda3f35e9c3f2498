//! Many people at once: `cargo bench -p windi-local --bench crowd`.
//!
//! * A message to a room of 500, all connected: how long until the last one has it, against as many bare posts through the
//!   same SDK, 64 at a time; and how long until the sender is told, against a private chat.
//! * 10,000 open sockets that do nothing: how much of the process's memory each takes, with its entry in the table.
//! * 300 people who connect within a second, as after a restart: how long each takes to have a socket and to have synced.
//! * Logins per second, against what the cores can hash.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_apigatewaymanagement::config::Credentials;
use aws_sdk_apigatewaymanagement::primitives::Blob;
use aws_smithy_http_client::Builder as HttpClient;
use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use support::idle::{self, Idle, resident};
use support::messenger::{self, Messenger, Person};
use support::room::{CLIENTS, Room};
use support::sockets::Device;
use support::{TEXT, median, percentile};
use tokio::sync::Semaphore;
use windi_shared::auth::password;
use windi_shared::fields::Password;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROOM: usize = 500;
const IDLE: usize = 10_000;
const RETURNING: usize = 300;
const ROUNDS: usize = 100;
/// As a fan-out: posts under way in all, and people per task.
const POSTS_AT_ONCE: usize = 64;
const SHARE: usize = 100;
/// Private chats have smaller numbers than the room; `PRIVATE` is that of two people who are not in it.
const GROUP: usize = 1_000;
const PRIVATE: usize = ROOM / 2;
const PASSWORD: &str = "correct horse battery";

#[tokio::main]
async fn main() {
    idle::begin().await;
    let messenger = Messenger::start().await;
    let db = &messenger.app.db;
    messenger::add_people(db, 0..IDLE + ROOM).await;
    messenger::add_private_chats(db, 0..PRIVATE + 1).await;
    messenger::add_group(db, GROUP, 0..ROOM).await;
    let people = messenger.log_in(0..IDLE + ROOM).await;

    // First, while the process has no memory to reuse.
    open_sockets(&messenger, &people[ROOM..]).await;
    room(&messenger, &people[..ROOM + 2]).await;
    returning(&messenger, &people[..RETURNING]).await;
    logins(&messenger, &people[..RETURNING]).await;
    messenger.stop().await;
}

/// The last two people are not members.
async fn room(messenger: &Messenger, people: &[Person]) {
    let mut room = Room::open(&messenger.base, messenger::chat(GROUP), &people[..ROOM]).await;
    // All members but the sender, in no order.
    let posts = bare_posts(messenger).await;
    let mut private = Room::open(&messenger.base, messenger::chat(PRIVATE), &people[ROOM..]).await;
    let (mut acks, mut private_acks, mut lasts, mut bares) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Both after the same work, because whatever has rested is slower.
        bares.push(posts.run(&mut room, &format!("bare-{round}")).await);
        let (ack, last) = room.send().await;
        acks.push(ack);
        lasts.push(last);
        bares.push(posts.run(&mut room, &format!("again-{round}")).await);
        private_acks.push(private.send().await.0);
    }
    let (ack, private_ack, last, bare) = (median(acks), median(private_acks), median(lasts), median(bares));
    println!(
        "a room of {ROOM}: the last one has it after {last:.1} ms, {ROOM} bare posts take {bare:.1} ms: {:.2}",
        last / bare
    );
    println!("acknowledged after {ack:.2} ms, in a private chat after {private_ack:.2} ms: {:.2}", ack / private_ack);
}

/// Posts to the members of the room without anything around them.
struct BarePosts {
    client: aws_sdk_apigatewaymanagement::Client,
    connections: Vec<String>,
    places: Arc<Semaphore>,
}

/// To be called while only the room is connected.
async fn bare_posts(messenger: &Messenger) -> BarePosts {
    let config = aws_sdk_apigatewaymanagement::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("local", "local", None, None, "bench"))
        .endpoint_url(&messenger.app.settings.push_endpoint)
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .http_client(messenger.app.aws.management(HttpClient::new().build_http()));
    let client = aws_sdk_apigatewaymanagement::Client::from_conf(config.build());
    let places = Arc::new(Semaphore::new(POSTS_AT_ONCE));
    BarePosts { client, connections: messenger.gateway.sockets().ids(), places }
}

impl BarePosts {
    /// Posts a message to everybody, and returns how many milliseconds it took until all but the sender had it.
    async fn run(&self, room: &mut Room, key: &str) -> f64 {
        // As long as a real one.
        let data = json!({"chat_id": messenger::chat(GROUP), "id": 1, "sender_id": messenger::user(0), "revision": 2,
            "text": TEXT, "timestamp": "2026-11-28T12:00:00.000Z", "edited_at": null, "deleted_at": null,
            "is_read": false, "client_message_id": key});
        let frame = Blob::new(json!({"type": "new_message", "data": data}).to_string());
        let start = Instant::now();
        for share in self.connections.chunks(SHARE) {
            let (client, share, frame) = (self.client.clone(), share.to_vec(), frame.clone());
            let places = self.places.clone();
            tokio::spawn(stream::iter(share).for_each_concurrent(POSTS_AT_ONCE, move |id| {
                let (client, frame, places) = (client.clone(), frame.clone(), places.clone());
                async move {
                    let _place = places.acquire().await;
                    client.post_to_connection().connection_id(id).data(frame).send().await.unwrap();
                }
            }));
        }
        room.everybody_has(key).await;
        start.elapsed().as_secs_f64() * 1000.0
    }
}

async fn open_sockets(messenger: &Messenger, people: &[Person]) {
    // What the first connection sets up once must not count.
    drop(Idle::open(&messenger.base, &people[..1]).await);
    messenger.all_gone(people).await;
    let (before, start) = (resident(), Instant::now());
    let idle = Idle::open(&messenger.base, people).await;
    let (after, seconds) = (resident(), start.elapsed().as_secs_f64());
    assert_eq!(messenger.gateway.sockets().len(), people.len());
    let each = (after - before) as f64 / people.len() as f64 / 1024.0;
    println!("{} open sockets: {each:.1} KB each; opened one after another in {seconds:.1} s", people.len());
    drop(idle);
    messenger.all_gone(people).await;
}

async fn returning(messenger: &Messenger, people: &[Person]) {
    messenger.all_gone(people).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let devices = people.iter().cloned().enumerate().map(|(number, person)| {
        let (base, http) = (messenger.base.clone(), http.clone());
        CLIENTS.spawn(async move {
            // Spread over one second.
            tokio::time::sleep(Duration::from_secs(1) * number as u32 / RETURNING as u32).await;
            let start = Instant::now();
            let mut device = Device::connect(&base, &person).await;
            device.act("ping", &json!({})).await;
            while !device.frame().await.contains("pong") {}
            let list = http.get(format!("{base}/chats")).bearer_auth(&person.token).send().await.unwrap();
            let list: Value = list.error_for_status().unwrap().json().await.unwrap();
            assert_eq!(list["chats"].as_array().unwrap().len(), 2);
            (device, start.elapsed().as_secs_f64())
        })
    });
    let (_devices, mut took): (Vec<_>, Vec<_>) = join_all(devices).await.into_iter().map(Result::unwrap).unzip();
    let (half, last) = (percentile(&mut took, 0.5), percentile(&mut took, 1.0));
    println!(
        "{RETURNING} people connect within a second: each has synced after {half:.3} s (p50), {last:.3} s at most"
    );
}

async fn logins(messenger: &Messenger, before: &[Person]) {
    messenger.all_gone(before).await;
    let at_once = std::thread::available_parallelism().unwrap().get() * 2;
    let hash = password::hash(Password::new(PASSWORD).unwrap()).await.unwrap();
    sqlx::query("update users set password_hash = $1").bind(hash).execute(&messenger.app.db).await.unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let (mut hashes, mut logins) = (Vec::new(), Vec::new());
    for _ in 0..3 {
        hashes.push(
            per_second(at_once, |_| async {
                password::hash(Password::new(PASSWORD).unwrap()).await.unwrap();
            })
            .await,
        );
        logins.push(
            per_second(at_once, |number| {
                let login = json!({"username": format!("user{number}"), "password": PASSWORD});
                let request = http.post(format!("{}/auth/login", messenger.base)).json(&login);
                async {
                    request.send().await.unwrap().error_for_status().unwrap();
                }
            })
            .await,
        );
    }
    let (hashes, logins) = (median(hashes), median(logins));
    println!("{logins:.1} logins per second; the cores can hash {hashes:.1}: {:.2}", logins / hashes);
}

/// How often `work` is done in a second by `at_once` of us.
async fn per_second<F: Future<Output = ()>>(at_once: usize, work: impl Fn(usize) -> F) -> f64 {
    let (start, work) = (Instant::now(), &work);
    let each = (0..at_once).map(|number| async move {
        let mut done = 0;
        while start.elapsed() < Duration::from_secs(4) {
            work(number).await;
            done += 1;
        }
        done
    });
    let done: i32 = join_all(each).await.into_iter().sum();
    f64::from(done) / start.elapsed().as_secs_f64()
}
