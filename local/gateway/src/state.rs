//! State shared by all requests and sockets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use crate::access::{Access, Client};
use crate::faults::Faults;
use crate::invoke::{Functions, InvokeError};
use crate::metrics;
use crate::neighbour::Neighbour;
use crate::sockets::Sockets;
use crate::template::Template;

/// API Gateway's time limits, from its quotas page. Tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long a function may take to answer.
    pub integration: Duration,
    /// How long a client may take to send the head of a request, and again its body; also how long a connection may
    /// wait for its next request.
    pub request: Duration,
    /// How long a socket may be silent in both directions.
    pub idle: Duration,
    /// How long a socket may live.
    pub life: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            integration: Duration::from_secs(29),
            request: Duration::from_secs(60),
            idle: Duration::from_secs(600),
            life: Duration::from_secs(7200),
        }
    }
}

/// Both ends of a request.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    pub client: Client,
    /// The port the client connected to.
    pub port: u16,
}

#[derive(Debug)]
pub struct Shared {
    pub template: Template,
    pub functions: Arc<dyn Functions>,
    pub sockets: Sockets,
    pub limits: Limits,
    pub access: Access,
    pub neighbour: Option<Arc<dyn Neighbour>>,
    /// The port the gateway listens on, as events report it.
    pub port: u16,
    /// Held by every socket until its `$disconnect` has been called.
    pub alive: Arc<()>,
    /// Held by every frame that waits for a function or is being handled by one.
    pub under_way: Arc<()>,
    pub faults: Mutex<Faults>,
    /// Whether the faults can be read and changed over HTTP.
    pub test_api: bool,
    /// Turns true when the gateway stops.
    pub shutdown: watch::Receiver<bool>,
}

/// Why a function did not answer.
#[derive(Debug)]
pub enum RunError {
    Failed(InvokeError),
    /// It did not answer within [`Limits::integration`]; it keeps running.
    TimedOut,
}

impl Shared {
    /// Runs a function within [`Limits::integration`], and logs the reason if it fails.
    pub async fn run(&self, function: &str, event: Value) -> Result<Value, RunError> {
        let request_id = event["requestContext"]["requestId"].as_str().unwrap_or_default().to_owned();
        let (invoked, start) = (self.functions.invoke(function, event, self.faults().freeze), Instant::now());
        let outcome = tokio::time::timeout(self.limits.integration, invoked).await;
        metrics::invocation(function, &outcome, start);
        match outcome {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                // An authorizer refuses a client with this error; it is not a failure.
                if !error.is_unauthorized() {
                    tracing::error!(request_id, function, %error, "A function failed.");
                }
                Err(RunError::Failed(error))
            }
            Err(_) => {
                tracing::error!(request_id, function, limit = ?self.limits.integration, "A function did not answer in time.");
                Err(RunError::TimedOut)
            }
        }
    }

    pub fn faults(&self) -> Faults {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set_faults(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }
}

/// Returns once the gateway stops.
pub async fn stopping(shutdown: &mut watch::Receiver<bool>) {
    // The returned guard must not live across an await.
    let _ = shutdown.wait_for(|stopping| *stopping).await.is_ok();
}
