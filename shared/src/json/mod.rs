//! Turns bytes into checked values.
//!
//! `serde_json` alone is too lenient for a public interface: it accepts an array where an object is expected.
//! [`Object`] refuses that; the types themselves refuse unknown and repeated fields (`deny_unknown_fields`).
//! `reasons.rs` explains each refusal to the client in plain words.

mod reasons;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::{Error, Result};

/// The largest body any route reads, in bytes. The largest message fits even if every character is escaped.
pub const MAX_BODY_BYTES: usize = 128 * 1024;

/// A `T` that was written as a JSON object.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct OnlyMaps<T>(std::marker::PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for OnlyMaps<T> {
            type Value = T;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(OnlyMaps(std::marker::PhantomData)).map(Object)
    }
}

/// Refuses null: such a field is left out instead.
pub(crate) fn not_null<'de, T, D>(deserializer: D) -> std::result::Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// Tells null from a field that is left out.
pub(crate) fn given<'de, T, D>(deserializer: D) -> std::result::Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Reads one JSON object.
///
/// # Errors
/// [`Error::PayloadTooLarge`] over [`MAX_BODY_BYTES`], [`Error::MalformedJson`] if the body is not JSON, and
/// [`Error::InvalidField`], naming the field, if it is JSON but not a `T`.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    parse_at("", body)
}

/// Like [`parse`], but for an object at `place` in a larger one: the path in an error starts there.
///
/// # Errors
/// Same as [`parse`].
pub fn parse_at<T: DeserializeOwned>(place: &str, body: &[u8]) -> Result<T> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Error::PayloadTooLarge { limit: MAX_BODY_BYTES });
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|e| refused(place, e))?;
    reader.end().map_err(|e| Error::MalformedJson(reasons::malformed(&e)))?;
    Ok(value)
}

fn refused(place: &str, error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    let error = error.into_inner();
    if !error.is_data() {
        return Error::MalformedJson(reasons::malformed(&error));
    }
    let (field, reason) = reasons::invalid(&error);
    let mut path: Vec<&str> = [place, &path].into_iter().filter(|part| !part.is_empty() && *part != ".").collect();
    if let Some(field) = &field
        // The path already ends with the name of an unknown field, but not with that of a missing one.
        && path.last().is_none_or(|last| last.rsplit('.').next() != Some(field))
    {
        path.push(field);
    }
    Error::field(if path.is_empty() { "body".to_owned() } else { path.join(".") }, reason)
}

/// Deserialises a type whose only constructor checks a string.
///
/// # Errors
/// The error from `check`, as a deserialisation error.
pub fn checked<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    check: impl FnOnce(String) -> std::result::Result<T, String>,
) -> std::result::Result<T, D::Error> {
    check(String::deserialize(deserializer)?).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Point {
        x: i64,
        inner: Option<Inner>,
        kind: Option<Kind>,
        id: Option<crate::ids::UserId>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        y: bool,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Big,
        Small,
    }

    fn refusal(body: &str) -> (&'static str, String) {
        let error = parse::<Point>(body.as_bytes()).expect_err("should be refused");
        (error.code(), error.to_string())
    }

    #[test]
    fn an_object_is_read() {
        let point = Point { x: 1, inner: None, kind: None, id: None };
        assert_eq!(parse::<Point>(br#"{"x":1}"#).expect("valid"), point);
    }

    #[test]
    fn a_refusal_names_the_field_and_the_fix_in_plain_words() {
        for (body, says) in [
            ("[1]", "body: must be an object, not an array"),
            (r#"{"x":"1"}"#, "x: must be a whole number, not text"),
            (r#"{"x":1.5}"#, "x: must be a whole number, not a fraction"),
            (r#"{"x":null}"#, "x: must be a whole number, not null"),
            (r#"{"x":99999999999999999999}"#, "x: is too large a number"),
            (r#"{"x":{}}"#, "x: must be a whole number, not an object"),
            (r#"{"x":1,"z":2}"#, "z: is not a field here; the fields are x, inner, kind, id"),
            (r#"{"x":1,"inner":{"y":true,"w":1}}"#, "inner.w: is not a field here; the only field is y"),
            (r#"{"x":1,"inner":{}}"#, "inner.y: is required"),
            (r#"{"x":1,"x":2}"#, "x: is given twice"),
            ("{}", "x: is required"),
            (r#"{"x":1,"kind":"huge"}"#, "kind: must be big or small"),
            (r#"{"x":1,"id":"7"}"#, "id: must be a UUID"),
            (r#"{"x":1,"id":7}"#, "id: must be a UUID, not a number"),
        ] {
            assert_eq!(refusal(body), ("invalid_field", says.to_owned()), "{body}");
        }
    }

    #[test]
    fn malformed_json_is_explained_without_the_parsers_vocabulary() {
        for (body, says) in [
            ("hello", "a JSON value is expected at line 1 column 1"),
            ("", "it ends too early"),
            ("{", "it ends too early"),
            ("{\"x\":1} trailing", "something follows after its end at line 1 column 9"),
            (
                r#"{"x":"\ud83d"}"#,
                "an escape such as \\ud83d is half of a surrogate pair, and its other half is missing",
            ),
            (
                r#"{"x":"\udc00"}"#,
                "an escape such as \\ud83d is half of a surrogate pair, and its other half is missing",
            ),
            ("{\"x\": \"\u{1}\"}", "a control character in a string must be escaped"),
        ] {
            let (code, text) = refusal(body);
            assert_eq!(code, "malformed_json", "{body}");
            assert!(text.starts_with("this is not valid JSON: ") && text.contains(says), "{body}: {text}");
        }
        assert_eq!(parse::<Point>(b"\xff\xfe").expect_err("not UTF-8").code(), "malformed_json");
        assert_eq!(refusal(r#"{"x":1e999}"#).0, "malformed_json");
        let deep = "[".repeat(100_000);
        assert!(["malformed_json", "invalid_field"].contains(&refusal(&deep).0));
    }

    #[test]
    fn a_body_over_the_limit_is_too_large() {
        let body = " ".repeat(MAX_BODY_BYTES + 1);
        assert_eq!(refusal(&body).0, "payload_too_large");
    }
}
