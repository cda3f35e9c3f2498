//! How many messages the messenger delivers on one machine: `cargo bench -p windi-local --bench throughput`.
//!
//! Fifty people in twenty-five private chats; each sends the next message when the last one has come back. PostgreSQL
//! syncs every commit to disk, and pushes go through the real SDK and `@connections`: everything the product does, in
//! one process with its load. A delivery is a message that reached a device; the sender's own copy is counted apart.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use sam_gateway::gateway::{Gateway, Settings};
use sam_gateway::template::Template;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use windi_local::in_process::InProcess;
use windi_local::stack::Stack;

/// The program's allocator, because the product is what is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const PEOPLE: usize = 50;
const SECONDS: u64 = 10;

#[derive(Default)]
struct Counts {
    to_others: AtomicU64,
    acknowledged: AtomicU64,
}

#[tokio::main]
async fn main() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let data = tempfile::tempdir().unwrap();
    let (stack, app) = Stack::start(data.path(), &format!("{base}/ws")).await.unwrap();
    let aws = app.aws.clone();
    let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").as_ref()).unwrap();
    let gateway = Gateway::start(listener, template, Arc::new(InProcess::new(app)), Settings::default()).unwrap();
    aws.connect(gateway.management());

    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let people = register(&http, &base).await;
    let counts = Arc::new(Counts::default());
    // Nobody sends before everybody is connected.
    let everybody = Arc::new(Barrier::new(PEOPLE + 1));
    let stop = Arc::new(AtomicBool::new(false));
    let mut devices = Vec::new();
    for pair in people.chunks(2) {
        let chat = json!({"kind": "private", "user_id": pair[1].0});
        let chat_id = text(&post(&http, &format!("{base}/chats"), Some(&pair[0].1), &chat).await["id"]);
        for (user_id, token) in pair {
            let person = Person {
                socket: connect(&base, token).await,
                user_id: user_id.clone(),
                chat_id: chat_id.clone(),
                counts: counts.clone(),
                stop: stop.clone(),
            };
            let everybody = everybody.clone();
            devices.push(tokio::spawn(async move {
                everybody.wait().await;
                person.talk().await
            }));
        }
    }
    everybody.wait().await;
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(SECONDS)).await;
    stop.store(true, Ordering::Relaxed);
    let seconds = start.elapsed().as_secs_f64();
    let to_others = counts.to_others.load(Ordering::Relaxed) as f64 / seconds;
    let acknowledged = counts.acknowledged.load(Ordering::Relaxed) as f64 / seconds;
    let mut waits = Vec::new();
    for device in devices {
        waits.extend(device.await.unwrap());
    }
    waits.sort();
    let at = |share: f64| waits[((waits.len() - 1) as f64 * share) as usize].as_secs_f64() * 1000.0;
    println!("{PEOPLE} people in private pairs, {seconds:.1} s");
    println!("delivered to the other person:  {to_others:.0} messages/s");
    println!("acknowledged to the sender:     {acknowledged:.0} messages/s");
    println!("acknowledgement: p50 {:.1} ms, p99 {:.1} ms", at(0.5), at(0.99));
    gateway.stop().await;
    let elsewhere = stack.database_files().filter(|files| !files.starts_with(data.path())).map(ToOwned::to_owned);
    drop(stack);
    if let Some(files) = elsewhere {
        std::fs::remove_dir_all(files).unwrap();
    }
}

/// Registers everybody and logs them in: their ids and access tokens.
async fn register(http: &reqwest::Client, base: &str) -> Vec<(String, String)> {
    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let (username, password) = (format!("user{number}"), "password123");
        let email = format!("{username}@example.com");
        let account = json!({"name": username, "username": username, "email": email, "password": password});
        let account = post(http, &format!("{base}/auth/register"), None, &account).await;
        let login = json!({"username": username, "password": password});
        let login = post(http, &format!("{base}/auth/login"), None, &login).await;
        people.push((text(&account["id"]), text(&login["access_token"])));
    }
    people
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(base: &str, token: &str) -> Socket {
    let mut request = format!("{}/ws", base.replace("http:", "ws:")).into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    tokio_tungstenite::connect_async(request).await.unwrap().0
}

struct Person {
    socket: Socket,
    user_id: String,
    chat_id: String,
    counts: Arc<Counts>,
    stop: Arc<AtomicBool>,
}

impl Person {
    /// Sends, waits for the message to come back, and sends again until stopped; returns how long each one took.
    async fn talk(mut self) -> Vec<Duration> {
        let mut waits = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let key = waits.len().to_string();
            let data = json!({"chat_id": self.chat_id, "text": "Shall we meet at eight?", "client_message_id": key});
            let sent_at = Instant::now();
            let frame = json!({"action": "sendMessage", "data": data});
            self.socket.send(Message::text(frame.to_string())).await.unwrap();
            while !self.received(&key).await {}
            waits.push(sent_at.elapsed());
            self.counts.acknowledged.fetch_add(1, Ordering::Relaxed);
        }
        waits
    }

    /// Whether the next frame is this person's own message with this key.
    async fn received(&mut self, key: &str) -> bool {
        let Message::Text(frame) = self.socket.next().await.unwrap().unwrap() else { return false };
        let frame: Value = serde_json::from_str(&frame).unwrap();
        match frame["type"].as_str() {
            Some("new_message") => {}
            // The other person of the pair has come online.
            Some("user_status") => return false,
            _ => panic!("{frame}"),
        }
        if frame["data"]["sender_id"] == self.user_id.as_str() {
            return frame["data"]["client_message_id"] == key;
        }
        self.counts.to_others.fetch_add(1, Ordering::Relaxed);
        false
    }
}

async fn post(http: &reqwest::Client, url: &str, token: Option<&str>, body: &Value) -> Value {
    let request = http.post(url).json(body);
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
