//! A private PostgreSQL cluster: a real server with its own directory, reached over a Unix socket that only this
//! account can open. It stops with the process that started it.
//!
//! A small shell script stands between us and the server and holds the other end of a pipe from us. However we end, by
//! Ctrl-C or by `kill -9`, the pipe closes, and the script stops the server cleanly. If the server ends first, the
//! script starts it again.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::account::Account;
use crate::binaries::{self, NoPostgres};

/// The cluster's superuser, and the only user.
pub(crate) const USER: &str = "windi";
/// A cluster that was not shut down cleanly may have to replay its log first.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// `$1` is the socket directory, `$2` a directory to remove at the end or empty, `$3` the log. The rest is the server's
/// command.
///
/// `read` returns when our end of the pipe is closed, and the server is then stopped (SIGINT is its fast shutdown). A
/// server that ends before that was killed, for example by the kernel when memory ran out, and is started again. The
/// new one may find its predecessor's children alive and give up, so there are several attempts. A server that has
/// never opened its socket is not started again, because that would not help.
const KEEPER: &str = r#"
socket=$1; leftover=$2; log=$3; shift 3
exec 3<&0
failures=0
while :; do
    begun=$(date +%s)
    "$@" >>"$log" 2>&1 </dev/null &
    server=$!
    (read -r _ <&3; : >"$socket/stopping"; kill -INT "$server") 2>/dev/null &
    reader=$!
    wait "$server"; code=$?
    if [ -e "$socket/stopping" ] || [ ! -S "$socket/.s.PGSQL.5432" ]; then break; fi
    kill "$reader" 2>/dev/null
    [ $(($(date +%s) - begun)) -lt 60 ] || failures=0
    failures=$((failures + 1))
    if [ "$failures" -gt 10 ]; then break; fi
    echo "PostgreSQL has ended with status $code; starting it again ($failures of 10)."
    sleep 0.5
done
rm -rf "$socket"
[ -z "$leftover" ] || rm -rf "$leftover"
exit "$code"
"#;

/// Why there is no usable cluster.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// There is no PostgreSQL on this machine.
    #[error(transparent)]
    NoPostgres(#[from] NoPostgres),
    /// We are root, and there is no other account to run the server under.
    #[error("{0}")]
    Account(&'static str),
    /// A file, directory or program cannot be used.
    #[error("{0}: {1}")]
    Files(PathBuf, #[source] std::io::Error),
    /// A PostgreSQL program failed.
    #[error("{program} failed: {output}")]
    Failed {
        program: &'static str,
        /// What it printed, or the end of its log.
        output: String,
    },
    /// One of the tools for backups is missing.
    #[error("{0} was not found; it comes with PostgreSQL's client package (postgresql-client on Debian)")]
    NoClient(&'static str),
    /// The server's socket is in another mount namespace, or its directory is closed to this account.
    #[error("PostgreSQL runs on {}, and its socket cannot be reached from here", .0.display())]
    OutOfReach(PathBuf),
    /// There is nothing to back up.
    #[error("there is no database in {}", .0.display())]
    None(PathBuf),
    /// A backup is never restored over other data.
    #[error("there is a database in {} already; restore into another data directory", .0.display())]
    Exists(PathBuf),
    /// The server runs, but one of our statements failed.
    #[error("PostgreSQL: {0}")]
    Sql(#[from] sqlx::Error),
}

/// A running cluster. The server stops when this is dropped, or when the process ends in any other way.
#[derive(Debug)]
pub struct Cluster {
    keeper: Child,
    socket: PathBuf,
    home: PathBuf,
}

/// Where a cluster's files are, and whether they are kept.
struct Place {
    home: PathBuf,
    /// The files are removed with the cluster, so they are not worth syncing to disk.
    temporary: bool,
}

impl Cluster {
    /// Starts the cluster in `home`, and creates it if it does not exist. Its data outlives the process.
    ///
    /// Root runs the server under another account. If that account cannot reach `home`, the files are kept in
    /// `/var/lib/windi-messenger`, under a name derived from `home`.
    pub async fn start(home: &Path) -> Result<Self, PostgresError> {
        let account = Account::choose().map_err(PostgresError::Account)?;
        let home = reachable(home, &account)?;
        Self::run(Place { home, temporary: false }, &account).await
    }

    /// Starts a new cluster that is removed at the end, for tests.
    pub async fn temporary() -> Result<Self, PostgresError> {
        let account = Account::choose().map_err(PostgresError::Account)?;
        Self::run(Place { home: temporary_directory("windi-test-")?, temporary: true }, &account).await
    }

    async fn run(place: Place, account: &Account) -> Result<Self, PostgresError> {
        account.own(&place.home).map_err(|e| PostgresError::Files(place.home.clone(), e))?;
        let programs = binaries::find(&place.home).await?;
        let data = place.home.join("data");
        if !data.join("PG_VERSION").exists() {
            initialise(&programs, &place, account)?;
        } else if data.join("postmaster.pid").exists() {
            // A server whose keeper was killed too, or one that is just stopping. A stale file does no harm.
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

    /// The directory of the files of the cluster that [`Self::start`] made in `home`.
    ///
    /// # Errors
    /// [`PostgresError::None`] if it made none.
    pub fn existing(home: &Path) -> Result<PathBuf, PostgresError> {
        let none = || PostgresError::None(home.to_owned());
        let account = Account::choose().map_err(PostgresError::Account)?;
        if !home.exists() {
            return Err(none());
        }
        let home = reachable(home, &account)?;
        if home.join("data/PG_VERSION").exists() { Ok(home) } else { Err(none()) }
    }

    /// The directory of the socket of the server that runs on the files in `home`, if one does.
    pub fn socket_in(home: &Path) -> Option<PathBuf> {
        // PostgreSQL's documentation, "postmaster.pid": the fifth line.
        let pid_file = std::fs::read_to_string(home.join("data/postmaster.pid")).ok()?;
        let socket = PathBuf::from(pid_file.lines().nth(4)?);
        // The file outlives a server that was killed, the listening socket does not.
        std::os::unix::net::UnixStream::connect(socket.join(".s.PGSQL.5432")).is_ok().then_some(socket)
    }

    /// The directory of the cluster's files.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The directory of the server's socket, for `psql -h`.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The path of a client program, such as `pgbench`, that suits the server, if there is one.
    pub fn client(&self, program: &str) -> Option<PathBuf> {
        binaries::find_client(&self.home, program)
    }

    /// The connection URL of this database.
    pub fn url(&self, database: &str) -> String {
        Self::url_at(&self.socket, database)
    }

    /// The connection URL of this database of the server whose socket is in this directory.
    pub fn url_at(socket: &Path, database: &str) -> String {
        Self::options_at(socket, database).to_url_lossy().to_string()
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        Self::options_at(&self.socket, database)
    }

    fn options_at(socket: &Path, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(socket).port(5432).username(USER).database(database)
    }

    /// Creates a database if it does not exist. `name` goes into the SQL as it is, so it must not be anybody's input.
    pub async fn create_database(&self, name: &str) -> Result<(), PostgresError> {
        let mut db = self.options("postgres").connect().await?;
        let made = sqlx::raw_sql(AssertSqlSafe(format!(r#"create database "{name}""#))).execute(&mut db).await;
        db.close().await?;
        match made {
            // 42P04: the database exists.
            Err(sqlx::Error::Database(e)) if e.code().as_deref() == Some("42P04") => Ok(()),
            other => Ok(other.map(|_| ())?),
        }
    }

    /// Stops the server and waits until it is down.
    pub fn stop(mut self) {
        self.end();
    }

    /// Returns when the server is gone for good: it ended by itself, and could not be started again.
    pub async fn lost(&mut self) {
        while self.keeper.try_wait().is_ok_and(|status| status.is_none()) {
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    /// The last lines of the server's log.
    pub fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.home.join("postgres.log")).unwrap_or_default();
        let tail: Vec<_> = log.lines().rev().take(8).collect();
        tail.into_iter().rev().collect::<Vec<_>>().join("\n")
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
                let output = format!("{last}\n{}", self.log_tail());
                return Err(PostgresError::Failed { program: "postgres", output });
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

/// `home` if the account can reach it, or else a directory under `/var/lib` that depends only on `home`.
fn reachable(home: &Path, account: &Account) -> Result<PathBuf, PostgresError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |e| PostgresError::Files(path, e)
    };
    std::fs::create_dir_all(home).map_err(failed(home))?;
    let home = home.canonicalize().map_err(failed(home))?;
    // Only the parent matters, because `home` itself is about to be given to the account.
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
    // The account may not be allowed to enter our current directory.
    command.current_dir("/").stdin(Stdio::null());
    account.apply(&mut command);
    command
}

fn initialise(programs: &Path, place: &Place, account: &Account) -> Result<(), PostgresError> {
    // Without a UTF-8 locale, lower() and full text search know only the letters a-z.
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
    // A separate process group: the terminal's Ctrl-C is for us, and we stop the server when we are done with it.
    keeper.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut keeper = keeper.spawn().map_err(|e| PostgresError::Files("/bin/sh".into(), e))?;
    if let Some(reports) = keeper.stdout.take() {
        // The thread ends with the keeper.
        std::thread::spawn(move || {
            BufReader::new(reports).lines().map_while(Result::ok).for_each(|report| tracing::error!("{report}"));
        });
    }
    Ok(keeper)
}
