//! DynamoDB in this process: the wire protocol on a loopback port, kept in memory.
//!
//! In memory, because all it holds are the connections of a gateway that lives in the same process: when that ends, they
//! are gone too, and nothing else would know.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A running DynamoDB; dropping it ends it.
#[derive(Debug)]
pub struct DynamoDb {
    address: SocketAddr,
    server: JoinHandle<()>,
}

/// Why DynamoDB could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// No loopback port could be had.
    #[error("cannot listen on a loopback port: {0}")]
    Listen(#[from] std::io::Error),
    /// The emulator did not start.
    #[error("cannot open the in-memory DynamoDB: {0}")]
    Open(String),
}

impl DynamoDb {
    /// Starts one on a free port. It answers from the moment this returns.
    ///
    /// # Errors
    /// [`DynamoDbError`].
    pub async fn start() -> Result<Self, DynamoDbError> {
        let database = dynoxide::Database::memory().map_err(|e| DynamoDbError::Open(e.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self { address, server })
    }

    /// Where it listens, for `endpoint_url`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        self.server.abort();
    }
}
