//! `recover`: codes by mail, and who learns what.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};
use tempfile::TempDir;
use windi_functions::mail::Mail;
use windi_functions::{login, recover, session};
use windi_shared::config;
use windi_shared::db::sessions;

use crate::harness::{PASSWORD, Person, Stage, http_from, read};

const HOME: &str = "192.0.2.1";
const NEW_PASSWORD: &str = "another password";

/// A stage with a letter box.
struct Post {
    stage: Stage,
    mail: Mail,
    directory: TempDir,
}

impl Post {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mail = Mail::into_files(config::mail_directory(directory.path().join("mail")).unwrap());
        Self { stage: Stage::new().await, mail, directory }
    }

    async fn call_from(&self, ip: &str, path: &str, who: Option<&Person>, body: Value) -> (u16, Value) {
        let Stage { db, tokens, push, .. } = &self.stage;
        let token = who.map(|person| person.token.as_str());
        let request = http_from(ip, &format!("POST {path}"), token, Some(body));
        read(recover::handle(db, tokens, push, &self.mail, request).await)
    }

    async fn call(&self, path: &str, who: Option<&Person>, body: Value) -> (u16, Value) {
        self.call_from(HOME, path, who, body).await
    }

    async fn forgot(&self, email: &str) -> u16 {
        self.call("/auth/forgot", None, json!({"email": email})).await.0
    }

    async fn reset(&self, email: &str, code: &str) -> (u16, Value) {
        self.call("/auth/reset", None, json!({"email": email, "code": code, "new_password": NEW_PASSWORD})).await
    }

    async fn change(&self, who: &Person, email: &str) -> (u16, Value) {
        self.call("/users/me/email", Some(who), json!({"email": email, "password": PASSWORD})).await
    }

    async fn confirm(&self, who: &Person, code: &str) -> (u16, Value) {
        self.call("/users/me/email/confirm", Some(who), json!({"code": code})).await
    }

    /// All mails to an address, oldest first.
    fn mails(&self, to: &str) -> Vec<String> {
        let Ok(files) = std::fs::read_dir(self.directory.path().join("mail")) else { return Vec::new() };
        let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
        files.sort();
        assert!(files.iter().all(|file| file.extension().is_some_and(|kind| kind == "eml")), "{files:?}");
        let mails = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
        mails.filter(|mail| mail.contains(&format!("\r\nTo: {to}\r\n"))).collect()
    }

    /// The code in the latest mail to an address.
    fn code(&self, to: &str) -> String {
        code_in(self.mails(to).last().expect("a mail")).expect("a code")
    }

    async fn login(&self, password: &str) -> u16 {
        let body = json!({"username": "alice", "password": password});
        let request = http_from(HOME, "POST /auth/login", None, Some(body));
        read(login::handle(&self.stage.db, &self.stage.tokens, request).await).0
    }
}

fn code_in(mail: &str) -> Option<String> {
    mail.lines().find_map(|line| line.strip_prefix("Your code: ")).map(|code| code.trim().to_owned())
}

/// A code that is not this one.
fn other_than(code: &str) -> String {
    let first = if code.starts_with('0') { '1' } else { '0' };
    format!("{first}{}", &code[1..])
}

/// The status and the error, without the id of the request.
fn refusal((status, mut body): (u16, Value)) -> (u16, Value) {
    body["request_id"] = Value::Null;
    (status, body)
}

fn is(answer: &(u16, Value), status: u16, code: &str) -> bool {
    answer.0 == status && answer.1["code"] == code
}

#[tokio::test]
async fn a_code_sets_a_new_password_once_and_ends_everything_else() {
    let post = Post::new().await;
    let alice = post.stage.person("alice").await;
    let socket = post.stage.connected(&alice, "a=").await;
    // Capitals and spaces around it make no difference, and the mail goes to the address that the account has.
    assert_eq!(post.forgot(" ALICE@Example.com ").await, 204);
    let code = post.code("alice@example.com");
    let stored: String = sqlx::query_scalar("select codes::text from codes").fetch_one(&post.stage.db).await.unwrap();
    assert!(!stored.contains(&code) && !stored.contains(&code.replace('-', "")), "{stored}");
    for _ in 0..6 {
        // Held up by failed logins, until the reset.
        post.login("wrong password").await;
    }
    assert_eq!(post.login(PASSWORD).await, 429);

    let typed = format!(" {} ", code.replace('-', " ").to_lowercase());
    assert_eq!(post.reset("alice@example.com", &typed).await.0, 204);
    assert!(!sessions::is_live(&post.stage.db, alice.caller.session_id).await.unwrap());
    assert_eq!(post.stage.posts.closed(), ["a="]);
    assert_eq!(post.stage.posts.to(&socket)[0]["data"]["code"], "password_changed");
    assert_eq!(post.login(NEW_PASSWORD).await, 200);
    assert_eq!(post.login(PASSWORD).await, 401);
    assert!(is(&post.reset("alice@example.com", &code).await, 403, "invalid_code"), "a code works once");
}

#[tokio::test]
async fn a_socket_that_cannot_be_closed_does_not_undo_a_reset() {
    let post = Post::new().await;
    let alice = post.stage.person("alice").await;
    let socket = post.stage.connected(&alice, "a=").await;
    post.stage.posts.answer_close(&socket, &[500; 9]);
    assert_eq!(post.forgot("alice@example.com").await, 204);
    assert_eq!(post.reset("alice@example.com", &post.code("alice@example.com")).await.0, 204);
    assert_eq!(post.login(NEW_PASSWORD).await, 200);
}

#[tokio::test]
async fn after_five_wrong_codes_the_right_one_is_refused_too() {
    let post = Post::new().await;
    post.stage.person("alice").await;
    assert_eq!(post.forgot("alice@example.com").await, 204);
    let code = post.code("alice@example.com");
    // Ten at once, from as many addresses: only five are looked at.
    let ips: Vec<_> = (0..10).map(|number| format!("203.0.113.{number}")).collect();
    let body = |code: &str| json!({"email": "alice@example.com", "code": code, "new_password": NEW_PASSWORD});
    let guesses = ips.iter().map(|ip| post.call_from(ip, "/auth/reset", None, body(&other_than(&code))));
    for answer in join_all(guesses).await {
        assert!(is(&answer, 403, "invalid_code"), "{answer:?}");
    }
    let left: i32 = sqlx::query_scalar("select attempts_left from codes").fetch_one(&post.stage.db).await.unwrap();
    assert_eq!(left, 0);
    assert!(is(&post.reset("alice@example.com", &code).await, 403, "invalid_code"));
    // A new one works.
    assert_eq!(post.forgot("alice@example.com").await, 204);
    assert_eq!(post.reset("alice@example.com", &post.code("alice@example.com")).await.0, 204);
}

#[tokio::test]
async fn a_code_that_has_expired_or_was_replaced_is_refused() {
    let post = Post::new().await;
    post.stage.person("alice").await;
    assert_eq!(post.forgot("alice@example.com").await, 204);
    let first = post.code("alice@example.com");
    assert_eq!(post.forgot("alice@example.com").await, 204);
    let second = post.code("alice@example.com");
    assert_ne!(first, second);
    assert!(is(&post.reset("alice@example.com", &first).await, 403, "invalid_code"));
    let expire = "update codes set expires_at = clock_timestamp() + make_interval(secs => $1)";
    sqlx::query(expire).bind(0.0).execute(&post.stage.db).await.unwrap();
    assert!(is(&post.reset("alice@example.com", &second).await, 403, "invalid_code"));
    sqlx::query(expire).bind(60.0).execute(&post.stage.db).await.unwrap();
    assert_eq!(post.reset("alice@example.com", &second).await.0, 204);
}

#[tokio::test]
async fn an_address_of_nobody_gets_the_same_answers_in_the_same_time() {
    let post = Post::new().await;
    post.stage.person("alice").await;
    let mut answers = Vec::new();
    for email in ["alice@example.com", "nobody@example.com"] {
        let start = Instant::now();
        assert_eq!(post.forgot(email).await, 204);
        let asked = start.elapsed();
        let answer = refusal(post.reset(email, "AAAA-AAAA").await);
        let tried = start.elapsed() - asked;
        for took in [asked, tried] {
            assert!((Duration::from_secs(2)..Duration::from_secs(20)).contains(&took), "{email}: {took:?}");
        }
        answers.push(answer);
    }
    assert!(is(&answers[0], 403, "invalid_code"), "{answers:?}");
    assert_eq!(answers[0], answers[1]);
    // What cannot be a code at all is no different.
    assert_eq!(refusal(post.reset("nobody@example.com", "x").await), answers[0]);
    assert_eq!(post.mails("alice@example.com").len(), 1);
    assert_eq!(post.mails("nobody@example.com").len(), 0);
}

#[tokio::test]
async fn a_code_is_good_for_one_account_and_one_purpose() {
    let post = Post::new().await;
    let (alice, bob) = (post.stage.person("alice").await, post.stage.person("bob").await);
    for email in ["alice@example.com", "bob@example.com"] {
        assert_eq!(post.forgot(email).await, 204);
    }
    let alices = post.code("alice@example.com");
    assert!(is(&post.reset("bob@example.com", &alices).await, 403, "invalid_code"));
    assert_eq!(post.change(&alice, "alice@example.org").await.0, 204);
    let for_email = post.code("alice@example.org");
    assert!(is(&post.reset("alice@example.com", &for_email).await, 403, "invalid_code"));
    assert!(is(&post.confirm(&alice, &alices).await, 403, "invalid_code"));
    assert!(is(&post.confirm(&bob, &for_email).await, 403, "invalid_code"));
}

#[tokio::test]
async fn a_new_address_is_confirmed_and_the_old_one_is_told() {
    let post = Post::new().await;
    let alice = post.stage.person("alice").await;
    let body = json!({"email": "alice@example.org", "password": "wrong password"});
    let refused = post.call("/users/me/email", Some(&alice), body).await;
    assert!(is(&refused, 403, "wrong_password"), "{refused:?}");
    assert_eq!(post.forgot("alice@example.com").await, 204);
    let for_password = post.code("alice@example.com");
    assert_eq!(post.change(&alice, "alice@example.org").await.0, 204);
    let code = post.code("alice@example.org");
    assert!(is(&post.confirm(&alice, &other_than(&code)).await, 403, "invalid_code"));
    let (status, account) = post.confirm(&alice, &code).await;
    assert_eq!((status, &account["email"]), (200, &json!("alice@example.org")));
    assert!(is(&post.confirm(&alice, &code).await, 403, "invalid_code"), "a code works once");
    let told = post.mails("alice@example.com").pop().unwrap();
    assert!(told.contains("Subject: Your e-mail address was changed\r\n") && !told.contains("example.org"), "{told}");
    // Whoever reads the old address cannot come in any more.
    assert!(is(&post.reset("alice@example.org", &for_password).await, 403, "invalid_code"));
    assert!(is(&post.reset("alice@example.com", &for_password).await, 403, "invalid_code"));
}

#[tokio::test]
async fn an_address_that_is_taken_looks_free_and_its_owner_is_told() {
    let post = Post::new().await;
    let (alice, bob) = (post.stage.person("alice").await, post.stage.person("bob").await);
    let taken = post.change(&alice, "BOB@example.com").await;
    assert_eq!(taken, post.change(&alice, "free@example.com").await);
    assert_eq!(taken.0, 204);
    let told = post.mails("BOB@example.com").pop().unwrap();
    assert!(told.contains("Subject: You have an account with this address\r\n"), "{told}");
    assert_eq!(code_in(&told), None);

    // Somebody takes it between the code and its confirmation.
    let code = post.code("free@example.com");
    sqlx::query("update users set email = 'Free@example.com' where user_id = $1")
        .bind(bob.caller.user_id.0)
        .execute(&post.stage.db)
        .await
        .unwrap();
    let refused = post.confirm(&alice, &code).await;
    assert!(is(&refused, 409, "email_taken"), "{refused:?}");
}

#[tokio::test]
async fn an_account_gets_three_mails_of_a_kind_in_an_hour() {
    let post = Post::new().await;
    let alice = post.stage.person("alice").await;
    for number in 0..5 {
        // From other places, so that nothing else holds them up.
        let ip = format!("203.0.113.{number}");
        let body = json!({"email": "alice@example.com"});
        assert_eq!(post.call_from(&ip, "/auth/forgot", None, body).await.0, 204);
    }
    assert_eq!(post.mails("alice@example.com").len(), 3);
    let latest = post.code("alice@example.com");
    for number in 0..3 {
        assert_eq!(post.change(&alice, &format!("alice{number}@example.org")).await.0, 204);
    }
    let refused = post.change(&alice, "alice3@example.org").await;
    assert!(is(&refused, 429, "rate_limited") && refused.1["retry_after"] == 3600, "{refused:?}");
    sqlx::query("update codes set sent_at = (select array_agg(one - interval '1 hour') from unnest(sent_at) one)")
        .execute(&post.stage.db)
        .await
        .unwrap();
    assert_eq!(post.change(&alice, "alice3@example.org").await.0, 204);
    // What was not sent replaced nothing.
    assert_eq!(post.reset("alice@example.com", &latest).await.0, 204);
}

#[tokio::test]
async fn whoever_asks_too_often_has_to_wait_whether_or_not_there_is_an_account() {
    let post = Post::new().await;
    post.stage.person("alice").await;
    for email in ["alice@example.com", "nobody@example.com"] {
        let asked = join_all((0..9).map(|_| post.call("/auth/forgot", None, json!({"email": email})))).await;
        let went = asked.iter().filter(|answer| answer.0 == 204).count();
        assert!((1..=5).contains(&went), "{email}: {went} went through");
        assert!(asked.iter().any(|answer| is(answer, 429, "too_many_attempts")), "{asked:?}");
    }
    let addresses: i64 = sqlx::query_scalar("select count(*) from login_failures where subject like '%example%'")
        .fetch_one(&post.stage.db)
        .await
        .unwrap();
    assert_eq!(addresses, 0, "addresses are kept as hashes");
    assert_eq!(post.login(PASSWORD).await, 200, "logins are counted apart");
}

#[tokio::test]
async fn without_mail_the_calls_say_so() {
    let post = Post { mail: Mail::off(), ..Post::new().await };
    let alice = post.stage.person("alice").await;
    for (path, who, body) in [
        ("/auth/forgot", None, json!({"email": "alice@example.com"})),
        ("/auth/reset", None, json!({"email": "alice@example.com", "code": "x", "new_password": NEW_PASSWORD})),
        ("/users/me/email", Some(&alice), json!({"email": "alice@example.org", "password": PASSWORD})),
        ("/users/me/email/confirm", Some(&alice), json!({"code": "x"})),
    ] {
        let answer = post.call(path, who, body).await;
        assert!(is(&answer, 501, "mail_disabled"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn an_address_that_would_be_two_in_a_header_is_refused() {
    let post = Post::new().await;
    let alice = post.stage.person("alice").await;
    let refused = post.change(&alice, "alice,bob@example.com").await;
    assert!(is(&refused, 422, "invalid_field"), "{refused:?}");
    sqlx::query("update users set email = 'alice,bob@example.com'").execute(&post.stage.db).await.unwrap();
    assert_eq!(post.forgot("alice,bob@example.com").await, 204);
    assert_eq!(std::fs::read_dir(post.directory.path()).unwrap().count(), 0, "nothing was written");
}

#[tokio::test]
async fn codes_go_with_the_account() {
    let post = Post::new().await;
    let alice = post.stage.person("alice").await;
    assert_eq!(post.forgot("alice@example.com").await, 204);
    let code = post.code("alice@example.com");
    let Stage { db, tokens, push, .. } = &post.stage;
    let request = http_from(HOME, "POST /users/me/delete", Some(&alice.token), Some(json!({"password": PASSWORD})));
    assert_eq!(read(session::handle(db, tokens, push, request).await).0, 204);
    let left: i64 = sqlx::query_scalar("select count(*) from codes").fetch_one(db).await.unwrap();
    assert_eq!(left, 0);
    assert!(is(&post.reset("alice@example.com", &code).await, 403, "invalid_code"));
}
