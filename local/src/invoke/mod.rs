//! The seam: a function's name and an event in, its answer out. The faces do not know what stands behind it.
//!
//! Two roads: [`in_process`], the handlers linked in, and [`host`], whatever speaks Lambda's Invoke API.

pub mod host;
pub mod in_process;

use std::sync::Arc;

use serde_json::Value;

pub use self::host::Host;
use crate::app::App;

/// Why a function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    /// It ran and failed; the two texts are Lambda's `errorType` and `errorMessage`.
    #[error("{kind}: {message}")]
    Function {
        /// What kind of error.
        kind: String,
        /// What it says.
        message: String,
    },
    /// It could not be run at all.
    #[error("cannot invoke it: {0}")]
    NotRun(String),
}

/// Runs functions.
#[derive(Debug, Clone)]
pub enum Invoker {
    /// In this process.
    InProcess(Arc<App>),
    /// Elsewhere.
    Host(Host),
}

impl Invoker {
    /// Runs `function` with `event`. What runs goes on to its end even if nobody waits for the answer any more, as on AWS.
    /// With `freeze` it is cut off as soon as it has answered; a host decides that for itself.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(&self, function: &str, event: Value, freeze: bool) -> Result<Value, InvokeError> {
        let outcome = match self {
            Self::InProcess(app) if freeze => {
                in_process::invoke_and_freeze(app.settings.clone(), function, event).await
            }
            Self::InProcess(app) => in_process::invoke(app.clone(), function, event).await,
            Self::Host(host) => host.invoke(function, event).await,
        };
        if let Err(error) = &outcome
            && !matches!(error, InvokeError::Function { message, .. } if message == "Unauthorized")
        {
            tracing::error!(function, %error, "A function failed.");
        }
        outcome
    }

    /// Whether there is a function of this name. A host is only asked when it is needed.
    pub fn knows(&self, function: &str) -> bool {
        match self {
            Self::InProcess(_) => windi_functions::Function::named(function).is_some(),
            Self::Host(_) => true,
        }
    }
}
