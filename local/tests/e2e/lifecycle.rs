//! The program itself: started, killed, started again, interrupted.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::harness::TEMPLATE;

struct Program {
    child: Child,
    base: String,
    socket: String,
    /// Where PostgreSQL's files are: elsewhere than in the data directory if that is out of its account's reach.
    files: PathBuf,
}

impl Program {
    /// Ends it as a service manager would, and removes what it kept.
    fn end(mut self) {
        signal(&self.child, Signal::SIGTERM);
        assert!(self.child.wait().unwrap().success());
        std::fs::remove_dir_all(&self.files).unwrap();
    }
}

fn command(data: &Path, port: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windi-local"));
    command.args(["--port", port, "--template", TEMPLATE, "--data-dir"]).arg(data);
    for variable in ["DATABASE_URL", "AWS_ENDPOINT_URL_DYNAMODB", "JWT_SECRET", "RUST_LOG"] {
        command.env_remove(variable);
    }
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts the program and waits until it says where it is.
fn start(data: &Path, arguments: &[&str]) -> Program {
    let mut child = command(data, "0").args(arguments).spawn().unwrap();
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
            return Program { child, base, socket, files };
        }
    }
    panic!("did not start: {:?}", child.wait_with_output());
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

async fn call(program: &Program, method: Method, path: &str, token: Option<&str>, body: Option<Value>) -> Value {
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

    // At once, while the keeper may still be stopping the old server; the demo data is found, not made again.
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
