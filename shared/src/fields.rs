//! What a person may type, and its limits. Each type has one way in; past it nobody checks again.

use serde::{Deserialize, Deserializer, Serialize};

use crate::json::checked;

/// The longest message, in Unicode scalar values.
pub const MAX_TEXT_CHARS: usize = 4096;
/// The longest message, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;
/// The most members a group may have.
pub const MAX_GROUP_MEMBERS: usize = 1000;

/// U+0000 (which PostgreSQL cannot store) and the other C0 controls, but for tab and newline, have no place in text.
fn has_controls(text: &str) -> bool {
    text.chars().any(|c| (c < ' ' && c != '\n' && c != '\t') || c == '\u{7f}')
}

fn length(text: &str, min: usize, max: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars < min || chars > max {
        return Err(format!("must have {min} to {max} characters, has {chars}"));
    }
    Ok(())
}

fn plain(text: String, max: usize) -> Result<String, String> {
    if has_controls(&text) {
        return Err("must not contain control characters other than tab and newline".to_owned());
    }
    if text.trim().is_empty() {
        return Err("must not be blank".to_owned());
    }
    length(&text, 1, max)?;
    Ok(text)
}

macro_rules! field {
    ($(#[$doc:meta])* $name:ident, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The one way in.
            ///
            /// # Errors
            /// Why the value is refused, as a sentence for the person who typed it.
            pub fn new(value: impl Into<String>) -> Result<Self, String> {
                let check: fn(String) -> Result<String, String> = $check;
                check(value.into()).map(Self)
            }

            /// The checked text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                checked(deserializer, Self::new)
            }
        }
    };
}

field!(
    /// The name of a person or a group: 1–100 characters, surrounding space removed.
    Name,
    |text| plain(text.trim().to_owned(), 100)
);
field!(
    /// A message: 1–4,096 characters and at most 16 KB, kept exactly as typed.
    MessageText,
    |text| {
        if text.len() > MAX_TEXT_BYTES {
            return Err(format!("must have at most {MAX_TEXT_BYTES} bytes, has {}", text.len()));
        }
        plain(text, MAX_TEXT_CHARS)
    }
);
field!(
    /// The sender's idempotency key: 1–128 characters of any kind but controls.
    ClientMessageId,
    |text| plain(text, 128)
);
field!(
    /// A handle: 3–32 of `a-z 0-9 _ . -`, stored in lower case.
    Username,
    |text| {
        let text = text.to_ascii_lowercase();
        length(&text, 3, 32)?;
        if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c)) {
            return Err("may only contain letters a-z, digits, '_', '.' and '-'".to_owned());
        }
        Ok(text)
    }
);
field!(
    /// An e-mail address: something, an @, something; whether it exists only a mail could tell.
    Email,
    |text| {
        let text = text.trim().to_owned();
        let good = text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && matches!(text.split_once('@'), Some((who, host)) if !who.is_empty() && !host.is_empty() && !host.contains('@'));
        if good { Ok(text) } else { Err("is not an e-mail address".to_owned()) }
    }
);

/// A password as typed: 8–256 characters. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The one way in for a new password. No composition rules (ASVS 6.2.5); the upper limit keeps hashing cheap.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn new(value: impl Into<String>) -> Result<Self, String> {
        let value = value.into();
        length(&value, 8, 256)?;
        Ok(Self(value))
    }

    /// A password somebody claims to have: anything up to the limit, for a wrong one is simply wrong.
    ///
    /// # Errors
    /// Only for one too long to be worth hashing.
    pub fn attempt(value: impl Into<String>) -> Result<Self, String> {
        let value = value.into();
        length(&value, 0, 256)?;
        Ok(Self(value))
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked(deserializer, Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_hold_at_their_edges() {
        assert!(MessageText::new("x".repeat(4096)).is_ok());
        assert!(MessageText::new("x".repeat(4097)).is_err());
        assert!(MessageText::new("😀".repeat(4096)).is_ok(), "16 KB exactly");
        assert!(Name::new("n".repeat(100)).is_ok());
        assert!(Name::new("n".repeat(101)).is_err());
        assert!(ClientMessageId::new("k".repeat(128)).is_ok());
        assert!(ClientMessageId::new("k".repeat(129)).is_err());
        assert!(Password::new("1234567").is_err());
        assert!(Password::new("12345678").is_ok());
        assert!(Password::new("p".repeat(257)).is_err());
    }

    #[test]
    fn controls_and_blanks_are_refused() {
        for text in ["", "   ", "\n", "a\u{0}b", "a\u{7}", "a\rb", "\u{7f}x"] {
            assert!(MessageText::new(text).is_err(), "{text:?}");
        }
        assert!(MessageText::new("two\nlines\tand a tab").is_ok());
    }

    #[test]
    fn a_message_is_kept_as_typed() {
        assert_eq!(MessageText::new("  indented ").expect("valid").as_str(), "  indented ");
    }

    #[test]
    fn usernames_are_lowered_and_limited() {
        assert_eq!(Username::new("Alice_1").expect("valid").as_str(), "alice_1");
        for text in ["al", "a b c", "ал", "a@b.c", &"x".repeat(33)] {
            assert!(Username::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_email_needs_one_at_sign_between_two_parts() {
        assert!(Email::new("a@b").is_ok());
        for text in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\n.c"] {
            assert!(Email::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_password_does_not_print() {
        assert_eq!(format!("{:?}", Password::new("correct horse").expect("valid")), "Password(..)");
    }
}
