//! Cross-origin requests, as the template's `CorsConfiguration` has them.
//!
//! API Gateway developer guide, "Configure CORS for HTTP APIs": the gateway answers preflight requests itself, with or
//! without a route for them, adds its headers to what an integration answers, and ignores the integration's own.

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, ORIGIN,
};
use http::{HeaderMap, Method, Response, StatusCode};

use crate::headers::text;

/// A `CorsConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Which origins may call: in full, `*`, or a scheme with `*` such as `https://*`.
    pub origins: Vec<String>,
    /// With which methods.
    pub methods: Vec<String>,
    /// With which headers.
    pub headers: Vec<String>,
    /// Which headers of the answer their scripts may read.
    pub exposed: Vec<String>,
    /// For how many seconds a browser may remember it.
    pub max_age: Option<String>,
    /// Whether cookies may come along.
    pub credentials: bool,
}

impl Cors {
    /// The answer to a preflight request; `None` if it is none. An origin that may not call gets no headers, and its
    /// browser draws the conclusion.
    pub fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        if method != Method::OPTIONS || !headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            return None;
        }
        let origin = self.allowed(text(headers, ORIGIN.as_str()));
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        if let Some(origin) = origin {
            self.common(response.headers_mut(), origin);
            set(response.headers_mut(), ACCESS_CONTROL_ALLOW_METHODS, &self.methods.join(","));
            set(response.headers_mut(), ACCESS_CONTROL_ALLOW_HEADERS, &self.headers.join(","));
            set(response.headers_mut(), ACCESS_CONTROL_MAX_AGE, self.max_age.as_deref().unwrap_or_default());
        }
        Some(response)
    }

    /// Puts the configured headers in the place of an integration's own.
    pub fn apply(&self, origin: &str, answer: &mut HeaderMap) {
        let own: Vec<_> = answer.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
        for name in own {
            answer.remove(name);
        }
        if let Some(origin) = self.allowed(origin) {
            self.common(answer, origin);
            set(answer, ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed.join(","));
        }
    }

    fn common(&self, answer: &mut HeaderMap, origin: &str) {
        set(answer, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        set(answer, ACCESS_CONTROL_ALLOW_CREDENTIALS, if self.credentials { "true" } else { "" });
    }

    /// What to answer an origin with: itself, or `*` where everybody may.
    fn allowed<'a>(&self, origin: &'a str) -> Option<&'a str> {
        if origin.is_empty() {
            return None;
        }
        if self.origins.iter().any(|allowed| allowed == "*") {
            return Some("*");
        }
        let matches = |allowed: &String| match allowed.strip_suffix('*') {
            Some(scheme) => origin.starts_with(scheme),
            None => origin == allowed,
        };
        self.origins.iter().any(matches).then_some(origin)
    }
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Some(value) = value.parse().ok().filter(|_| !value.is_empty()) {
        headers.insert(name, value);
    }
}
