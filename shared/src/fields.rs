//! Validated input types and their limits. Their values never need a second check.
//!
//! Text is normalised on input, so that what looks the same is the same: names and e-mail addresses to Unicode's
//! composed form (NFC), the host of an e-mail address to what a browser would show, usernames to lower case, line
//! breaks to `\n`.

use serde::{Deserialize, Deserializer, Serialize};
use unicode_normalization::UnicodeNormalization as _;
use utoipa::openapi::{KnownFormat, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::characters::{breaks_a_line, has_controls, is_invisible, lines};
use crate::json::checked;
use crate::limits::{BREAKS, CONTROLS, CONTROLS_IN_LINES, Form, Limits, visible};

/// The longest message, in Unicode scalar values.
pub const MAX_TEXT_CHARS: usize = 4096;
/// The longest message, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 16 * 1024;
/// The longest idempotency key, in Unicode scalar values.
const MAX_KEY_CHARS: usize = 128;
/// The longest description of a group, in Unicode scalar values.
const MAX_DESCRIPTION_CHARS: usize = 500;
/// The longest search, in Unicode scalar values.
const MAX_WORDS_CHARS: usize = 200;
pub const MAX_GROUP_MEMBERS: usize = 1000;
/// How many emoji one person may react to a message with.
pub const MAX_CHOSEN_REACTIONS: usize = 3;
/// How many different emoji a message may have.
pub const MAX_REACTIONS: usize = 20;
/// How many links into a group may work at a time.
pub const MAX_INVITES: i64 = 20;
/// How many people somebody may block.
pub const MAX_BLOCKED: i64 = 1000;
/// How long a group may make its members wait between two messages, in seconds.
pub const MAX_SLOW_SECONDS: i32 = 3600;
/// How many messages of a chat may be pinned.
pub const MAX_PINS: usize = 20;
/// The longest emoji, in Unicode scalar values: a flag of tags has seven, a kiss of two people with skin tones ten.
const MAX_EMOJI_CHARS: usize = 16;
/// The longest e-mail address, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const MAX_EMAIL_BYTES: usize = 254;

pub(crate) fn length(text: &str, min: usize, max: usize) -> Result<(), String> {
    let chars = text.chars().count();
    if chars < min || chars > max {
        return Err(format!("must have {min} to {max} characters, has {chars}"));
    }
    Ok(())
}

pub(crate) fn plain(text: String, max: usize) -> Result<String, String> {
    if has_controls(&text) {
        return Err("must not contain control characters other than tab and newline".to_owned());
    }
    if text.chars().all(is_invisible) {
        return Err("must not be blank".to_owned());
    }
    length(&text, 1, max)?;
    Ok(text)
}

/// A text on one line, in NFC and without the space around it.
pub(crate) fn line(text: &str, max: usize) -> Result<String, String> {
    let text: String = text.trim().nfc().collect();
    if text.chars().any(breaks_a_line) {
        return Err("must not contain line breaks, tabs or marks that change the direction of text".to_owned());
    }
    plain(text, max)
}

macro_rules! field {
    ($(#[$doc:meta])* $name:ident, $limits:expr, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// # Errors
            /// Why the value is refused, for the person who typed it, as a sentence without its subject.
            pub fn new(value: impl Into<String>) -> Result<Self, String> {
                let check: fn(String) -> Result<String, String> = $check;
                check(value.into()).map(Self)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                checked(deserializer, Self::new)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                Limits::schema($limits)
            }
        }

        impl ToSchema for $name {}
    };
}
pub(crate) use field;

field!(
    /// The name of a person or a group: 1–100 characters on one line, NFC, surrounding space removed.
    Name,
    Limits {
        chars: (1, 100),
        form: Form::Pattern(visible(BREAKS)),
        description: "One line; stored in Unicode's composed form, without the space around it.",
    },
    |text| line(&text, 100)
);
field!(
    /// What a group is about: 1–500 characters.
    Description,
    Limits {
        chars: (1, MAX_DESCRIPTION_CHARS),
        form: Form::Pattern(visible(CONTROLS_IN_LINES)),
        description: "At least one visible character; line breaks are stored as \\n.",
    },
    |text| plain(lines(text.trim()), MAX_DESCRIPTION_CHARS)
);
field!(
    /// A message: 1–4,096 characters and at most 16 KB, kept as typed except for its line breaks, which become `\n`.
    MessageText,
    Limits {
        chars: (1, MAX_TEXT_CHARS),
        form: Form::Pattern(visible(CONTROLS_IN_LINES)),
        description: "At least one visible character; line breaks are stored as \\n.",
    },
    |text| {
        let text = lines(&text);
        if text.len() > MAX_TEXT_BYTES {
            return Err(format!("must have at most {MAX_TEXT_BYTES} bytes, has {}", text.len()));
        }
        plain(text, MAX_TEXT_CHARS)
    }
);
field!(
    /// The sender's idempotency key: 1–128 characters.
    ClientMessageId,
    Limits {
        chars: (1, MAX_KEY_CHARS),
        form: Form::Pattern(visible(CONTROLS)),
        description: "The sender's idempotency key: a send can be repeated with it at any time. A UUID will do.",
    },
    |text| plain(text, MAX_KEY_CHARS)
);
field!(
    /// One emoji that Unicode recommends for interchange, in its fully qualified form.
    Emoji,
    Limits {
        chars: (1, MAX_EMOJI_CHARS),
        form: Form::Any,
        description: "One emoji that Unicode recommends for interchange, such as \u{1f44d}.",
    },
    |text| emojis::get(&text).map(|emoji| emoji.as_str().to_owned()).ok_or_else(|| "must be one emoji".to_owned())
);
field!(
    /// Words to search for: 1–200 characters.
    Words,
    Limits { chars: (1, MAX_WORDS_CHARS), form: Form::Pattern(visible(CONTROLS)), description: "Words to search for." },
    |text| plain(text, MAX_WORDS_CHARS)
);
field!(
    /// A handle: 3–32 of `a-z 0-9 _ . -`, surrounding space removed, in lower case.
    Username,
    Limits {
        chars: (3, 32),
        form: Form::Pattern("^[A-Za-z0-9_.-]+$".to_owned()),
        description: "A handle; stored in lower case.",
    },
    |text| {
        let text = text.trim().to_ascii_lowercase();
        length(&text, 3, 32)?;
        if !text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_.-".contains(c)) {
            return Err("may only contain the letters a-z, digits, '_', '.' and '-'".to_owned());
        }
        Ok(text)
    }
);
field!(
    /// An e-mail address of at most 254 bytes: something, an @, a host. Only sending mail would show whether it exists.
    /// The part before the @ keeps its case; the host is in lower case and, if it is internationalised, in Unicode.
    Email,
    Limits {
        chars: (3, MAX_EMAIL_BYTES),
        form: Form::Format(KnownFormat::IdnEmail),
        description: "An e-mail address of at most 254 bytes; an internationalised host is stored in Unicode.",
    },
    |text| email(&text).ok_or_else(|| "is not an e-mail address".to_owned())
);

fn email(text: &str) -> Option<String> {
    let text: String = text.trim().nfc().collect();
    let (who, host) = text.split_once('@')?;
    if who.is_empty() || host.is_empty() || text.chars().any(is_invisible) {
        return None;
    }
    // Converted to ASCII and back, because `bücher.example`, `BÜCHER.example` and `xn--bcher-kva.example` are the same
    // host. A host may end with the dot of the root, which changes nothing.
    let host = idna::domain_to_ascii(host.strip_suffix('.').unwrap_or(host)).ok().filter(|host| !host.contains('@'))?;
    let (host, readable) = idna::domain_to_unicode(&host);
    let email = format!("{who}@{host}");
    (readable.is_ok() && email.len() <= MAX_EMAIL_BYTES).then_some(email)
}

/// A password as typed, 8–256 characters. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// A new password. There are no composition rules (ASVS 6.2.5); the upper limit keeps hashing cheap.
    ///
    /// # Errors
    /// Why the password is refused.
    pub fn new(value: impl Into<String>) -> Result<Self, String> {
        let value = value.into();
        length(&value, 8, 256)?;
        Ok(Self(value))
    }

    /// A password that somebody claims to have. One that breaks the rules for new passwords is merely wrong.
    ///
    /// # Errors
    /// If it is too long to be worth hashing.
    pub fn attempt(value: impl Into<String>) -> Result<Self, String> {
        let value = value.into();
        length(&value, 0, 256)?;
        Ok(Self(value))
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

impl PartialSchema for Password {
    fn schema() -> RefOr<Schema> {
        let description = "No rules but its length.";
        Limits { chars: (8, 256), form: Form::Any, description }.schema()
    }
}

impl ToSchema for Password {}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        checked(deserializer, Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field's schema, and whether it takes a value.
    type Field = (RefOr<Schema>, fn(String) -> bool);

    #[test]
    fn the_contracts_say_of_every_character_what_the_fields_do() {
        let fields: [Field; 5] = [
            (Name::schema(), |text| Name::new(text).is_ok()),
            (MessageText::schema(), |text| MessageText::new(text).is_ok()),
            (ClientMessageId::schema(), |text| ClientMessageId::new(text).is_ok()),
            (Words::schema(), |text| Words::new(text).is_ok()),
            (Username::schema(), |text| Username::new(text).is_ok()),
        ];
        for (schema, takes) in fields {
            let schema = serde_json::to_value(schema).expect("JSON");
            let pattern =
                regex::Regex::new(schema["pattern"].as_str().expect("a pattern")).expect("a regular expression");
            // Three of them, because a username cannot be shorter, and with something visible around, because space at
            // the ends may be dropped.
            // Nothing beyond these is special.
            for c in ('\0'..'\u{30000}').chain('\u{e0000}'..'\u{e2000}') {
                for text in [c.to_string().repeat(3), format!("x{c}x")] {
                    assert_eq!(pattern.is_match(&text), takes(text.clone()), "{text:?} and {schema}");
                }
            }
        }
    }

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
        for text in ["", "   ", "\n", "a\u{0}b", "a\u{7}", "\u{7f}x"] {
            assert!(MessageText::new(text).is_err(), "{text:?}");
        }
        assert!(MessageText::new("two\nlines\tand a tab").is_ok());
    }

    #[test]
    fn text_that_nobody_can_see_is_blank() {
        for text in ["\u{200b}", "\u{3164}", "\u{2800}", "\u{200d}", " \u{200b}\u{feff} ", "\u{fe0f}", "\u{e0020}"] {
            assert!(MessageText::new(text).is_err(), "{text:?}");
            assert!(Name::new(text).is_err(), "{text:?}");
        }
        for text in ["👩\u{200d}👩\u{200d}👧", "❤\u{fe0f}", "می\u{200c}خواهم", "한\u{3164}"] {
            assert!(MessageText::new(text).is_ok() && Name::new(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_message_is_kept_as_typed_but_for_its_line_breaks() {
        assert_eq!(MessageText::new("  indented ").expect("valid").as_str(), "  indented ");
        assert_eq!(MessageText::new("a\r\nb\rc\nd").expect("valid").as_str(), "a\nb\nc\nd");
    }

    #[test]
    fn a_name_is_one_line_that_runs_one_way() {
        for text in ["two\nlines", "a\ttab", "a\u{2028}b", "\u{202e}drowssap", "a\u{2066}b\u{2069}"] {
            assert!(Name::new(text).is_err(), "{text:?}");
        }
        assert!(Name::new("שלום Bob").is_ok());
    }

    #[test]
    fn composed_and_decomposed_letters_are_the_same() {
        assert_eq!(Name::new("Rene\u{301}").expect("valid"), Name::new("Ren\u{e9}").expect("valid"));
        assert_eq!(Email::new("rene\u{301}@example.com"), Email::new("ren\u{e9}@example.com"));
    }

    #[test]
    fn an_emoji_is_one_and_has_one_spelling() {
        for (text, stored) in
            [("👍", "👍"), ("❤", "❤\u{fe0f}"), ("👨\u{200d}👩\u{200d}👧", "👨\u{200d}👩\u{200d}👧"), ("🇩🇪", "🇩🇪")]
        {
            assert_eq!(Emoji::new(text).expect(text).as_str(), stored);
        }
        for text in ["", "a", "1", "👍👍", " 👍", "\u{1f1e9}", "<b>"] {
            assert!(Emoji::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn usernames_are_lowered_and_limited() {
        assert_eq!(Username::new(" Alice_1 ").expect("valid").as_str(), "alice_1");
        for text in ["al", "a b c", "ал", "a@b.c", &"x".repeat(33)] {
            assert!(Username::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_email_needs_one_at_sign_between_two_parts() {
        assert!(Email::new("a@b").is_ok());
        for text in ["", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\n.c", "a\u{200b}@b"] {
            assert!(Email::new(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn the_spellings_of_one_host_are_one_address() {
        let address = Email::new("Ann@bücher.example").expect("valid");
        assert_eq!(address.as_str(), "Ann@bücher.example");
        for text in [
            "Ann@BÜCHER.Example",
            "Ann@xn--bcher-kva.example",
            "Ann@bu\u{308}cher.example",
            " Ann@bücher.example ",
            "Ann@bücher.example.",
        ] {
            assert_eq!(Email::new(text).as_ref(), Ok(&address), "{text:?}");
        }
    }

    #[test]
    fn a_password_does_not_print() {
        assert_eq!(format!("{:?}", Password::new("correct horse").expect("valid")), "Password(..)");
    }
}
