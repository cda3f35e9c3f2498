//! A world for one test: the messenger on a free port, its users and their devices.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use sam_gateway::access::Access;
use sam_gateway::faults::Faults;
use sam_gateway::gateway::{self, Gateway};
use sam_gateway::invoke::host::Host;
use sam_gateway::state::Limits;
use sam_gateway::template::Template;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use windi_backing::dynamodb::DynamoDb;
use windi_local::app::App;
use windi_local::in_process::InProcess;
use windi_local::in_process_aws::InProcessAws;
use windi_local::stack::prepare;
use windi_shared::auth::Tokens;
use windi_shared::config::TokenConfig;
use windi_shared::db::MIGRATOR;

use crate::contract::{check_answer, check_frame};
use crate::road::{Lease, ROAD, Road, files, secret, settings};

pub const PASSWORD: &str = "correct horse battery";
/// Longer than anything takes; only a failure reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The repository's template, whatever directory the tests run in.
pub const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");

/// A separate messenger for one test.
pub struct World {
    gateway: Arc<Gateway>,
    pub app: Arc<App>,
    pub base: String,
    /// Where the gateway sees us come from.
    pub seen_as: IpAddr,
    pub http: reqwest::Client,
    _dynamodb: Option<DynamoDb>,
    /// The last field, so that it is returned after everything else has been dropped.
    _lease: Option<Lease>,
}

pub fn tokens() -> Tokens {
    Tokens::new(&TokenConfig { secret: secret().to_owned(), previous_secret: None }).unwrap()
}

impl World {
    pub async fn new() -> Self {
        Self::with_limits(Limits::default()).await
    }

    pub async fn with_limits(limits: Limits) -> Self {
        // Shown with the output of a failing test.
        let _ = tracing_subscriber::fmt().with_env_filter("warn").with_test_writer().try_init();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        if matches!(*ROAD, Road::CargoLambdaWatch | Road::Elsewhere) {
            let lease = Lease::take().await;
            let template = Template::load_with(TEMPLATE.as_ref(), lease.names(), &[]).unwrap();
            let app = Arc::new(App::new(lease.settings().await, InProcessAws::default()).unwrap());
            prepare(&app).await.unwrap();
            let listener = lease.listener();
            let base = format!("http://{}", listener.local_addr().unwrap());
            let functions = Arc::new(Host::new(lease.url()).unwrap());
            // Functions in containers come from another address.
            let mut access = Access::default();
            access.functions.push("172.16.0.0/12".parse().unwrap());
            access.functions.push(lease.seen_as().into());
            let neighbour = Some(files().await.0);
            let settings = gateway::Settings { limits, access, neighbour, ..gateway::Settings::default() };
            let gateway = Arc::new(Gateway::start(listener, template, functions, settings).unwrap());
            return Self { gateway, app, base, seen_as: lease.seen_as(), http, _dynamodb: None, _lease: Some(lease) };
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (base, seen_as) = (format!("http://{address}"), address.ip());
        let dynamodb = DynamoDb::given_or_started().await.unwrap();
        let url = windi_backing::testing::database(&MIGRATOR).await;
        let aws = InProcessAws::new(dynamodb.direct());
        let settings = settings(url, dynamodb.endpoint().to_owned(), address, 8).await;
        let app = Arc::new(App::new(settings, aws).unwrap());
        prepare(&app).await.unwrap();
        let template = Template::load(TEMPLATE.as_ref()).unwrap();
        let faults = (*ROAD == Road::Frozen).then(|| Faults { freeze: true, ..Faults::default() });
        let functions = Arc::new(InProcess::new(app.clone()));
        let neighbour = Some(files().await.0);
        let settings = gateway::Settings { limits, faults, neighbour, ..gateway::Settings::default() };
        let gateway = Arc::new(Gateway::start(listener, template, functions, settings).unwrap());
        app.aws.connect(gateway.management());
        Self { gateway, app, base, seen_as, http, _dynamodb: Some(dynamodb), _lease: None }
    }

    /// Registers somebody and logs them in.
    pub async fn person(&self, name: &str) -> Person {
        let email = format!("{name}@example.com");
        let account = json!({"name": name, "email": email, "password": PASSWORD, "username": name});
        let (status, account) = self.call(Method::POST, "/auth/register", None, Some(account)).await;
        assert_eq!(status, 201, "{account}");
        let token = self.login(name).await;
        let gateway = Arc::downgrade(&self.gateway);
        Person { id: text(&account["id"]), token, base: self.base.clone(), http: self.http.clone(), gateway }
    }

    pub async fn people<const N: usize>(&self, names: [&str; N]) -> [Person; N] {
        futures_util::future::join_all(names.map(|name| self.person(name))).await.try_into().ok().unwrap()
    }

    pub async fn login(&self, name: &str) -> String {
        let login = json!({"username": name, "password": PASSWORD});
        let (status, answer) = self.call(Method::POST, "/auth/login", None, Some(login)).await;
        assert_eq!(status, 200, "{answer}");
        text(&answer["access_token"])
    }

    pub async fn call(&self, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> (u16, Value) {
        call(&self.http, &self.base, method, path, token, body).await
    }

    /// How many rows the messages table has.
    pub async fn stored_messages(&self) -> i64 {
        sqlx::query_scalar("select count(*) from messages").fetch_one(&self.app.db).await.unwrap()
    }

    pub fn socket_url(&self) -> String {
        format!("{}/ws", self.base.replace("http:", "ws:"))
    }
}

async fn call(
    http: &reqwest::Client,
    base: &str,
    method: Method,
    path: &str,
    token: Option<&str>,
    body: Option<Value>,
) -> (u16, Value) {
    let mut request = http.request(method.clone(), format!("{base}{path}"));
    if let Some(token) = token.filter(|token| !token.is_empty()) {
        request = request.bearer_auth(token);
    }
    if let Some(body) = &body {
        request = request.json(body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let answer = response.text().await.unwrap();
    let answer = serde_json::from_str(&answer).unwrap_or(Value::String(answer));
    check_answer(&method, path, body.as_ref(), status, &answer);
    (status, answer)
}

/// A logged-in user.
#[derive(Clone)]
pub struct Person {
    pub id: String,
    pub token: String,
    base: String,
    http: reqwest::Client,
    gateway: Weak<Gateway>,
}

impl Person {
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        call(&self.http, &self.base, method, path, Some(&self.token), body).await
    }

    /// The same person with another token; an empty string means no token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: token.to_owned(), ..self.clone() }
    }

    /// A `GET` that must succeed.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::POST, path, Some(body)).await
    }

    pub async fn private_chat(&self, other: &Person) -> String {
        let (status, chat) = self.post("/chats", json!({"kind": "private", "user_id": other.id})).await;
        assert!([200, 201].contains(&status), "{chat}");
        text(&chat["id"])
    }

    pub async fn group(&self, name: &str, others: &[&Person]) -> String {
        let ids: Vec<_> = others.iter().map(|person| &person.id).collect();
        let (status, chat) = self.post("/chats", json!({"kind": "group", "name": name, "member_ids": ids})).await;
        assert_eq!(status, 201, "{chat}");
        text(&chat["id"])
    }

    /// Sends a message over HTTP; it must be stored.
    pub async fn say(&self, chat_id: &str, words: &str) -> Value {
        let (status, message) = self.post("/messages", json!({"chat_id": chat_id, "text": words})).await;
        assert_eq!(status, 201, "{message}");
        message
    }

    /// A chat's whole history, read page by page.
    pub async fn history(&self, chat_id: &str) -> Vec<Value> {
        let mut messages: Vec<Value> = Vec::new();
        loop {
            let page = self.get(&format!("/messages/history/{chat_id}?limit=100&after={}", messages.len())).await;
            messages.extend(page["messages"].as_array().unwrap().clone());
            if page["has_more"] == false {
                return messages;
            }
        }
    }

    /// Opens a socket.
    pub async fn device(&self) -> Device {
        self.try_device().await.unwrap()
    }

    pub async fn try_device(&self) -> Result<Device, WsError> {
        let url = format!("{}/ws", self.base.replace("http:", "ws:"));
        let bearer = ("authorization", format!("Bearer {}", self.token));
        let headers = if self.token.is_empty() { &[] } else { std::slice::from_ref(&bearer) };
        let mut device = Device::open(&url, headers).await?;
        device.gateway = self.gateway.clone();
        Ok(device)
    }
}

/// One open WebSocket. Frames that arrive while another one is awaited are kept.
pub struct Device {
    pub stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub handshake: BTreeMap<String, String>,
    kept: Vec<Value>,
    gateway: Weak<Gateway>,
}

impl Device {
    pub async fn open(url: &str, headers: &[(&'static str, String)]) -> Result<Self, WsError> {
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, response) = tokio_tungstenite::connect_async(request).await?;
        let text = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap_or_default().to_owned())
        };
        Ok(Self {
            stream,
            handshake: response.headers().iter().map(text).collect(),
            kept: Vec::new(),
            gateway: Weak::new(),
        })
    }

    pub async fn send(&mut self, frame: Value) {
        self.send_raw(frame.to_string()).await;
    }

    pub async fn send_raw(&mut self, frame: impl Into<String>) {
        self.stream.send(Message::text(frame.into())).await.unwrap();
    }

    /// Sends a message and does not wait.
    pub async fn say(&mut self, chat_id: &str, words: &str, key: &str) {
        let data = json!({"chat_id": chat_id, "text": words, "client_message_id": key});
        self.send(json!({"action": "sendMessage", "data": data})).await;
    }

    /// The next frame of any type, kept frames first.
    pub async fn next(&mut self) -> Value {
        if self.kept.is_empty() { self.read().await } else { self.kept.remove(0) }
    }

    async fn read(&mut self) -> Value {
        let wait = async {
            loop {
                match self.stream.next().await.expect("the socket is open").expect("a frame") {
                    Message::Text(text) => {
                        let frame = serde_json::from_str(&text).expect("JSON");
                        check_frame(&frame);
                        return frame;
                    }
                    Message::Close(frame) => panic!("closed: {frame:?}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("a frame in time")
    }

    /// The next frame of this type; others are kept.
    pub async fn next_of(&mut self, kind: &str) -> Value {
        if let Some(at) = self.kept.iter().position(|frame| frame["type"] == kind) {
            return self.kept.remove(at);
        }
        loop {
            let frame = self.read().await;
            if frame["type"] == kind {
                return frame;
            }
            self.kept.push(frame);
        }
    }

    /// Adds pushed messages to those already `seen` until there are `count` different ones; returns them in the order
    /// of their numbers.
    pub async fn messages(&mut self, mut seen: Vec<Value>, count: usize) -> Vec<Value> {
        let mut messages = BTreeMap::new();
        loop {
            for message in seen.drain(..) {
                let before = messages.insert(message["id"].as_i64().unwrap(), message.clone());
                assert!(before.is_none_or(|before| before == message), "a number was pushed with different contents");
            }
            if messages.len() == count {
                return messages.into_values().collect();
            }
            seen.push(self.next_of("new_message").await["data"].clone());
        }
    }

    /// All frames up to now. When it returns, everything anybody has requested over a socket so far has been done, and
    /// this device has received what it caused.
    pub async fn drain(&mut self) -> Vec<Value> {
        // Frames are handled in parallel, so an answer does not mean that earlier frames have been handled. It means
        // that they have been received, so the gateway counts them.
        self.ping().await;
        let gateway = self.gateway.upgrade().expect("the world still exists");
        let settled = async {
            while gateway.frames_under_way() > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, settled).await.expect("everything gets done");
        self.ping().await;
        std::mem::take(&mut self.kept)
    }

    /// Sends a ping and keeps every frame that arrives before the answer.
    async fn ping(&mut self) {
        let marker = uuid::Uuid::now_v7().to_string();
        self.send(json!({"action": "ping", "request_id": marker})).await;
        loop {
            let frame = self.read().await;
            if frame["request_id"] == marker.as_str() {
                return;
            }
            self.kept.push(frame);
        }
    }

    /// Reads until the server closes the socket; returns the code of the preceding `error` frame, which says why.
    pub async fn dismissed(&mut self) -> String {
        let error = self.next_of("error").await;
        assert_eq!(error["data"].get("action"), None, "the error must be about the socket: {error}");
        assert_eq!(self.closed().await, 1000);
        text(&error["data"]["code"])
    }

    /// Reads until the socket closes; returns the close code, 1005 if there was none, 1006 if there was no close frame.
    pub async fn closed(&mut self) -> u16 {
        let wait = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                    Some(Ok(Message::Close(None))) => return 1005,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return 1006,
                }
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.expect("a close in time")
    }
}

/// The status of a refused handshake.
pub fn refused(outcome: Result<Device, WsError>) -> StatusCode {
    match outcome {
        Err(WsError::Http(response)) => response.status(),
        Err(error) => panic!("not refused with a status: {error}"),
        Ok(_) => panic!("accepted"),
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not text: {value}")).to_owned()
}

pub fn ids(messages: &[Value]) -> Vec<i64> {
    messages.iter().map(|message| message["id"].as_i64().unwrap()).collect()
}
