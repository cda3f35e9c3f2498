//! Explains in the client's words why its JSON was refused.
//!
//! `serde` and `serde_json` give their reasons only as English text, in Rust vocabulary ("expected i64", "invalid type:
//! sequence"). These texts have been stable for years. A text that is not recognised here is passed on unchanged, which
//! is less readable but still correct.

/// Why a text is not JSON, and where, if that helps.
pub(super) fn malformed(error: &serde_json::Error) -> String {
    let (reason, position) = split_position(error);
    let (reason, located) = match reason.as_str() {
        "expected value" | "expected ident" => ("a JSON value is expected", true),
        "trailing characters" => ("something follows after its end", true),
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => (
            "an escape such as \\ud83d is half of a surrogate pair, and its other half is missing; send both halves, or the \
             character itself",
            true,
        ),
        "control character (\\u0000-\\u001F) found while parsing a string" => {
            ("a control character in a string must be escaped", true)
        }
        "invalid unicode code point" => ("a string is not UTF-8", true),
        "recursion limit exceeded" => ("it is nested too deeply", false),
        "number out of range" => ("a number is too large", true),
        reason if reason.starts_with("EOF ") => ("it ends too early", false),
        reason => (reason, true),
    };
    if located { format!("{reason}{position}") } else { reason.to_owned() }
}

/// Why JSON is not what was expected. Returns the field's name, if the reason is about a field that the parser has not
/// entered, and a sentence without its subject.
pub(super) fn invalid(error: &serde_json::Error) -> (Option<String>, String) {
    let (text, _) = split_position(error);
    if let Some(rest) = text.strip_prefix("missing field ") {
        return (quoted(rest).first().map(|name| (*name).to_owned()), "is required".to_owned());
    }
    if let Some(rest) = text.strip_prefix("duplicate field ") {
        return (quoted(rest).first().map(|name| (*name).to_owned()), "is given twice".to_owned());
    }
    if let Some(rest) = text.strip_prefix("unknown field ") {
        let names = quoted(rest);
        let (name, known) = names.split_first().map_or((None, &[][..]), |(name, known)| (Some(*name), known));
        let reason = match known {
            [] => "is not a field here; there are none".to_owned(),
            [only] => format!("is not a field here; the only field is {only}"),
            known => format!("is not a field here; the fields are {}", known.join(", ")),
        };
        return (name.map(str::to_owned), reason);
    }
    if let Some(rest) = text.strip_prefix("unknown variant ") {
        let names = quoted(rest);
        return (None, format!("must be {}", names.get(1..).unwrap_or_default().join(" or ")));
    }
    if let Some((found, wanted)) = text.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        // A whole number that does not fit into 64 bits has been read as a floating-point number.
        let number: Option<f64> = quoted(found).first().and_then(|number| number.parse().ok());
        if number.is_some_and(|number| number.abs() >= i64::MAX as f64) {
            return (None, "is too large a number".to_owned());
        }
        return (None, format!("must be {}, not {}", expected(wanted), given(found)));
    }
    if text.strip_prefix("invalid value: ").is_some_and(|rest| rest.starts_with("integer") || rest.starts_with("float"))
    {
        return (None, "is too large a number".to_owned());
    }
    if text.starts_with("UUID parsing failed") {
        return (None, "must be a UUID".to_owned());
    }
    (None, text)
}

/// The parts of a text between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn given(found: &str) -> &str {
    match found.split([' ', '`']).next().unwrap_or_default() {
        "string" => "text",
        "integer" => "a number",
        "floating" => "a fraction",
        "boolean" => "true or false",
        "sequence" => "an array",
        "map" => "an object",
        "unit" => "null",
        _ => found,
    }
}

fn expected(wanted: &str) -> &str {
    match wanted {
        "i64" | "u64" | "i32" | "u32" | "usize" => "a whole number",
        "a string" | "a borrowed string" => "text",
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a formatted UUID string" | "a UUID string" | "UUID string" => "a UUID",
        wanted if wanted.starts_with("struct ") || wanted == "a map" => "an object",
        wanted if wanted.starts_with("enum ") || wanted.contains("variant") => "text",
        wanted => wanted,
    }
}

/// Splits an error's text from the " at line 1 column 17" at its end.
fn split_position(error: &serde_json::Error) -> (String, String) {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) if error.line() > 0 => (text[..end].to_owned(), text[end..].to_owned()),
        _ => (text, String::new()),
    }
}
