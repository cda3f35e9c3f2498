//! Reporting messages to whoever runs the messenger.

use reqwest::Method;
use serde_json::json;
use tokio::process::Command;

use crate::answers::code;
use crate::harness::{PASSWORD, World};

/// What `windi-local reports` prints, and whether it succeeds.
async fn reports(world: &World, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_windi-local"));
    command.arg("reports").args(arguments).env("DATABASE_URL", &world.app.settings.database.url);
    let output = command.output().await.unwrap();
    let printed = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8(printed).unwrap())
}

#[tokio::test]
async fn a_reported_message_is_shown_to_the_operator_as_it_was_until_it_is_resolved() {
    let world = World::new().await;
    let [alice, bob, eve] = world.people(["alice", "bob", "eve"]).await;
    let chat_id = alice.group("Friends", &[&bob]).await;
    bob.say(&chat_id, "buy this\n\u{9b}31mnow").await;
    alice.say(&chat_id, "no").await;
    alice.call(Method::PATCH, &format!("/chats/{chat_id}"), Some(json!({"name": "Best friends"}))).await;
    assert_eq!(reports(&world, &[]).await, (true, "No open reports.\n".to_owned()));

    let path = format!("/messages/{chat_id}/1/report");
    let reason = json!({"reason": "spam,\nagain"});
    for body in [reason, json!({})] {
        assert_eq!(alice.post(&path, body).await.0, 204, "once more changes nothing");
    }
    for (who, id, expected) in [
        (&bob, 1, (403, "forbidden")),
        (&alice, 3, (403, "forbidden")),
        (&alice, 9, (404, "message_not_found")),
        (&eve, 1, (404, "chat_not_found")),
    ] {
        let answer = who.post(&format!("/messages/{chat_id}/{id}/report"), json!({})).await;
        assert_eq!(code(&answer), expected);
    }
    for wrong in [json!({"reason": ""}), json!({"reason": "x".repeat(501)}), json!({"why": "x"})] {
        assert_eq!(alice.post(&path, wrong).await.0, 422);
    }
    // The operator sees what it was.
    bob.call(Method::DELETE, &format!("/messages/{chat_id}/1"), None).await;
    assert_eq!(code(&alice.post(&path, json!({})).await), (409, "message_deleted"));

    let (_, list) = reports(&world, &[]).await;
    let expected = [
        format!("  message   #1 in group Best friends, {chat_id}"),
        format!("  by        bob (@bob), {}", bob.id),
        "  reported  alice (@alice)".to_owned(),
        "  reason    spam,".to_owned(),
        "            again".to_owned(),
        "  text      buy this".to_owned(),
        "            \u{fffd}31mnow".to_owned(),
        "  files     -".to_owned(),
    ];
    let lines: Vec<_> = list.lines().collect();
    assert_eq!(lines[1..], expected);
    assert_eq!(alice.call(Method::POST, "/users/me/delete", Some(json!({"password": PASSWORD}))).await.0, 204);
    let (_, list) = reports(&world, &[]).await;
    assert!(list.contains("  reported  by somebody whose account is deleted\n"), "{list}");

    let id = list.split_whitespace().next().unwrap();
    assert_eq!(reports(&world, &["--resolve", id]).await, (true, format!("Resolved {id}.\n")));
    let (succeeds, error) = reports(&world, &["--resolve", id]).await;
    assert!(!succeeds && error.contains("there is no open report"), "{error}");
    assert_eq!(reports(&world, &[]).await.1, "No open reports.\n");
}

#[tokio::test]
async fn what_was_said_in_private_can_be_reported_after_a_block() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    bob.say(&chat_id, "you will be sorry").await;
    assert_eq!(alice.call(Method::PUT, &format!("/users/{}/block", bob.id), None).await.0, 204);
    assert_eq!(alice.post(&format!("/messages/{chat_id}/1/report"), json!({})).await.0, 204);
    let (_, list) = reports(&world, &[]).await;
    assert!(list.contains(" in a private chat, ") && list.contains("  reason    -\n"), "{list}");
    assert!(list.contains("  text      you will be sorry\n"), "{list}");
}
