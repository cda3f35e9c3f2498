//! The private cluster, tested with real server programs.

use sqlx::{Connection as _, PgConnection};
use windi_backing::postgres::Cluster;

async fn answer(cluster: &Cluster, database: &str, sql: &'static str) -> i64 {
    let mut db = PgConnection::connect(&cluster.url(database)).await.expect("cannot connect");
    sqlx::query_scalar(sql).fetch_one(&mut db).await.expect("the query failed")
}

async fn execute(cluster: &Cluster, database: &str, sql: &'static str) {
    let mut db = PgConnection::connect(&cluster.url(database)).await.expect("cannot connect");
    sqlx::query(sql).execute(&mut db).await.expect("the statement failed");
}

#[tokio::test]
async fn what_is_stored_survives_a_restart() {
    let home = tempfile::tempdir().expect("cannot create a directory");
    let cluster = Cluster::start(home.path()).await.expect("cannot start the cluster");
    cluster.create_database("kept").await.expect("cannot create the database");
    cluster.create_database("kept").await.expect("creating an existing database must not fail");
    execute(&cluster, "kept", "create table t as select 42::int8 as n").await;
    cluster.stop();
    let cluster = Cluster::start(home.path()).await.expect("cannot start the cluster again");
    assert_eq!(answer(&cluster, "kept", "select n from t").await, 42);
    let elsewhere = cluster.home().to_owned();
    cluster.stop();
    // The server cannot reach root's private directories, so the files may be elsewhere.
    if !elsewhere.starts_with(home.path()) {
        std::fs::remove_dir_all(elsewhere).expect("cannot remove the files");
    }
}

#[tokio::test]
async fn a_temporary_cluster_leaves_nothing_behind() {
    let cluster = Cluster::temporary().await.expect("cannot start the cluster");
    let (home, socket) = (cluster.home().to_owned(), cluster.socket().to_owned());
    // In a UTF-8 locale, letters other than a-z have a lower case too.
    assert_eq!(answer(&cluster, "postgres", "select (lower('ПРИВЕТ') = 'привет')::int::int8").await, 1);
    cluster.stop();
    assert!(!home.exists() && !socket.exists());
}

#[tokio::test]
async fn other_accounts_cannot_open_the_socket() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::temporary().await.expect("cannot start the cluster");
    let mode = std::fs::metadata(cluster.socket()).expect("the socket directory is missing").permissions().mode();
    assert_eq!(mode & 0o077, 0);
    assert!(cluster.socket().join(".s.PGSQL.5432").exists());
}
