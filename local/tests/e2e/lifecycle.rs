//! The program itself: started, killed, started again, interrupted.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::SinkExt as _;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::harness::TEMPLATE;

pub struct Program {
    child: Child,
    /// Its log output so far.
    log: Arc<Mutex<String>>,
    pub base: String,
    pub socket: String,
    /// Where PostgreSQL's files are: outside the data directory if PostgreSQL's account cannot reach that.
    files: PathBuf,
}

impl Program {
    /// Stops it as a service manager would, and removes what it kept.
    pub fn end(mut self) {
        signal(&self.child, Signal::SIGTERM);
        assert!(self.child.wait().unwrap().success());
        std::fs::remove_dir_all(&self.files).unwrap();
    }
}

pub fn command(data: &Path, port: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windi-local"));
    command.args(["--port", port, "--template", TEMPLATE, "--data-dir"]).arg(data);
    for variable in ["DATABASE_URL", "AWS_ENDPOINT_URL_DYNAMODB", "JWT_SECRET", "RUST_LOG"] {
        command.env_remove(variable);
    }
    // Tests write faster than people.
    command.env("RATE_LIMITS", "off");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the program and waits until it reports its address.
pub fn start(data: &Path, arguments: &[&str]) -> Program {
    let mut child = command(data, "0").args(arguments).spawn().unwrap();
    let (log, stderr) = (Arc::new(Mutex::new(String::new())), child.stderr.take().unwrap());
    std::thread::spawn({
        let log = log.clone();
        // Read to the end, because otherwise a program that logs a lot would block on its reader.
        move || {
            BufReader::new(stderr).lines().map_while(Result::ok).for_each(|line| *log.lock().unwrap() += &(line + "\n"))
        }
    });
    let (mut base, mut socket, mut files) = (String::new(), String::new(), PathBuf::new());
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(address) = line.trim().strip_prefix("HTTP ") {
            base = address.trim().to_owned();
        }
        if let Some((_, psql)) = line.split_once("psql -h ") {
            socket = psql.split(' ').next().unwrap().to_owned();
            files = psql.split_once("(files in ").unwrap().1.trim_end_matches(')').into();
        }
        if line.contains("/health") {
            return Program { child, log, base, socket, files };
        }
    }
    panic!("did not start: {:?}\n{}", child.wait(), log.lock().unwrap());
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

pub async fn call(program: &Program, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Value {
    let client = Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method, format!("{}{path}", program.base));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    assert!(response.status().is_success(), "{path}: {}", response.status());
    response.json().await.unwrap()
}

async fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut program = start(data.path(), &["--demo"]);
    let login = json!({"username": "alice", "password": "password123"});
    let token = call(&program, Method::POST, "/auth/login", None, Some(login)).await["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let chats = call(&program, Method::GET, "/chats", Some(&token), None).await;
    let chat_id = chats["chats"][0]["id"].as_str().unwrap().to_owned();
    let message = json!({"chat_id": chat_id, "text": "before the kill", "client_message_id": "k"});
    let sent = call(&program, Method::POST, "/messages", Some(&token), Some(message.clone())).await;
    program.child.kill().unwrap();
    program.child.wait().unwrap();

    // Started at once, while the keeper may still be stopping the old server. The demo data is found, not created
    // again.
    let program = start(data.path(), &["--demo"]);
    let again = call(&program, Method::POST, "/messages", Some(&token), Some(message)).await;
    assert_eq!(again, sent, "the token, the message and its key survived");
    let after = call(&program, Method::GET, "/chats", Some(&token), None).await;
    assert_eq!(after["chats"].as_array().unwrap().len(), chats["chats"].as_array().unwrap().len());
    program.end();
}

#[tokio::test]
async fn an_interrupt_stops_everything_it_started() {
    let data = tempfile::tempdir().unwrap();
    for stop in [Signal::SIGINT, Signal::SIGTERM] {
        let mut program = start(data.path(), &[]);
        assert!(Path::new(&program.socket).join(".s.PGSQL.5432").exists());
        signal(&program.child, stop);
        assert!(program.child.wait().unwrap().success());
        assert!(!Path::new(&program.socket).exists(), "PostgreSQL was stopped before the program ended");
    }
    let mut program = start(data.path(), &[]);
    program.child.kill().unwrap();
    program.child.wait().unwrap();
    wait_until("PostgreSQL outlived a killed program", || !Path::new(&program.socket).exists()).await;
    start(data.path(), &[]).end();
}

#[tokio::test]
async fn a_second_one_on_the_same_data_says_so() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &[]);
    let refused = |data: &Path, port: &str| {
        let output = command(data, port).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = refused(data.path(), "0");
    assert!(text.contains("another messenger is running on") && text.contains("--data-dir"), "{text}");
    let other = tempfile::tempdir().unwrap();
    let text = refused(other.path(), program.base.rsplit(':').next().unwrap());
    assert!(text.contains("cannot listen on") && text.contains("--port"), "{text}");
    program.end();
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_named_before_anything_is_started() {
    let data = tempfile::tempdir().unwrap();
    for (variable, value, says) in [
        ("DATABASE_MAX_CONNECTIONS", "0", "DATABASE_MAX_CONNECTIONS must be a whole number from 1"),
        ("JWT_SECRET", "short", "JWT_SECRET must have at least 32 bytes"),
        ("JWT_SECRET_PREVIOUS", "short", "JWT_SECRET_PREVIOUS must have at least 32 bytes"),
    ] {
        let output = command(data.path(), "0").env(variable, value).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(says), "{variable}: {text}");
    }
}

#[tokio::test]
async fn the_id_of_a_failed_request_finds_its_lines_in_the_log_with_the_cause() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--demo"]);
    let login = json!({"username": "alice", "password": "password123"});
    let tokens = call(&program, Method::POST, "/auth/login", None, Some(login)).await;
    let token = tokens["access_token"].as_str().unwrap();
    let url = format!("postgres://windi@localhost/windi?host={}", program.socket);
    let db = sqlx::PgPool::connect(&url).await.unwrap();
    sqlx::query("alter table users rename to users_that_were").execute(&db).await.unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let ask = || client.get(format!("{}/auth/me", program.base)).bearer_auth(token).send();
    let (failed, other) = (ask().await.unwrap(), ask().await.unwrap());
    assert_eq!(failed.status(), 500);
    let body: Value = failed.json().await.unwrap();
    let lines_of = |id: &str| -> Vec<String> {
        program.log.lock().unwrap().lines().filter(|line| line.contains(id)).map(str::to_owned).collect()
    };
    let id = body["request_id"].as_str().unwrap();
    wait_until("the request's last line", || lines_of(id).iter().any(|line| line.contains("Answered."))).await;
    let lines = lines_of(id);
    assert!(lines.iter().any(|line| line.contains(r#"relation "users" does not exist"#)), "{lines:#?}");
    for part in ["method=\"GET\"", "route=\"/auth/me\"", "status=500", "ms="] {
        assert!(lines.last().unwrap().contains(part), "{part}: {lines:#?}");
    }
    let other: Value = other.json().await.unwrap();
    assert!(lines.iter().all(|line| !line.contains(other["request_id"].as_str().unwrap())), "{lines:#?}");
    program.end();
}

/// Asks for a code and tries another one. Returns the code, which was mailed.
async fn forget_password(client: &Client, program: &Program, data: &Path) -> String {
    let post = async |path: &str, body: Value| {
        client.post(format!("{}{path}", program.base)).json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(post("/auth/forgot", json!({"email": "alice@example.com"})).await, 204);
    let mail = std::fs::read_dir(data.join("mail")).unwrap().next().expect("a mail").unwrap();
    let mail = std::fs::read_to_string(mail.path()).unwrap();
    let wrong = json!({"email": "alice@example.com", "code": "canary-code", "new_password": "canary-password"});
    assert_eq!(post("/auth/reset", wrong).await, 403);
    mail.lines().find_map(|line| line.strip_prefix("Your code: ")).unwrap().to_owned()
}

/// What the log tells of.
const EVENTS: [&str; 11] = [
    "Registered.",
    "Logged in.",
    "Refused a login.",
    "Created a chat.",
    "Added a member.",
    "Removed a member.",
    "Stored a message.",
    "Opened a socket.",
    "Fanned out.",
    "Ended a session.",
    "Wrote a mail.",
];

#[tokio::test]
async fn the_log_tells_what_happened_and_nothing_that_is_secret() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--demo"]);
    let client = Client::builder().no_proxy().build().unwrap();
    let wrong = json!({"email": "alice@example.com", "password": "canary-password"});
    let refused = client.post(format!("{}/auth/login", program.base)).json(&wrong).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    let login = json!({"email": "alice@example.com", "password": "password123"});
    let tokens = call(&program, Method::POST, "/auth/login", None, Some(login)).await;
    let token = tokens["access_token"].as_str().unwrap();
    let me = call(&program, Method::GET, "/auth/me", Some(token), None).await;
    let device = tokio_tungstenite::connect_async(format!("{}/ws?token={token}", program.base.replace("http:", "ws:")));
    let (mut device, _) = device.await.unwrap();
    let canary = r#"{"action":"ping","request_id":"r\n1","data":{"canary-field\n":1}}"#;
    device.send(tokio_tungstenite::tungstenite::Message::text(canary)).await.unwrap();
    let bob = call(&program, Method::GET, "/users?search=bob", Some(token), None).await["users"][0]["id"].clone();
    let group = json!({"kind": "group", "name": "canary group", "member_ids": []});
    let group =
        call(&program, Method::POST, "/chats", Some(token), Some(group)).await["id"].as_str().unwrap().to_owned();
    let members = format!("/chats/{group}/members");
    call(&program, Method::POST, &members, Some(token), Some(json!({"user_id": bob}))).await;
    let bob = format!("{members}/{}", bob.as_str().unwrap());
    call(&program, Method::DELETE, &bob, Some(token), None).await;
    let refused_frame =
        || program.log.lock().unwrap().lines().find(|line| line.contains("Refused a frame.")).map(str::to_owned);
    wait_until("the refused frame", || refused_frame().is_some()).await;
    let line = refused_frame().unwrap();
    assert!(line.contains(r#"client_request_id="r\n1""#) && line.contains(me["id"].as_str().unwrap()), "{line}");
    let code = forget_password(&client, &program, data.path()).await;
    let out = client.post(format!("{}/auth/logout", program.base)).bearer_auth(token).send().await.unwrap();
    assert_eq!(out.status(), 204);
    let logged = |text: &str| program.log.lock().unwrap().contains(text);
    wait_until("the last line", || logged("route=\"/auth/logout\"") && logged("status=204")).await;
    for event in EVENTS {
        assert!(logged(event), "{event}");
    }
    wait_until("the socket's last line", || logged("Closed a socket.")).await;
    let secrets = [
        "canary-password",
        "password123",
        "alice@example.com",
        "Loud and clear",
        "canary group",
        "canary-field",
        "canary-code",
        code.as_str(),
        token,
    ];
    for secret in secrets.into_iter().chain(tokens["refresh_token"].as_str()) {
        assert!(!logged(secret), "{secret}");
    }
    program.end();
}

#[tokio::test]
async fn a_killed_postgresql_is_started_again_with_everything_that_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--demo"]);
    let login = json!({"username": "alice", "password": "password123"});
    let tokens = call(&program, Method::POST, "/auth/login", None, Some(login)).await;
    let token = tokens["access_token"].as_str().unwrap();
    let chats = call(&program, Method::GET, "/chats", Some(token), None).await;
    let message = |key: &str| json!({"chat_id": chats["chats"][0]["id"], "text": "kept", "client_message_id": key});
    let client = Client::builder().no_proxy().build().unwrap();
    // Does what every client does: retries as long as the answer is a 503.
    let send = async |key: &str| {
        let until_taken = async {
            loop {
                let request = client.post(format!("{}/messages", program.base)).bearer_auth(token).json(&message(key));
                let answer = request.send().await.unwrap();
                match answer.status().as_u16() {
                    200 | 201 => return answer.json::<Value>().await.unwrap(),
                    status => assert_eq!(status, 503),
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), until_taken).await.expect("PostgreSQL comes back")
    };
    let postmaster = || -> Option<i32> {
        std::fs::read_to_string(program.files.join("data/postmaster.pid")).ok()?.lines().next()?.parse().ok()
    };
    // Twice, because a server that has come back once must be able to do so again.
    for key in ["first", "second"] {
        let sent = send(key).await;
        let pid = postmaster().unwrap();
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        wait_until("another server", || postmaster().is_some_and(|other| other != pid)).await;
        assert_eq!(send(key).await, sent);
    }
    assert!(program.log.lock().unwrap().contains("PostgreSQL has ended"));
    program.end();
}
