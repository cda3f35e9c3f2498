//! What a send costs PostgreSQL: `cargo bench -p windi-local --bench send`.
//!
//! `pgbench` sends with `send_message` and, in turns, inserts a bare row with one unique key, which is the least that a
//! message can cost. Ten clients over ten chats never wait for each other; over five chats two of them share a lock and
//! wait for each other's commit. One client alone shows the time of a single send. Every commit is synced to disk. The
//! figures are medians, and ratios within one run.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

use std::path::Path;
use std::process::Command;

use sqlx::AssertSqlSafe;
use windi_backing::postgres::Cluster;
use windi_shared::config;
use windi_shared::db;

const ROUNDS: usize = 5;
const SECONDS: &str = "3";
const TEXT: &str = "Shall we meet at eight in front of the theatre, or is that too late for you?";

#[tokio::main]
async fn main() {
    let data = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&data.path().join("postgres")).await.unwrap();
    cluster.create_database("send").await.unwrap();
    db::migrate(&cluster.url("send")).await.unwrap();
    let database = db::connect(&config::database_at(cluster.url("send")).unwrap()).unwrap();
    for statement in [
        "insert into users (user_id, name, email, password_hash)
         select md5('user' || n)::uuid, 'user ' || n, 'user' || n, 'x' from generate_series(0, 19) n",
        "insert into chats (chat_id, kind, created_by, private_pair)
         select md5('chat' || n)::uuid, 'private', md5('user' || n)::uuid, n from generate_series(0, 9) n",
        "insert into chat_members (chat_id, user_id, role)
         select md5('chat' || n)::uuid, md5('user' || n + 10 * k)::uuid, 'member'
         from generate_series(0, 9) n, generate_series(0, 1) k",
        "create table bare (id bigint generated always as identity, key text, text text, unique (key))",
    ] {
        sqlx::query(AssertSqlSafe(statement)).execute(&database).await.unwrap();
    }
    let chat = |what: &str| format!("md5('{what}' || :client_id::int % :chats::int)::uuid");
    let send =
        format!("select * from send_message({}, {}, gen_random_uuid()::text, '{TEXT}')", chat("chat"), chat("user"));
    let bare = format!("insert into bare (key, text) values (gen_random_uuid()::text, '{TEXT}')");
    let [send, bare] = [("send", send), ("bare", bare)].map(|(name, statement)| {
        let path = data.path().join(name);
        std::fs::write(&path, statement).unwrap();
        path
    });
    println!("{:28} {:>10} {:>10} {:>6}", "per second", "bare", "send", "ratio");
    for (what, clients, chats) in [("10 clients, 10 chats", 10, 10), ("10 clients, 5 chats", 10, 5), ("1 client", 1, 1)]
    {
        let (mut bares, mut sends) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bares.push(per_second(&cluster, &bare, clients, chats));
            sends.push(per_second(&cluster, &send, clients, chats));
        }
        let (bare, send) = (median(bares), median(sends));
        println!("{what:28} {bare:10.0} {send:10.0} {:6.2}", send / bare);
    }
    let elsewhere = cluster.home().to_owned();
    drop(cluster);
    if !elsewhere.starts_with(data.path()) {
        std::fs::remove_dir_all(elsewhere).unwrap();
    }
}

/// Transactions per second.
fn per_second(cluster: &Cluster, script: &Path, clients: usize, chats: usize) -> f64 {
    let mut pgbench = Command::new(cluster.client("pgbench").expect("pgbench, which comes with PostgreSQL's server"));
    pgbench.arg("-h").arg(cluster.socket()).args(["-U", "windi", "-n", "-M", "prepared", "-T", SECONDS, "-j", "2"]);
    pgbench
        .arg("-c")
        .arg(clients.to_string())
        .arg("-D")
        .arg(format!("chats={chats}"))
        .arg("-f")
        .arg(script)
        .arg("send");
    let output = pgbench.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let rate = out.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    assert!(output.status.success() && !err.contains("ERROR"), "{out}{err}");
    rate.unwrap()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
