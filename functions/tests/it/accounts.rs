//! `register`, `login`, `users`.

use serde_json::json;
use windi_functions::{register, users as users_function};
use windi_shared::db::sessions::{self, Rotation};
use windi_shared::db::users;

use crate::harness::{PASSWORD, Stage, http, read};

#[tokio::test]
async fn passwords_are_stored_as_argon2id_and_never_answered() {
    let stage = Stage::new().await;
    let account = json!({"name": "Alice", "email": "a@example.com", "password": PASSWORD});
    let (status, answer) = read(register::handle(&stage.db, http("POST /auth/register", None, Some(account))).await);
    assert_eq!(status, 201);
    assert!(!answer.to_string().contains("argon2") && !answer.to_string().contains(PASSWORD));
    let hash: String = sqlx::query_scalar("select password_hash from users").fetch_one(&stage.db).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
}

#[tokio::test]
async fn a_refused_password_is_not_repeated_in_the_error() {
    let stage = Stage::new().await;
    let account = json!({"name": "Alice", "email": "a@example.com", "password": "sh0rt!!"});
    let (status, answer) = read(register::handle(&stage.db, http("POST /auth/register", None, Some(account))).await);
    assert_eq!((status, &answer["code"]), (422, &json!("invalid_field")));
    assert!(!answer.to_string().contains("sh0rt"), "{answer}");
}

#[tokio::test]
async fn a_session_that_has_ended_opens_nothing() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let me = || http("GET /auth/me", Some(&alice.token), None);
    assert_eq!(read(users_function::handle(&stage.db, &stage.tokens, &stage.push, me()).await).0, 200);
    for end in [
        "update sessions set expires_at = now()",
        "update sessions set expires_at = now() + interval '1 day', revoked_at = now()",
    ] {
        sqlx::query(end).execute(&stage.db).await.unwrap();
        assert_eq!(read(users_function::handle(&stage.db, &stage.tokens, &stage.push, me()).await).0, 401);
    }
}

#[tokio::test]
async fn a_logout_also_ends_what_a_refresh_at_the_same_moment_adds() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let session_id = alice.caller.session_id;
    let hash = users::password_hash(&stage.db, alice.caller.user_id).await.unwrap();
    let started = sessions::start(&stage.db, alice.caller.user_id, &hash, "first", None).await.unwrap().unwrap();
    let rotated = sessions::rotate(&stage.db, "first").await.unwrap();
    let Rotation::Rotated { next: second, .. } = rotated else { panic!("{rotated:?}") };
    // A logout that ran before the second row existed has revoked only the first.
    sqlx::query("update sessions set revoked_at = now() where session_id = $1")
        .bind(started.0)
        .execute(&stage.db)
        .await
        .unwrap();
    assert!(!sessions::is_live(&stage.db, started).await.unwrap());
    assert!(matches!(sessions::rotate(&stage.db, &second).await.unwrap(), Rotation::Ended { .. }));
    let listed = sessions::list(&stage.db, alice.caller.user_id).await.unwrap();
    assert_eq!(listed.iter().map(|session| session.id).collect::<Vec<_>>(), [session_id]);
}

#[tokio::test]
async fn a_login_with_a_password_that_has_just_been_changed_starts_nothing() {
    let stage = Stage::new().await;
    let alice = stage.person("alice").await;
    let verified = users::password_hash(&stage.db, alice.caller.user_id).await.unwrap();
    users::set_password_hash(&stage.db, alice.caller.user_id, "another").await.unwrap();
    let started = sessions::start(&stage.db, alice.caller.user_id, &verified, "token", None).await.unwrap();
    assert_eq!(started, None);
}
