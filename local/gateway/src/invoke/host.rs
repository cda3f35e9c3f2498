//! Functions behind an address: `cargo lambda watch`, `sam local start-lambda`, LocalStack, or whatever else speaks
//! Lambda's Invoke API.
//!
//! A function that failed is told in two dialects: Lambda answers 200 with `X-Amz-Function-Error`, `cargo lambda watch`
//! 500; both with `{"errorType", "errorMessage"}`.

use std::time::Duration;

use reqwest::{Client, Response};
use serde::Deserialize;
use serde_json::Value;

use super::{Functions, Invocation, InvokeError};

/// How long a function may run at most (Lambda quotas).
const LONGEST: Duration = Duration::from_secs(900);

/// What runs the functions.
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
    /// If it is not an `http://` URL. Whether anything answers there shows with the first invocation.
    pub fn new(url: &str) -> Result<Self, String> {
        let url = url.trim_end_matches('/');
        if !url.starts_with("http://") {
            return Err(format!("{url} is not an http:// URL"));
        }
        // The gateway's own limit is shorter; a function goes on when nobody waits any more, until Lambda would end it.
        let http = Client::builder().no_proxy().connect_timeout(Duration::from_secs(5)).timeout(LONGEST).build();
        Ok(Self { http: http.map_err(|e| e.to_string())?, url: url.to_owned() })
    }

    async fn call(&self, function: &str, event: Value) -> Result<Value, InvokeError> {
        let url = format!("{}/2015-03-31/functions/{function}/invocations", self.url);
        let call = self.http.post(&url).json(&event).send();
        // In a task of its own: a caller that gives up must not take the function's request with it.
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
        // A function that answers nothing answers null.
        let body = if body.is_empty() { b"null" } else { &body[..] };
        return Ok(serde_json::from_slice(body).map_err(|e| InvokeError::Function {
            kind: "Runtime.MarshalError".to_owned(),
            message: format!("what it answered is not JSON: {e}"),
        }));
    }
    Ok(Err(match serde_json::from_slice::<Failure>(&body) {
        Ok(Failure { kind, message }) => InvokeError::Function { kind, message },
        Err(_) => InvokeError::NotRun(format!("{status}: {}", String::from_utf8_lossy(&body))),
    }))
}
