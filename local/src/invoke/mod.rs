//! The seam: a function's name and an event in, its answer out. The faces do not know what stands behind it.

pub mod in_process;

use std::sync::Arc;

use serde_json::Value;

pub use in_process::App;

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
    #[error("cannot invoke {0:?}")]
    Unknown(String),
}

/// Runs functions.
#[derive(Debug, Clone)]
pub enum Invoker {
    /// In this process.
    InProcess(Arc<App>),
}

impl Invoker {
    /// Runs `function` with `event`. What runs goes on to its end even if nobody waits for the answer any more, as on AWS.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let outcome = match self {
            Self::InProcess(app) => in_process::invoke(app.clone(), function, event).await,
        };
        if let Err(error) = &outcome
            && !matches!(error, InvokeError::Function { message, .. } if message == "Unauthorized")
        {
            tracing::error!(function, %error, "A function failed.");
        }
        outcome
    }

    /// Whether there is a function of this name.
    pub fn knows(&self, function: &str) -> bool {
        match self {
            Self::InProcess(_) => windi_functions::Function::named(function).is_some(),
        }
    }
}
