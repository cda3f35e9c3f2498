//! What a chat with a million messages costs: `cargo bench -p windi-local --bench scale`.
//!
//! It prints ratios within one run, because machines differ: a history page at the far end against the first one, a
//! list of chats with the large chat against one without it, a send with the search index against one without. It also
//! checks the plans: no query of a request may read a table from end to end. The benchmark fails if one does, or if a
//! page at the far end costs more than half as much again as the first.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Row as _};
use windi_backing::postgres::Cluster;
use windi_shared::config::DatabaseConfig;
use windi_shared::db::messages::Page;
use windi_shared::db::send::{self, Content};
use windi_shared::db::{self, Database, chat_list, chats, messages, sessions};
use windi_shared::fields::{ClientMessageId, MessageText};
use windi_shared::ids::{ChatId, SessionId, UserId};

const MESSAGES: i64 = 1_000_000;
const ROUNDS: usize = 300;

#[tokio::main]
async fn main() {
    let cluster = Cluster::temporary().await.unwrap();
    cluster.create_database("scale").await.unwrap();
    let db = db::connect(&DatabaseConfig {
        url: cluster.url("scale"),
        max_connections: 1,
        ping_after: Duration::ZERO,
        has_limits: false,
    })
    .unwrap();
    db::migrate(&cluster.url("scale")).await.unwrap();
    let (alice, bob, carol) = (person(&db, "alice").await, person(&db, "bob").await, person(&db, "carol").await);
    let large = private_chat(&db, alice, bob).await;
    let small = private_chat(&db, bob, carol).await;
    others(&db).await;
    fill(&db, large, alice, bob, MESSAGES).await;
    fill(&db, small, bob, carol, 10).await;
    println!("a chat with {MESSAGES} messages\n");

    plans(&db, bob, large).await;

    let first = || messages::page(&db, large, bob, None, Page::After(0), 50);
    let last = || messages::page(&db, large, bob, None, Page::Before(MESSAGES + 1), 50);
    let far = ratio("history page at the far end / first page", first, last).await;
    // Bob has both chats, Carol only the small one.
    let (of_bob, of_carol) = (session(&db, bob).await, session(&db, carol).await);
    let list_of_carol = || chat_list::page(&db, carol, of_carol, None, 50, false);
    let list_of_bob = || chat_list::page(&db, bob, of_bob, None, 50, false);
    ratio("list of two chats, one of a million / list of one small chat", list_of_carol, list_of_bob).await;
    searching(&db, alice, large).await;
    assert!(far <= 1.5, "the far end costs {far:.2} times the first page");
}

/// Times sends with and without the search index, in alternating blocks.
async fn searching(db: &Database, sender: UserId, chat_id: ChatId) {
    let definition: String =
        sqlx::query_scalar("select pg_get_indexdef('messages_words'::regclass)").fetch_one(db).await.unwrap();
    let text =
        MessageText::new("Shall we meet at eight in front of the theatre, or is that too late for you?").unwrap();
    let content = Content::Text { text: Some(&text), file_ids: None, reply_to_id: None };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let mut number = 0;
    for block in 0..6 {
        let waits = if block % 2 == 0 { &mut with } else { &mut without };
        for _ in 0..ROUNDS {
            number += 1;
            let key = ClientMessageId::new(format!("bench-{number}")).unwrap();
            let start = Instant::now();
            send::send(db, chat_id, sender, None, &key, &content).await.unwrap();
            waits.push(start.elapsed());
        }
        let change = if block % 2 == 0 { "drop index messages_words".to_owned() } else { definition.clone() };
        let mut slow = db.begin().await.unwrap();
        sqlx::query("set local statement_timeout = 0").execute(&mut *slow).await.unwrap();
        sqlx::query(AssertSqlSafe(change)).execute(&mut *slow).await.unwrap();
        slow.commit().await.unwrap();
    }
    let (with, without) = (median(with), median(without));
    println!(
        "send with / without the search index: {with:?} / {without:?} = {:.2}",
        with.as_secs_f64() / without.as_secs_f64()
    );
}

/// Returns the median time of `second` divided by that of `first`, measured alternately.
async fn ratio<A, B, F, G>(what: &str, first: impl Fn() -> A, second: impl Fn() -> B) -> f64
where
    A: Future<Output = Result<F, windi_shared::Error>>,
    B: Future<Output = Result<G, windi_shared::Error>>,
{
    let (mut of_first, mut of_second) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        first().await.unwrap();
        of_first.push(start.elapsed());
        let start = Instant::now();
        second().await.unwrap();
        of_second.push(start.elapsed());
    }
    let (first, second) = (median(of_first), median(of_second));
    let ratio = second.as_secs_f64() / first.as_secs_f64();
    println!("{what}: {second:?} / {first:?} = {ratio:.2}");
    ratio
}

fn median(mut waits: Vec<Duration>) -> Duration {
    waits.sort();
    waits[waits.len() / 2]
}

/// Checks the plans of the actual queries in `.sqlx/`, each found by a part of its text, with the parameters unknown.
async fn plans(db: &Database, me: UserId, chat_id: ChatId) {
    let mut db = db.begin().await.unwrap();
    sqlx::query("set local plan_cache_mode = force_generic_plan").execute(&mut *db).await.unwrap();
    for (name, mark, arguments) in [
        ("list", "listed as materialized", format!("'{me}', null, null, 50, '{me}', 1000, 100, false")),
        ("page", "m.id > chat.after", format!("'{chat_id}', '{me}', 1000001, true, 50, null")),
        ("changes", "m.revision > $2 and m.revision <= $3", format!("'{chat_id}', 999950, 1000001, 50, '{me}'")),
        ("ping", "select c.chat_id as \"chat_id: ChatId\", c.revision", format!("'{me}'")),
        ("receipts", "select distinct m.sender_id", format!("'{chat_id}', '{me}', 1000000, 1000, null")),
        ("search", "search_vector(m.chat_id", format!("'{me}', null, 'theatre', null, null, null, 20")),
    ] {
        sqlx::query(AssertSqlSafe(format!("prepare {name} as {}", query(mark)))).execute(&mut *db).await.unwrap();
        let explain = format!("explain (costs off) execute {name}({arguments})");
        let rows = sqlx::query(AssertSqlSafe(explain)).fetch_all(&mut *db).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let scans: Vec<&str> = plan.iter().map(|line| line.trim()).filter(|line| line.contains("Scan")).collect();
        println!("{name}:\n  {}", scans.join("\n  "));
        assert!(!plan.iter().any(|line| line.contains("Seq Scan")), "{}", plan.join("\n"));
    }
    println!();
}

/// The only query in `.sqlx/` that contains `mark`.
fn query(mark: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../.sqlx");
    let queries = std::fs::read_dir(directory).unwrap().filter_map(|entry| {
        let query: serde_json::Value = serde_json::from_slice(&std::fs::read(entry.unwrap().path()).unwrap()).unwrap();
        Some(query["query"].as_str()?.to_owned())
    });
    let found: Vec<_> = queries.filter(|query| query.contains(mark)).collect();
    assert_eq!(found.len(), 1, "{mark:?} must be in exactly one query: {found:?}");
    found.into_iter().next().unwrap()
}

async fn person(db: &Database, name: &str) -> UserId {
    let id = UserId::new();
    sqlx::query("insert into users (user_id, name, email, password_hash) values ($1, $2, $2, 'x')")
        .bind(id.0)
        .bind(name)
        .execute(db)
        .await
        .unwrap();
    id
}

async fn session(db: &Database, user_id: UserId) -> SessionId {
    sessions::start(db, user_id, "x", &user_id.to_string(), None).await.unwrap().unwrap()
}

/// Adds five thousand people and twenty thousand chats, because the planner would rightly read tables of three rows
/// whole.
async fn others(db: &Database) {
    for statement in [
        "insert into users (user_id, name, email, password_hash)
         select md5('user' || n)::uuid, 'user ' || n, 'user' || n, 'x' from generate_series(0, 4999) n",
        "insert into chats (chat_id, kind, name, created_by)
         select md5('chat' || n)::uuid, 'group', 'chat ' || n, md5('user' || n % 5000)::uuid
         from generate_series(0, 19999) n",
        "insert into chat_members (chat_id, user_id, role)
         select md5('chat' || n)::uuid, md5('user' || (n + k * 37) % 5000)::uuid, 'member'
         from generate_series(0, 19999) n, generate_series(0, 2) k",
    ] {
        sqlx::query(statement).execute(db).await.unwrap();
    }
}

async fn private_chat(db: &Database, one: UserId, other: UserId) -> ChatId {
    let mut db = db.begin().await.unwrap();
    let (chat_id, _) = chats::private(&mut db, one, other).await.unwrap();
    db.commit().await.unwrap();
    chat_id
}

/// Inserts messages from both people straight into the table, then rebuilds the search index, as a restore would.
async fn fill(db: &Database, chat_id: ChatId, one: UserId, other: UserId, count: i64) {
    let mut db = db.begin().await.unwrap();
    let definition: String =
        sqlx::query_scalar("select pg_get_indexdef('messages_words'::regclass)").fetch_one(&mut *db).await.unwrap();
    for statement in ["set local statement_timeout = 0", "drop index messages_words"] {
        sqlx::query(statement).execute(&mut *db).await.unwrap();
    }
    sqlx::query(
        "insert into messages (chat_id, id, sender_id, client_message_id, text, sent_hash, created_at, revision)
         select $1, n, case when n % 2 = 0 then $2 else $3 end, n::text, 'message ' || n || ' about thing ' || n % 997,
             '', now(), n + 1
         from generate_series(1, $4) n",
    )
    .bind(chat_id.0)
    .bind(one.0)
    .bind(other.0)
    .bind(count)
    .execute(&mut *db)
    .await
    .unwrap();
    sqlx::query("update chats set last_message_id = $2, revision = $2 + 1 where chat_id = $1")
        .bind(chat_id.0)
        .bind(count)
        .execute(&mut *db)
        .await
        .unwrap();
    sqlx::query(AssertSqlSafe(definition)).execute(&mut *db).await.unwrap();
    sqlx::query("analyze").execute(&mut *db).await.unwrap();
    db.commit().await.unwrap();
}
