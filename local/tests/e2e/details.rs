//! What a message has besides its text: replies, forwards, reactions, mentions, pins, service entries, and what of it counts as
//! unread.

use reqwest::Method;
use serde_json::{Value, json};

use crate::answers::{code, listed};
use crate::harness::{Device, Person, World, text};

async fn react(who: &Person, chat_id: &str, id: i64, emoji: &[&str]) -> (u16, Value) {
    who.call(Method::PUT, &format!("/messages/{chat_id}/{id}/reactions"), Some(json!({"reactions": emoji}))).await
}

async fn forward(who: &Person, from: (&str, i64), to: &str, key: &str) -> (u16, Value) {
    let body = json!({"chat_id": to, "client_message_id": key});
    who.post(&format!("/messages/{}/{}/forward", from.0, from.1), body).await
}

async fn reply(who: &Person, chat_id: &str, to: i64, words: &str, key: &str) -> (u16, Value) {
    let body = json!({"chat_id": chat_id, "text": words, "reply_to_id": to, "client_message_id": key});
    who.post("/messages", body).await
}

#[tokio::test]
async fn a_reply_quotes_what_was_said_then_whatever_becomes_of_it() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, &format!("At eight? {}", "😀".repeat(300))).await;
    let mut alices = alice.device().await;
    let (status, sent) = reply(&bob, &chat_id, 1, "Yes", "k").await;
    let quote = json!({"id": 1, "sender_id": alice.id, "text": format!("At eight? {}", "😀".repeat(190))});
    assert_eq!((status, &sent["reply_to"]), (201, &quote));
    assert_eq!(alices.next_of("new_message").await["data"], sent);

    alice.call(Method::PATCH, &format!("/messages/{chat_id}/1"), Some(json!({"text": "At nine?"}))).await;
    alice.call(Method::DELETE, &format!("/messages/{chat_id}/1"), None).await;
    assert_eq!(alice.history(&chat_id).await[1]["reply_to"], quote);
    // A retry finds the reply although nobody could write it any more, and the quote is part of what was sent.
    assert_eq!(reply(&bob, &chat_id, 1, "Yes", "k").await, (200, sent));
    assert_eq!(code(&reply(&bob, &chat_id, 2, "Yes", "k").await), (409, "idempotency_conflict"));
    assert_eq!(code(&reply(&bob, &chat_id, 1, "Yes", "other").await), (409, "message_deleted"));
    assert_eq!(code(&reply(&bob, &chat_id, 7, "Yes", "other").await), (404, "message_not_found"));
    assert_eq!(bob.say(&chat_id, "next").await["id"], 3, "a refused reply takes no number");

    // Over the socket it is the same.
    let data = json!({"chat_id": chat_id, "text": "Fine", "reply_to_id": 2});
    alices.send(json!({"action": "sendMessage", "request_id": "r", "data": data})).await;
    let mut told = alices.next_of("new_message").await;
    while told["request_id"] != "r" {
        told = alices.next_of("new_message").await;
    }
    assert_eq!(told["data"]["reply_to"], json!({"id": 2, "sender_id": bob.id, "text": "Yes"}));
}

#[tokio::test]
async fn a_forward_has_the_words_and_the_author_and_says_nothing_of_the_chat() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let with_bob = alice.private_chat(&bob).await;
    let with_charlie = alice.private_chat(&charlie).await;
    let original = bob.say(&with_bob, "Meet at eight").await;
    let (status, copy) = forward(&alice, (&with_bob, 1), &with_charlie, "k").await;
    let origin = json!({"user_id": bob.id, "timestamp": original["timestamp"]});
    assert_eq!((status, &copy["text"], &copy["forwarded_from"]), (201, &json!("Meet at eight"), &origin));
    assert_eq!((&copy["sender_id"], &copy["chat_id"]), (&json!(alice.id), &json!(with_charlie)));
    assert!(!copy.to_string().contains(&with_bob));
    // A forward of a forward names the first author.
    let (_, again) = forward(&charlie, (&with_charlie, 1), &with_charlie, "k").await;
    assert_eq!(again["forwarded_from"], origin);
    // A retry finds the copy, whatever has become of the original.
    bob.call(Method::DELETE, &format!("/messages/{with_bob}/1"), None).await;
    let (status, found) = forward(&alice, (&with_bob, 1), &with_charlie, "k").await;
    assert_eq!((status, &found["id"], &found["text"]), (200, &json!(1), &json!("Meet at eight")));
    assert_eq!(code(&forward(&alice, (&with_bob, 1), &with_charlie, "other").await), (409, "message_deleted"));
    assert_eq!(code(&forward(&alice, (&with_bob, 9), &with_charlie, "other").await), (404, "message_not_found"));
    assert_eq!(code(&forward(&charlie, (&with_bob, 1), &with_charlie, "other").await), (404, "chat_not_found"));
    assert_eq!(code(&forward(&bob, (&with_bob, 1), &with_charlie, "other").await), (404, "chat_not_found"));
    let edit = alice.call(Method::PATCH, &format!("/messages/{with_charlie}/1"), Some(json!({"text": "x"}))).await;
    assert_eq!(code(&edit), (403, "forbidden"), "nobody puts words into another's mouth");
}

#[tokio::test]
async fn reactions_are_a_small_set_of_each_person_and_counted_for_all() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "Done").await;
    let mut alices = alice.device().await;

    let (status, message) = react(&bob, &chat_id, 1, &["👍", "❤", "👍"]).await;
    let counted = json!([{"emoji": "👍", "count": 1}, {"emoji": "❤️", "count": 1}]);
    assert_eq!((status, &message["reactions"], &message["revision"]), (200, &counted, &json!(3)));
    assert_eq!(message["my_reactions"].as_array().unwrap().len(), 2);
    let told = alices.next_of("message_reacted").await["data"].clone();
    assert_eq!((&told["by"], &told["message_id"], &told["revision"]), (&json!(bob.id), &json!(1), &json!(3)));
    assert_eq!((&told["reactions"], &told["chosen"]), (&counted, &message["my_reactions"]));
    // The same again changes nothing.
    assert_eq!(react(&bob, &chat_id, 1, &["❤️", "👍"]).await, (200, message));

    let (_, message) = react(&alice, &chat_id, 1, &["👍"]).await;
    assert_eq!(message["reactions"][0], json!({"emoji": "👍", "count": 2}));
    assert_eq!(message["my_reactions"], json!(["👍"]));
    react(&bob, &chat_id, 1, &[]).await;
    for who in [&alice, &bob] {
        let message = &who.history(&chat_id).await[0];
        let changes = who.get(&format!("/chats/{chat_id}/changes?after=3")).await;
        assert_eq!(&changes["messages"][0], message);
        assert_eq!(message["reactions"], json!([{"emoji": "👍", "count": 1}]));
        assert_eq!(message["my_reactions"], if who.id == alice.id { json!(["👍"]) } else { json!([]) });
        assert_eq!(&listed(who, &chat_id).await["last_message"], message);
    }
    // An edit is told to everybody alike, so without anybody's own.
    alice.call(Method::PATCH, &format!("/messages/{chat_id}/1"), Some(json!({"text": "Really done"}))).await;
    let edited = alices.next_of("message_edited").await["data"].clone();
    assert_eq!((edited["reactions"].as_array().unwrap().len(), edited.get("my_reactions")), (1, None));

    assert_eq!(code(&react(&bob, &chat_id, 1, &["👍", "❤", "🎉", "😀"]).await), (422, "invalid_field"));
    assert_eq!(code(&react(&bob, &chat_id, 1, &["ok"]).await), (422, "invalid_field"));
    assert_eq!(code(&react(&bob, &chat_id, 2, &["👍"]).await), (404, "message_not_found"));
    alice.call(Method::DELETE, &format!("/messages/{chat_id}/1"), None).await;
    assert_eq!(alice.history(&chat_id).await[0].get("reactions"), None);
    assert_eq!(code(&react(&bob, &chat_id, 1, &["👍"]).await), (409, "message_deleted"));
}

#[tokio::test]
async fn a_message_has_twenty_different_reactions_at_most() {
    let world = World::new().await;
    let names: Vec<String> = (0..7).map(|n| format!("person{n}")).collect();
    let mut people = Vec::new();
    for name in &names {
        people.push(world.person(name).await);
    }
    let chat_id = people[0].group("Friends", &people[1..].iter().collect::<Vec<_>>()).await;
    people[0].say(&chat_id, "Vote").await;
    let emoji: Vec<String> = (0..21).map(|n| char::from_u32(0x1f400 + n).unwrap().to_string()).collect();
    for (person, chosen) in people.iter().zip(emoji.chunks(3)) {
        let chosen: Vec<_> = chosen.iter().map(String::as_str).collect();
        let answer = react(person, &chat_id, 1, &chosen).await;
        assert_eq!(code(&answer), if person.id == people[6].id { (409, "too_many_reactions") } else { (200, "") });
    }
    let counted = people[0].history(&chat_id).await[0]["reactions"].clone();
    let counted: Vec<_> = counted.as_array().unwrap().iter().map(|reaction| text(&reaction["emoji"])).collect();
    assert_eq!(counted, emoji[..18], "in the order in which they first occurred; a refused one leaves nothing");
}

#[tokio::test]
async fn members_are_mentioned_by_their_usernames_and_strangers_are_not() {
    let world = World::new().await;
    let [alice, bob, charlie, _eve] = world.people(["alice", "bob", "charlie", "eve"]).await;
    let chat_id = alice.group("Friends", &[&bob, &charlie]).await;
    let sent = alice.say(&chat_id, "@Bob, @eve and @nobody: mail bob@example.com").await;
    assert_eq!(sent["mentions"], json!([bob.id]));
    assert_eq!(alice.say(&chat_id, "nobody at all").await.get("mentions"), None);
    alice.say(&chat_id, "Ask @bob.").await;
    assert_eq!(listed(&bob, &chat_id).await["unread_mentions"], 2);
    assert_eq!(listed(&charlie, &chat_id).await["unread_mentions"], 0);
    // An edit can mention others, and a deletion mentions nobody.
    let edit = json!({"text": "@charlie, not @eve"});
    let (_, edited) = alice.call(Method::PATCH, &format!("/messages/{chat_id}/1"), Some(edit)).await;
    assert_eq!(edited["mentions"], json!([charlie.id]));
    assert_eq!(listed(&bob, &chat_id).await["unread_mentions"], 1);
    assert_eq!(listed(&charlie, &chat_id).await["unread_mentions"], 1);
    assert_eq!(bob.get("/chats/unread").await, json!({"unread_count": 3, "unread_chats": 1, "unread_mentions": 1}));
    alice.call(Method::DELETE, &format!("/messages/{chat_id}/3"), None).await;
    assert_eq!(bob.get("/chats/unread").await, json!({"unread_count": 2, "unread_chats": 1, "unread_mentions": 0}));
    // What has been read no longer counts.
    charlie.post(&format!("/messages/{chat_id}/2/read"), Value::Null).await;
    assert_eq!(charlie.get("/chats/unread").await, json!({"unread_count": 0, "unread_chats": 0, "unread_mentions": 0}));
}

#[tokio::test]
async fn pins_are_part_of_the_chat_and_told_to_everybody() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    for number in 1..=21 {
        alice.say(&chat_id, &format!("message {number}")).await;
    }
    let mut bobs = bob.device().await;
    let pin = |method: Method, id: i64| {
        let alice = &alice;
        let path = format!("/messages/{chat_id}/{id}/pin");
        async move { alice.call(method, &path, None).await }
    };
    let (status, chat) = pin(Method::PUT, 2).await;
    assert_eq!((status, &chat["pinned_message_ids"], &chat["revision"]), (200, &json!([2]), &json!(23)));
    let told = bobs.next_of("chat_updated").await["data"].clone();
    assert_eq!((&told["chat"]["pinned_message_ids"], &told["revision"]), (&json!([2]), &json!(23)));
    assert_eq!(told["entry"]["event"], json!({"type": "message_pinned", "message_id": 2}));
    assert_eq!(pin(Method::PUT, 2).await, (200, chat), "once more changes nothing");
    pin(Method::PUT, 1).await;
    assert_eq!(listed(&bob, &chat_id).await["pinned_message_ids"], json!([2, 1]));
    let (_, chat) = pin(Method::DELETE, 2).await;
    assert_eq!(chat["pinned_message_ids"], json!([1]));
    // Whoever deletes a message unpins it.
    alice.call(Method::DELETE, &format!("/messages/{chat_id}/1"), None).await;
    assert_eq!(bob.get(&format!("/chats/{chat_id}")).await.get("pinned_message_ids"), None);
    assert_eq!(code(&pin(Method::PUT, 1).await), (409, "message_deleted"));
    assert_eq!(code(&pin(Method::PUT, 22).await), (403, "forbidden"), "a service entry");
    for id in 2..=21 {
        assert_eq!(pin(Method::PUT, id).await.0, 200);
    }
    let more = alice.say(&chat_id, "one more").await["id"].as_i64().unwrap();
    assert_eq!(code(&pin(Method::PUT, more).await), (409, "too_many_pins"));
    // In a private chat, both may.
    let private = bob.private_chat(&alice).await;
    alice.say(&private, "hello").await;
    assert_eq!(bob.call(Method::PUT, &format!("/messages/{private}/1/pin"), None).await.0, 200);
}

#[tokio::test]
async fn a_groups_history_tells_what_has_happened() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    let mut alices: Device = alice.device().await;
    let members = format!("/chats/{chat_id}/members");
    alice.post(&members, json!({"user_id": charlie.id})).await;
    alice.call(Method::PATCH, &format!("{members}/{}", bob.id), Some(json!({"role": "owner"}))).await;
    bob.call(Method::PATCH, &format!("/chats/{chat_id}"), Some(json!({"name": "Best friends"}))).await;
    bob.call(Method::DELETE, &format!("{members}/{}", charlie.id), None).await;
    bob.call(Method::DELETE, &format!("{members}/{}", bob.id), None).await;
    let history = alice.history(&chat_id).await;
    let told: Vec<_> = history.iter().map(|entry| (text(&entry["sender_id"]), entry["event"].clone())).collect();
    let expected = [
        (&alice, json!({"type": "member_added", "user_id": charlie.id})),
        (&alice, json!({"type": "role_changed", "user_id": bob.id, "role": "owner"})),
        (&alice, json!({"type": "role_changed", "user_id": alice.id, "role": "admin"})),
        (&bob, json!({"type": "group_renamed", "name": "Best friends"})),
        (&bob, json!({"type": "member_removed", "user_id": charlie.id})),
        (&bob, json!({"type": "role_changed", "user_id": alice.id, "role": "owner"})),
        (&bob, json!({"type": "member_left"})),
    ];
    assert_eq!(told, expected.map(|(who, event)| (who.id.clone(), event)));
    assert!(history.iter().all(|entry| entry["kind"] == "service" && entry["text"].is_null()));
    // Each is in the frame of its change, with the same revision.
    let frames = alices.drain().await;
    let entries: Vec<_> = frames.iter().filter(|frame| frame["data"]["entry"].is_object()).collect();
    assert!(entries.iter().all(|frame| frame["data"]["entry"]["revision"] == frame["data"]["revision"]));
    assert_eq!(entries.iter().map(|frame| frame["data"]["entry"].clone()).collect::<Vec<_>>(), history);
    // Nobody has said it, so nothing can be done to it.
    for attempt in [
        react(&alice, &chat_id, 1, &["👍"]).await,
        reply(&alice, &chat_id, 1, "x", "k").await,
        forward(&alice, (&chat_id, 1), &chat_id, "k").await,
        alice.call(Method::DELETE, &format!("/messages/{chat_id}/1"), None).await,
        alice.call(Method::PATCH, &format!("/messages/{chat_id}/1"), Some(json!({"text": "x"}))).await,
    ] {
        assert_eq!(code(&attempt), (403, "forbidden"));
    }
}

#[tokio::test]
async fn only_words_count_as_unread() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    for words in ["one", "two", "three"] {
        alice.say(&chat_id, words).await;
    }
    let members = format!("/chats/{chat_id}/members");
    alice.post(&members, json!({"user_id": charlie.id})).await;
    alice.call(Method::DELETE, &format!("/messages/{chat_id}/2"), None).await;
    let unread = async |who: &Person| listed(who, &chat_id).await["unread_count"].clone();
    assert_eq!(unread(&bob).await, 2, "of three messages and an entry, one was deleted");
    assert_eq!(unread(&charlie).await, 0, "a new member starts with everything read");
    alice.say(&chat_id, "four").await;
    assert_eq!((unread(&bob).await, unread(&charlie).await), (json!(3), json!(1)));
    assert_eq!(bob.get("/chats/unread").await["unread_count"], 3);
    // Whoever comes back goes on where they left.
    bob.post(&format!("/messages/{chat_id}/1/read"), Value::Null).await;
    alice.call(Method::DELETE, &format!("{members}/{}", bob.id), None).await;
    alice.say(&chat_id, "five").await;
    alice.post(&members, json!({"user_id": bob.id})).await;
    assert_eq!((unread(&bob).await, &listed(&bob, &chat_id).await["last_read_id"]), (json!(3), &json!(1)));
}
