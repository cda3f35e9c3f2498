//! The limits of a field as the contracts say them, in terms of JSON Schema. A test compares them with what the
//! [fields](crate::fields) take, character by character.

use utoipa::openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type};

/// What the contracts say about a field, in terms of JSON Schema.
pub struct Limits {
    /// In Unicode scalar values.
    pub chars: (usize, usize),
    pub form: Form,
    pub description: &'static str,
}

/// What the length does not say.
pub enum Form {
    Any,
    Pattern(String),
    Format(KnownFormat),
}

impl Limits {
    pub fn schema(self) -> RefOr<Schema> {
        let (min, max) = self.chars;
        let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(min)).max_length(Some(max));
        let text = match self.form {
            Form::Any => text,
            Form::Pattern(pattern) => text.pattern(Some(pattern)),
            Form::Format(format) => text.format(Some(SchemaFormat::KnownFormat(format))),
        };
        text.description(Some(self.description)).into()
    }
}

/// What is invisible by itself, as a class of a regular expression. JavaScript, Python and Rust read it alike, because
/// characters beyond U+FFFF stand for themselves in it.
const INVISIBLE: &str = "\\u0000-\\u0020\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f-\\u1160\\u1680\\u17b4-\\u17b5\\u180b-\\u180f\\u2000-\\u200f\
    \\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3000\\u3164\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\
    \u{16fe4}\u{1d159}\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}";

/// The controls that no text may have, in the same way.
pub const CONTROLS: &str = "\\u0000-\\u0008\\u000b-\\u001f\\u007f";

/// The same for text in which a carriage return becomes a line break.
pub const CONTROLS_IN_LINES: &str = "\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f";

/// What a text on one line may not have: [`breaks_a_line`](crate::characters::breaks_a_line).
pub const BREAKS: &str = "\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069";

/// Text without the characters of the class `bad` in which something is visible.
pub fn visible(bad: &str) -> String {
    format!("^[^{bad}]*[^{bad}{INVISIBLE}][^{bad}]*$")
}
