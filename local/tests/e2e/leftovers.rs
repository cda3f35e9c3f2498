//! What is left behind when a `$disconnect` or a close was lost, and who cleans it up.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use windi_shared::connections::{Address, Connection};
use windi_shared::ids::{ConnectionId, SessionId, UserId};

use crate::harness::{Person, World, text};

impl World {
    /// Records a connection that does not exist, like one left behind by a lost `$disconnect`.
    pub async fn ghost(&self, user_id: UserId, at: DateTime<Utc>) {
        let id = ConnectionId("AAAAAAAAAAAAAAA=".to_owned());
        let ghost = Connection { id, user_id, session_id: SessionId::new(), at: at.timestamp_millis() };
        self.app.connections.remember(Address::User(user_id), &ghost).await.unwrap();
    }

    /// The connections listed for somebody.
    async fn listed(&self, person: &Person) -> usize {
        let user_id: UserId = person.id.parse().unwrap();
        self.app.connections.of_users(&[user_id]).await.unwrap().len()
    }

    /// A connection that no longer exists is listed for somebody. A young one might still be opening.
    async fn leave_behind(&self, person: &Person) {
        self.ghost(person.id.parse().unwrap(), Utc::now() - TimeDelta::minutes(1)).await;
        assert_eq!(self.listed(person).await, 1);
    }
}

#[tokio::test]
async fn whoever_finds_a_connection_gone_takes_it_off_the_list() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let mut device = bob.device().await;

    world.leave_behind(&alice).await;
    let chat_id = bob.private_chat(&alice).await;
    assert_eq!(world.listed(&alice).await, 0, "after a new chat");

    world.leave_behind(&alice).await;
    device.say(&chat_id, "hello", "k1").await;
    device.drain().await;
    assert_eq!(world.listed(&alice).await, 0, "after a frame with a message");

    alice.say(&chat_id, "hello yourself").await;
    world.leave_behind(&alice).await;
    device.send(json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": 2}})).await;
    device.drain().await;
    assert_eq!(world.listed(&alice).await, 0, "after a receipt over the socket");

    for (method, path, body) in [
        (Method::POST, "/messages".to_owned(), Some(json!({"chat_id": chat_id, "text": "again"}))),
        (Method::PATCH, format!("/messages/{chat_id}/1"), Some(json!({"text": "hello!"}))),
        (Method::DELETE, format!("/messages/{chat_id}/1"), None),
    ] {
        world.leave_behind(&alice).await;
        let (status, answer) = bob.call(method.clone(), &path, body).await;
        assert!(status < 300, "{method} {path}: {answer}");
        assert_eq!(world.listed(&alice).await, 0, "after {method} {path}");
    }
}

#[tokio::test]
async fn every_action_closes_a_socket_whose_session_has_ended() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    alice.say(&chat_id, "hello").await;
    let frames = [
        json!({"action": "sendMessage", "data": {"chat_id": chat_id, "text": "x"}}),
        json!({"action": "markRead", "data": {"chat_id": chat_id, "message_id": 1}}),
        json!({"action": "typing", "data": {"chat_id": chat_id, "is_typing": true}}),
        json!({"action": "joinChat", "data": {"chat_id": chat_id}}),
        json!({"action": "leaveChat", "data": {"chat_id": chat_id}}),
        json!({"action": "ping"}),
        json!({"action": "nonsense"}),
    ];
    for frame in frames {
        let bob = bob.with_token(&world.login("bob").await);
        let mut device = bob.device().await;
        // As when the session was ended and then neither DynamoDB nor @connections answered.
        let user_id: UserId = bob.id.parse().unwrap();
        sqlx::query("update sessions set revoked_at = now() where user_id = $1")
            .bind(user_id)
            .execute(&world.app.db)
            .await
            .unwrap();
        device.send(frame.clone()).await;
        let error: Value = device.next_of("error").await;
        assert_eq!(text(&error["data"]["code"]), "session_ended", "{frame}: {error}");
        assert_eq!(device.closed().await, 1000, "{frame}");
    }
    assert_eq!(world.stored_messages().await, 1);
}
