//! A stage for a handler: real clients, events as API Gateway writes them, and an `@connections` that records calls.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use chrono::{DateTime, Utc};
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use windi_backing::dynamodb::DynamoDb;
use windi_functions::posts::Posts;
use windi_functions::push::Push;
use windi_functions::socket::Event;
use windi_functions::web_push::WebPush;
use windi_functions::{chats, login, messages, register};
use windi_shared::auth::{Caller, Tokens};
use windi_shared::config::{DatabaseConfig, PushConfig, TokenConfig};
use windi_shared::connections::{Address, Connection, Connections};
use windi_shared::db::{self, Database, MIGRATOR};
use windi_shared::ids::{ConnectionId, SessionId, UserId};

pub const PASSWORD: &str = "correct horse battery";

/// An address where nothing listens.
pub const NOWHERE: &str = "http://127.0.0.1:9";

pub struct Stage {
    /// The database's.
    pub url: String,
    pub db: Database,
    pub tokens: Tokens,
    pub connections: Connections,
    pub push: Push,
    pub web_push: WebPush,
    pub posts: Recorder,
    _dynamodb: DynamoDb,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with_limits(false).await
    }

    /// With limits on how fast people do things.
    pub async fn with_limits(has_limits: bool) -> Self {
        let dynamodb = DynamoDb::given_or_started().await.unwrap();
        let connections = Connections::new(&sdk_config(dynamodb.endpoint()), windi_backing::testing::TABLE);
        connections.create_table().await.unwrap();
        let posts = Recorder::default();
        let push = Push::new(Posts::new(&sdk_config(NOWHERE), &posts.serve().await), connections.clone());
        let url = windi_backing::testing::database(&MIGRATOR).await;
        let config = DatabaseConfig { url: url.clone(), max_connections: 4, ping_after: Duration::ZERO, has_limits };
        let db = db::connect(&config).unwrap();
        let secret = "the secret of all handler tests, long enough".to_owned();
        let tokens = Tokens::new(&TokenConfig { secret, previous_secret: None }).unwrap();
        let web_push = WebPush::new(&push_config()).unwrap();
        Self { url, db, tokens, connections, push, web_push, posts, _dynamodb: dynamodb }
    }

    /// Registers somebody and logs them in.
    pub async fn person(&self, name: &str) -> Person {
        let account =
            json!({"name": name, "email": format!("{name}@example.com"), "password": PASSWORD, "username": name});
        let (status, _) = read(register::handle(&self.db, http("POST /auth/register", None, Some(account))).await);
        assert_eq!(status, 201);
        let login = json!({"username": name, "password": PASSWORD});
        let (status, answer) =
            read(login::handle(&self.db, &self.tokens, http("POST /auth/login", None, Some(login))).await);
        assert_eq!(status, 200);
        let token = answer["access_token"].as_str().unwrap().to_owned();
        let caller = self.tokens.check(&token).await.unwrap();
        Person { caller, token }
    }

    /// The id of a new private chat.
    pub async fn private_chat(&self, me: &Person, other: &Person) -> String {
        let body = json!({"kind": "private", "user_id": other.caller.user_id});
        let request = http("POST /chats", Some(&me.token), Some(body));
        let (status, chat) = read(chats::handle(&self.db, &self.tokens, &self.push, request).await);
        assert_eq!(status, 201);
        chat["id"].as_str().unwrap().to_owned()
    }

    /// Sends a message over HTTP.
    pub async fn send(&self, who: &Person, body: Value) -> (u16, Value) {
        let request = http("POST /messages", Some(&who.token), Some(body));
        read(messages::handle(&self.db, &self.tokens, &self.push, &self.web_push, request).await)
    }

    /// Records an open connection for somebody.
    pub async fn connected(&self, person: &Person, id: &str) -> ConnectionId {
        self.connected_at(person, id, Utc::now()).await
    }

    pub async fn connected_at(&self, person: &Person, id: &str, at: DateTime<Utc>) -> ConnectionId {
        let id = ConnectionId(id.to_owned());
        let Caller { user_id, session_id } = person.caller;
        let connection = Connection { id: id.clone(), user_id, session_id, at: at.timestamp_millis() };
        self.connections.remember(Address::User(user_id), &connection).await.unwrap();
        id
    }

    pub async fn live(&self, person: &Person) -> Vec<String> {
        let live = self.connections.of_users(&[person.caller.user_id]).await.unwrap();
        live.into_iter().map(|connection| connection.id.0).collect()
    }
}

/// With a key, and subscriptions that lead to this machine.
pub fn push_config() -> PushConfig {
    let secret = Some("the push key of all handler tests, long enough".to_owned());
    PushConfig { secret, subject: "mailto:tests@example.com".to_owned(), allows_http: true }
}

pub struct Person {
    pub caller: Caller,
    pub token: String,
}

pub fn sdk_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("test", "test", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

/// A fake `@connections`: what it was asked to send and to close, and what it answers.
#[derive(Clone, Default)]
pub struct Recorder {
    sent: Arc<Mutex<Vec<(String, Value)>>>,
    closed: Arc<Mutex<Vec<String>>>,
    /// Statuses to answer posts with, per connection, the next one first; 200 when none are left.
    answers: Arc<Mutex<HashMap<String, Vec<u16>>>>,
    /// The same for closing a connection; 204 when none are left.
    close_answers: Arc<Mutex<HashMap<String, Vec<u16>>>>,
}

impl Recorder {
    pub async fn serve(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().route("/ws/@connections/{id}", post(note).delete(note_close)).with_state(self.clone());
        tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        format!("http://{address}/ws")
    }

    pub fn answer(&self, id: &ConnectionId, statuses: &[u16]) {
        self.answers.lock().unwrap().insert(id.0.clone(), statuses.to_vec());
    }

    pub fn answer_close(&self, id: &ConnectionId, statuses: &[u16]) {
        self.close_answers.lock().unwrap().insert(id.0.clone(), statuses.to_vec());
    }

    pub fn closed(&self) -> Vec<String> {
        self.closed.lock().unwrap().clone()
    }

    /// All frames accepted for a connection.
    pub fn to(&self, id: &ConnectionId) -> Vec<Value> {
        self.sent.lock().unwrap().iter().filter(|(to, _)| to == &id.0).map(|(_, frame)| frame.clone()).collect()
    }
}

fn next(answers: &Mutex<HashMap<String, Vec<u16>>>, id: &str, otherwise: u16) -> u16 {
    let mut answers = answers.lock().unwrap();
    answers.get_mut(id).filter(|left| !left.is_empty()).map_or(otherwise, |left| left.remove(0))
}

async fn note(State(posts): State<Recorder>, Path(id): Path<String>, body: String) -> axum::response::Response {
    let status = next(&posts.answers, &id, 200);
    if status == 200 {
        posts.sent.lock().unwrap().push((id, serde_json::from_str(&body).unwrap()));
    }
    answered(status)
}

async fn note_close(State(posts): State<Recorder>, Path(id): Path<String>) -> axum::response::Response {
    let status = next(&posts.close_answers, &id, 204);
    if status == 204 {
        posts.closed.lock().unwrap().push(id);
    }
    answered(status)
}

fn answered(status: u16) -> axum::response::Response {
    let kind = match status {
        410 => "GoneException",
        429 => "LimitExceededException",
        _ => "",
    };
    let body = if status == 204 { "" } else { "{}" };
    axum::response::Response::builder().status(status).header("x-amzn-errortype", kind).body(body.into()).unwrap()
}

/// An HTTP request as `lambda_http` builds it from API Gateway's event, payload 2.0. `route` may contain values for its
/// variables: `GET /chats/{chat_id=…}`.
pub fn http(route: &str, token: Option<&str>, body: Option<Value>) -> Request {
    http_from("192.0.2.1", route, token, body)
}

pub fn http_from(ip: &str, route: &str, token: Option<&str>, body: Option<Value>) -> Request {
    let (method, template) = route.split_once(' ').unwrap();
    let (template, query) = template.split_once('?').unwrap_or((template, ""));
    let (mut path, mut key, mut parameters) = (String::new(), format!("{method} "), json!({}));
    for segment in template.split('/').skip(1) {
        match segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}')) {
            None => {
                path.push_str(&format!("/{segment}"));
                key.push_str(&format!("/{segment}"));
            }
            Some(variable) => {
                let (name, value) = variable.split_once('=').unwrap();
                path.push_str(&format!("/{value}"));
                key.push_str(&format!("/{{{name}}}"));
                parameters[name] = json!(value);
            }
        }
    }
    let mut headers = json!({"content-type": "application/json", "host": "api.example.com"});
    if let Some(token) = token {
        headers["authorization"] = json!(format!("Bearer {token}"));
    }
    let event = json!({
        "version": "2.0", "routeKey": key, "rawPath": path, "rawQueryString": query, "headers": headers,
        "pathParameters": parameters,
        "requestContext": {
            "accountId": "000000000000", "apiId": "api", "domainName": "api.example.com", "domainPrefix": "api",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": ip, "userAgent": "t"},
            "requestId": "JKJaXmPLvHcESHA=", "routeKey": key, "stage": "$default",
            "time": "10/Mar/2020:05:16:23 +0000", "timeEpoch": 1_583_817_383_220_i64,
        },
        "body": body.map(|body| body.to_string()), "isBase64Encoded": false,
    });
    lambda_http::request::from_str(&event.to_string()).unwrap()
}

pub fn read(response: Response<Body>) -> (u16, Value) {
    (response.status().as_u16(), serde_json::from_slice(response.body().as_ref()).unwrap_or_default())
}

/// A WebSocket event on somebody's connection; `person` is `None` for a connection that passed no authorizer.
pub fn socket_event(route: &str, person: Option<&Person>, connection: &ConnectionId, frame: Option<Value>) -> Event {
    let mut event = json!({
        "requestContext": {
            "routeKey": route, "eventType": "MESSAGE", "extendedRequestId": "EOCvnFZxNjMF8eQ=",
            "requestTime": "17/Aug/2021:16:33:14 +0000", "messageDirection": "IN", "stage": "ws",
            "connectedAt": 1_629_217_811_891_i64, "requestTimeEpoch": 1_629_217_994_107_i64,
            "identity": {"sourceIp": "192.0.2.1"}, "requestId": "EOCvnFZxNjMF8eQ=", "domainName": "ws.example.com",
            "connectionId": connection.0, "apiId": "api",
        },
        "isBase64Encoded": false,
    });
    if let Some(frame) = frame {
        event["body"] = json!(frame.to_string());
    }
    if let Some(person) = person {
        event["requestContext"]["authorizer"] = json!({
            "principalId": person.caller.user_id, "integrationLatency": 12, "user_id": person.caller.user_id,
            "session_id": person.caller.session_id,
        });
    }
    serde_json::from_value(event).unwrap()
}

pub fn somebody() -> Person {
    let caller = Caller { user_id: UserId::new(), session_id: SessionId::new() };
    Person { caller, token: String::new() }
}
