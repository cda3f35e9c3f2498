//! Something else behind the gateway's port, which on AWS has an address of its own: a store of files, say. A machine needs only one
//! port and one certificate then.

use std::fmt::Debug;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};

/// How long a neighbour may take to read a request and to begin its answer: a large file takes long over a slow line.
pub const LIMIT: Duration = Duration::from_secs(15 * 60);

/// What answers the requests below a path. They reach it as they are, and no function sees them.
pub trait Neighbour: Debug + Send + Sync {
    /// Such as `/store/`.
    fn prefix(&self) -> &str;
    fn answer(&self, request: Request<Body>) -> Pin<Box<dyn Future<Output = Response<Body>> + Send + '_>>;
}
