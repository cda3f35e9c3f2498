//! Reading headers.

use http::HeaderMap;

/// The value of a header, or an empty string if it is missing or not visible ASCII.
pub fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
