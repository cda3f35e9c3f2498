//! The connections to PostgreSQL: how often an operation asks, and what becomes of a connection that was left half-way.

use std::net::Ipv4Addr;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use windi_functions::{chats, connect, default, focus, history, mark_read, messages, send_message, typing};
use windi_shared::config::DatabaseConfig;
use windi_shared::db::pushes::{self, NewSubscription};
use windi_shared::db::{self, Database, sessions};
use windi_shared::ids::ConnectionId;

use crate::harness::{Stage, http, read, socket_event};

/// Stands between the messenger and PostgreSQL and counts the server's `ReadyForQuery`, which ends every round trip.
struct Wire {
    url: String,
    round_trips: Arc<AtomicUsize>,
}

impl Wire {
    async fn to(url: &str) -> Self {
        let server = PgConnectOptions::from_str(url).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let here = listener.local_addr().unwrap();
        let url = match server.get_socket() {
            None => {
                let relayed = server.clone().host("127.0.0.1").port(here.port()).ssl_mode(PgSslMode::Disable);
                relayed.to_url_lossy().to_string()
            }
            Some(_) => {
                let (user, database) = (server.get_username(), server.get_database().unwrap());
                format!("postgres://{user}@{here}/{database}?sslmode=disable")
            }
        };
        let round_trips = Arc::new(AtomicUsize::new(0));
        let counter = round_trips.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(relay(client, server.clone(), counter.clone()));
            }
        });
        Self { url, round_trips }
    }

    fn count(&self) -> usize {
        self.round_trips.swap(0, Ordering::SeqCst)
    }
}

async fn relay(client: TcpStream, server: PgConnectOptions, counter: Arc<AtomicUsize>) {
    client.set_nodelay(true).unwrap();
    match server.get_socket() {
        Some(directory) => {
            let path = directory.join(format!(".s.PGSQL.{}", server.get_port()));
            pass_on(client, UnixStream::connect(path).await.unwrap(), counter).await;
        }
        None => {
            let address = format!("{}:{}", server.get_host(), server.get_port());
            pass_on(client, TcpStream::connect(address).await.unwrap(), counter).await;
        }
    }
}

async fn pass_on(client: TcpStream, server: impl AsyncRead + AsyncWrite + Send + 'static, counter: Arc<AtomicUsize>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = split(server);
    tokio::spawn(async move { copy(&mut from_client, &mut to_server).await });
    // PostgreSQL's documentation, "Message Formats": a type, and a length that counts itself.
    let mut head = [0; 5];
    while from_server.read_exact(&mut head).await.is_ok() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]);
        let mut message = head.to_vec();
        message.resize(length as usize + 1, 0);
        from_server.read_exact(&mut message[5..]).await.unwrap();
        // Counted first: once the messenger has it, the operation may be over.
        counter.fetch_add(usize::from(head[0] == b'Z'), Ordering::SeqCst);
        to_client.write_all(&message).await.unwrap();
    }
}

/// Counted for a process that has served before: its connection is open, and its statements are prepared.
#[tokio::test]
async fn operations_ask_the_database_as_seldom_as_the_table_says() {
    let mut stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let wire = Wire::to(&stage.url).await;
    stage.db = connected(&stage, &wire.url, 1).await;
    let Stage { db, tokens, push, web_push, .. } = &stage;
    let chat_id = &stage.private_chat(&alice, &bob).await;
    let device = ConnectionId("a=".to_owned());
    let frame = |action: &str, data| {
        let frame = json!({"action": action, "data": data});
        socket_event(action, Some(&alice), &device, Some(frame))
    };
    let text = json!({"chat_id": chat_id, "text": "x"});
    let get = |path: &str| http(&format!("GET {path}"), Some(&alice.token), None);
    let in_chat = |path: &str| path.replace("{chat_id}", &format!("{{chat_id={chat_id}}}"));

    let mut counted = Vec::new();
    // The first round prepares the statements. Bob's message in each gives Alice something to read.
    for _ in 0..2 {
        let (status, message) = stage.send(&bob, text.clone()).await;
        assert_eq!(status, 201);
        let read_up_to = json!({"chat_id": chat_id, "message_id": message["id"]});
        let read_route = format!("POST /messages/{{chat_id={chat_id}}}/{{message_id={}}}/read", message["id"]);
        counted.clear();
        wire.count();
        macro_rules! count {
            ($what:literal, socket $outcome:expr) => {
                assert_eq!($outcome.await.unwrap().status_code, 200, "{}", $what);
                counted.push(($what, wire.count()));
            };
            ($what:literal, http $response:expr) => {
                let status = $response.await.status().as_u16();
                assert!((200..300).contains(&status), "{}: {status}", $what);
                counted.push(($what, wire.count()));
            };
        }
        count!("$connect", socket connect::handle(db, push, socket_event("$connect", Some(&alice), &device, None)));
        count!("sendMessage", socket send_message::handle(db, push, web_push, frame("sendMessage", text.clone())));
        count!("markRead", socket mark_read::handle(db, push, frame("markRead", read_up_to)));
        count!("typing", socket typing::handle(db, push, frame("typing", json!({"chat_id": chat_id, "is_typing": true}))));
        count!("joinChat", socket focus::handle(db, push, frame("joinChat", json!({"chat_id": chat_id}))));
        count!("leaveChat", socket focus::handle(db, push, frame("leaveChat", json!({"chat_id": chat_id}))));
        count!("ping", socket default::handle(db, push.posts(), frame("ping", json!({}))));
        let send = http("POST /messages", Some(&alice.token), Some(text.clone()));
        count!("POST /messages", http messages::handle(db, tokens, push, web_push, send));
        let mark = http(&read_route, Some(&alice.token), None);
        count!("POST /messages/{chat_id}/{message_id}/read", http messages::handle(db, tokens, push, web_push, mark));
        let page = get(&in_chat("/messages/history/{chat_id}?before=latest"));
        count!("GET /messages/history/{chat_id}", http history::handle(db, tokens, page));
        count!("GET /chats", http chats::handle(db, tokens, push, get("/chats")));
        count!("GET /chats/{chat_id}", http chats::handle(db, tokens, push, get(&in_chat("/chats/{chat_id}"))));
        let changes = get(&in_chat("/chats/{chat_id}/changes?after=0"));
        count!("GET /chats/{chat_id}/changes", http chats::handle(db, tokens, push, changes));
        let offline = socket_event("$disconnect", Some(&alice), &device, None);
        windi_functions::disconnect::handle(db, push, offline).await.unwrap();
    }
    check_table(&counted);
}

/// Whoever is away and has subscribed is looked up in a statement of its own; a send to anybody else costs what it did.
#[tokio::test]
async fn a_send_asks_once_more_only_if_a_receiver_who_is_away_has_subscribed() {
    let mut stage = Stage::new().await;
    let (alice, bob, carol) = (stage.person("alice").await, stage.person("bob").await, stage.person("carol").await);
    let wire = Wire::to(&stage.url).await;
    stage.db = connected(&stage, &wire.url, 1).await;
    let (with_bob, with_carol) = (stage.private_chat(&alice, &bob).await, stage.private_chat(&alice, &carol).await);
    let send = async |chat_id: &str| {
        wire.count();
        assert_eq!(stage.send(&alice, json!({"chat_id": chat_id, "text": "x"})).await.0, 201);
        wire.count()
    };
    send(&with_bob).await;
    let plain = send(&with_bob).await;
    assert_eq!(send(&with_carol).await, plain);

    // Nothing is encrypted for what is no key, so nothing is posted.
    let new = NewSubscription { endpoint: "http://127.0.0.1:9/x", p256dh: &[4; 65], auth: &[0; 16], shows_text: true };
    pushes::put(&stage.db, bob.caller, &new).await.unwrap();
    send(&with_bob).await;
    // To find out who is due, to take it back, and to count the failure.
    assert_eq!(send(&with_bob).await, plain + 3);
    assert_eq!(send(&with_carol).await, plain);
    stage.connected(&bob, "b=").await;
    assert_eq!(send(&with_bob).await, plain);
}

fn check_table(counted: &[(&str, usize)]) {
    let table = include_str!("../../../docs/performance.md");
    let is_listed = |row: &str| table.lines().any(|line| line.starts_with(row));
    let rows = counted.iter().map(|(what, round_trips)| format!("| `{what}` | {round_trips} |"));
    let missing: Vec<_> = rows.filter(|row| !is_listed(row)).collect();
    assert!(missing.is_empty(), "docs/performance.md should have:\n{}", missing.join("\n"));
}

/// A database that never pings. Its server ends no idle session, however slow the machine is.
async fn connected(stage: &Stage, url: &str, max_connections: u32) -> Database {
    let options = PgConnectOptions::from_str(&stage.url).unwrap();
    let (user, database) = (options.get_username(), options.get_database().unwrap());
    let patient = format!("alter role \"{user}\" in database \"{database}\" set idle_session_timeout = 0");
    sqlx::query(AssertSqlSafe(patient)).execute(&stage.db).await.unwrap();
    let ping_after = Duration::from_secs(600);
    db::connect(&DatabaseConfig { url: url.to_owned(), max_connections, ping_after, has_limits: false }).unwrap()
}

async fn backend(db: &Database) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(db).await.unwrap()
}

#[tokio::test]
async fn what_a_transaction_left_open_is_undone_before_the_connection_is_used_again() {
    let stage = Stage::new().await;
    let db = connected(&stage, &stage.url, 1).await;
    let first = backend(&db).await;
    {
        let mut transaction = db.begin().await.unwrap();
        sqlx::query("create table left_open ()").execute(&mut *transaction).await.unwrap();
    }
    assert_eq!(backend(&db).await, first);
    let is_there: bool =
        sqlx::query_scalar("select to_regclass('left_open') is not null").fetch_one(&db).await.unwrap();
    assert!(!is_there);
}

#[tokio::test]
async fn an_abandoned_transaction_whose_statement_fails_later_does_not_poison_the_connection() {
    let stage = Stage::new().await;
    let db = connected(&stage, &stage.url, 1).await;
    let abandoned = async {
        let mut transaction = db.begin().await.unwrap();
        sqlx::query("select 1 / length(pg_sleep(0.3)::text)").execute(&mut *transaction).await.unwrap();
    };
    assert!(tokio::time::timeout(Duration::from_millis(100), abandoned).await.is_err());
    for _ in 0..3 {
        backend(&db).await;
    }
}

#[tokio::test]
async fn whoever_has_logged_out_changes_nothing() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let text = json!({"chat_id": chat_id, "text": "x"});
    assert_eq!(stage.send(&bob, text.clone()).await.0, 201);
    let (user_id, session_id) = (alice.caller.user_id, alice.caller.session_id);
    assert!(sessions::end(&stage.db, user_id, session_id).await.unwrap());
    let read_route = format!("POST /messages/{{chat_id={}}}/{{message_id=1}}/read", chat_id);
    for (route, body) in [("POST /messages", Some(text)), (read_route.as_str(), None)] {
        let request = http(route, Some(&alice.token), body);
        let refused = messages::handle(&stage.db, &stage.tokens, &stage.push, &stage.web_push, request);
        assert_eq!(read(refused.await).0, 401);
    }
    let kept: (i64, i64) = sqlx::query_as(
        "select (select count(*) from messages), (select last_read_id from chat_members where user_id = $1)",
    )
    .bind(user_id.0)
    .fetch_one(&stage.db)
    .await
    .unwrap();
    assert_eq!(kept, (1, 0));
}

#[tokio::test]
async fn an_abandoned_statement_leaves_nothing_for_the_next_one_to_read() {
    let stage = Stage::new().await;
    let db = connected(&stage, &stage.url, 1).await;
    backend(&db).await;
    // Given up while the server is still at work.
    let abandoned = sqlx::query_scalar::<_, i32>("select 7 from pg_sleep(0.3)").fetch_one(&db);
    assert!(tokio::time::timeout(Duration::from_millis(100), abandoned).await.is_err());
    for number in 0..3 {
        let answer: i32 = sqlx::query_scalar("select $1").bind(number).fetch_one(&db).await.unwrap();
        assert_eq!(answer, number);
    }
}

#[tokio::test]
async fn a_refused_statement_does_not_cost_the_connection() {
    let stage = Stage::new().await;
    let db = connected(&stage, &stage.url, 1).await;
    let first = backend(&db).await;
    sqlx::query("select 1 / 0").execute(&db).await.unwrap_err();
    assert_eq!(backend(&db).await, first);
}

#[tokio::test]
async fn everybody_gets_a_turn_however_few_connections_there_are() {
    let stage = Stage::new().await;
    let db = connected(&stage, &stage.url, 2).await;
    let mut waiting = tokio::task::JoinSet::new();
    for number in 0..100 {
        let db = db.clone();
        waiting.spawn(async move {
            if number % 3 == 0 {
                let mut transaction = db.begin().await.unwrap();
                sqlx::query("select 1").execute(&mut *transaction).await.unwrap();
                transaction.commit().await.unwrap();
            } else {
                backend(&db).await;
            }
        });
    }
    while let Some(outcome) = waiting.join_next().await {
        outcome.unwrap();
    }
    assert!(db.size() <= 2);
}

#[tokio::test]
async fn the_database_refuses_rows_that_break_its_rules() {
    let stage = Stage::new().await;
    let (alice, bob) = (stage.person("alice").await, stage.person("bob").await);
    let chat_id = stage.private_chat(&alice, &bob).await;
    let text = json!({"chat_id": chat_id, "text": "x"});
    assert_eq!(stage.send(&alice, text).await.0, 201);
    let longest = "x".repeat(4097);
    stage.person("carol").await;
    let newcomer =
        "insert into chat_members select chat_id, user_id, 'king' from chats, users where username = 'carol'";
    for (rule, statement) in [
        ("chats_kind", "update chats set kind = 'secret', private_pair = null, name = null".to_owned()),
        ("chats_group_has_name", "update chats set name = 'x'".to_owned()),
        ("chats_private_has_pair", "update chats set private_pair = null".to_owned()),
        ("chats_name_length", "update chats set kind = 'group', private_pair = null, name = ''".to_owned()),
        ("chat_members_role", "update chat_members set role = 'king'".to_owned()),
        ("messages_deleted_has_no_text", "update messages set text = null".to_owned()),
        ("chats_kind", "insert into chats select gen_random_uuid(), 'x', null, created_by from chats".to_owned()),
        (
            "chats_name_length",
            "insert into chats select gen_random_uuid(), 'group', '', created_by from chats".to_owned(),
        ),
        ("chat_members_role", newcomer.to_owned()),
        ("messages_text_length", format!("update messages set text = '{longest}'")),
        ("messages_text_length", format!("select send_message(chat_id, sender_id, 'k', '{longest}') from messages")),
    ] {
        let refused = sqlx::query(AssertSqlSafe(statement)).execute(&stage.db).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().constraint(), Some(rule));
    }
}
