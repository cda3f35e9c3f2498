//! What a browser says of a [push subscription](crate::protocol::NewPushSubscription). Whether an endpoint may be posted to, and
//! whether a key is one, is for whoever does so.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::{field, length};
use crate::json::checked;
use crate::limits::{Form, Limits};

/// The longest address of a push service, in characters. Those of today have 200.
const MAX_ENDPOINT_CHARS: usize = 1024;
/// The longest key, in characters of base64url: 65 bytes are 87.
const MAX_KEY_CHARS: usize = 128;

field!(
    /// Where a push service takes messages for one browser: a URL of up to 1,024 printable ASCII characters.
    Endpoint,
    Limits {
        chars: (1, MAX_ENDPOINT_CHARS),
        form: Form::Pattern("^[!-~]+$".to_owned()),
        description: "An https URL with the name of a public host, without a port or a user.",
    },
    |text| {
        length(&text, 1, MAX_ENDPOINT_CHARS)?;
        if !text.chars().all(|c| c.is_ascii_graphic()) {
            return Err("must be a URL".to_owned());
        }
        Ok(text)
    }
);
field!(
    /// A key in base64url without padding. How many bytes it has is for whoever decodes it.
    KeyText,
    Limits {
        chars: (1, MAX_KEY_CHARS),
        form: Form::Pattern("^[A-Za-z0-9_-]+$".to_owned()),
        description: "Base64url without padding.",
    },
    |text| {
        length(&text, 1, MAX_KEY_CHARS)?;
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
            return Err("must be base64url without padding".to_owned());
        }
        Ok(text)
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contracts_say_of_every_character_what_the_fields_do() {
        type Field = (RefOr<Schema>, fn(String) -> bool);
        let fields: [Field; 2] = [
            (Endpoint::schema(), |text| Endpoint::new(text).is_ok()),
            (KeyText::schema(), |text| KeyText::new(text).is_ok()),
        ];
        for (schema, takes) in fields {
            let schema = serde_json::to_value(schema).expect("JSON");
            let pattern =
                regex::Regex::new(schema["pattern"].as_str().expect("a pattern")).expect("a regular expression");
            for c in ('\0'..'\u{3000}').chain('\u{fe00}'..'\u{ffff}') {
                let text = format!("x{c}x");
                assert_eq!(pattern.is_match(&text), takes(text.clone()), "{text:?} and {schema}");
            }
        }
        assert!(Endpoint::new("x".repeat(1024)).is_ok() && Endpoint::new("x".repeat(1025)).is_err());
        assert!(KeyText::new("").is_err() && Endpoint::new("").is_err());
    }
}
