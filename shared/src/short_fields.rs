//! Short texts that people write in a form: what they say about themselves, and why they report a message.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::characters::lines;
use crate::fields::{field, line, plain};
use crate::json::checked;
use crate::limits::{BREAKS, CONTROLS_IN_LINES, Form, Limits, visible};

/// The most that people say about themselves, in Unicode scalar values.
const MAX_ABOUT_CHARS: usize = 200;
/// The longest reason for a report, in Unicode scalar values.
const MAX_REASON_CHARS: usize = 500;

field!(
    /// What somebody says about themselves: 1–200 characters on one line, NFC, surrounding space removed.
    About,
    Limits {
        chars: (1, MAX_ABOUT_CHARS),
        form: Form::Pattern(visible(BREAKS)),
        description: "One line; stored in Unicode's composed form, without the space around it.",
    },
    |text| line(&text, MAX_ABOUT_CHARS)
);
field!(
    /// Why somebody reports a message: 1–500 characters.
    Reason,
    Limits {
        chars: (1, MAX_REASON_CHARS),
        form: Form::Pattern(visible(CONTROLS_IN_LINES)),
        description: "At least one visible character; line breaks are stored as \\n.",
    },
    |text| plain(lines(text.trim()), MAX_REASON_CHARS)
);

#[cfg(test)]
mod tests {
    use super::{About, MAX_ABOUT_CHARS};

    #[test]
    fn people_say_one_line_about_themselves() {
        assert_eq!(About::new(" Cafe\u{301} ").expect("valid").as_str(), "Caf\u{e9}");
        assert!(About::new("x".repeat(MAX_ABOUT_CHARS)).is_ok());
        for text in ["", " ", "two\nlines", "\u{202e}x", &"x".repeat(MAX_ABOUT_CHARS + 1)] {
            assert!(About::new(text).is_err(), "{text:?}");
        }
    }
}
