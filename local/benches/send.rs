//! What a send costs PostgreSQL: `cargo bench -p windi-local --bench send`.
//!
//! `pgbench` sends with `send_message` and, in turns, inserts a bare row with one unique key, which is the least that a
//! message can cost. Ten clients over ten chats never wait for each other; over five chats two of them share a lock and
//! wait for each other's commit. One client alone shows the time of a single send. Every commit is synced to disk. The
//! figures are medians, and ratios within one run.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

mod support;

use support::pgbench::{Pgbench, Script};
use support::{median, messenger};
use windi_backing::postgres::Cluster;
use windi_shared::{config, db};

const ROUNDS: usize = 5;
const SECONDS: u64 = 3;

#[tokio::main]
async fn main() {
    let data = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(&data.path().join("postgres")).await.unwrap();
    cluster.create_database("send").await.unwrap();
    db::migrate(&cluster.url("send")).await.unwrap();
    let database = db::connect(&config::database_at(cluster.url("send")).unwrap()).unwrap();
    messenger::add_people(&database, 0..20).await;
    messenger::add_private_chats(&database, 0..10).await;
    let pgbench = Pgbench::new(&cluster, "send", &database).await;
    println!("{:28} {:>10} {:>10} {:>6}", "per second", "bare", "send", "ratio");
    for (what, clients, chats) in [("10 clients, 10 chats", 10, 10), ("10 clients, 5 chats", 10, 5), ("1 client", 1, 1)]
    {
        let (mut bares, mut sends) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            bares.push(pgbench.per_second(Script::Bare, clients, chats, SECONDS));
            sends.push(pgbench.per_second(Script::Send, clients, chats, SECONDS));
        }
        let (bare, send) = (median(bares), median(sends));
        println!("{what:28} {bare:10.0} {send:10.0} {:6.2}", send / bare);
    }
    let files = cluster.home().to_owned();
    drop(cluster);
    // Where the server's account cannot reach our directory, they are elsewhere.
    std::fs::remove_dir_all(files).unwrap();
}
