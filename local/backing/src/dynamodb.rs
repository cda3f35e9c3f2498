//! DynamoDB in this process: the wire protocol on a loopback port, kept in memory.
//!
//! In memory, because all it holds are the connections of a gateway that lives in the same process: when that ends, they
//! are gone too, and nothing else would know.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The variable the AWS SDKs know: where DynamoDB answers.
pub const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// A DynamoDB; dropping it ends it if it was started here.
#[derive(Debug)]
pub struct DynamoDb {
    endpoint: String,
    server: Option<JoinHandle<()>>,
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
    /// The one that [`ENDPOINT_VARIABLE`] names, else one of our own.
    ///
    /// # Errors
    /// [`DynamoDbError`].
    pub async fn given_or_started() -> Result<Self, DynamoDbError> {
        match std::env::var(ENDPOINT_VARIABLE) {
            Ok(endpoint) if !endpoint.is_empty() => Ok(Self { endpoint, server: None }),
            _ => Self::start().await,
        }
    }

    /// Starts one on a free port. It answers from the moment this returns.
    ///
    /// # Errors
    /// [`DynamoDbError`].
    pub async fn start() -> Result<Self, DynamoDbError> {
        let database = dynoxide::Database::memory().map_err(|e| DynamoDbError::Open(e.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self { endpoint, server: Some(server) })
    }

    /// Where it listens, for `endpoint_url`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        if let Some(server) = &self.server {
            server.abort();
        }
    }
}
