//! Route selection expressions such as `$request.body.action`, which decide the route of a frame.

use serde_json::Value;

/// Checks that we can evaluate an expression. It must be `$request.body.<path>`, or text with any number of
/// `${request.body.<path>}`.
///
/// # Errors
/// The problem, in words for the template's author.
pub fn check(expression: &str) -> Result<(), String> {
    let single = expression.strip_prefix("$request.body.").is_some_and(|path| !path.contains('$'));
    if single || expression.split('$').skip(1).all(|rest| rest.starts_with("{request.body.") && rest.contains('}')) {
        return Ok(());
    }
    Err("only expressions over $request.body are supported, such as $request.body.action".to_owned())
}

/// The route key a frame asks for. `None` if the frame is not JSON or has nothing at that path: AWS then falls back to
/// `$default`.
pub fn evaluate(expression: &str, frame: &str) -> Option<String> {
    let body: Value = serde_json::from_str(frame).ok()?;
    if let Some(path) = expression.strip_prefix("$request.body.") {
        return lookup(&body, path);
    }
    let mut key = String::new();
    let mut rest = expression;
    while let Some((before, after)) = rest.split_once("${request.body.") {
        let (path, after) = after.split_once('}')?;
        key.push_str(before);
        key.push_str(&lookup(&body, path)?);
        rest = after;
    }
    key.push_str(rest);
    Some(key)
}

/// The value at a dotted path, as text. Null counts as missing.
fn lookup(body: &Value, path: &str) -> Option<String> {
    match path.split('.').try_fold(body, |value, name| value.get(name))? {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_action_chooses_the_route() {
        let key = |frame| evaluate("$request.body.action", frame);
        assert_eq!(key(r#"{"action":"ping"}"#).as_deref(), Some("ping"));
        assert_eq!(key(r#"{"action":7}"#).as_deref(), Some("7"));
        for frame in ["hello", "{}", "[]", r#"{"action":null}"#, "\"action\""] {
            assert_eq!(key(frame), None, "{frame}");
        }
    }

    #[test]
    fn expressions_may_be_composed_and_nested() {
        let frame = r#"{"a":{"b":"x"},"c":"y"}"#;
        assert_eq!(evaluate("${request.body.a.b}/${request.body.c}", frame).as_deref(), Some("x/y"));
        assert_eq!(evaluate("$request.body.a.b", frame).as_deref(), Some("x"));
        assert_eq!(evaluate("always", frame).as_deref(), Some("always"));
        for (expression, known) in [
            ("$request.body.a", true),
            ("${request.body.a}/${request.body.b}", true),
            ("always", true),
            ("a$request.body.a", false),
            ("$request.header.a", false),
            ("${request.body.a", false),
        ] {
            assert_eq!(check(expression).is_ok(), known, "{expression}");
        }
    }
}
