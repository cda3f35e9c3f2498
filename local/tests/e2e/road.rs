//! `WINDI_E2E_ROAD` chooses what runs the functions of these tests.
//!
//! | value | the functions run |
//! |---|---|
//! | not set | in this process |
//! | `freeze` | in this process, each invocation cut off and forgotten as soon as it has answered |
//! | `cargo-lambda-watch` | as their real binaries, one process each, under `cargo lambda watch` |
//! | `elsewhere` | wherever the file named by `WINDI_E2E_HOST` says: deployed, or under `sam local` ([`Elsewhere`]) |
//!
//! A binary reads its settings once, when it starts. The last two roads therefore have a few hosts, each with its own
//! database name and gateway port; a test leases one and gets a new database under the old name.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use sam_gateway::neighbour::Neighbour;
use sam_gateway::template::NamedBy;
use serde::Deserialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OnceCell, Semaphore, SemaphorePermit};
use windi_backing::dynamodb::DynamoDb;
use windi_backing::s3::S3;
use windi_backing::testing;
use windi_local::app::Settings;
use windi_local::stack::{PING_AFTER, in_process_files};
use windi_local::store::Store;
use windi_shared::config::{self, DatabaseConfig, FilesConfig, PushConfig, TokenConfig};
use windi_shared::db::MIGRATOR;

/// How many tests run at once under `cargo lambda watch`.
const HOSTS: usize = 2;
const PATIENCE: Duration = Duration::from_secs(60);

/// However this process ends, its end of the pipe closes and the keeper stops the host; its functions end with it.
const KEEPER: &str = r#""$@" & host=$!; read -r _; kill -TERM $host; wait"#;

static TURNS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(if *ROAD == Road::Elsewhere { 1 } else { HOSTS }));
static FREE: Mutex<Vec<Host>> = Mutex::new(Vec::new());
static DYNAMODB: OnceCell<String> = OnceCell::const_new();
static FILES: OnceCell<(Arc<dyn Neighbour>, FilesConfig)> = OnceCell::const_new();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Road {
    InProcess,
    Frozen,
    CargoLambdaWatch,
    Elsewhere,
}

/// Functions that somebody else runs, one test at a time.
#[derive(Debug, Deserialize)]
pub struct Elsewhere {
    /// Speaks Lambda's Invoke API.
    invoke_url: String,
    /// The name of the functions' database on the server `DATABASE_URL`.
    database: String,
    /// The address at which they reach `@connections`.
    gateway: SocketAddr,
    dynamodb_endpoint: String,
    table: String,
    /// The key they sign tokens with.
    pub jwt_secret: String,
    /// Whether functions are known by their logical ids rather than by their binaries.
    #[serde(default)]
    logical_ids: bool,
}

pub static ELSEWHERE: LazyLock<Elsewhere> = LazyLock::new(|| {
    let path = std::env::var("WINDI_E2E_HOST").expect("WINDI_E2E_HOST names the file with the host's settings");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
});

pub static ROAD: LazyLock<Road> = LazyLock::new(|| match std::env::var("WINDI_E2E_ROAD").as_deref() {
    Err(_) | Ok("") => Road::InProcess,
    Ok("freeze") => Road::Frozen,
    Ok("cargo-lambda-watch") => Road::CargoLambdaWatch,
    Ok("elsewhere") => Road::Elsewhere,
    Ok(other) => panic!("WINDI_E2E_ROAD={other} is not a value that road.rs knows"),
});

/// What runs the functions, and the settings they started with.
struct Host {
    /// Of a `cargo lambda watch`.
    _keeper: Option<Child>,
    url: String,
    database: String,
    /// Where the functions push to, bound for as long as the host lives: each test's gateway gets a copy, so that no test
    /// has to wait until the one before it has released the port.
    gateway: StdListener,
    /// Where the gateway sees us come from. Docker's bridge gives connections within this machine another address.
    seen_as: IpAddr,
}

/// A host for the duration of one test.
pub struct Lease {
    host: Option<Host>,
    _turn: SemaphorePermit<'static>,
}

impl Lease {
    pub async fn take() -> Self {
        let turn = TURNS.acquire().await.unwrap();
        let free = FREE.lock().unwrap().pop();
        let host = match free {
            Some(host) => host,
            None if *ROAD == Road::Elsewhere => Host::elsewhere().await,
            None => Host::start().await,
        };
        Self { host: Some(host), _turn: turn }
    }

    fn host(&self) -> &Host {
        self.host.as_ref().unwrap()
    }

    pub fn url(&self) -> &str {
        &self.host().url
    }

    /// The settings of the host's functions, with a new database in place of the old one.
    pub async fn settings(&self) -> Settings {
        let Host { database, gateway, .. } = self.host();
        let gateway = gateway.local_addr().unwrap();
        let url = testing::replace_database(database, &MIGRATOR).await;
        if *ROAD == Road::Elsewhere {
            let Elsewhere { dynamodb_endpoint, table, .. } = &*ELSEWHERE;
            return Settings { table: table.clone(), ..settings(url, dynamodb_endpoint.clone(), gateway, 8).await };
        }
        settings(url, dynamodb().await, gateway, 8).await
    }

    /// What the gateway calls the functions.
    pub fn names(&self) -> NamedBy {
        if *ROAD == Road::Elsewhere && ELSEWHERE.logical_ids { NamedBy::LogicalId } else { NamedBy::Binary }
    }

    /// Where the gateway sees us come from.
    pub fn seen_as(&self) -> IpAddr {
        self.host().seen_as
    }

    /// Listens on the port the functions push to.
    pub fn listener(&self) -> TcpListener {
        TcpListener::from_std(self.host().gateway.try_clone().unwrap()).unwrap()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        FREE.lock().unwrap().extend(self.host.take());
    }
}

impl Host {
    async fn elsewhere() -> Self {
        let Elsewhere { invoke_url, database, gateway, .. } = &*ELSEWHERE;
        let gateway = TcpListener::bind(gateway).await.unwrap();
        let connected = TcpStream::connect(gateway.local_addr().unwrap());
        let (_connection, accepted) = tokio::join!(connected, gateway.accept());
        let (seen_as, gateway) = (accepted.unwrap().1.ip(), gateway.into_std().unwrap());
        Self { _keeper: None, url: invoke_url.clone(), database: database.clone(), gateway, seen_as }
    }

    async fn start() -> Self {
        let gateway = free_listener().await.into_std().unwrap();
        let address = free_listener().await.local_addr().unwrap();
        let database = testing::new_name();
        let url = testing::replace_database(&database, &MIGRATOR).await;
        let settings = settings(url, dynamodb().await, gateway.local_addr().unwrap(), 1).await;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", KEEPER, "keeper", "cargo", "lambda", "watch", "--package", "windi-functions"]);
        command.args(["--ignore-changes", "--invoke-address", "127.0.0.1", "--invoke-port"]);
        command.arg(address.port().to_string()).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        // The functions get their settings in the way `docs/local.md` describes.
        let file = |kind| format!("{}/cargo-lambda-watch-{}.{kind}", env!("CARGO_TARGET_TMPDIR"), address.port());
        std::fs::write(file("env"), settings.environment_file().unwrap()).unwrap();
        command.args(["--env-file", &file("env")]).env("RUST_LOG", "error");
        let log = std::fs::File::create(file("log")).unwrap();
        // A separate process group: Ctrl-C reaches only this process, and the keeper then stops the rest.
        command.stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log).process_group(0);
        let keeper = command.spawn().unwrap();
        // It says that it starts before it listens, so there is nothing else to wait for.
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(address).await.is_err() {
            assert!(Instant::now() < deadline, "`cargo lambda watch` does not answer; is cargo-lambda installed?");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let (url, seen_as) = (format!("http://{address}"), Ipv4Addr::LOCALHOST.into());
        Self { _keeper: Some(keeper), url, database, gateway, seen_as }
    }
}

/// The key that the functions sign tokens with.
pub fn secret() -> &'static str {
    if *ROAD == Road::Elsewhere { &ELSEWHERE.jwt_secret } else { "the secret of all end-to-end tests, long enough" }
}

pub async fn settings(url: String, dynamodb_endpoint: String, gateway: SocketAddr, max_connections: u32) -> Settings {
    // One for each gateway, and so for each test; what an earlier run has left there goes.
    let mail = format!("{}/mail-{}", env!("CARGO_TARGET_TMPDIR"), gateway.port());
    let _ = std::fs::remove_dir_all(&mail);
    Settings {
        database: DatabaseConfig { url, max_connections, ping_after: PING_AFTER, has_limits: false },
        tokens: TokenConfig { secret: secret().to_owned(), previous_secret: None },
        dynamodb_endpoint,
        table: testing::TABLE.to_owned(),
        push_endpoint: format!("http://{gateway}/ws"),
        files: files().await.1,
        mail: config::mail_directory(mail).unwrap(),
        push: PushConfig {
            secret: Some("the push key of all end-to-end tests, long enough".to_owned()),
            subject: "mailto:tests@example.com".to_owned(),
            allows_http: true,
        },
    }
}

/// Returns the URL of one DynamoDB for all hosts. It outlives the test that starts it.
async fn dynamodb() -> String {
    let start = || {
        elsewhere(|| async {
            let dynamodb = DynamoDb::given_or_started().await.unwrap();
            (dynamodb.endpoint().to_owned(), dynamodb)
        })
    };
    DYNAMODB.get_or_init(start).await.clone()
}

/// One store of files for all worlds, and how functions reach it.
pub async fn files() -> (Arc<dyn Neighbour>, FilesConfig) {
    let start = || {
        elsewhere(|| async {
            let directory = tempfile::tempdir().unwrap();
            let s3 = S3::start(directory.path(), secret()).await.unwrap();
            let store: Arc<dyn Neighbour> = Arc::new(Store::new(&s3));
            ((store, in_process_files(&s3, secret().to_owned())), (s3, directory))
        })
    };
    FILES.get_or_init(start).await.clone()
}

/// Starts something on a thread of its own, where it stays, and returns what is to be known of it.
async fn elsewhere<T, S, F>(start: impl FnOnce() -> F + Send + 'static) -> T
where
    T: Send + 'static,
    F: Future<Output = (T, S)>,
{
    let (tell, told) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.block_on(async {
            let (known, _running) = start().await;
            tell.send(known).ok().unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.await.unwrap()
}

/// Listens on a port that the system does not hand out by itself.
async fn free_listener() -> TcpListener {
    loop {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, fastrand::u16(20_000..30_000)));
        if let Ok(listener) = TcpListener::bind(address).await {
            return listener;
        }
    }
}
