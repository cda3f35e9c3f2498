//! `docs/protocol.md` is parsed with the real types, example by example.

use serde::de::DeserializeOwned;
use serde_json::Value;
use windi_functions::login::TokenPair;
use windi_functions::register::Registration;
use windi_shared::protocol::{Account, Changes, Chat, ChatSummary, ClientFrame, ErrorBody, Message, Reply};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// The fenced examples with their kinds.
fn examples() -> Vec<(&'static str, &'static str)> {
    let mut found = Vec::new();
    let mut rest = DOCUMENT;
    while let Some((_, after)) = rest.split_once("```json ") {
        let (kind, after) = after.split_once('\n').unwrap();
        let (example, after) = after.split_once("```").unwrap();
        found.push((kind, example));
        rest = after;
    }
    found
}

fn parses<T: DeserializeOwned>(example: &str) -> Result<(), String> {
    serde_json::from_str::<T>(example).map(|_| ()).map_err(|e| e.to_string())
}

#[test]
fn every_example_is_what_it_says() {
    let examples = examples();
    assert!(examples.len() >= 29, "examples were lost: {}", examples.len());
    for (kind, example) in examples {
        let outcome = match kind {
            "account" => parses::<Account>(example),
            "changes" => parses::<Changes>(example),
            "chat" => parses::<Chat>(example),
            "chat_summary" => parses::<ChatSummary>(example),
            "client" => ClientFrame::parse(example).map(|_| ()).map_err(|e| e.to_string()),
            "error" => parses::<ErrorBody>(example),
            "message" => parses::<Message>(example),
            "register" => parses::<Registration>(example),
            "server" => server_frame(example),
            "tokens" => parses::<TokenPair>(example),
            kind => Err(format!("unknown kind {kind}")),
        };
        assert_eq!(outcome, Ok(()), "{kind}: {example}");
    }
}

/// Read and written again, nothing may be lost: the example has no field that the type does not.
fn server_frame(example: &str) -> Result<(), String> {
    let frame: Reply = serde_json::from_str(example).map_err(|e| e.to_string())?;
    let written = serde_json::to_value(frame).map_err(|e| e.to_string())?;
    let example: Value = serde_json::from_str(example).map_err(|e| e.to_string())?;
    if written == example { Ok(()) } else { Err(format!("is written as {written}")) }
}
