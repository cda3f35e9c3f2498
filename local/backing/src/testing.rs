//! A separate database for every test, each a copy of a migrated template. They are on the server that `DATABASE_URL`
//! names, or else in one private cluster per test process. With `WINDI_TEST_POOLER`, the `host:port` of a pooler in front of
//! the server, the code under test connects through that.

use std::str::FromStr as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, PgConnection};
use tokio::sync::OnceCell;

use crate::postgres::Cluster;

/// The connections table of all tests. On a DynamoDB that outlives them they can share it, because no two tests have a
/// user in common.
pub const TABLE: &str = "windi-test";

/// How the names of test databases begin, because the server may have other databases too.
const PREFIX: &str = "windi-test-";
/// How long a test run may take before its databases count as left behind.
const LEFT_BEHIND: Duration = Duration::from_secs(3600);

static SERVER: OnceCell<Server> = OnceCell::const_new();

struct Server {
    place: Place,
    /// The migrated database that all others are copied from.
    template: String,
}

enum Place {
    /// A cluster that ends with this process, together with its databases.
    Own(Cluster),
    /// The server that `DATABASE_URL` names.
    Given(Box<PgConnectOptions>),
}

/// The URL of a new, empty database with the schema of `migrator`.
///
/// # Panics
/// If there is no PostgreSQL. A test cannot pass without one, and must not be skipped.
#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
pub async fn database(migrator: &Migrator) -> String {
    let server = SERVER.get_or_init(|| migrated(migrator)).await;
    let name = new_name();
    server.place.create(&name, Some(&server.template)).await.expect("cannot create a database");
    through_pooler(server.place.url(&name))
}

/// The URL of a new database without a schema.
///
/// # Panics
/// Like [`database`].
#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
pub async fn empty_database(migrator: &Migrator) -> String {
    let server = SERVER.get_or_init(|| migrated(migrator)).await;
    let name = new_name();
    server.place.create(&name, None).await.expect("cannot create a database");
    server.place.url(&name)
}

/// The URL of a new database without a schema, owned by a role that may open `connections` at once.
///
/// # Panics
/// Like [`database`].
#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
pub async fn database_of_limited_role(connections: u32, migrator: &Migrator) -> String {
    let url = empty_database(migrator).await;
    let mut db = PgConnection::connect(&url).await.expect("cannot connect to the server");
    let options = PgConnectOptions::from_str(&url).expect("a URL");
    let name = options.get_database().expect("a database");
    for statement in [
        format!("create role \"{name}\" login password 'secret' connection limit {connections}"),
        format!("alter database \"{name}\" owner to \"{name}\""),
        format!("alter schema public owner to \"{name}\""),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut db).await.expect("cannot set the role up");
    }
    db.close().await.expect("cannot close the connection");
    options.clone().username(name).password("secret").to_url_lossy().to_string()
}

/// Replaces the database of this name, if it exists, by a new copy, and returns the URL. Connections to the old one are
/// closed.
///
/// # Panics
/// Like [`database`].
#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
pub async fn replace_database(name: &str, migrator: &Migrator) -> String {
    let server = SERVER.get_or_init(|| migrated(migrator)).await;
    let mut admin = server.place.admin().await.expect("cannot connect to the server");
    drop_database(&mut admin, name).await.expect("cannot drop the old database");
    server.place.create(name, Some(&server.template)).await.expect("cannot create a database");
    server.place.url(name)
}

/// A name that no other test's database has. It contains the time, in seconds since 1970.
pub fn new_name() -> String {
    format!("{PREFIX}{}-{}", seconds(), uuid::Uuid::now_v7())
}

#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
fn through_pooler(url: String) -> String {
    let Ok(pooler) = std::env::var("WINDI_TEST_POOLER") else { return url };
    let (host, port) = pooler.split_once(':').expect("WINDI_TEST_POOLER must be host:port");
    let options = PgConnectOptions::from_str(&url).expect("a URL");
    let database = options.get_database().expect("a database");
    format!("postgres://{}@{host}:{port}/{database}", options.get_username())
}

impl Place {
    fn url(&self, name: &str) -> String {
        match self {
            Self::Own(cluster) => cluster.url(name),
            Self::Given(options) => options.as_ref().clone().database(name).to_url_lossy().to_string(),
        }
    }

    async fn admin(&self) -> sqlx::Result<PgConnection> {
        match self {
            Self::Own(cluster) => PgConnection::connect(&cluster.url("postgres")).await,
            Self::Given(options) => options.connect().await,
        }
    }

    async fn create(&self, name: &str, template: Option<&str>) -> sqlx::Result<()> {
        let from = template.map_or_else(String::new, |template| format!(" template \"{template}\""));
        let mut admin = self.admin().await?;
        // Both names are ours, never input.
        sqlx::raw_sql(AssertSqlSafe(format!("create database \"{name}\"{from}"))).execute(&mut admin).await?;
        if let Some(template) = template {
            copy_role_settings(&mut admin, template, name).await?;
        }
        admin.close().await
    }
}

#[expect(clippy::expect_used, reason = "tests end here, with the reason")]
async fn migrated(migrator: &Migrator) -> Server {
    let place = match std::env::var("DATABASE_URL") {
        Ok(url) if !url.is_empty() => {
            let place = Place::Given(Box::new(
                PgConnectOptions::from_str(&url).expect("DATABASE_URL must be a postgres:// URL"),
            ));
            let mut admin = place.admin().await.expect("cannot connect to the server that DATABASE_URL names");
            drop_what_was_left_behind(&mut admin).await.expect("cannot drop old test databases");
            place
        }
        _ => Place::Own(Cluster::temporary().await.expect("cannot start a PostgreSQL cluster")),
    };
    let template = new_name();
    place.create(&template, None).await.expect("cannot create the template database");
    let mut db = PgConnection::connect(&place.url(&template)).await.expect("cannot connect to the server");
    migrator.run(&mut db).await.expect("cannot apply the migrations");
    // A database with open connections cannot be copied.
    db.close().await.expect("cannot close the connection");
    Server { place, template }
}

/// `create database … template …` leaves out what migrations set with `alter role … in database …`.
async fn copy_role_settings(admin: &mut PgConnection, from: &str, to: &str) -> sqlx::Result<()> {
    let statements: Vec<String> = sqlx::query_scalar(
        "select format('alter role %I in database %I set %s = %L', setrole::regrole::text, $2, split_part(setting, '=', 1),
                split_part(setting, '=', 2))
         from pg_db_role_setting, unnest(setconfig) setting, pg_database
         where setdatabase = pg_database.oid and datname = $1",
    )
    .bind(from)
    .bind(to)
    .fetch_all(&mut *admin)
    .await?;
    for statement in statements {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *admin).await?;
    }
    Ok(())
}

/// Tests end without cleaning up, so later ones do it.
async fn drop_what_was_left_behind(admin: &mut PgConnection) -> sqlx::Result<()> {
    let names: Vec<String> = sqlx::query_scalar("select datname from pg_database where starts_with(datname, $1)")
        .bind(PREFIX)
        .fetch_all(&mut *admin)
        .await?;
    for name in names {
        let made = name[PREFIX.len()..].split('-').next().and_then(|made| made.parse::<u64>().ok());
        if made.is_none_or(|made| made + LEFT_BEHIND.as_secs() < seconds()) {
            drop_database(admin, &name).await?;
        }
    }
    Ok(())
}

async fn drop_database(admin: &mut PgConnection, name: &str) -> sqlx::Result<()> {
    let sql = format!("drop database if exists \"{name}\" with (force)");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await?;
    Ok(())
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
