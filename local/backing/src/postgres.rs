//! A private PostgreSQL cluster: a real server, in a directory of its own, reached over a Unix socket that only this
//! account can open, ended with the process that started it.
//!
//! A small shell stands between us and the server and holds the other end of a pipe of ours. However we end, by Ctrl-C
//! or by `kill -9`, the pipe closes, and the shell stops the server cleanly.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::account::Account;
use crate::binaries::{self, NoPostgres};

/// The cluster's superuser, and the only user.
const USER: &str = "windi";
/// A cluster that was not shut down may have a log to replay first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// `$1` the socket directory, `$2` a directory to remove at the end or nothing, `$3` the log, then the server's command.
/// `read` returns when our end of the pipe is closed. SIGINT is PostgreSQL's fast shutdown.
const KEEPER: &str = r#"
socket=$1; leftover=$2; log=$3; shift 3
exec 3<&0
"$@" >>"$log" 2>&1 </dev/null &
server=$!
(read -r _ <&3; kill -INT "$server") 2>/dev/null &
wait "$server"; code=$?
rm -rf "$socket"
[ -z "$leftover" ] || rm -rf "$leftover"
exit "$code"
"#;

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// No PostgreSQL on this machine.
    #[error(transparent)]
    NoPostgres(#[from] NoPostgres),
    /// We are root and there is no other account.
    #[error("{0}")]
    Account(&'static str),
    /// The file system refused.
    #[error("{0}: {1}")]
    Files(PathBuf, #[source] std::io::Error),
    /// A PostgreSQL program failed.
    #[error("{program} failed: {output}")]
    Failed {
        /// Which.
        program: &'static str,
        /// What it said.
        output: String,
    },
    /// The server runs but a statement of ours failed.
    #[error("PostgreSQL: {0}")]
    Sql(#[from] sqlx::Error),
}

/// A running cluster. Dropping it, or ending in any other way, stops the server.
#[derive(Debug)]
pub struct Cluster {
    keeper: Child,
    socket: PathBuf,
    home: PathBuf,
}

/// Where a cluster's files are, and what becomes of them.
struct Place {
    home: PathBuf,
    /// Gone with the cluster, and therefore not worth syncing to disk.
    temporary: bool,
}

impl Cluster {
    /// Starts the cluster under `home`, making it if it is not there. What is in it outlives the process.
    ///
    /// Root runs the server as another account; if that one cannot reach `home`, the files are kept in
    /// `/var/lib/windi-messenger` under a name made from `home`.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn start(home: &Path) -> Result<Self, PostgresError> {
        let account = Account::choose().map_err(PostgresError::Account)?;
        let home = reachable(home, &account)?;
        Self::run(Place { home, temporary: false }, &account).await
    }

    /// Starts a new cluster that is removed at the end, for tests.
    ///
    /// # Errors
    /// [`PostgresError`].
    pub async fn temporary() -> Result<Self, PostgresError> {
        let account = Account::choose().map_err(PostgresError::Account)?;
        Self::run(Place { home: temporary_directory("windi-test-")?, temporary: true }, &account).await
    }

    async fn run(place: Place, account: &Account) -> Result<Self, PostgresError> {
        account.own(&place.home).map_err(|e| PostgresError::Files(place.home.clone(), e))?;
        let programs = binaries::find(&place.home.join("postgresql")).await?;
        let data = place.home.join("data");
        if !data.join("PG_VERSION").exists() {
            initialise(&programs, &place, account)?;
        } else if data.join("postmaster.pid").exists() {
            // A server whose keeper was killed too, or which is just being stopped. A stale file is no harm.
            let _ =
                command(&programs.join("pg_ctl"), account).args(["stop", "-w", "-m", "fast", "-D"]).arg(&data).output();
        }
        let socket = temporary_directory("windi-pg-")?;
        account.own(&socket).map_err(|e| PostgresError::Files(socket.clone(), e))?;
        let keeper = keep(&programs, &place, &socket, account)?;
        let mut cluster = Self { keeper, socket, home: place.home };
        cluster.wait_until_ready().await?;
        Ok(cluster)
    }

    /// The directory of the cluster's files.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The directory of the server's socket, for `psql -h`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// A URL for this database.
    pub fn url(&self, database: &str) -> String {
        self.options(database).to_url_lossy().to_string()
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(&self.socket).port(5432).username(USER).database(database)
    }

    /// Makes a database if it is not there. Its name is ours, not input.
    ///
    /// # Errors
    /// [`PostgresError::Sql`].
    pub async fn create_database(&self, name: &str) -> Result<(), PostgresError> {
        let mut db = self.options("postgres").connect().await?;
        let made = sqlx::raw_sql(AssertSqlSafe(format!(r#"create database "{name}""#))).execute(&mut db).await;
        db.close().await?;
        match made {
            // 42P04: it exists.
            Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("42P04") => Ok(()),
            other => Ok(other.map(|_| ())?),
        }
    }

    /// Stops the server and waits until it is down.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }

    async fn wait_until_ready(&mut self) -> Result<(), PostgresError> {
        let options = self.options("postgres");
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let last = match PgConnection::connect_with(&options).await {
                Ok(db) => return Ok(db.close().await?),
                Err(e) => e,
            };
            let ended = self.keeper.try_wait().ok().flatten().is_some();
            if ended || Instant::now() > deadline {
                let log = std::fs::read_to_string(self.home.join("postgres.log")).unwrap_or_default();
                let tail: Vec<_> = log.lines().rev().take(8).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                return Err(PostgresError::Failed { program: "postgres", output: format!("{last}\n{tail}") });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end();
    }
}

/// `home` if the account can reach it, else a place under `/var/lib` that is always the same for the same `home`.
fn reachable(home: &Path, account: &Account) -> Result<PathBuf, PostgresError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |e| PostgresError::Files(path, e)
    };
    std::fs::create_dir_all(home).map_err(failed(home))?;
    let home = home.canonicalize().map_err(failed(home))?;
    // Asked of the parent: `home` itself is about to be given to the account.
    if home.parent().is_none_or(|parent| account.can_reach(parent)) {
        return Ok(home);
    }
    let name = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, home.to_string_lossy().as_bytes()).simple().to_string();
    let other = Path::new("/var/lib/windi-messenger").join(name);
    std::fs::create_dir_all(&other).map_err(failed(&other))?;
    Ok(other)
}

fn temporary_directory(prefix: &str) -> Result<PathBuf, PostgresError> {
    let parent = std::env::temp_dir();
    let directory = tempfile::Builder::new().prefix(prefix).tempdir_in(&parent);
    Ok(directory.map_err(|e| PostgresError::Files(parent, e))?.keep())
}

fn command(program: &Path, account: &Account) -> Command {
    let mut command = Command::new(program);
    // The account may not be allowed where we stand.
    command.current_dir("/").stdin(Stdio::null());
    account.apply(&mut command);
    command
}

fn initialise(programs: &Path, place: &Place, account: &Account) -> Result<(), PostgresError> {
    // A UTF-8 locale, or lower() and full text search know no letters but a-z.
    let locale = if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" };
    let mut initdb = command(&programs.join("initdb"), account);
    initdb.arg("-D").arg(place.home.join("data"));
    initdb.args(["-U", USER, "-A", "trust", "-E", "UTF8", "--locale", locale]);
    if place.temporary {
        initdb.arg("--no-sync");
    }
    let output = initdb.output().map_err(|e| PostgresError::Files(programs.join("initdb"), e))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(PostgresError::Failed { program: "initdb", output });
    }
    Ok(())
}

fn keep(programs: &Path, place: &Place, socket: &Path, account: &Account) -> Result<Child, PostgresError> {
    let mut keeper = command(Path::new("/bin/sh"), account);
    keeper.args(["-c", KEEPER, "windi-postgres"]).arg(socket);
    keeper.arg(if place.temporary { place.home.as_os_str() } else { "".as_ref() });
    keeper.arg(place.home.join("postgres.log"));
    keeper.arg(programs.join("postgres")).arg("-D").arg(place.home.join("data"));
    // No network: the socket's directory is closed to other accounts, so no password is needed.
    keeper.args(["-c", "listen_addresses=", "-c", "max_connections=200", "-c"]);
    keeper.arg(format!("unix_socket_directories={}", socket.display()));
    if place.temporary {
        keeper.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
    }
    // Its own process group: the terminal's Ctrl-C is for us, and we stop the server when we are done with it.
    keeper.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    keeper.spawn().map_err(|e| PostgresError::Files("/bin/sh".into(), e))
}
