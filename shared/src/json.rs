//! Bytes in, checked values out.
//!
//! `serde_json` alone is too kind for a public interface: it takes an array where an object is meant. [`Object`] refuses
//! that; unknown and doubled fields are refused by the types themselves (`deny_unknown_fields`).

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::{Error, Result};

/// The largest body any route reads, in bytes: a message of the largest size with every character escaped fits.
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

/// Reads one JSON object.
///
/// # Errors
/// [`Error::PayloadTooLarge`] over [`MAX_BODY_BYTES`], [`Error::MalformedJson`] for what is not JSON, and
/// [`Error::InvalidField`] naming the field for JSON that is not a `T`.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    parse_at("", body)
}

/// As [`parse`], for an object that stands at `place` in a larger one: the path in an error begins there.
///
/// # Errors
/// As [`parse`].
pub fn parse_at<T: DeserializeOwned>(place: &str, body: &[u8]) -> Result<T> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Error::PayloadTooLarge);
    }
    let mut reader = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut reader).map_err(|e| refused(place, e))?;
    reader.end().map_err(|e| Error::MalformedJson(without_position(&e)))?;
    Ok(value)
}

fn refused(place: &str, error: serde_path_to_error::Error<serde_json::Error>) -> Error {
    let path = error.path().to_string();
    let error = error.into_inner();
    if !error.is_data() {
        return Error::MalformedJson(error.to_string());
    }
    let field = match (place, path.as_str()) {
        ("", ".") => "body".to_owned(),
        ("", path) => path.to_owned(),
        (place, ".") => place.to_owned(),
        (place, path) => format!("{place}.{path}"),
    };
    Error::field(field, without_position(&error))
}

/// The text of an error without "at line 1 column 17", which says little where the field is named.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => text[..end].to_owned(),
        _ => text,
    }
}

/// For types whose one way in is a check on a string.
///
/// # Errors
/// What `check` says, as a deserialisation error.
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
        inner: Option<Object2>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Object2 {}

    fn code(body: &[u8]) -> (&'static str, String) {
        let error = parse::<Point>(body).expect_err("should be refused");
        (error.code(), error.to_string())
    }

    #[test]
    fn an_object_is_read() {
        assert_eq!(parse::<Point>(br#"{"x":1}"#).expect("valid"), Point { x: 1, inner: None });
    }

    #[test]
    fn an_array_for_an_object_is_refused() {
        let (code, text) = code(b"[1]");
        assert_eq!(code, "invalid_field");
        assert!(text.contains("expected an object"), "{text}");
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert_eq!(code(br#"{"x":"1"}"#), ("invalid_field", "x: invalid type: string \"1\", expected i64".to_owned()));
        assert!(code(br#"{"x":1,"y":2}"#).1.contains("unknown field `y`"));
        assert!(code(br#"{"x":1,"x":2}"#).1.contains("duplicate field `x`"));
        assert!(code(b"{}").1.contains("missing field `x`"));
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        for body in [&b"{"[..], b"", b"{\"x\":1} trailing", b"{\"x\":1e999}", b"\xff\xfe", b"{\"x\": \"\x01\"}"] {
            assert_eq!(code(body).0, "malformed_json", "{body:?}");
        }
        let deep = "[".repeat(100_000);
        assert!(["malformed_json", "invalid_field"].contains(&code(deep.as_bytes()).0));
    }

    #[test]
    fn a_body_over_the_limit_is_too_large() {
        assert_eq!(code(&vec![b' '; MAX_BODY_BYTES + 1]).0, "payload_too_large");
    }
}
