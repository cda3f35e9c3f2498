//! The seam between the gateway and the functions: a name and an event in, an answer out.
//!
//! The gateway comes with one implementation, [`host::Host`], for whatever speaks Lambda's Invoke API. A program that links its
//! functions in brings its own.

pub mod host;

use std::fmt::Debug;
use std::pin::Pin;

use serde_json::Value;

/// What [`Functions::invoke`] returns.
pub type Invocation<'a> = Pin<Box<dyn Future<Output = Result<Value, InvokeError>> + Send + 'a>>;

/// The functions behind the gateway.
pub trait Functions: Debug + Send + Sync {
    /// Whether there is a function of this name. Asked once per route at the start; an implementation that cannot know
    /// says yes, and fails the invocation.
    fn knows(&self, function: &str) -> bool;

    /// Runs a function with an event. Like on AWS, it runs to its end even if the caller stops waiting.
    ///
    /// `freeze` asks to cut it off as soon as it has answered, as Lambda may do; an implementation that cannot ignores it.
    fn invoke<'a>(&'a self, function: &'a str, event: Value, freeze: bool) -> Invocation<'a>;
}

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It ran and failed; the two texts are Lambda's `errorType` and `errorMessage`.
    #[error("{kind}: {message}")]
    Function { kind: String, message: String },
    /// It could not be run.
    #[error("cannot invoke it: {0}")]
    NotRun(String),
}

impl InvokeError {
    /// Whether this is the one error an authorizer refuses a client with (API Gateway developer guide, "Lambda authorizers").
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Function { message, .. } if message == "Unauthorized")
    }
}
