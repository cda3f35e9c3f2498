//! DynamoDB in this process: the wire protocol on a loopback port, with the data in memory.
//!
//! Memory is enough, because it holds only the connections of a gateway in the same process. When that process ends,
//! the connections are gone too.

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The environment variable that gives the AWS SDKs the URL of DynamoDB.
pub const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// A DynamoDB. Dropping it stops the server if it was started here.
#[derive(Debug)]
pub struct DynamoDb {
    endpoint: String,
    server: Option<JoinHandle<()>>,
}

/// Why DynamoDB could not be started.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// No loopback port was available.
    #[error("cannot listen on a loopback port: {0}")]
    Listen(#[from] std::io::Error),
    /// The emulator did not start.
    #[error("cannot open the in-memory DynamoDB: {0}")]
    Open(String),
}

impl DynamoDb {
    /// The one that [`ENDPOINT_VARIABLE`] names, or else one started here.
    pub async fn given_or_started() -> Result<Self, DynamoDbError> {
        match std::env::var(ENDPOINT_VARIABLE) {
            Ok(endpoint) if !endpoint.is_empty() => Ok(Self { endpoint, server: None }),
            _ => Self::start().await,
        }
    }

    /// Starts one on a free port. It accepts requests as soon as this returns.
    pub async fn start() -> Result<Self, DynamoDbError> {
        let database = dynoxide::Database::memory().map_err(|e| DynamoDbError::Open(e.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self { endpoint, server: Some(server) })
    }

    /// Its URL, for `endpoint_url`.
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
