//! Several devices of one person.

use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn the_oldest_of_more_than_twenty_connections_is_closed() {
    let world = World::new().await;
    let [alice, bob] = world.people(["alice", "bob"]).await;
    let chat_id = alice.private_chat(&bob).await;
    let mut devices = Vec::new();
    for _ in 0..21 {
        devices.push(alice.device().await);
    }
    let mut oldest = devices.remove(0);
    assert_eq!(oldest.dismissed().await, "too_many_connections");
    bob.say(&chat_id, "to all of you").await;
    for device in &mut devices {
        assert_eq!(device.next_of("new_message").await["data"]["id"], 1);
    }
    devices[0].send(json!({"action": "ping"})).await;
    devices[0].next_of("pong").await;
}
