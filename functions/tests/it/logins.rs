//! `login`: which failures hold up whom, and what is forgotten.

use serde_json::{Value, json};
use windi_functions::login;

use crate::harness::{PASSWORD, Stage, http_from, read};

const HOME: &str = "192.0.2.1";
const ELSEWHERE: &str = "198.51.100.7";

async fn attempt(stage: &Stage, ip: &str, login: Value) -> (u16, Value) {
    let request = http_from(ip, "POST /auth/login", None, Some(login));
    read(login::handle(&stage.db, &stage.tokens, request).await)
}

fn right(login: &str) -> Value {
    json!({"username": login, "password": PASSWORD})
}

fn wrong(login: &str) -> Value {
    json!({"username": login, "password": "wrong password"})
}

/// Lets time pass for everything that was counted.
async fn later(stage: &Stage, seconds: f64) {
    sqlx::query(
        "update login_failures
        set last_at = last_at - make_interval(secs => $1), blocked_until = blocked_until - make_interval(secs => $1)",
    )
    .bind(seconds)
    .execute(&stage.db)
    .await
    .unwrap();
}

#[tokio::test]
async fn guesses_count_for_the_account_however_it_is_called() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    for login in ["alice", "alice@example.com", "ALICE", " Alice@Example.com ", "alice"] {
        assert_eq!(attempt(&stage, HOME, wrong(login)).await.0, 401, "{login}");
    }
    assert_eq!(attempt(&stage, HOME, wrong("alice@example.com")).await.0, 429);
    assert_eq!(attempt(&stage, HOME, right("alice")).await.0, 429);
    // Guesses from one address do not hold up the owner at another.
    assert_eq!(attempt(&stage, ELSEWHERE, right("alice")).await.0, 200);
}

#[tokio::test]
async fn failures_of_others_at_an_address_slow_its_people_down_but_do_not_lock_them_out() {
    let stage = Stage::new().await;
    // Both have an account, and one of them has logged in from here before.
    for name in ["alice", "bob"] {
        stage.person(name).await;
    }
    sqlx::query("delete from login_addresses where user_id = (select user_id from users where username = 'bob')")
        .execute(&stage.db)
        .await
        .unwrap();
    for number in 0..24 {
        let status = attempt(&stage, HOME, wrong(&format!("nobody{number}"))).await.0;
        assert!([401, 429].contains(&status));
    }
    let (status, refusal) = attempt(&stage, HOME, right("bob")).await;
    assert_eq!((status, &refusal["code"]), (429, &json!("too_many_attempts")));
    let (status, refusal) = attempt(&stage, HOME, right("alice")).await;
    assert!(status == 200 || refusal["retry_after"] == 1, "a second at most: {status} {refusal}");
    later(&stage, 1.0).await;
    // The address may not guess again for a long time.
    sqlx::query("update login_failures set blocked_until = now() + interval '5 minutes' where subject like 'ip:%'")
        .execute(&stage.db)
        .await
        .unwrap();
    assert_eq!(attempt(&stage, HOME, right("bob")).await.0, 429);
    assert_eq!(attempt(&stage, HOME, right("alice")).await.0, 200);
}

#[tokio::test]
async fn guesses_from_many_addresses_hold_up_new_places_but_not_known_ones() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    for number in 0..21 {
        let status = attempt(&stage, &format!("203.0.113.{number}"), wrong("alice")).await.0;
        assert!([401, 429].contains(&status));
    }
    let (status, _) = attempt(&stage, ELSEWHERE, right("alice")).await;
    assert_eq!(status, 429);
    later(&stage, 1.0).await;
    sqlx::query(
        "update login_failures set blocked_until = now() + interval '5 minutes' where subject like 'account:%'",
    )
    .execute(&stage.db)
    .await
    .unwrap();
    // Only the account is held up; its owner's own address is not.
    sqlx::query("delete from login_failures where subject like '% ip:%'").execute(&stage.db).await.unwrap();
    assert_eq!(attempt(&stage, ELSEWHERE, right("alice")).await.0, 429);
    assert_eq!(attempt(&stage, HOME, right("alice")).await.0, 200);
}

#[tokio::test]
async fn old_failures_and_dead_sessions_go_with_new_ones() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    for number in 0..3 {
        attempt(&stage, HOME, wrong(&format!("nobody{number}"))).await;
    }
    later(&stage, 3700.0).await;
    attempt(&stage, ELSEWHERE, wrong("somebody")).await;
    let left: Vec<String> =
        sqlx::query_scalar("select subject from login_failures").fetch_all(&stage.db).await.unwrap();
    assert!(left.iter().all(|subject| subject.contains("somebody") || subject.contains(ELSEWHERE)), "{left:?}");

    // An address that has not been used for a long time.
    let old =
        "insert into login_addresses (user_id, address_hash, last_at) values ($1, 'x', now() - interval '91 days')";
    sqlx::query(old).bind(alice.caller.user_id.0).execute(&stage.db).await.unwrap();

    // One session is dead, one has ended but must be remembered, and one is alive although its first token has expired.
    let insert = "insert into sessions (session_id, user_id, family, refresh_hash, expires_at, started_at, rotated_at, revoked_at)
        values ($1, $2, $3, sha256($1::text::bytea), now() + make_interval(secs => $4), now() - interval '40 days', $5, $6)";
    let [dead, ended, first, second] = [0; 4].map(|_| uuid::Uuid::now_v7());
    let past = Some(chrono::Utc::now() - chrono::TimeDelta::days(35));
    for (row, family, expires, rotated, revoked) in [
        (dead, dead, -3600.0, None, None),
        (ended, ended, 86400.0, None, past),
        (first, first, -3600.0, past, None),
        (second, first, 86400.0, None, None),
    ] {
        let query = sqlx::query(insert).bind(row).bind(alice.caller.user_id.0).bind(family);
        query.bind(expires).bind(rotated).bind(revoked).execute(&stage.db).await.unwrap();
    }
    assert_eq!(attempt(&stage, HOME, right("alice")).await.0, 200);
    let left: Vec<uuid::Uuid> =
        sqlx::query_scalar("select session_id from sessions").fetch_all(&stage.db).await.unwrap();
    assert!(!left.contains(&dead) && !left.contains(&first), "{left:?}");
    assert!(left.contains(&ended) && left.contains(&second), "{left:?}");
    let addresses: i64 = sqlx::query_scalar("select count(*) from login_addresses").fetch_one(&stage.db).await.unwrap();
    assert_eq!(addresses, 1, "only the one that was used just now");
    let listed = windi_shared::db::sessions::list(&stage.db, alice.caller.user_id).await.unwrap();
    assert!(listed.iter().any(|session| session.id.0 == first), "a session outlives its first row: {listed:?}");
}

#[tokio::test]
async fn guesses_at_once_from_many_addresses_are_not_all_looked_at() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    let ips: Vec<_> = (0..60).map(|number| format!("203.0.113.{number}")).collect();
    let attempts = ips.iter().map(|ip| attempt(&stage, ip, wrong("alice")));
    let answers = futures_util::future::join_all(attempts).await;
    let tried = answers.iter().filter(|(status, _)| *status == 401).count();
    assert!((1..=20).contains(&tried), "{tried} guesses were tried");
}

#[tokio::test]
async fn at_a_known_address_an_account_is_slowed_down_but_goes_on() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    let block = "insert into login_failures (subject, failures, last_at, blocked_until)
        values ('ip:' || $1, 30, now() - interval '1 minute', now() + interval '4 minutes')";
    sqlx::query(block).bind(HOME).execute(&stage.db).await.unwrap();
    assert_eq!(attempt(&stage, HOME, wrong("alice")).await.0, 401);
    // One attempt a second and no more.
    assert_eq!(attempt(&stage, HOME, right("alice")).await.0, 429);
    later(&stage, 1.0).await;
    assert_eq!(attempt(&stage, HOME, right("alice")).await.0, 200);
}

#[tokio::test]
async fn an_ended_session_is_remembered_longer_than_a_refresh_at_the_same_moment_lives() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    windi_shared::db::sessions::end(&stage.db, alice.caller.user_id, alice.caller.session_id).await.unwrap();
    let days: f64 =
        sqlx::query_scalar("select (extract(epoch from min(expires_at) - now()) / 86400)::float8 from sessions")
            .fetch_one(&stage.db)
            .await
            .unwrap();
    assert!(days > f64::from(windi_shared::auth::refresh::LIFETIME_DAYS), "{days}");
}

#[tokio::test]
async fn an_account_older_than_the_form_of_its_address_can_still_log_in() {
    let stage = Stage::new().await;
    stage.person("alice").await;
    sqlx::query("update users set email = 'Alice@xn--bcher-kva.example'").execute(&stage.db).await.unwrap();
    assert_eq!(attempt(&stage, HOME, right("alice@XN--bcher-kva.example")).await.0, 200);
}
