//! Searching messages.

use reqwest::Method;
use serde_json::json;

use crate::harness::{World, text};

#[tokio::test]
async fn words_are_found_in_both_languages_and_only_in_ones_own_chats() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let with_bob = alice.private_chat(&bob).await;
    let with_eve = alice.private_chat(&eve).await;
    alice.say(&with_bob, "The meetings are at eight").await;
    alice.say(&with_bob, "Встреча в восемь, не опаздывайте").await;
    alice.say(&with_bob, "a secret for Bob").await;
    alice.say(&with_eve, "another meeting, for Eve").await;
    let found = async |who: &crate::harness::Person, query: &str| -> Vec<String> {
        let answer = who.get(&format!("/messages/search?{query}")).await;
        answer["messages"].as_array().unwrap().iter().map(|message| text(&message["text"])).collect()
    };
    assert_eq!(found(&bob, "q=meeting").await, ["The meetings are at eight"]);
    assert_eq!(found(&bob, "q=встречи").await, ["Встреча в восемь, не опаздывайте"]);
    assert_eq!(found(&alice, "q=meeting").await.len(), 2);
    assert_eq!(found(&alice, &format!("q=meeting&chat_id={with_eve}")).await, ["another meeting, for Eve"]);
    assert_eq!(found(&eve, "q=secret").await, Vec::<String>::new());
    assert_eq!(found(&bob, &format!("q={with_bob}")).await, Vec::<String>::new(), "a chat's id is not a word");
    for hostile in ["q='%26|!:*", "q=%22unclosed"] {
        found(&eve, hostile).await;
    }
    for too_common in ["q=the", "q=-the", "q=и", "q=!!!"] {
        assert_eq!(found(&alice, too_common).await, Vec::<String>::new(), "{too_common}");
    }
    // A deleted message is gone, and an edited one is found by its new words.
    alice.call(Method::DELETE, &format!("/messages/{with_bob}/1"), None).await;
    alice.call(Method::PATCH, &format!("/messages/{with_bob}/3"), Some(json!({"text": "a meeting for Bob"}))).await;
    assert_eq!(found(&bob, "q=meeting").await, ["a meeting for Bob"]);

    let (status, body) = eve.call(Method::GET, &format!("/messages/search?q=x&chat_id={with_bob}"), None).await;
    assert_eq!((status, &body["code"]), (404, &json!("chat_not_found")));
    assert_eq!(eve.call(Method::GET, "/messages/search?q=", None).await.0, 422);
}
