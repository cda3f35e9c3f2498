//! Registration, login, the caller's own account, and search for people.

use std::time::Instant;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{PASSWORD, World, text, tokens};

#[tokio::test]
async fn one_can_register_log_in_every_way_and_ask_who_one_is() {
    let world = World::new().await;
    let account = json!({"name": " Alice ", "email": "Alice@Example.com", "password": PASSWORD, "username": "Alice"});
    let (status, account) = world.call(Method::POST, "/auth/register", None, Some(account)).await;
    assert_eq!(status, 201);
    assert_eq!((&account["name"], &account["username"]), (&json!("Alice"), &json!("alice")));

    for login in [
        json!({"email": "alice@example.COM", "password": PASSWORD}),
        json!({"username": "ALICE", "password": PASSWORD}),
        json!({"username": "alice@example.com", "password": PASSWORD}),
    ] {
        let (status, answer) = world.call(Method::POST, "/auth/login", None, Some(login)).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("bearer"), &json!(900)));
        let token = answer["access_token"].as_str().unwrap();
        let (status, me) = world.call(Method::GET, "/auth/me", Some(token), None).await;
        assert_eq!((status, &me), (200, &account));
    }

    let form = [("grant_type", "password"), ("username", "alice@example.com"), ("password", PASSWORD)];
    let answer = world.http.post(format!("{}/auth/login", world.base)).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.json::<Value>().await.unwrap()["refresh_token"].is_string());
}

#[tokio::test]
async fn an_email_or_username_is_taken_whatever_its_case() {
    let world = World::new().await;
    world.person("alice").await;
    for (email, username, code) in
        [("ALICE@example.com", "other", "email_taken"), ("other@example.com", "ALICE", "username_taken")]
    {
        let account = json!({"name": "X", "email": email, "password": PASSWORD, "username": username});
        let (status, body) = world.call(Method::POST, "/auth/register", None, Some(account)).await;
        assert_eq!((status, &body["code"]), (409, &json!(code)));
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_person_look_the_same() {
    let world = World::new().await;
    world.person("alice").await;
    let mut answers = Vec::new();
    for username in ["alice", "nobody"] {
        let login = json!({"username": username, "password": "wrong password"});
        let (status, mut body) = world.call(Method::POST, "/auth/login", None, Some(login)).await;
        body["request_id"] = json!(null);
        answers.push((status, body));
    }
    assert_eq!(answers[0].0, 401);
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn guessing_passwords_soon_has_to_wait() {
    let world = World::new().await;
    world.person("alice").await;
    let login = json!({"username": "alice", "password": "wrong password"});
    let attempts = (0..12).map(|_| world.call(Method::POST, "/auth/login", None, Some(login.clone())));
    let start = Instant::now();
    let answers = futures_util::future::join_all(attempts).await;
    // Five are free; the waits after that are 1, 2, 4 … seconds, and some may be over where functions take long to answer.
    let allowed = 5 + (start.elapsed().as_secs() + 1).ilog2() as usize;
    let tried = answers.iter().filter(|(status, _)| *status == 401).count();
    let waiting: Vec<_> = answers.iter().filter(|(status, _)| *status == 429).collect();
    assert!(tried <= allowed, "{tried} simultaneous guesses were tried, {allowed} were allowed");
    assert!(!waiting.is_empty());
    for (_, body) in waiting {
        assert_eq!(body["code"], "too_many_attempts");
        assert!(body["retry_after"].as_i64().unwrap() >= 1);
    }
    // The right password has to wait too, or the wait would give it away.
    let login = json!({"username": "alice", "password": PASSWORD});
    let (status, _) = world.call(Method::POST, "/auth/login", None, Some(login)).await;
    assert_eq!(status, 429);
}

#[tokio::test]
async fn without_a_good_token_every_door_is_shut() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    let claims: Value = {
        use base64::Engine as _;
        let payload = alice.token.split('.').nth(1).unwrap();
        serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    };
    let caller = windi_shared::auth::Caller {
        user_id: claims["sub"].as_str().unwrap().parse().unwrap(),
        session_id: claims["sid"].as_str().unwrap().parse().unwrap(),
    };
    let an_hour_ago = claims["iat"].as_i64().unwrap() - 3600;
    let expired = tokens().issue_at(caller, an_hour_ago).unwrap();
    let nobodys = tokens()
        .issue(windi_shared::auth::Caller { session_id: windi_shared::ids::SessionId::new(), ..caller })
        .unwrap();
    for (method, path) in [
        (Method::GET, "/auth/me"),
        (Method::GET, "/users?search=a"),
        (Method::GET, "/chats"),
        (Method::POST, "/chats"),
        (Method::GET, "/chats/0199a1b2-0000-7000-8000-000000000001"),
        (Method::POST, "/messages"),
        (Method::GET, "/messages/history/0199a1b2-0000-7000-8000-000000000001"),
    ] {
        for token in [None, Some("garbage"), Some(expired.as_str()), Some(nobodys.as_str())] {
            let (status, body) = world.call(method.clone(), path, token, None).await;
            assert_eq!((status, &body["code"]), (401, &json!("unauthorized")), "{method} {path} with {token:?}");
        }
    }
}

#[tokio::test]
async fn people_are_found_by_the_beginnings_of_their_names_and_never_by_email() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    for (name, username, email) in
        [("Bob Smith", "bob.smith", "secret@example.com"), ("Боб Алёшин", "bobby", "b@example.com")]
    {
        let account = json!({"name": name, "username": username, "email": email, "password": PASSWORD});
        world.call(Method::POST, "/auth/register", None, Some(account)).await;
    }
    let found = async |query: &str| -> Vec<String> {
        let answer = alice.get(&format!("/users?search={query}")).await;
        assert!(!answer.to_string().contains("example.com"));
        answer["users"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("smi").await, ["bob.smith"]);
    assert_eq!(found("bob.smith").await, ["bob.smith"]);
    assert_eq!(found("БОБ").await, ["bobby"]);
    for words in ["але", "АЛЁШИН", "але\u{308}ш боб", "'алеш':*"] {
        assert_eq!(found(words).await, ["bobby"], "{words:?}");
    }
    assert_eq!(found("алеш|smi").await, Vec::<String>::new(), "nothing typed is an operator");
    assert_eq!(found("secret").await, Vec::<String>::new());
    let (status, _) = alice.call(Method::GET, "/users", None).await;
    assert_eq!(status, 422);
}

#[tokio::test]
async fn what_looks_the_same_is_the_same_account_text_and_name() {
    let world = World::new().await;
    let register = async |name: &str, email: &str, username: &str| {
        let account = json!({"name": name, "email": email, "password": PASSWORD, "username": username});
        world.call(Method::POST, "/auth/register", None, Some(account)).await
    };
    let (status, rene) = register("Ren\u{e9}", "ren\u{e9}@b\u{fc}cher.example", "rene").await;
    assert_eq!(status, 201);
    for email in ["rene\u{301}@b\u{fc}cher.example", "ren\u{e9}@xn--bcher-kva.example", "REN\u{c9}@B\u{dc}CHER.example"]
    {
        let (status, body) = register("Other", email, "other").await;
        assert_eq!((status, &body["code"]), (409, &json!("email_taken")), "{email}");
    }
    for login in [" rene ", "Rene", " rene\u{301}@xn--bcher-kva.example\t"] {
        let login = json!({"username": login, "password": PASSWORD});
        let (status, answer) = world.call(Method::POST, "/auth/login", None, Some(login.clone())).await;
        assert_eq!(status, 200, "{login}: {answer}");
    }
    for name in ["\u{3164}", "two\nlines", "\u{202e}enaR"] {
        let (status, body) = register(name, "x@example.com", "xxx").await;
        assert_eq!((status, &body["code"]), (422, &json!("invalid_field")), "{name:?}");
    }

    let [alice, bob] = world.people(["alice", "bob"]).await;
    let found = alice.get("/users?search=ren\u{e9}").await;
    assert_eq!(found["users"][0]["id"], rene["id"]);
    let chat_id = alice.private_chat(&bob).await;
    assert_eq!(alice.say(&chat_id, "two\r\nlines\rand one").await["text"], "two\nlines\nand one");
    for text in ["\u{200b}", "\u{2800}", "\u{200d}"] {
        let (status, body) = alice.post("/messages", json!({"chat_id": chat_id, "text": text})).await;
        assert_eq!((status, &body["message"]), (422, &json!("text: must not be blank")), "{text:?}");
    }
}

#[tokio::test]
async fn whoever_has_the_username_is_the_first_one_found() {
    let world = World::new().await;
    let alice = world.person("alice").await;
    // More namesakes than one answer has, all before them in the alphabet, and a username without a word in it.
    sqlx::query(
        "insert into users (user_id, name, username, email, password_hash)
         select gen_random_uuid(), name, username, username || '@example.com', 'x' from (
             select 'Aaron ' || n as name, 'bob.' || n as username from generate_series(1, 30) as n
             union all values ('Zoe', 'bob'), ('Dots', '...')
         ) as people",
    )
    .execute(&world.app.db)
    .await
    .unwrap();
    for (words, username) in [("bob", "bob"), ("Bob", "bob"), ("...", "...")] {
        let answer = alice.get(&format!("/users?search={words}")).await;
        assert_eq!(answer["users"][0]["username"], username, "{answer}");
    }
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let page = alice.get(&format!("/users?search=bob&limit=7{after}")).await;
        read.extend(page["users"].as_array().unwrap().iter().map(|user| text(&user["name"])));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!((read.len(), read[0].as_str()), (31, "Zoe"));
    assert!(read[1..].is_sorted(), "{read:?}");
    assert_eq!(alice.call(Method::GET, "/users?search=bob&after=x", None).await.0, 422);
}

#[tokio::test]
async fn people_are_named_by_their_ids_many_at_a_time_and_after_they_have_left() {
    let world = World::new().await;
    let [alice, bob, charlie] = world.people(["alice", "bob", "charlie"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    bob.say(&chat_id, "bye").await;
    assert_eq!(bob.call(Method::DELETE, &format!("/chats/{chat_id}/members/{}", bob.id), None).await.0, 200);
    let nobody = "0199a1b2-0000-7000-8000-000000000001";
    let found = alice.get(&format!("/users?ids={},{nobody},{}", bob.id, charlie.id)).await;
    let mut names: Vec<_> =
        found["users"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["bob", "charlie"]);
    assert!(!found.to_string().contains("example.com"), "{found}");
    let many = vec![nobody; 101].join(",");
    for query in ["ids=bob", "ids=", &format!("ids={many}"), &format!("ids={nobody}&search=bob"), ""] {
        let (status, body) = alice.call(Method::GET, &format!("/users?{query}"), None).await;
        assert_eq!((status, &body["code"]), (422, &json!("invalid_field")), "{query}: {body}");
    }
}

#[tokio::test]
async fn what_people_say_about_themselves_is_shown_to_whoever_looks_them_up() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    alice.private_chat(&bob).await;
    let say = async |about: Value| bob.call(Method::PATCH, "/users/me", Some(json!({"about": about}))).await;
    let path = format!("/users/{}", bob.id);
    assert_eq!(alice.get(&path).await.get("about"), None);
    let (status, account) = say(json!(" Cafe\u{301}s & trains ")).await;
    assert_eq!((status, &account["about"]), (200, &json!("Caf\u{e9}s & trains")));
    assert_eq!(alice.get(&path).await["about"], "Caf\u{e9}s & trains");
    assert_eq!(bob.get("/auth/me").await["about"], "Caf\u{e9}s & trains");
    // It is in no list, and takes no revision.
    for list in ["/users?search=bob", &format!("/users?ids={}", bob.id), "/chats"] {
        assert!(!alice.get(list).await.to_string().contains("trains"), "{list}");
    }
    assert_eq!(alice.get("/chats").await["chats"][0]["revision"], 1);
    for wrong in [json!(""), json!("two\nlines"), json!("x".repeat(201)), json!(7)] {
        assert_eq!(say(wrong).await.0, 422);
    }
    assert_eq!(say(Value::Null).await.1.get("about"), None);
    assert_eq!(alice.get(&path).await.get("about"), None);
    say(json!("still here")).await;
    assert_eq!(bob.call(Method::POST, "/users/me/delete", Some(json!({"password": PASSWORD}))).await.0, 204);
    assert_eq!(alice.get(&path).await.get("about"), None);
}

#[tokio::test]
async fn a_deleted_account_leaves_its_words_and_nothing_else() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let private = alice.private_chat(&bob).await;
    let group = alice.group("Friends", &[&bob]).await;
    for chat_id in [&private, &group] {
        alice.say(chat_id, "my words").await;
    }
    let (mut alices, mut bobs) = (alice.device().await, bob.device().await);
    let delete = async |password: &str| alice.post("/users/me/delete", json!({"password": password})).await;
    let (status, refused) = delete("wrong wrong").await;
    assert_eq!((status, &refused["code"]), (403, &json!("wrong_password")));
    assert_eq!(delete(PASSWORD).await.0, 204);
    assert_eq!(alices.dismissed().await, "session_ended");
    assert_eq!(alice.call(Method::GET, "/auth/me", None).await.0, 401);

    // The group goes on with its heir; the private chat can be read, under another name, and not be written in.
    assert_eq!(bobs.next_of("member_removed").await["data"]["user_id"], alice.id.as_str());
    assert_eq!(bobs.next_of("member_updated").await["data"]["member"]["role"], "owner");
    let told = bobs.next_of("member_updated").await["data"].clone();
    assert_eq!((&told["chat_id"], &told["member"]["name"]), (&json!(private), &json!("Deleted account")));
    let person = bob.get(&format!("/users/{}", alice.id)).await;
    assert_eq!(person, json!({"id": alice.id, "name": "Deleted account", "username": null}));
    for chat_id in [&private, &group] {
        assert!(bob.history(chat_id).await.iter().any(|message| message["text"] == "my words"));
    }
    let sent = bob.post("/messages", json!({"chat_id": private, "text": "are you there?"})).await;
    let added = bob.post(&format!("/chats/{group}/members"), json!({"user_id": alice.id})).await;
    for (status, answer) in [sent, added] {
        assert_eq!((status, &answer["code"]), (403, &json!("not_reachable")));
    }
    // Taking back a block that was never set does not open it again.
    assert_eq!(bob.call(Method::DELETE, &format!("/users/{}/block", alice.id), None).await.0, 204);
    let sent = bob.post("/messages", json!({"chat_id": private, "text": "are you there?"})).await;
    assert_eq!(sent.1["code"], "not_reachable");
    for query in ["alice", "deleted"] {
        assert_eq!(bob.get(&format!("/users?search={query}")).await["users"], json!([]));
    }
    let left: i64 = sqlx::query_scalar("select count(*) from users where to_jsonb(users)::text like '%alice%'")
        .fetch_one(&world.app.db)
        .await
        .unwrap();
    assert_eq!(left, 0);
    // Both names are free again.
    let again = world.person("alice").await;
    assert_ne!(again.id, alice.id);
}
