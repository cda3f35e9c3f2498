//! HTTP functions: a request's body, path and caller in, JSON or an error out.

use lambda_http::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use lambda_http::http::{HeaderValue, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use windi_shared::auth::{Caller, Tokens};
use windi_shared::db::{PgPool, sessions};
use windi_shared::ids::ChatId;
use windi_shared::protocol::ErrorBody;
use windi_shared::{Error, Result, json};

/// What a handler answers when all went well.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: String,
}

/// `200` with this body.
///
/// # Errors
/// [`Error::Internal`] if it cannot be written as JSON.
pub fn ok(body: &impl Serialize) -> Result<Answer> {
    answer_with(StatusCode::OK, body)
}

/// `201` with this body.
///
/// # Errors
/// As [`ok`].
pub fn created(body: &impl Serialize) -> Result<Answer> {
    answer_with(StatusCode::CREATED, body)
}

/// `204`, which has no body.
///
/// # Errors
/// Never; it stands in line with the others.
pub fn no_content() -> Result<Answer> {
    Ok(Answer { status: StatusCode::NO_CONTENT, body: String::new() })
}

/// Any status with this body.
///
/// # Errors
/// As [`ok`].
pub fn answer_with(status: StatusCode, body: &impl Serialize) -> Result<Answer> {
    Ok(Answer { status, body: serde_json::to_string(body).map_err(Error::internal)? })
}

/// Turns a handler's outcome into the response, and an error into the one form all errors have.
pub fn respond(request: &Request, outcome: Result<Answer>) -> Response<Body> {
    let answer = match &outcome {
        Ok(answer) => Answer { status: answer.status, body: answer.body.clone() },
        Err(error) => {
            error.log();
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let body = ErrorBody::new(error, gateway_request_id(request));
            Answer { status, body: serde_json::to_string(&body).unwrap_or_default() }
        }
    };
    let mut response = Response::new(Body::Text(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if let Err(error) = outcome {
        if let Some(seconds) = error.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if matches!(error, Error::Unauthorized) {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
    }
    response
}

/// The JSON object in the body.
///
/// # Errors
/// [`Error::UnsupportedMediaType`] unless it says that it is JSON; those of [`json::parse`].
pub fn read_json<T: DeserializeOwned>(request: &Request) -> Result<T> {
    match media_type(request).as_str() {
        "application/json" => json::parse(request.body().as_ref()),
        _ => Err(Error::UnsupportedMediaType("application/json")),
    }
}

/// The media type of the body in lower case, without parameters; empty if none is given.
pub fn media_type(request: &Request) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whose bearer token the request carries. The token must be good and its session alive.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn caller(db: &PgPool, tokens: &Tokens, request: &Request) -> Result<Caller> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = tokens.check(header.and_then(bearer).ok_or(Error::Unauthorized)?)?;
    if sessions::is_live(db, caller.session_id).await? { Ok(caller) } else { Err(Error::Unauthorized) }
}

/// The token of an `Authorization: Bearer …` header.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The chat named in the path. What is no id at all is no chat either.
///
/// # Errors
/// [`Error::ChatNotFound`].
pub fn chat_id(request: &Request) -> Result<ChatId> {
    let parameters = request.path_parameters();
    parameters.first("chat_id").and_then(|id| id.parse().ok()).ok_or(Error::ChatNotFound)
}

/// A query parameter, if it is there.
///
/// # Errors
/// [`Error::InvalidField`] if it cannot be read.
pub fn query<T: std::str::FromStr>(request: &Request, name: &str) -> Result<Option<T>> {
    let parameters = request.query_string_parameters();
    let Some(text) = parameters.first(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Error::field(name, format!("cannot read {text:?}")))
}

/// A page size: `default` unless the query says otherwise, from 1 to 100.
///
/// # Errors
/// [`Error::InvalidField`].
pub fn limit(request: &Request, default: i64) -> Result<i64> {
    match query(request, "limit")? {
        None => Ok(default),
        Some(limit) if (1..=100).contains(&limit) => Ok(limit),
        Some(_) => Err(Error::field("limit", "must be from 1 to 100")),
    }
}

/// The route as the template spells it, such as `GET /chats/{chat_id}`.
pub fn route(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.route_key.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

/// A route of the template that the function does not serve: our mistake.
///
/// # Errors
/// Always [`Error::Internal`].
pub fn unknown_route(route: &str) -> Result<Answer> {
    Err(Error::internal(format!("the template sends {route:?} to a function that does not serve it")))
}

/// The caller's address, as the gateway saw it.
pub fn source_ip(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

fn gateway_request_id(request: &Request) -> String {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn a_bearer_token_stands_after_its_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }
}
