//! The Lambda REQUEST authorizer, which decides whether a socket may open.
//!
//! API Gateway developer guide, "Control access to WebSocket APIs with Lambda REQUEST authorizers": a missing identity
//! source is a 401 without a call to the authorizer; the error "Unauthorized" is a 401; a policy that does not allow is
//! a 403; anything else that is not a valid answer is a 500. The answers of WebSocket authorizers are never cached.

use std::time::Instant;

use http::StatusCode;
use serde_json::{Map, Value};

use crate::events::{HeaderList, Socket, multi_query};
use crate::state::{RunError, Shared};
use crate::template::Authorizer;

/// The largest answer of an authorizer, in bytes (API Gateway quotas for WebSocket APIs).
const MAX_ANSWER: usize = 8 * 1024;

/// Calls the authorizer and returns the context for all later events.
///
/// # Errors
/// The status with which to refuse the handshake.
pub async fn authorize(
    authorizer: &Authorizer,
    shared: &Shared,
    socket: &Socket,
    headers: &HeaderList,
    query: Option<&str>,
) -> Result<Map<String, Value>, StatusCode> {
    if authorizer.identity_sources.iter().any(|source| !is_present(source, socket, headers, query)) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let asked = Instant::now();
    let answer = match shared.run(&authorizer.function, socket.authorize(headers, query)).await {
        Ok(answer) => answer,
        Err(RunError::Failed(error)) if error.is_unauthorized() => return Err(StatusCode::UNAUTHORIZED),
        Err(_) => return Err(StatusCode::INTERNAL_SERVER_ERROR),
    };
    if answer.to_string().len() > MAX_ANSWER {
        return Err(StatusCode::INTERNAL_SERVER_ERROR);
    }
    let principal = answer["principalId"].as_str().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let statements = answer["policyDocument"]["Statement"].as_array().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    if !allows(statements, &socket.method_arn()) {
        return Err(StatusCode::FORBIDDEN);
    }
    let mut context = Map::new();
    context.insert("principalId".to_owned(), principal.into());
    // The only value that is a number, as on AWS.
    context.insert("integrationLatency".to_owned(), (asked.elapsed().as_millis() as u64).into());
    for (name, value) in answer["context"].as_object().into_iter().flatten() {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            // Objects and lists are not allowed in a context.
            _ => return Err(StatusCode::INTERNAL_SERVER_ERROR),
        };
        context.insert(name.clone(), text.into());
    }
    Ok(context)
}

fn is_present(source: &str, socket: &Socket, headers: &HeaderList, query: Option<&str>) -> bool {
    if let Some(name) = source.strip_prefix("route.request.header.") {
        return headers.iter().any(|(other, value)| other.eq_ignore_ascii_case(name) && !value.is_empty());
    }
    if let Some(name) = source.strip_prefix("route.request.querystring.") {
        return multi_query(query).iter().any(|(other, values)| other == name && values.iter().any(|v| !v.is_empty()));
    }
    if let Some(name) = source.strip_prefix("stageVariables.") {
        return socket.variables.get(name).is_some_and(|value| !value.is_empty());
    }
    // The request context is always present.
    source.starts_with("context.")
}

/// IAM's rule: a matching Deny wins; otherwise one matching Allow is needed.
fn allows(statements: &[Value], arn: &str) -> bool {
    let matching = |effect: &str| {
        statements.iter().any(|statement| {
            statement["Effect"] == effect
                && texts(&statement["Action"]).iter().any(|action| glob(action, "execute-api:Invoke"))
                && texts(&statement["Resource"]).iter().any(|resource| glob(resource, arn))
        })
    };
    matching("Allow") && !matching("Deny")
}

/// A text or a list of texts.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// IAM's wildcards: `*` matches any run of characters, `?` any single one.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.chars().next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = &pattern[1..];
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| glob(rest, &text[at..]))
        }
        Some(expected) => {
            let mut chars = text.chars();
            chars.next().is_some_and(|given| expected == '?' || expected == given)
                && glob(&pattern[expected.len_utf8()..], chars.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ARN: &str = "arn:aws:execute-api:us-east-1:0:api/ws/$connect";

    fn statement(effect: &str, resource: &str) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    }

    #[test]
    fn a_deny_wins_over_an_allow_and_no_allow_is_a_deny() {
        assert!(allows(&[statement("Allow", ARN)], ARN));
        assert!(allows(&[statement("Allow", "arn:aws:execute-api:*:api/*/$connect")], ARN));
        assert!(!allows(&[statement("Allow", "*"), statement("Deny", ARN)], ARN));
        assert!(!allows(&[statement("Allow", "arn:aws:s3:::*")], ARN));
        assert!(!allows(&[], ARN));
    }
}
