//! The messenger as `cargo run` starts it, with accounts and chats written straight into its tables.
//!
//! The id of user `n` and of chat `n` is the number itself, in 32 digits, so that `pgbench` can name them too.

use std::sync::Arc;
use std::time::Duration;

use sam_gateway::gateway::{Gateway, Settings};
use sam_gateway::template::Template;
use sqlx::AssertSqlSafe;
use tokio::net::TcpListener;
use windi_local::app::App;
use windi_local::in_process::InProcess;
use windi_local::stack::Stack;
use windi_shared::auth::Caller;
use windi_shared::db::{Database, sessions};
use windi_shared::ids::{ChatId, UserId};

pub struct Messenger {
    pub app: Arc<App>,
    pub stack: Stack,
    pub gateway: Gateway,
    /// `http://<address>`.
    pub base: String,
    data: tempfile::TempDir,
}

/// An account that is logged in.
#[derive(Clone)]
pub struct Person {
    pub id: UserId,
    pub token: String,
}

impl Messenger {
    pub async fn start() -> Self {
        let data = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let (stack, app) = Stack::start(data.path(), &format!("{base}/ws"), false).await.unwrap();
        let app = Arc::new(app);
        let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml").as_ref()).unwrap();
        let functions = Arc::new(InProcess::new(app.clone()));
        let gateway = Gateway::start(listener, template, functions, Settings::default()).unwrap();
        app.aws.connect(gateway.management());
        Self { app, stack, gateway, base, data }
    }

    pub async fn stop(self) {
        self.gateway.stop().await;
        let files = self.stack.cluster().unwrap().home().to_owned();
        drop(self.stack);
        // Where the server's account cannot reach our directory, they are elsewhere.
        std::fs::remove_dir_all(files).unwrap();
    }

    /// Returns when none of these people has a socket and each has been disconnected, which is work too.
    pub async fn all_gone(&self, people: &[Person]) {
        let ids: Vec<_> = people.iter().map(|person| person.id).collect();
        while !self.gateway.sockets().is_empty() || !self.app.connections.of_users(&ids).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Logs people in, by their numbers. The accounts must exist.
    pub async fn log_in(&self, people: std::ops::Range<usize>) -> Vec<Person> {
        let mut logged_in = Vec::new();
        for number in people {
            let id = user(number);
            let session_id =
                sessions::start(&self.app.db, id, "x", &uuid::Uuid::new_v4().to_string(), None).await.unwrap().unwrap();
            let token = self.app.tokens.issue(Caller { user_id: id, session_id }).unwrap();
            logged_in.push(Person { id, token });
        }
        logged_in
    }
}

/// The id of user `number`.
pub fn user(number: usize) -> UserId {
    format!("{number:032}").parse().unwrap()
}

/// The id of chat `number`.
pub fn chat(number: usize) -> ChatId {
    format!("{number:032}").parse().unwrap()
}

/// Adds accounts, by their numbers.
pub async fn add_people(db: &Database, people: std::ops::Range<usize>) {
    let statement = format!(
        "insert into users (user_id, name, username, email, password_hash)
         select lpad(n::text, 32, '0')::uuid, 'user ' || n, 'user' || n, 'user' || n, 'x' from generate_series({}, {}) n",
        people.start,
        people.end - 1
    );
    sqlx::query(AssertSqlSafe(statement)).execute(db).await.unwrap();
}

/// Adds private chats, by their numbers. Chat `n` is that of the users `2n` and `2n + 1`.
pub async fn add_private_chats(db: &Database, chats: std::ops::Range<usize>) {
    let (first, last) = (chats.start, chats.end - 1);
    for statement in [
        format!(
            "insert into chats (chat_id, kind, created_by, private_pair)
             select lpad(n::text, 32, '0')::uuid, 'private', lpad((2 * n)::text, 32, '0')::uuid, n
             from generate_series({first}, {last}) n"
        ),
        format!(
            "insert into chat_members (chat_id, user_id, role)
             select lpad(n::text, 32, '0')::uuid, lpad((2 * n + k)::text, 32, '0')::uuid, 'member'
             from generate_series({first}, {last}) n, generate_series(0, 1) k"
        ),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(db).await.unwrap();
    }
}

/// Adds a group, by its number, of these users.
pub async fn add_group(db: &Database, number: usize, members: std::ops::Range<usize>) {
    let (first, last) = (members.start, members.end - 1);
    for statement in [
        format!(
            "insert into chats (chat_id, kind, created_by, name)
             values ('{number:032}', 'group', '{first:032}', 'group {number}')"
        ),
        format!(
            "insert into chat_members (chat_id, user_id, role)
             select '{number:032}', lpad(n::text, 32, '0')::uuid, 'member' from generate_series({first}, {last}) n"
        ),
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(db).await.unwrap();
    }
}
