//! The custom resource `Schema` of the template: brings the database's schema up to date during a deployment, before the
//! functions that need it. Its failure fails the deployment.
//!
//! CloudFormation waits for an answer at a presigned URL (CloudFormation user guide, "Custom resource request objects" and
//! "response objects"); what the function itself returns counts for nothing.

use std::time::Duration;

use lambda_runtime::Diagnostic;
use serde::{Deserialize, Serialize};
use windi_shared::db;

use crate::door;

/// The same for ever: CloudFormation deletes a resource whose id changes.
const PHYSICAL_ID: &str = "schema";
/// CloudFormation accepts 4 KB in all.
const LONGEST_REASON: usize = 2048;
/// Under the function's `Timeout` in the template, so that there is time left to answer.
const LIMIT: Duration = Duration::from_secs(9 * 60);
/// An answer that does not arrive keeps the deployment waiting until it times out.
const ATTEMPTS: u32 = 4;

/// CloudFormation's request. Its other fields say what the template says.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Event {
    pub request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    pub response_url: String,
    pub stack_id: String,
    pub request_id: String,
    pub logical_resource_id: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum RequestType {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    status: &'a str,
    reason: String,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

pub fn main() -> door::Outcome {
    door::run(|door| async move { door.events(|event| handle(door.database_url(), event)).await })
}

/// Applies the migrations that are pending in the database at `url` and answers CloudFormation. A deletion leaves the
/// schema as it is, and so does a rollback: the version before runs on it too (`migrations/README.md`).
///
/// # Errors
/// If CloudFormation cannot be answered.
pub async fn handle<E: std::fmt::Display>(
    url: impl Future<Output = Result<String, E>>,
    event: Event,
) -> Result<(), Diagnostic> {
    let outcome = match event.request_type {
        RequestType::Delete => Ok("nothing to do".to_owned()),
        RequestType::Create | RequestType::Update => migrate(url).await,
    };
    match &outcome {
        Ok(done) => tracing::info!(request = ?event.request_type, "Schema: {done}."),
        Err(reason) => tracing::error!(error = reason, "The schema could not be brought up to date."),
    }
    answer(&event, outcome).await.map_err(|error| Diagnostic {
        error_type: "CloudFormationAnswer".to_owned(),
        error_message: format!("cannot answer CloudFormation: {error}"),
    })
}

async fn migrate<E: std::fmt::Display>(url: impl Future<Output = Result<String, E>>) -> Result<String, String> {
    let url = url.await.map_err(|error| error.to_string())?;
    match tokio::time::timeout(LIMIT, db::migrate(&url)).await {
        Ok(outcome) => outcome.map(|()| "up to date".to_owned()).map_err(|error| error.to_string()),
        Err(_) => Err(format!("the migrations took over {} minutes", LIMIT.as_secs() / 60)),
    }
}

async fn answer(event: &Event, outcome: Result<String, String>) -> Result<(), reqwest::Error> {
    let (status, mut reason) = match outcome {
        Ok(done) => ("SUCCESS", done),
        Err(reason) => ("FAILED", reason),
    };
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    let answer = Answer {
        status,
        reason,
        physical_resource_id: PHYSICAL_ID,
        stack_id: &event.stack_id,
        request_id: &event.request_id,
        logical_resource_id: &event.logical_resource_id,
    };
    let http = reqwest::Client::builder().timeout(Duration::from_secs(20)).build()?;
    let mut attempt = 1;
    loop {
        // The URL is signed for a request without a content type.
        let mut request = http.put(&event.response_url).json(&answer).build()?;
        request.headers_mut().remove(reqwest::header::CONTENT_TYPE);
        let sent = http.execute(request).await.and_then(reqwest::Response::error_for_status);
        match sent {
            Ok(_) => return Ok(()),
            Err(error) if attempt == ATTEMPTS => return Err(error.without_url()),
            Err(error) => tracing::warn!(error = %error.without_url(), "CloudFormation was not reached."),
        }
        tokio::time::sleep(Duration::from_secs(attempt.into())).await;
        attempt += 1;
    }
}
