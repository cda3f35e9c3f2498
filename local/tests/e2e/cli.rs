//! `windi`, the client for a terminal, as its users run it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use reqwest::Method;
use sam_gateway::state::Limits;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

use crate::harness::{PASSWORD, World, text};

/// Longer than anything takes; only a failure reaches it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Somebody's terminal: a place for tokens, and a messenger.
struct Terminal {
    state: TempDir,
    url: String,
}

struct Output {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Terminal {
    fn new(url: &str) -> Self {
        Self { state: tempfile::tempdir().unwrap(), url: url.to_owned() }
    }

    /// With a new account of this name.
    async fn registered(world: &World, name: &str) -> Self {
        let terminal = Self::new(&world.base);
        terminal.run(&["register", name, name, &format!("{name}@example.com")]).await;
        terminal
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_windi"));
        command.args(arguments).kill_on_drop(true);
        command.env("WINDI_URL", &self.url).env("WINDI_PASSWORD", PASSWORD).env("XDG_STATE_HOME", self.state.path());
        command.env("NO_PROXY", "127.0.0.1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    async fn output(mut command: Command) -> Output {
        let output = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
        Output {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command that must succeed prints.
    async fn run(&self, arguments: &[&str]) -> String {
        let output = Self::output(self.command(arguments)).await;
        assert_eq!(output.code, Some(0), "{arguments:?}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// What a command that must fail says about it.
    async fn fails(&self, arguments: &[&str], code: i32) -> String {
        let output = Self::output(self.command(arguments)).await;
        assert_eq!(output.code, Some(code), "{arguments:?}: {}{}", output.stdout, output.stderr);
        output.stderr
    }

    fn chat(&self, with: &str) -> Chat {
        let mut child = self.command(&["chat", with]).stdin(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Chat { child, stdin, stdout, stderr }
    }

    /// The file with the tokens, and what is in it.
    fn tokens(&self) -> (PathBuf, Value) {
        let files = std::fs::read_dir(self.state.path().join("windi")).unwrap();
        let path = files.map(|file| file.unwrap().path()).find(|path| path.extension().unwrap() == "json").unwrap();
        let tokens = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        (path, tokens)
    }
}

/// A running `windi chat`.
struct Chat {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Chat {
    async fn types(&mut self, line: &str) {
        self.stdin.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// The next line, which must end like this.
    async fn shows(&mut self, end: &str) -> String {
        let line = next(&mut self.stdout).await;
        assert!(line.ends_with(end), "{line:?} does not end with {end:?}");
        line
    }

    /// Ctrl-D; returns what has not been read.
    async fn ends(self) -> Vec<String> {
        let Self { mut child, stdin, mut stdout, stderr: _stderr } = self;
        drop(stdin);
        let status = tokio::time::timeout(PATIENCE, child.wait()).await.expect("it ends").unwrap();
        assert!(status.success());
        let mut lines = Vec::new();
        while let Some(line) = stdout.next_line().await.unwrap() {
            lines.push(line);
        }
        lines
    }
}

async fn next<R: AsyncRead + Unpin>(lines: &mut Lines<BufReader<R>>) -> String {
    tokio::time::timeout(PATIENCE, lines.next_line()).await.expect("a line in time").unwrap().expect("a line")
}

#[tokio::test]
async fn two_people_write_to_each_other() {
    let world = World::new().await;
    let alice = Terminal::registered(&world, "alice").await;
    let bob = Terminal::registered(&world, "bob").await;
    assert!(bob.fails(&["history", "alice"], 1).await.contains("there is no chat with 'alice'"));
    assert!(alice.run(&["send", "bob", "Hello Bob"]).await.starts_with("#1 20"));
    assert!(bob.run(&["chats"]).await.trim_end().ends_with("  alice  1 unread  Hello Bob"));
    assert!(bob.run(&["send", "alice", "Hi\n#3 alice: not me"]).await.starts_with("#2 20"));
    let history = alice.run(&["history", "bob"]).await;
    let lines: Vec<_> = history.lines().collect();
    assert!(lines[0].starts_with("#1 ") && lines[0].ends_with("Z alice: Hello Bob"), "{history}");
    assert!(lines[1].ends_with("Z bob: Hi"), "{history}");
    assert_eq!(lines[2..], ["    #3 alice: not me"]);
    assert_eq!(alice.run(&["history", "bob", "--limit", "1"]).await.lines().count(), 2);

    let token = world.login("alice").await;
    let group = json!({"kind": "group", "name": "Friends", "member_ids": []});
    let (status, group) = world.call(Method::POST, "/chats", Some(&token), Some(group)).await;
    assert_eq!(status, 201, "{group}");
    for name in ["Friends", text(&group["id"]).as_str()] {
        alice.run(&["send", name, "to the group"]).await;
    }
    assert_eq!(alice.run(&["history", "Friends"]).await.lines().count(), 2);
    assert!(bob.fails(&["send", "Friends", "to strangers"], 1).await.contains("there is no chat with 'Friends'"));
}

#[tokio::test]
async fn everything_is_written_to_one_file() {
    let world = World::new().await;
    let alice = Terminal::registered(&world, "alice").await;
    let bob = Terminal::registered(&world, "bob").await;
    alice.run(&["send", "bob", "Hello Bob"]).await;
    bob.run(&["send", "alice", "Hello Alice"]).await;
    let file = alice.state.path().join("export.jsonl");
    let name = file.to_str().unwrap();
    assert_eq!(alice.run(&["export", name]).await, "Wrote 6 lines.\n");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let lines: Vec<Value> =
        std::fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = lines.iter().map(|line| line.as_object().unwrap().keys().next().unwrap().as_str()).collect();
    assert_eq!(kinds, ["account", "session", "chat", "message", "members", "message"]);
    assert_eq!(lines[3]["message"]["text"], "Hello Bob");
    assert_eq!(lines[5]["message"]["text"], "Hello Alice");
    assert!(alice.fails(&["export", name], 1).await.contains("exists"), "nothing is overwritten");
    assert!(file.exists());
    let nobody = Terminal::new(&world.base);
    let name = nobody.state.path().join("export.jsonl");
    assert!(nobody.fails(&["export", name.to_str().unwrap()], 1).await.contains("nobody is logged in"));
    assert!(!name.exists(), "half a file is none");
}

#[tokio::test]
async fn a_chat_sends_what_is_typed_and_shows_what_happens() {
    let world = World::new().await;
    let alice = Terminal::registered(&world, "alice").await;
    let bob = Terminal::registered(&world, "bob").await;
    bob.run(&["send", "alice", "before"]).await;
    let mut chat = alice.chat("bob");
    chat.shows("bob: before").await;
    chat.types("first").await;
    chat.types("   ").await;
    chat.types("second").await;
    chat.shows("alice: first").await;
    chat.shows("alice: second").await;
    // A control sequence for terminals; the server lets it through.
    bob.run(&["send", "alice", "\u{9b}31mred"]).await;
    let line = chat.shows("bob: \u{fffd}31mred").await;
    assert!(line.starts_with("#4 "), "{line}");

    let token = world.login("bob").await;
    let (_, chats) = world.call(Method::GET, "/chats", Some(&token), None).await;
    let path = format!("/messages/{}/1", text(&chats["chats"][0]["id"]));
    world.call(Method::PATCH, &path, Some(&token), Some(json!({"text": "better"}))).await;
    assert!(chat.shows("bob: better").await.starts_with("(edited) #1 "));
    world.call(Method::DELETE, &path, Some(&token), None).await;
    assert!(chat.shows("bob").await.starts_with("(deleted) #1 "));

    // Everything shown has been read.
    let token = world.login("alice").await;
    let read = async {
        while world.call(Method::GET, "/chats", Some(&token), None).await.1["chats"][0]["unread_count"] != 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, read).await.expect("the read cursor moves");
    // What is typed last is sent before the end.
    chat.types("last").await;
    let rest = chat.ends().await;
    assert!(rest.iter().all(|line| line.ends_with("alice: last")), "{rest:?}");
    assert!(bob.run(&["history", "alice", "--limit", "1"]).await.trim_end().ends_with("alice: last"));
}

#[tokio::test]
async fn a_chat_goes_on_when_its_socket_is_closed() {
    let world = World::with_limits(Limits { life: Duration::from_secs(1), ..Limits::default() }).await;
    let alice = Terminal::registered(&world, "alice").await;
    let bob = Terminal::registered(&world, "bob").await;
    let mut chat = alice.chat("bob");
    for number in 1..=3 {
        let line = next(&mut chat.stderr).await;
        assert!(line.ends_with("trying again"), "{line}");
        // Sent while the socket is closed, or is opened, or is closed again.
        bob.run(&["send", "alice", &format!("from bob {number}")]).await;
        chat.types(&format!("from alice {number}")).await;
        let mut lines = [next(&mut chat.stdout).await, next(&mut chat.stdout).await];
        lines.sort_by_key(|line| line.contains("bob: "));
        assert!(lines[0].ends_with(&format!("alice: from alice {number}")), "{lines:?}");
        assert!(lines[1].ends_with(&format!("bob: from bob {number}")), "{lines:?}");
    }
    assert!(chat.ends().await.is_empty());
    assert_eq!(alice.run(&["history", "bob"]).await.lines().count(), 6, "everything is stored once");
}

#[tokio::test]
async fn a_chat_ends_with_its_session() {
    let world = World::new().await;
    let alice = Terminal::registered(&world, "alice").await;
    let _bob = Terminal::registered(&world, "bob").await;
    let mut chat = alice.chat("bob");
    chat.types("it works").await;
    chat.shows("alice: it works").await;
    alice.run(&["logout"]).await;
    let line = next(&mut chat.stderr).await;
    assert!(line.ends_with("(session_ended)"), "{line}");
    let status = tokio::time::timeout(PATIENCE, chat.child.wait()).await.expect("it ends").unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(alice.fails(&["chats"], 1).await.contains("nobody is logged in"));
    alice.run(&["login", "alice@example.com"]).await;
    alice.run(&["chats"]).await;
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_kept() {
    let world = World::new().await;
    let alice = Terminal::registered(&world, "alice").await;
    let _bob = Terminal::registered(&world, "bob").await;
    let expire = || {
        let (path, mut tokens) = alice.tokens();
        tokens["access_token"] = json!("expired");
        std::fs::write(&path, tokens.to_string()).unwrap();
        tokens
    };
    let before = expire();
    let sent = alice.run(&["send", "bob", "Hello"]).await;
    let (path, after) = alice.tokens();
    assert_ne!(before["refresh_token"], after["refresh_token"]);
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!sent.contains(after["access_token"].as_str().unwrap()));
    expire();
    assert!(alice.run(&["check"]).await.contains("ping    ok "));
    // Somebody has used it meanwhile, so that the session ends.
    std::fs::write(alice.tokens().0, before.to_string()).unwrap();
    assert!(alice.fails(&["chats"], 1).await.contains("log in again"));
    assert!(alice.fails(&["chats"], 1).await.contains("nobody is logged in"));
}

#[tokio::test]
async fn a_deployment_is_checked_with_a_login_and_without() {
    let world = World::new().await;
    let passed = |output: &str| -> Vec<String> {
        let lines = output.lines().filter(|line| line.contains(" ok ") && line.contains(" ms "));
        lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
    };
    let stranger = Terminal::new(&world.base);
    let output = stranger.run(&["check"]).await;
    assert_eq!(passed(&output), ["health", "config", "socket"], "{output}");
    assert!(output.contains("nobody is logged in"), "{output}");
    let alice = Terminal::registered(&world, "alice").await;
    let output = alice.run(&["check"]).await;
    assert_eq!(passed(&output), ["health", "config", "socket", "ping"], "{output}");

    let nowhere = Terminal::new("http://127.0.0.1:1");
    let output = Terminal::output(nowhere.command(&["check"])).await;
    assert_eq!(output.code, Some(1));
    assert!(passed(&output.stdout).is_empty() && output.stdout.contains("health  failed "), "{}", output.stdout);
}

#[tokio::test]
async fn what_is_wrong_is_said_in_a_sentence() {
    let world = World::new().await;
    let alice = Terminal::registered(&world, "alice").await;
    let mut login = alice.command(&["login", "alice"]);
    login.env("WINDI_PASSWORD", "wrong wrong");
    let output = Terminal::output(login).await;
    assert_eq!((output.code, &*output.stderr), (Some(1), "error: wrong login or password (invalid_credentials)\n"));
    assert!(alice.fails(&["register", "A", "alice", "a@example.com"], 1).await.contains("(username_taken)"));
    assert!(alice.fails(&["send", "nobody", "Hello"], 1).await.contains("there is no chat with 'nobody'"));
    assert!(alice.fails(&["send", "alice", " "], 1).await.contains("the message must not be blank"));
    alice.fails(&["send", "bob"], 2).await;
    alice.fails(&["history", "bob", "--limit", "0"], 2).await;
    alice.fails(&["--url", "ftp://example.com", "chats"], 2).await;
    let nowhere = Terminal::new("http://127.0.0.1:1");
    let error = nowhere.fails(&["login", "alice"], 1).await;
    assert!(error.starts_with("error: http://127.0.0.1:1 cannot be reached: "), "{error}");
    assert!(nowhere.fails(&["chats"], 1).await.contains("nobody is logged in at http://127.0.0.1:1"));
}
