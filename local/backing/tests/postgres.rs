//! The private cluster against real server programs.

use sqlx::{Connection as _, PgConnection};
use windi_backing::postgres::Cluster;

async fn answer(cluster: &Cluster, database: &str, sql: &'static str) -> i64 {
    let mut db = PgConnection::connect(&cluster.url(database)).await.expect("connects");
    sqlx::query_scalar(sql).fetch_one(&mut db).await.expect("answers")
}

async fn execute(cluster: &Cluster, database: &str, sql: &'static str) {
    let mut db = PgConnection::connect(&cluster.url(database)).await.expect("connects");
    sqlx::query(sql).execute(&mut db).await.expect("runs");
}

#[tokio::test]
async fn what_is_stored_survives_a_restart() {
    let home = tempfile::tempdir().expect("a directory");
    let cluster = Cluster::start(home.path()).await.expect("starts");
    cluster.create_database("kept").await.expect("creates");
    cluster.create_database("kept").await.expect("an existing one is fine");
    execute(&cluster, "kept", "create table t as select 42::int8 as n").await;
    cluster.stop();
    let cluster = Cluster::start(home.path()).await.expect("starts again");
    assert_eq!(answer(&cluster, "kept", "select n from t").await, 42);
    let elsewhere = cluster.home().to_owned();
    cluster.stop();
    // Root's private directories are out of the server's reach, so the files may be elsewhere.
    if !elsewhere.starts_with(home.path()) {
        std::fs::remove_dir_all(elsewhere).expect("removes");
    }
}

#[tokio::test]
async fn a_temporary_cluster_leaves_nothing_behind() {
    let cluster = Cluster::temporary().await.expect("starts");
    let (home, socket) = (cluster.home().to_owned(), cluster.socket().to_owned());
    // A UTF-8 locale: other letters than a-z have a lower case too.
    assert_eq!(answer(&cluster, "postgres", "select (lower('ПРИВЕТ') = 'привет')::int::int8").await, 1);
    cluster.stop();
    assert!(!home.exists() && !socket.exists());
}

#[tokio::test]
async fn other_accounts_cannot_open_the_socket() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::temporary().await.expect("starts");
    let mode = std::fs::metadata(cluster.socket()).expect("exists").permissions().mode();
    assert_eq!(mode & 0o077, 0);
    assert!(cluster.socket().join(".s.PGSQL.5432").exists());
}
