//! History, forwards, backwards and by offset.

use reqwest::Method;
use serde_json::json;

use crate::harness::{World, ids};

#[tokio::test]
async fn history_pages_forwards_backwards_and_by_offset() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    for number in 1..=25 {
        let sender = if number % 2 == 0 { &alice } else { &bob };
        sender.say(&chat_id, &format!("message {number}")).await;
    }
    let page = async |query: &str| {
        let page = bob.get(&format!("/messages/history/{chat_id}?{query}")).await;
        let ids = ids(page["messages"].as_array().unwrap());
        let ends = ids.first().copied().zip(ids.last().copied());
        assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:?}");
        (ends, page["has_more"].as_bool().unwrap())
    };
    assert_eq!(page("").await, (Some((1, 25)), false));
    assert_eq!(page("limit=10").await, (Some((1, 10)), true));
    assert_eq!(page("limit=10&offset=10").await, (Some((11, 20)), true));
    assert_eq!(page("limit=10&offset=20").await, (Some((21, 25)), false));
    assert_eq!(page("limit=5&after=20").await, (Some((21, 25)), false));
    assert_eq!(page("limit=5&after=19").await, (Some((20, 24)), true));
    assert_eq!(page("limit=10&before=26").await, (Some((16, 25)), true));
    assert_eq!(page("limit=10&before=9223372036854775807").await, (Some((16, 25)), true));
    assert_eq!(page("limit=10&before=11").await, (Some((1, 10)), false));
    assert_eq!(page("limit=10&before=12").await, (Some((2, 11)), true));
    for nothing in ["offset=25", "after=9223372036854775807", "before=1", "before=0"] {
        assert_eq!(page(nothing).await, (None, false), "{nothing}");
    }
}

#[tokio::test]
async fn a_page_that_makes_no_sense_is_refused() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    for query in ["limit=0", "limit=101", "limit=x", "offset=-1", "before=1.5", "after=1&before=3", "limit="] {
        let (status, body) = alice.call(Method::GET, &format!("/messages/history/{chat_id}?{query}"), None).await;
        assert_eq!((status, &body["code"]), (422, &json!("invalid_field")), "{query}");
    }
}

#[tokio::test]
async fn a_message_is_read_when_somebody_else_has_read_that_far() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "one").await;
    assert_eq!(alice.history(&chat_id).await[0]["is_read"], false);
    // Whoever answers has read everything above.
    bob.say(&chat_id, "two").await;
    let read: Vec<_> = alice.history(&chat_id).await.iter().map(|message| message["is_read"].clone()).collect();
    assert_eq!(read, [json!(true), json!(false)]);
}

#[tokio::test]
async fn the_newest_page_needs_no_number() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let newest = async |query: &str| bob.get(&format!("/messages/history/{chat_id}?before=latest{query}")).await;
    assert_eq!(newest("").await["messages"], json!([]));
    for words in ["one", "two", "three"] {
        alice.say(&chat_id, words).await;
    }
    let page = newest("&limit=2").await;
    assert_eq!((ids(page["messages"].as_array().unwrap()), &page["has_more"]), (vec![2, 3], &json!(true)));
    let page = newest("").await;
    assert_eq!((ids(page["messages"].as_array().unwrap()), &page["has_more"]), (vec![1, 2, 3], &json!(false)));
    let wrong = format!("/messages/history/{chat_id}?before=newest");
    assert_eq!(bob.call(Method::GET, &wrong, None).await.0, 422);
}
