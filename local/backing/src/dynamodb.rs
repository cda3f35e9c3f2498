//! DynamoDB in this process: the wire protocol on a loopback port, with the data in memory.
//!
//! Memory is enough, because it holds only the connections of a gateway in the same process. When that process ends,
//! the connections are gone too.

use dynoxide::actions::batch_get_item::BatchGetItemRequest;
use dynoxide::actions::update_item::UpdateItemRequest;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The environment variable that gives the AWS SDKs the URL of DynamoDB.
pub const ENDPOINT_VARIABLE: &str = "AWS_ENDPOINT_URL_DYNAMODB";

/// A DynamoDB. Dropping it stops the server if it was started here.
#[derive(Debug)]
pub struct DynamoDb {
    endpoint: String,
    started: Option<Started>,
}

#[derive(Debug)]
struct Started {
    server: JoinHandle<()>,
    direct: Direct,
}

/// The database of a [`DynamoDb`] without the server in front of it, for clients in the same process.
#[derive(Clone)]
pub struct Direct(dynoxide::Database);

impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Direct")
    }
}

impl Direct {
    /// The answer, in JSON, to the two operations that are used all the time. `None` for any other operation, and for one
    /// that was refused: it has changed nothing, and the server says why when it is asked.
    pub fn call(&self, operation: &str, request: &[u8]) -> Option<Vec<u8>> {
        fn json<T: Serialize, E>(answer: Result<T, E>) -> Option<Vec<u8>> {
            // An answer that cannot be written, which would be a defect of dynoxide, is not asked for twice.
            Some(serde_json::to_vec(&answer.ok()?).unwrap_or_default())
        }
        match operation {
            "BatchGetItem" => json(self.0.batch_get_item(serde_json::from_slice::<BatchGetItemRequest>(request).ok()?)),
            "UpdateItem" => json(self.0.update_item(serde_json::from_slice::<UpdateItemRequest>(request).ok()?)),
            _ => None,
        }
    }
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
            Ok(endpoint) if !endpoint.is_empty() => Ok(Self { endpoint, started: None }),
            _ => Self::start().await,
        }
    }

    /// Starts one on a free port. It accepts requests as soon as this returns.
    pub async fn start() -> Result<Self, DynamoDbError> {
        let database = dynoxide::Database::memory().map_err(|e| DynamoDbError::Open(e.to_string()))?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let direct = Direct(database.clone());
        let server = tokio::spawn(dynoxide::server::serve_on(listener, database));
        Ok(Self { endpoint, started: Some(Started { server, direct }) })
    }

    /// Its URL, for `endpoint_url`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Its database, if it was started here.
    pub fn direct(&self) -> Option<Direct> {
        self.started.as_ref().map(|started| started.direct.clone())
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        if let Some(Started { server, .. }) = &self.started {
            server.abort();
        }
    }
}
