//! Catching up with `changes`, page by page.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::World;

#[tokio::test]
async fn a_client_catches_up_without_reading_anything_twice_or_missing_anything() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    for number in 1..=12 {
        alice.say(&chat_id, &format!("message {number}")).await;
    }
    alice.call(Method::PATCH, &format!("/messages/{chat_id}/3"), Some(json!({"text": "edited"}))).await;
    alice.call(Method::DELETE, &format!("/messages/{chat_id}/5"), None).await;
    alice.call(Method::PATCH, &format!("/chats/{chat_id}"), Some(json!({"name": "Renamed"}))).await;

    let (mut after, mut seen) = (0, Vec::new());
    loop {
        let page = bob.get(&format!("/chats/{chat_id}/changes?after={after}&limit=5")).await;
        assert_eq!(page["chat"]["name"], "Renamed");
        for message in page["messages"].as_array().unwrap() {
            assert!(message["revision"].as_i64().unwrap() > after);
            seen.push((message["id"].as_i64().unwrap(), message["text"].clone()));
        }
        after = page["revision"].as_i64().unwrap();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(after, 16, "one creation, twelve messages, an edit, a deletion, a new name");
    let mut ids: Vec<_> = seen.iter().map(|(id, _)| *id).collect();
    let changed = [(3, json!("edited")), (5, Value::Null), (13, Value::Null)];
    assert_eq!(seen[10..], changed, "changed messages are ordered by their change; the new name is the last");
    ids.sort_unstable();
    assert_eq!(ids, (1..=13).collect::<Vec<_>>());
    let nothing = bob.get(&format!("/chats/{chat_id}/changes?after={after}")).await;
    assert_eq!(
        (&nothing["messages"], &nothing["revision"], &nothing["has_more"]),
        (&json!([]), &json!(16), &json!(false))
    );
    // A client that is ahead, because the database was restored from an older copy, gets the true revision.
    let ahead = bob.get(&format!("/chats/{chat_id}/changes?after=99")).await;
    assert_eq!(ahead["revision"], 16);
    let (status, _) = bob.call(Method::GET, &format!("/chats/{chat_id}/changes?after=-1"), None).await;
    assert_eq!(status, 422);
}
