//! Searching messages.

use reqwest::{Method, Url};
use serde_json::json;

use crate::harness::{Person, World, text};

/// What is found by these words in all chats, newest first.
async fn found(person: &Person, words: &str) -> Vec<String> {
    let url = Url::parse_with_params("http://x/messages/search", [("q", words)]).unwrap();
    let query = url.query().unwrap().replace('+', "%20");
    let answer = person.get(&format!("{}?{query}", url.path())).await;
    answer["messages"].as_array().unwrap().iter().map(|message| text(&message["text"])).collect()
}

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
    let found = async |who: &Person, query: &str| -> Vec<String> {
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
    for nothing in ["q=-theatre", "q=и", "q=!!!", "q=%26"] {
        assert_eq!(found(&alice, nothing).await, Vec::<String>::new(), "{nothing}");
    }
    // No word is too common to be found.
    assert_eq!(found(&bob, "q=the").await, ["The meetings are at eight"]);
    // A deleted message is gone, and an edited one is found by its new words.
    alice.call(Method::DELETE, &format!("/messages/{with_bob}/1"), None).await;
    alice.call(Method::PATCH, &format!("/messages/{with_bob}/3"), Some(json!({"text": "a meeting for Bob"}))).await;
    assert_eq!(found(&bob, "q=meeting").await, ["a meeting for Bob"]);

    let (status, body) = eve.call(Method::GET, &format!("/messages/search?q=x&chat_id={with_bob}"), None).await;
    assert_eq!((status, &body["code"]), (404, &json!("chat_not_found")));
    assert_eq!(eve.call(Method::GET, "/messages/search?q=", None).await.0, 422);
}

#[tokio::test]
async fn words_are_found_while_they_are_typed_and_however_they_are_written() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let (tree, cafe) = ("Где же Ёлка?", "We meet in the Cafe\u{301} Métro");
    let link = "Read https://example.com/a?b=c#part, and ask bob.smith@example.org";
    let operators = "one or two & not three | <b>four</b>";
    for words in [tree, cafe, link, operators] {
        alice.say(&chat_id, words).await;
    }
    for (words, expected) in [
        ("м", None),
        ("ё", Some(tree)),
        ("ел", Some(tree)),
        ("ЁЛК", Some(tree)),
        ("е\u{308}лка", Some(tree)),
        ("елки", Some(tree)),
        ("елкин", None),
        ("лка", None),
        ("caf\u{e9}", Some(cafe)),
        ("CAFE\u{301} me\u{301}", Some(cafe)),
        ("in the", Some(cafe)),
        ("meeting", Some(cafe)),
        ("https://example.com/a?b=c#part", Some(link)),
        ("https://example.com/a?b=c", Some(link)),
        ("example.com/a", Some(link)),
        ("example.c", Some(link)),
        ("bob.smith@example", Some(link)),
        ("b=c", Some(link)),
        ("https://example.com/other", None),
        ("thr or two", Some(operators)),
        ("-three", Some(operators)),
        ("\"three one\"", Some(operators)),
        ("not four", Some(operators)),
        ("!one", Some(operators)),
        ("one:*", Some(operators)),
        ("one or five", None),
        ("<b>", None),
    ] {
        // A letter alone may begin words of other messages, too.
        let found = found(&bob, words).await;
        match expected {
            Some(text) => assert!(found.iter().any(|one| one == text), "{words:?} finds {found:?}"),
            None if words == "<b>" => assert_eq!(found, [operators, link], "what is no letter only separates"),
            None => assert_eq!(found, Vec::<String>::new(), "{words:?}"),
        }
    }
}

#[tokio::test]
async fn a_search_is_read_page_by_page_while_people_go_on_writing() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chats = [alice.private_chat(&bob).await, alice.group("Friends", &[&bob]).await];
    for number in 1..=7 {
        alice.say(&chats[number % 2], &format!("needle {number}")).await;
    }
    let all = found(&bob, "needle").await;
    assert_eq!(all, (1..=7).rev().map(|number| format!("needle {number}")).collect::<Vec<_>>());
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = bob.get(&format!("/messages/search?q=needle&limit=3{after}")).await;
        let messages = page["messages"].as_array().unwrap();
        read.extend(messages.iter().map(|message| text(&message["text"])));
        alice.say(&chats[0], "a new needle").await;
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(messages.len(), 3, "a page is full if another one follows");
        after = format!("&after={next}");
    }
    assert_eq!(read, all);
    for wrong in ["x", "1_2_3", &format!("9999999999999999_{}_1", chats[0]), &chats[0]] {
        let path = format!("/messages/search?q=needle&after={wrong}");
        assert_eq!(bob.call(Method::GET, &path, None).await.0, 422, "{wrong}");
    }
}

#[tokio::test]
async fn a_search_reads_the_one_index_that_has_the_words_and_the_chats() {
    let world = World::new().await;
    let mut db = world.app.db.begin().await.unwrap();
    // With three rows, PostgreSQL would rightly read the table.
    sqlx::query("set local enable_seqscan = off").execute(&mut *db).await.unwrap();
    let plan: Vec<String> = sqlx::query_scalar(
        "explain select from messages m where m.text is not null
            and search_vector(m.chat_id, m.text) @@ search_words('theatre')
            and search_vector(m.chat_id, m.text) @@ quote_literal('#' || md5('a chat'))::tsquery",
    )
    .fetch_all(&mut *db)
    .await
    .unwrap();
    let scans: Vec<_> = plan.iter().filter(|line| line.contains(" Scan on messages_")).collect();
    assert_eq!(scans.len(), 1, "{plan:?}");
    assert!(scans[0].contains("messages_words"), "{plan:?}");
}
