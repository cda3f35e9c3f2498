//! The database as a process sees it: a bounded number of connections, each asked once for each statement.
//!
//! sqlx's pool asks a connection whether it is still there before it hands it out, and again when it gets it back: three
//! round trips for every statement. The second one cannot be switched off. So a connection that has just answered a
//! statement does not go back to the pool; it stays here until the next one. The pool still opens connections, waits for
//! a server that is starting, and looks after every connection whose state is unknown, because a statement failed or was
//! abandoned half-way.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{TryFutureExt as _, TryStreamExt as _, stream};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgQueryResult, PgRow, PgStatement, PgTypeInfo};
use sqlx::{Connection as _, Describe, Either, Execute, Executor, PgConnection, PgPool, Postgres, SqlStr};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a request waits for a free connection: well under the 29 s after which API Gateway gives up, and longer than
/// an idle session lives (`migrations/9_role_settings.sql`), so that a full server has ended one by then.
const TAKE_LIMIT: Duration = Duration::from_secs(5);
/// How long a connection that was not used for a while may take to show that it still works.
const PING_LIMIT: Duration = Duration::from_secs(1);
/// How long a rollback may take. A statement that was abandoned must end first, by its own limit
/// (`migrations/9_role_settings.sql`).
const ROLLBACK_LIMIT: Duration = Duration::from_secs(6);
/// After this time the pool gets a connection back, however well it works.
const GIVEN_BACK_AFTER: Duration = Duration::from_secs(600);

/// A database. Clones share their connections.
///
/// It is an executor: a query that is given a `&Database` runs as a transaction of its own on any connection. Its result
/// is collected before the first row is returned, so it must fit into memory.
#[derive(Debug, Clone)]
pub struct Database {
    connections: Arc<Connections>,
}

#[derive(Debug)]
struct Connections {
    pool: PgPool,
    /// One permit for each connection there may be. Without them, somebody could wait for the pool while the connections
    /// that others have finished with stay here.
    turns: Arc<Semaphore>,
    /// The one used last is at the end, and is used next: the others become idle, and their server may end them.
    ready: Mutex<Vec<Ready>>,
    ping_after: Duration,
    has_limits: bool,
}

/// A connection that has answered its last statement completely.
#[derive(Debug)]
struct Ready {
    connection: PoolConnection<Postgres>,
    since: Instant,
    /// When the pool gave it.
    borrowed: Instant,
}

impl Database {
    /// Over the connections of `pool`, `size` at most. One that was used less than `ping_after` ago is used again without
    /// asking the server whether it is still there.
    pub(super) fn new(pool: PgPool, size: u32, ping_after: Duration, has_limits: bool) -> Self {
        let turns = Arc::new(Semaphore::new(size as usize));
        let ready = Mutex::default();
        Self { connections: Arc::new(Connections { pool, turns, ready, ping_after, has_limits }) }
    }

    /// Whether people are kept from doing things too fast ([`rates`](super::rates)).
    pub fn has_limits(&self) -> bool {
        self.connections.has_limits
    }

    async fn take(&self) -> sqlx::Result<Connection> {
        let connections = &self.connections;
        let take = async {
            let turn = Arc::clone(&connections.turns).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            while let Some(Ready { mut connection, since, borrowed }) = connections.pop() {
                if since.elapsed() < connections.ping_after || is_ok_within(PING_LIMIT, connection.ping()).await {
                    return Ok(Connection { connection, borrowed, _turn: turn });
                }
                // Detached, because the pool would ask it once more, and if nothing answers, without a limit.
                drop(connection.detach());
            }
            Ok(Connection { connection: connections.pool.acquire().await?, borrowed: Instant::now(), _turn: turn })
        };
        let taken = tokio::time::timeout(TAKE_LIMIT, take).await;
        taken.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Begins a transaction. Dropped without [`Transaction::commit`], it is rolled back.
    ///
    /// # Errors
    /// If the server cannot be reached, or all connections are in use for too long.
    pub async fn begin(&self) -> sqlx::Result<Transaction> {
        let mut transaction = Transaction { database: self.clone(), connection: Some(self.take().await?) };
        sqlx::raw_sql("begin").execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// How many connections are open.
    pub fn size(&self) -> u32 {
        self.connections.pool.size()
    }

    /// How many of them are not in use.
    pub fn idle(&self) -> usize {
        self.connections.pool.num_idle() + self.connections.ready().len()
    }

    /// Opens new connections with these options from now on.
    pub fn set_connect_options(&self, options: PgConnectOptions) {
        self.connections.pool.set_connect_options(options);
    }

    fn keep(&self, connection: Connection) {
        let Connection { connection, borrowed, _turn } = connection;
        if borrowed.elapsed() > GIVEN_BACK_AFTER {
            // The pool closes those that are too old.
            return;
        }
        let mut ready = self.connections.ready();
        ready.push(Ready { connection, since: Instant::now(), borrowed });
        let idle = ready.iter().take_while(|ready| ready.since.elapsed() > GIVEN_BACK_AFTER).count();
        let idle: Vec<_> = ready.drain(..idle).collect();
        drop(ready);
        drop(idle);
        // The turn ends here, when the connection is there for the next one.
    }
}

/// Whether the server answers, and in time: one that has vanished without a word would keep us waiting for minutes.
async fn is_ok_within<T>(limit: Duration, work: impl Future<Output = sqlx::Result<T>>) -> bool {
    matches!(tokio::time::timeout(limit, work).await, Ok(Ok(_)))
}

impl Connections {
    fn ready(&self) -> std::sync::MutexGuard<'_, Vec<Ready>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pop(&self) -> Option<Ready> {
        self.ready().pop()
    }
}

impl Drop for Connections {
    /// The pool takes connections back in a task of their own, and there may be no runtime any more.
    fn drop(&mut self) {
        self.ready().drain(..).for_each(|ready| drop(ready.connection.detach()));
    }
}

/// A connection, one's own until it is dropped.
#[derive(Debug)]
struct Connection {
    // Dropped before the turn, so that whoever gets the turn finds it in the pool, or on its way there.
    connection: PoolConnection<Postgres>,
    /// When the pool gave it.
    borrowed: Instant,
    _turn: OwnedSemaphorePermit,
}

/// Statements that take effect together, with [`Self::commit`], or not at all.
#[derive(Debug)]
pub struct Transaction {
    database: Database,
    /// `None` once it has ended.
    connection: Option<Connection>,
}

impl Transaction {
    /// # Errors
    /// If the transaction could not be committed, or nobody can tell because the connection broke.
    pub async fn commit(mut self) -> sqlx::Result<()> {
        if let Some(connection) = &mut self.connection {
            sqlx::raw_sql("commit").execute(&mut **connection).await?;
        }
        if let Some(connection) = self.connection.take() {
            self.database.keep(connection);
        }
        Ok(())
    }
}

impl Drop for Transaction {
    /// Sends the rollback at once: until the server has it, others wait for what the transaction has locked.
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            let database = self.database.clone();
            tokio::spawn(async move {
                if is_ok_within(ROLLBACK_LIMIT, sqlx::raw_sql("rollback").execute(&mut *connection)).await {
                    database.keep(connection);
                } else {
                    // An error of the statement before it, or no answer: the server undoes everything when the connection
                    // is closed.
                    drop(connection.connection.detach());
                }
            });
        }
    }
}

impl Deref for Connection {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

#[expect(clippy::expect_used, reason = "there is a connection until the transaction is consumed")]
impl Deref for Transaction {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.connection.as_ref().expect("a transaction that has not ended")
    }
}

#[expect(clippy::expect_used, reason = "there is a connection until the transaction is consumed")]
impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.connection.as_mut().expect("a transaction that has not ended")
    }
}

impl<'p> Executor<'p> for &'_ Database {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let database = self.clone();
        let results = async move {
            let mut connection = database.take().await?;
            let results: Vec<_> = connection.fetch_many(query).try_collect().await?;
            database.keep(connection);
            Ok(stream::iter(results.into_iter().map(Ok)))
        };
        Box::pin(results.try_flatten_stream())
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        E: 'q + Execute<'q, Postgres>,
    {
        let database = self.clone();
        Box::pin(async move {
            let mut connection = database.take().await?;
            let row = connection.fetch_optional(query).await?;
            database.keep(connection);
            Ok(row)
        })
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'p: 'e,
    {
        let database = self.clone();
        Box::pin(async move { database.take().await?.prepare_with(sql, parameters).await })
    }

    fn describe<'e>(self, sql: SqlStr) -> BoxFuture<'e, sqlx::Result<Describe<Postgres>>> {
        let database = self.clone();
        Box::pin(async move { database.take().await?.describe(sql).await })
    }
}
