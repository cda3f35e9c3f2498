//! A database of its own for every test: one cluster per test process, and each database a copy of a migrated template.

use sqlx::migrate::Migrator;
use sqlx::{Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::postgres::Cluster;

const TEMPLATE: &str = "template";

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();

/// The URL of a new, empty database with the schema of `migrator`.
///
/// # Panics
/// If there is no PostgreSQL: a test without one cannot pass, and must not be skipped.
#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
pub async fn database(migrator: &Migrator) -> String {
    let cluster = CLUSTER.get_or_init(|| migrated(migrator)).await;
    let name = format!("test-{}", uuid::Uuid::now_v7());
    cluster.create_database(&name, Some(TEMPLATE)).await.expect("a database");
    cluster.url(&name)
}

#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
async fn migrated(migrator: &Migrator) -> Cluster {
    let cluster = Cluster::temporary().await.expect("a PostgreSQL cluster");
    cluster.create_database(TEMPLATE, None).await.expect("the template database");
    let mut db = PgConnection::connect(&cluster.url(TEMPLATE)).await.expect("a connection");
    migrator.run(&mut db).await.expect("the migrations apply");
    // A database somebody is connected to cannot be copied.
    db.close().await.expect("closes");
    cluster
}
