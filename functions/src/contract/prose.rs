//! What `docs/protocol.md` says: examples, and when each error is sent.

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The kind and the text of every example: the fenced blocks that begin with <code>```json kind</code>.
pub fn all_examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    let blocks = DOCUMENT.split("```json ").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.filter_map(|block| block.split_once('\n'))
}

/// The examples of a kind. A test reads each with its type.
pub fn examples(kind: &str) -> Vec<Value> {
    let texts = all_examples().filter(|(other, _)| *other == kind);
    texts.filter_map(|(_, text)| serde_json::from_str(text).ok()).collect()
}

/// When an error is sent, from the table of errors; empty if it is not in it, which a test would find.
pub fn meaning(code: &str) -> &'static str {
    let code = format!("`{code}`");
    let row = DOCUMENT
        .lines()
        .find(|line| line.starts_with("| ") && line.split('|').nth(2).is_some_and(|cell| cell.contains(&code)));
    row.and_then(|row| row.split('|').nth(3)).map_or("", str::trim)
}
