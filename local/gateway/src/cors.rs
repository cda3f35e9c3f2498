//! Cross-origin requests, as the template's `CorsConfiguration` allows them.
//!
//! API Gateway developer guide, "Configure CORS for HTTP APIs": the gateway answers preflight requests itself, with or
//! without a route for them. It adds its CORS headers to an integration's answer and ignores the integration's own.

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD,
    HeaderName, ORIGIN,
};
use http::{HeaderMap, Method, Response, StatusCode};

use crate::headers::text;

/// The template's `CorsConfiguration`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// The origins that may call. Each is a full origin, `*`, or a scheme with `*` such as `https://*`.
    pub origins: Vec<String>,
    pub methods: Vec<String>,
    pub headers: Vec<String>,
    /// The response headers that scripts may read.
    pub exposed: Vec<String>,
    /// How long a browser may cache a preflight, in seconds.
    pub max_age: Option<String>,
    /// Whether browsers may send cookies.
    pub credentials: bool,
}

impl Cors {
    /// The answer to a preflight request, or `None` if the request is not one. An origin that may not call gets no CORS
    /// headers, so its browser blocks the call.
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

    /// Replaces the CORS headers of an integration with the configured ones.
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

    /// The `Access-Control-Allow-Origin` for an origin: `*` if every origin may call, else the origin itself. `None` if
    /// it may not call.
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
