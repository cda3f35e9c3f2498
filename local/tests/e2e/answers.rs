//! What several tests read out of an answer.

use serde_json::Value;

use crate::harness::Person;

/// The status, and the code of an error or nothing.
pub fn code(answer: &(u16, Value)) -> (u16, &str) {
    (answer.0, answer.1["code"].as_str().unwrap_or_default())
}

/// The chat as it is in the person's list.
pub async fn listed(who: &Person, chat_id: &str) -> Value {
    let page = who.get("/chats").await;
    page["chats"].as_array().unwrap().iter().find(|chat| chat["id"] == chat_id).unwrap().clone()
}
