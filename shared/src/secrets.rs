//! Secrets kept in AWS Secrets Manager. A function reads its secrets when it starts and again when they may have been
//! rotated, so that a rotation needs no deployment.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata as _};

/// A secret that cannot be read. The text names the secret and never shows its value.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the secret {id}: {problem}")]
pub struct SecretError {
    id: String,
    problem: String,
}

/// Whether `then` is less than `age` ago. A clock that was set back must not put anything off, so the future is not.
pub(crate) fn is_recent(then: SystemTime, age: Duration) -> bool {
    then.elapsed().is_ok_and(|elapsed| elapsed < age)
}

/// One secret.
#[derive(Debug)]
pub struct Secret {
    client: Client,
    id: String,
    /// When it was last asked for. Wall-clock time, because the monotonic clock may stop while Lambda has frozen the
    /// function.
    asked: Mutex<SystemTime>,
}

impl Secret {
    /// `id` is the secret's ARN or name.
    pub fn new(aws: &SdkConfig, id: impl Into<String>) -> Self {
        Self { client: Client::new(aws), id: id.into(), asked: Mutex::new(SystemTime::UNIX_EPOCH) }
    }

    /// The current version (`AWSCURRENT`) of the secret, turned into what it holds by `parse`.
    ///
    /// # Errors
    /// If Secrets Manager does not return it as text, or `parse` fails; its error must not repeat the text.
    pub async fn read<T>(&self, parse: impl FnOnce(&str) -> Result<T, &'static str>) -> Result<T, SecretError> {
        *self.asked() = SystemTime::now();
        let answer = self.client.get_secret_value().secret_id(&self.id).send().await;
        let answer = answer.map_err(|error| {
            // A refusal in its own words; the rest of what the SDK knows would fill a page, and this may have to fit into
            // CloudFormation's.
            let refusal = error.code().map(|code| format!("{code}: {}", error.message().unwrap_or_default()));
            self.problem(refusal.unwrap_or_else(|| DisplayErrorContext(&error).to_string()))
        })?;
        parse(answer.secret_string().unwrap_or_default()).map_err(|problem| self.problem(problem.to_owned()))
    }

    /// [`Self::read`], unless somebody has asked for the secret within `age`. A failure is only logged: whatever was
    /// read before is still in use and mostly still right.
    pub async fn read_again<T>(&self, age: Duration, parse: impl FnOnce(&str) -> Result<T, &'static str>) -> Option<T> {
        if is_recent(*self.asked(), age) {
            return None;
        }
        self.read(parse).await.inspect_err(|error| tracing::warn!(%error, "Kept on using an older secret.")).ok()
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, SystemTime> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn problem(&self, problem: String) -> SecretError {
        SecretError { id: self.id.clone(), problem }
    }
}
