//! Functions behind a URL: `cargo lambda watch`, `sam local start-lambda`, LocalStack, or anything else that speaks
//! Lambda's Invoke API.
//!
//! There are two ways to report that a function failed. Lambda answers 200 with `X-Amz-Function-Error`, `cargo lambda
//! watch` answers 500. The body is `{"errorType", "errorMessage"}` in both.

use std::time::Duration;

use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{Functions, Invocation, InvokeError};

/// The longest a function may run (Lambda quotas).
const LONGEST: Duration = Duration::from_secs(900);

/// A server that runs the functions.
#[derive(Debug, Clone)]
pub struct Host {
    http: Client,
    url: String,
}

#[derive(Deserialize)]
struct Failure {
    #[serde(rename = "errorType", default)]
    kind: String,
    #[serde(rename = "errorMessage")]
    message: String,
}

impl Host {
    /// The host at `url`, such as `http://127.0.0.1:9000`.
    ///
    /// # Errors
    /// If `url` is not an `http://` URL. An unreachable host is noticed only at the first invocation.
    pub fn new(url: &str) -> Result<Self, String> {
        let url = url.trim_end_matches('/');
        if !url.starts_with("http://") {
            return Err(format!("{url} is not an http:// URL such as http://127.0.0.1:9000"));
        }
        // The gateway stops waiting earlier, but the function goes on until Lambda would end it.
        let http = Client::builder().no_proxy().connect_timeout(Duration::from_secs(5)).timeout(LONGEST).build();
        Ok(Self { http: http.map_err(|e| e.to_string())?, url: url.to_owned() })
    }

    async fn call(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let call = self.http.post(&url).json(&event).send();
        // In a separate task, because a caller that gives up must not cancel the function's request.
        let answered = tokio::spawn(async move { read(call.await?).await }).await;
        match answered {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(InvokeError::NotRun(format!("{url}: {error:?}"))),
            Err(panic) => Err(InvokeError::NotRun(panic.to_string())),
        }
    }
}

impl Functions for Host {
    fn knows(&self, _: &str) -> bool {
        true
    }

    fn invoke<'a>(&'a self, function: &'a str, event: Value, _freeze: bool) -> Invocation<'a> {
        Box::pin(self.call(function, event))
    }
}

async fn read(response: Response) -> reqwest::Result<Result<Value, InvokeError>> {
    let status = response.status();
    let failed = !status.is_success() || response.headers().contains_key("x-amz-function-error");
    let body = response.bytes().await?;
    if !failed {
        // An empty answer counts as null.
        let body = if body.is_empty() { b"null" } else { &body[..] };
        return Ok(serde_json::from_slice(body).map_err(|e| InvokeError::Function {
            kind: "Runtime.MarshalError".to_owned(),
            message: format!("the function's answer is not JSON: {e}"),
        }));
    }
    Ok(Err(match serde_json::from_slice::<Failure>(&body) {
        Ok(Failure { kind, message }) => InvokeError::Function { kind, message },
        Err(_) => InvokeError::NotRun(format!("{status}: {}", String::from_utf8_lossy(&body))),
    }))
}
