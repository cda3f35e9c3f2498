//! HTTP functions: read a request's body, path and caller, and return JSON or an error.

use std::time::Instant;

use lambda_http::http::header::{ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use lambda_http::http::header::{HeaderName, InvalidHeaderValue};
use lambda_http::http::{HeaderMap, HeaderValue, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Request, RequestExt as _, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::{Instrument as _, Span, field};
use windi_shared::auth::{Caller, Tokens};
use windi_shared::db::{Database, sessions};
use windi_shared::ids::ChatId;
use windi_shared::protocol::ErrorBody;
use windi_shared::{Error, Result, json};

use crate::routes;

/// A handler's answer when all went well.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    body: Body,
    headers: HeaderMap,
}

impl Answer {
    /// An answer that is not JSON needs a content type.
    pub fn new(status: StatusCode, body: Body) -> Self {
        Self { status, body, headers: HeaderMap::new() }
    }

    /// Sets a header, also in place of one that every answer has.
    pub fn set_static(&mut self, name: HeaderName, value: &'static str) {
        self.headers.insert(name, HeaderValue::from_static(value));
    }

    /// Like [`Self::set_static`].
    ///
    /// # Errors
    /// If the value cannot be that of a header.
    pub fn set(&mut self, name: HeaderName, value: &str) -> std::result::Result<(), InvalidHeaderValue> {
        self.headers.insert(name, HeaderValue::from_str(value)?);
        Ok(())
    }
}

/// A `200` answer.
///
/// # Errors
/// [`Error::Internal`] if the body cannot be written as JSON.
pub fn ok(body: &impl Serialize) -> Result<Answer> {
    answer_with(StatusCode::OK, body)
}

/// A `201` answer.
///
/// # Errors
/// Same as [`ok`].
pub fn created(body: &impl Serialize) -> Result<Answer> {
    answer_with(StatusCode::CREATED, body)
}

/// A `204` answer.
pub fn no_content() -> Answer {
    Answer::new(StatusCode::NO_CONTENT, Body::Empty)
}

/// # Errors
/// Same as [`ok`].
pub fn answer_with(status: StatusCode, body: &impl Serialize) -> Result<Answer> {
    Ok(Answer::new(status, Body::Text(serde_json::to_string(body).map_err(Error::internal)?)))
}

/// Serves a request: checks its method and query, runs `work`, turns the outcome into a response, and logs one line.
///
/// Everything logged in the process is in a span with the request's id, which is also in the body of every error.
pub async fn respond(request: &Request, work: impl Future<Output = Result<Answer>>) -> Response<Body> {
    let (method, path) = (method(request), path(request));
    // At the highest level, so the span is there whatever events `RUST_LOG` filters out.
    let span = tracing::error_span!(
        "http",
        request_id = request_id(request),
        method,
        route = path,
        user_id = field::Empty,
        session_id = field::Empty,
        chat_id = field::Empty,
    );
    async {
        let start = Instant::now();
        let outcome = match check(request) {
            Ok(()) => work.await,
            Err(error) => Err(error),
        };
        let code = outcome.as_ref().err().map(Error::code);
        let mut response = response(request, outcome);
        if method == "HEAD" {
            *response.body_mut() = Body::Empty;
        }
        let ms = start.elapsed().as_millis() as u64;
        tracing::info!(status = response.status().as_u16(), code, ms, "Answered.");
        response
    }
    .instrument(span)
    .await
}

fn check(request: &Request) -> Result<()> {
    let path = path(request);
    let Some(route) = routes::find(method(request), path) else {
        return Err(Error::MethodNotAllowed { allow: routes::allowed(path) });
    };
    let parameters = request.query_string_parameters();
    match parameters.iter().find(|(name, _)| !route.takes(name)) {
        None => Ok(()),
        Some((name, _)) if route.query.is_empty() => Err(Error::field(name, "is not a parameter here; there are none")),
        Some((name, _)) => {
            Err(Error::field(name, format!("is not a parameter here; the parameters are {}", route.query.join(", "))))
        }
    }
}

fn response(request: &Request, outcome: Result<Answer>) -> Response<Body> {
    let (answer, error) = match outcome {
        Ok(answer) => (answer, None),
        Err(error) => {
            error.log();
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let body = ErrorBody::new(&error, request_id(request));
            (Answer::new(status, Body::Text(serde_json::to_string(&body).unwrap_or_default())), Some(error))
        }
    };
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.extend(answer.headers);
    if let Some(seconds) = error.as_ref().and_then(Error::retry_after) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match error {
        Some(Error::Unauthorized) => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Some(Error::MethodNotAllowed { allow }) => {
            if let Ok(allow) = HeaderValue::from_str(&allow) {
                headers.insert(ALLOW, allow);
            }
        }
        _ => {}
    }
    response
}

/// Reads the JSON object in the body.
///
/// # Errors
/// [`Error::UnsupportedMediaType`] unless the request declares JSON; those of [`json::parse`].
pub fn read_json<T: DeserializeOwned>(request: &Request) -> Result<T> {
    match media_type(request).as_str() {
        "application/json" => json::parse(request.body().as_ref()),
        _ => Err(Error::UnsupportedMediaType("application/json")),
    }
}

/// The body's media type in lower case, without parameters; empty if none is given.
pub fn media_type(request: &Request) -> String {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The owner of the request's bearer token. The token must be valid and its session alive.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn caller(db: &Database, tokens: &Tokens, request: &Request) -> Result<Caller> {
    let caller = token_holder(tokens, request).await?;
    if sessions::is_live(db, caller.session_id).await? { Ok(caller) } else { Err(Error::Unauthorized) }
}

/// The outcome of work that did nothing unless the caller's session was alive. That saves a round trip to ask first; only a
/// refusal has to ask, because nobody whose session has ended is told anything else.
///
/// # Errors
/// [`Error::Unauthorized`] instead of what was refused, if the session has ended.
pub async fn if_live<T>(db: &Database, caller: Caller, outcome: Result<T>) -> Result<T> {
    match outcome {
        Err(error) if error.status() < 500 && !sessions::is_live(db, caller.session_id).await? => {
            Err(Error::Unauthorized)
        }
        outcome => outcome,
    }
}

/// Like [`caller`], but whether or not the session is still alive.
///
/// # Errors
/// [`Error::Unauthorized`].
pub async fn token_holder(tokens: &Tokens, request: &Request) -> Result<Caller> {
    let header = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = tokens.check(header.and_then(bearer).ok_or(Error::Unauthorized)?).await?;
    Span::current().record("user_id", field::display(caller.user_id));
    Span::current().record("session_id", field::display(caller.session_id));
    Ok(caller)
}

/// The token of an `Authorization: Bearer …` header.
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The chat named in the path. A malformed id names no chat.
///
/// # Errors
/// [`Error::ChatNotFound`].
pub fn chat_id(request: &Request) -> Result<ChatId> {
    let chat_id = path_parameter(request, "chat_id").ok_or(Error::ChatNotFound)?;
    Span::current().record("chat_id", field::display(chat_id));
    Ok(chat_id)
}

/// A path variable; `None` if it cannot be read.
pub fn path_parameter<T: std::str::FromStr>(request: &Request, name: &str) -> Option<T> {
    request.path_parameters().first(name)?.parse().ok()
}

/// A query parameter, if present.
///
/// # Errors
/// [`Error::InvalidField`] if it cannot be read.
pub fn query<T: std::str::FromStr>(request: &Request, name: &str) -> Result<Option<T>> {
    let parameters = request.query_string_parameters();
    let Some(text) = parameters.first(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Error::field(name, format!("cannot be {text:?}")))
}

/// How many things can be asked for by their ids at once.
pub const MAX_IDS: usize = 100;

/// The ids in the text of the query parameter `ids`, separated by commas, up to [`MAX_IDS`].
///
/// # Errors
/// [`Error::InvalidField`].
pub fn ids<T: std::str::FromStr>(text: &str) -> Result<Vec<T>> {
    let ids: std::result::Result<Vec<T>, _> = text.split(',').map(str::parse).collect();
    let ids = ids.map_err(|_| Error::field("ids", "must be UUIDs separated by commas"))?;
    if ids.len() > MAX_IDS {
        return Err(Error::field("ids", format!("must have at most {MAX_IDS} ids, has {}", ids.len())));
    }
    Ok(ids)
}

/// The largest page.
pub const MAX_PAGE: i64 = 100;

/// The page size in the query, from 1 to [`MAX_PAGE`].
///
/// # Errors
/// [`Error::InvalidField`].
pub fn limit(request: &Request, default: i64) -> Result<i64> {
    match query(request, "limit")? {
        None => Ok(default),
        Some(limit) if (1..=MAX_PAGE).contains(&limit) => Ok(limit),
        Some(_) => Err(Error::field("limit", format!("must be from 1 to {MAX_PAGE}"))),
    }
}

/// The route that serves the request, such as `GET /chats/{chat_id}`; for `HEAD`, that of `GET`.
pub fn route(request: &Request) -> String {
    let method = method(request);
    format!("{} {}", if method == "HEAD" { "GET" } else { method }, path(request))
}

/// The error for a route that the template sends to a function without an arm for it. A test requests every route.
///
/// # Errors
/// Always [`Error::Internal`].
pub fn unknown_route(route: &str) -> Result<Answer> {
    Err(Error::internal(format!("the template sends {route:?} to a function that does not serve it")))
}

fn method(request: &Request) -> &str {
    request.method().as_str()
}

/// The path as the template spells it. The method in the route key may be another: `ANY` for a method that no route
/// has.
fn path(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => {
            let key = context.route_key.as_deref().unwrap_or_default();
            key.split_once(' ').map_or(key, |(_, path)| path)
        }
        _ => "",
    }
}

/// The caller's IP address, as seen by the gateway.
pub fn source_ip(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().unwrap_or_default(),
        _ => "",
    }
}

/// The gateway's id for the request.
pub fn request_id(request: &Request) -> &str {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.as_deref().unwrap_or_default(),
        _ => "",
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
