//! PostgreSQL, DynamoDB, secrets and the functions' clients: named by the environment, otherwise found or started here.
//!
//! | variable | if it is not set |
//! |---|---|
//! | `DATABASE_URL` | a private cluster in the data directory |
//! | `DATABASE_MAX_CONNECTIONS` | 16: one process serves everybody here |
//! | `AWS_ENDPOINT_URL_DYNAMODB` | DynamoDB in this process |
//! | `CONNECTIONS_TABLE` | `connections` |
//! | `AWS_ENDPOINT_URL_S3` with `FILES_BUCKET` | S3 in this process, with the files in the data directory |
//! | `JWT_SECRET` | a random one, kept in the data directory |
//! | `MAIL_DIRECTORY` | `mail` in the data directory |
//! | `PUSH_KEY` | a random one, kept in the data directory |
//! | `VAPID_SUBJECT` | the sender of mails |

use std::fs::{DirBuilder, File, TryLockError};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use windi_backing::backup;
use windi_backing::dynamodb::{DynamoDb, DynamoDbError};
use windi_backing::postgres::{Cluster, PostgresError};
use windi_backing::s3::{self, S3, S3Error};
use windi_shared::auth::Tokens;
use windi_shared::config::{self, ConfigError, DatabaseConfig, FilesConfig, MailDirectory, PushConfig, TokenConfig};
use windi_shared::db;

use crate::app::{App, Settings};
use crate::in_process_aws::InProcessAws;
use crate::store::Store;

/// Name of the messenger's database in the private cluster.
const DATABASE: &str = "windi";

/// A round trip less for every request. Less than the role's `idle_session_timeout` (`migrations/9_role_settings.sql`).
pub const PING_AFTER: Duration = Duration::from_secs(1);

/// Why the messenger could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StackError {
    #[error("another messenger is running on {}; stop it, or give this one its own --data-dir", .0.display())]
    InUse(PathBuf),
    /// A file in the data directory cannot be read or written.
    #[error("{path}: {1}", path = .0.display())]
    Files(PathBuf, #[source] std::io::Error),
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    #[error(transparent)]
    DynamoDb(#[from] DynamoDbError),
    #[error(transparent)]
    S3(#[from] S3Error),
    #[error("cannot bring the database's schema up to date: {0}")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    #[error("{0}")]
    Setting(&'static str),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("cannot create the connections table: {0:?}")]
    Connections(windi_shared::Error),
}

/// The services behind the functions. Dropping it stops what was started here.
#[derive(Debug)]
pub struct Stack {
    cluster: Option<Cluster>,
    _dynamodb: DynamoDb,
    s3: Option<S3>,
    /// Held for as long as the messenger runs.
    _lock: File,
}

impl Stack {
    /// Starts what the environment does not name and keeps its data under `data`. Functions will push to `endpoint`,
    /// the WebSocket stage's URL. With `has_limits`, people are kept from doing things too fast.
    pub async fn start(data: &Path, endpoint: &str, has_limits: bool) -> Result<(Self, App), StackError> {
        // Read first, so wrong settings fail before anything is started. One process serves everybody here, hence 16.
        let max_connections = config::max_connections(16)?;
        std::fs::create_dir_all(data).map_err(|e| StackError::Files(data.to_owned(), e))?;
        let lock = lock(data)?;
        let tokens = tokens(data)?;
        let mail = mail(data)?;
        let push = push(data, &mail)?;
        Tokens::new(&tokens).map_err(StackError::Setting)?;
        let (cluster, database_url) = match config::optional("DATABASE_URL") {
            Some(url) => (None, url),
            None => {
                let cluster = Cluster::start(&data.join("postgres")).await?;
                cluster.create_database(DATABASE).await?;
                // Idle sessions starve nobody here: one pool has the server to itself.
                let url = format!("{}&options[idle_session_timeout]=0", cluster.url(DATABASE));
                (Some(cluster), url)
            }
        };
        let dynamodb = DynamoDb::given_or_started().await?;
        let (s3, files) = files(data).await?;
        let settings = Settings {
            database: DatabaseConfig { url: database_url, max_connections, ping_after: PING_AFTER, has_limits },
            tokens,
            dynamodb_endpoint: dynamodb.endpoint().to_owned(),
            table: config::optional("CONNECTIONS_TABLE").unwrap_or_else(|| "connections".to_owned()),
            push_endpoint: endpoint.to_owned(),
            files,
            mail,
            push,
        };
        let app = App::new(settings, InProcessAws::new(dynamodb.direct())).map_err(StackError::Setting)?;
        prepare(&app).await?;
        Ok((Self { cluster, _dynamodb: dynamodb, s3, _lock: lock }, app))
    }

    /// The `psql` command that opens the database in the private cluster, if there is one.
    pub fn psql(&self) -> Option<String> {
        let cluster = self.cluster.as_ref()?;
        // The role's limits are for functions, not for people.
        Some(format!(
            "PGOPTIONS='-c idle_session_timeout=0 -c statement_timeout=0' psql -h {} -U windi {DATABASE}",
            cluster.socket().display()
        ))
    }

    /// Returns, with the reason, when the private cluster has ended and could not be started again.
    pub async fn lost(&mut self) -> String {
        match &mut self.cluster {
            None => std::future::pending().await,
            Some(cluster) => {
                cluster.lost().await;
                format!("PostgreSQL has ended and could not be started again:\n{}", cluster.log_tail())
            }
        }
    }

    /// The store of files, if it is in this process, for the gateway to serve.
    pub fn store(&self) -> Option<Store> {
        self.s3.as_ref().map(Store::new)
    }

    /// The private cluster, if there is one.
    pub fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_ref()
    }
}

/// Writes the private database under `data` to `file`.
///
/// # Errors
/// If there is none, if `file` exists, or if PostgreSQL's tools fail.
pub async fn back_up(data: &Path, file: &Path) -> Result<(), StackError> {
    let lock = match lock(data) {
        Ok(lock) => Some(lock),
        Err(StackError::InUse(_)) => None,
        // Let the backup say that there is nothing.
        Err(_) if !data.join("postgres").exists() => None,
        Err(error) => return Err(error),
    };
    Ok(backup::back_up(&data.join("postgres"), lock.is_none(), DATABASE, file).await?)
}

/// The URL of the private database under `data`: that of a messenger that is running, or else of a server that is started for
/// this and runs until what is returned with it is dropped.
///
/// # Errors
/// If there is none, or if a running server cannot be reached.
pub async fn private_database(data: &Path) -> Result<(String, Option<(Cluster, File)>), StackError> {
    let home = Cluster::existing(&data.join("postgres"))?;
    if let Some(socket) = Cluster::socket_in(&home) {
        return Ok((Cluster::url_at(&socket, DATABASE), None));
    }
    let lock = match lock(data) {
        // Starting a second server would stop the first.
        Err(StackError::InUse(_)) => return Err(PostgresError::OutOfReach(home).into()),
        lock => lock?,
    };
    let cluster = Cluster::start(&home).await?;
    Ok((cluster.url(DATABASE), Some((cluster, lock))))
}

/// Makes the data directory `data` from what [`back_up`] wrote. The key of access tokens is not in it: a new one is made,
/// and clients get new access tokens for their refresh tokens, which are in the database.
///
/// # Errors
/// If `data` holds a database already, or if PostgreSQL's tools fail.
pub async fn restore(data: &Path, file: &Path) -> Result<(), StackError> {
    std::fs::create_dir_all(data).map_err(|e| StackError::Files(data.to_owned(), e))?;
    let _lock = lock(data)?;
    Ok(backup::restore(&data.join("postgres"), file).await?)
}

/// Migrates the schema and creates the connections table if it does not exist.
pub async fn prepare(app: &App) -> Result<(), StackError> {
    db::migrate(&app.settings.database.url).await?;
    app.connections.create_table().await.map_err(StackError::Connections)
}

/// The store that the environment names, or else one in the data directory.
async fn files(data: &Path) -> Result<(Option<S3>, FilesConfig), StackError> {
    if config::optional(s3::ENDPOINT_VARIABLE).is_some() {
        return Ok((None, config::files()?));
    }
    // Whoever knows this key can read and write all files through the gateway's port.
    let secret = kept_secret(&data.join("files-secret"))?;
    let store = S3::start(&data.join("files"), &secret).await?;
    let config = in_process_files(&store, secret);
    Ok((Some(store), config))
}

/// How functions reach a store of this process, and clients through the gateway.
pub fn in_process_files(store: &S3, secret: String) -> FilesConfig {
    FilesConfig {
        bucket: s3::BUCKET.to_owned(),
        endpoint: Some(store.endpoint().to_owned()),
        credentials: Some((s3::KEY_ID.to_owned(), secret)),
        public_url: Some(String::new()),
    }
}

fn lock(data: &Path) -> Result<File, StackError> {
    let path = data.join("lock");
    let failed = |e| StackError::Files(path.clone(), e);
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StackError::InUse(data.to_owned())),
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

/// From `JWT_SECRET`, otherwise from a file created at the first start, so tokens survive a restart.
fn tokens(data: &Path) -> Result<TokenConfig, StackError> {
    let secret = match config::optional("JWT_SECRET") {
        Some(secret) => secret,
        None => kept_secret(&data.join("jwt-secret"))?,
    };
    Ok(TokenConfig { secret, previous_secret: config::optional("JWT_SECRET_PREVIOUS") })
}

/// `MAIL_DIRECTORY`, otherwise one in the data directory; its whole path, for functions that run elsewhere.
fn mail(data: &Path) -> Result<MailDirectory, StackError> {
    let path = config::optional("MAIL_DIRECTORY").map_or_else(|| data.join("mail"), PathBuf::from);
    let path = std::path::absolute(&path).map_err(|e| StackError::Files(path, e))?;
    // There from the start, for those who wait for the first mail.
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&path);
    made.map_err(|e| StackError::Files(path.clone(), e))?;
    Ok(config::mail_directory(path)?)
}

/// `PUSH_KEY`, otherwise from a file created at the first start, so that subscriptions survive a restart.
fn push(data: &Path, mail: &MailDirectory) -> Result<PushConfig, StackError> {
    let secret = match config::optional("PUSH_KEY") {
        Some(secret) => secret,
        None => kept_secret(&data.join("push-key"))?,
    };
    let subject = config::optional("VAPID_SUBJECT").unwrap_or_else(|| format!("mailto:{}", mail.from.as_str()));
    Ok(PushConfig { secret: Some(secret), subject, allows_http: config::push_allows_http()? })
}

fn kept_secret(path: &Path) -> Result<String, StackError> {
    let failed = |e| StackError::Files(path.to_owned(), e);
    let mut secret = String::new();
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path).map_err(failed)?;
    file.read_to_string(&mut secret).map_err(failed)?;
    if secret.is_empty() {
        secret = windi_shared::auth::refresh::generate().map_err(|_| StackError::Setting("cannot get random bytes"))?;
        file.write_all(secret.as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(secret)
}
