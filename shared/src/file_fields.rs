//! What people may say of a [file](crate::protocol::NewFile), and the limits of files.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::{field, length, line};
use crate::json::checked;
use crate::limits::{BREAKS, Form, Limits, visible};

/// The largest file, in bytes.
pub const MAX_FILE_BYTES: i64 = 25 * 1024 * 1024;
/// How many files a message may have.
pub const MAX_FILES: usize = 10;
/// The longest side of a picture, in pixels.
pub const MAX_SIDE: i32 = 12_000;
/// The largest picture, in pixels: whoever looks at it unpacks it to four bytes each.
pub const MAX_PIXELS: i64 = 40_000_000;
/// The longest side of a picture of a person or a group, in pixels, and its most bytes.
pub const MAX_AVATAR_SIDE: i32 = 1024;
pub const MAX_AVATAR_BYTES: i64 = 1024 * 1024;
/// The longest tiny picture, in characters of base64.
const MAX_PREVIEW_CHARS: usize = 1024;
/// The longest name of a file, in Unicode scalar values.
const MAX_FILE_NAME_CHARS: usize = 255;

field!(
    /// The name of a file: 1–255 characters on one line, NFC, without a path.
    FileName,
    Limits {
        chars: (1, MAX_FILE_NAME_CHARS),
        form: Form::Pattern(visible(&format!("{BREAKS}/\\\\"))),
        description: "A name without a path; not . or .. alone. Stored in Unicode's composed form, without the space around it.",
    },
    |text| {
        if text.contains(['/', '\\']) || [".", ".."].contains(&text.trim()) {
            return Err("must not be a path".to_owned());
        }
        line(&text, MAX_FILE_NAME_CHARS)
    }
);
field!(
    /// A media type without parameters, such as `image/png`, in lower case.
    MediaType,
    Limits {
        chars: (3, 127),
        form: Form::Pattern("^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$".to_owned()),
        description: "A media type without parameters (RFC 6838, section 4.2); stored in lower case.",
    },
    |text| {
        let text = text.to_ascii_lowercase();
        length(&text, 3, 127)?;
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || "!#$&^_.+-".contains(c))
        };
        match text.split_once('/') {
            Some((kind, name)) if is_name(kind) && is_name(name) => Ok(text),
            _ => Err("must be a media type such as image/png".to_owned()),
        }
    }
);
field!(
    /// A tiny picture in base64, up to 1,024 characters. Whether it is a picture is for whoever decodes it.
    Preview,
    Limits {
        chars: (4, MAX_PREVIEW_CHARS),
        form: Form::Pattern("^[A-Za-z0-9+/]+={0,2}$".to_owned()),
        description: "A JPEG, PNG, GIF or WebP of at most 32 by 32 pixels, in base64 with padding.",
    },
    |text| {
        length(&text, 4, MAX_PREVIEW_CHARS)?;
        if !text.trim_end_matches('=').chars().all(|c| c.is_ascii_alphanumeric() || c == '+' || c == '/') {
            return Err("must be base64".to_owned());
        }
        Ok(text)
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_file_is_one_line_without_a_path() {
        assert_eq!(FileName::new(" Re\u{301}sume\u{301}.pdf ").expect("valid").as_str(), "R\u{e9}sum\u{e9}.pdf");
        assert!(FileName::new("x".repeat(255)).is_ok() && FileName::new("x".repeat(256)).is_err());
        for text in ["", " ", ".", "..", "a/b", "a\\b", "/", "a\nb", "a\u{0}b", "\u{202e}gpj.exe", "\u{200b}"] {
            assert!(FileName::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_media_type_is_two_names() {
        assert_eq!(MediaType::new("Image/SVG+xml").expect("valid").as_str(), "image/svg+xml");
        for text in ["", "image", "image/", "/png", "image/png;q=1", "image/p ng", "a/b/c", "i\u{e9}/png", "a/b\r\n"] {
            assert!(MediaType::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_contracts_say_of_every_character_what_the_fields_do() {
        type Field = (RefOr<Schema>, fn(String) -> bool, &'static str, &'static str);
        let fields: [Field; 3] = [
            (FileName::schema(), |text| FileName::new(text).is_ok(), "x", "x"),
            (MediaType::schema(), |text| MediaType::new(text).is_ok(), "a/x", "x"),
            (Preview::schema(), |text| Preview::new(text).is_ok(), "xxx", "x"),
        ];
        for (schema, takes, before, after) in fields {
            let schema = serde_json::to_value(schema).expect("JSON");
            let pattern =
                regex::Regex::new(schema["pattern"].as_str().expect("a pattern")).expect("a regular expression");
            for c in ('\0'..'\u{30000}').chain('\u{e0000}'..'\u{e2000}') {
                let text = format!("{before}{c}{after}");
                assert_eq!(pattern.is_match(&text), takes(text.clone()), "{text:?} and {schema}");
            }
        }
    }
}
