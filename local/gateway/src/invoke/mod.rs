//! The interface between the gateway and the functions: a name and an event in, an answer out.
//!
//! The gateway comes with one implementation, [`host::Host`], for anything that speaks Lambda's Invoke API. A program
//! that links its functions in supplies another.

pub mod host;

use std::fmt::Debug;
use std::pin::Pin;

use serde_json::Value;

/// The future that [`Functions::invoke`] returns.
pub type Invocation<'a> = Pin<Box<dyn Future<Output = Result<Value, InvokeError>> + Send + 'a>>;

/// The functions behind the gateway.
pub trait Functions: Debug + Send + Sync {
    /// Whether there is a function of this name. Called once per route at the start. An implementation that cannot know
    /// returns true and fails the invocation instead.
    fn knows(&self, function: &str) -> bool;

    /// Runs a function with an event. As on AWS, it runs to its end even if the caller stops waiting.
    ///
    /// With `freeze` the function is to be cut off as soon as it has answered, as Lambda may do. An implementation that
    /// cannot do that ignores it.
    fn invoke<'a>(&'a self, function: &'a str, event: Value, freeze: bool) -> Invocation<'a>;
}

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It ran and failed. `kind` and `message` are Lambda's `errorType` and `errorMessage`.
    #[error("{kind}: {message}")]
    Function { kind: String, message: String },
    /// It could not be run.
    #[error("cannot invoke the function: {0}")]
    NotRun(String),
}

impl InvokeError {
    /// Whether this is the error by which an authorizer refuses a client (API Gateway developer guide, "Lambda
    /// authorizers").
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Function { message, .. } if message == "Unauthorized")
    }
}
