//! How sockets end, and what `$disconnect` receives.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use sam_gateway::state::Limits;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;

use crate::harness::{PATIENCE, Socket, Stage, TEMPLATE, text};

/// Long enough for the steps before it, and short enough to wait for.
const SHORT: Duration = Duration::from_millis(500);

fn how(event: &Value) -> (u64, String) {
    let context = &event["requestContext"];
    (context["disconnectStatusCode"].as_u64().unwrap(), text(&context["disconnectReason"]))
}

#[tokio::test]
async fn a_client_that_closes_is_told_with_its_code_and_reason() {
    let stage = Stage::new().await;
    let frame = |code: u16, reason: &'static str| Some(CloseFrame { code: code.into(), reason: reason.into() });
    for (frame, code, reason) in [
        (None, 1005, "Client-side close frame status not set"),
        (frame(1000, ""), 1000, "Connection Closed Normally"),
        (frame(1001, ""), 1001, "Going away"),
        (frame(4001, "enough"), 4001, "enough"),
    ] {
        let mut socket = stage.connect().await;
        socket.stream.close(frame).await.unwrap();
        assert_eq!(how(&stage.functions.event("Disconnect").await), (code, reason.to_owned()));
    }
}

#[tokio::test]
async fn a_connection_that_breaks_is_told_once() {
    let stage = Stage::new().await;
    let Socket { stream, .. } = stage.connect().await;
    drop(stream);
    assert_eq!(how(&stage.functions.event("Disconnect").await).0, 1006);
    // A socket that closes later is reported later, so a second event of the first would have come by then.
    let mut other = stage.connect().await;
    other.stream.close(None).await.unwrap();
    assert_eq!(how(&stage.functions.event("Disconnect").await).0, 1005);
    assert!(stage.functions.events_so_far("Disconnect").await.is_empty());
}

#[tokio::test]
async fn a_socket_that_is_idle_or_has_lived_long_enough_is_closed_as_going_away() {
    let of = |idle, life| Limits { idle, life, ..Limits::default() };
    for limits in [of(SHORT, SHORT * 100), of(SHORT * 100, SHORT)] {
        let stage = Stage::with_limits(TEMPLATE, limits).await;
        let mut socket = stage.connect().await;
        assert_eq!(socket.closed().await, (1001, "Going away".to_owned()));
        assert_eq!(how(&stage.functions.event("Disconnect").await), (1001, "Going away".to_owned()));
    }
}

#[tokio::test]
async fn frames_in_either_direction_keep_a_socket_alive_until_its_life_is_over() {
    let (idle, life) = (Duration::from_secs(2), Duration::from_secs(7));
    let stage = Stage::with_limits(TEMPLATE, Limits { idle, life, ..Limits::default() }).await;
    let start = tokio::time::Instant::now();
    let mut socket = stage.connect().await;
    let mut step = tokio::time::interval(idle / 20);
    let mut from_client = true;
    let (code, _) = loop {
        tokio::select! {
            _ = step.tick() => {
                // They take turns, each for longer than the socket could stay open if only the other counted.
                from_client = (start.elapsed().as_millis() / (idle.as_millis() * 3 / 2)).is_multiple_of(2);
                if from_client {
                    let _ = socket.stream.send(Message::text("alive")).await;
                } else {
                    stage.management(reqwest::Method::POST, &socket.id, "alive").await;
                }
            }
            message = socket.next() => if let Message::Close(frame) = message {
                let frame = frame.unwrap();
                break (u16::from(frame.code), from_client);
            }
        }
    };
    assert_eq!(code, 1001);
    assert!(start.elapsed() >= life, "{:?}", start.elapsed());
}

#[tokio::test]
async fn pings_do_not_keep_a_socket_alive() {
    // AWS may or may not count pings, so a client must not depend on it.
    let stage = Stage::with_limits(TEMPLATE, Limits { idle: SHORT, ..Limits::default() }).await;
    let mut socket = stage.connect().await;
    let mut step = tokio::time::interval(SHORT / 10);
    let closed = async {
        loop {
            tokio::select! {
                _ = step.tick() => { let _ = socket.stream.send(Message::Ping(Vec::new().into())).await; }
                message = socket.next() => if let Message::Close(frame) = message {
                    return u16::from(frame.unwrap().code);
                }
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, closed).await.expect("pings kept the socket alive"), 1001);
}

#[tokio::test]
async fn a_gateway_that_stops_closes_its_sockets_and_calls_disconnect() {
    let Stage { gateway, functions, base, .. } = Stage::new().await;
    let url = format!("{}/prod", base.replace("http:", "ws:"));
    let (mut stream, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let client = tokio::spawn(async move {
        let mut code = None;
        while let Some(Ok(message)) = stream.next().await {
            if let Message::Close(Some(frame)) = message {
                code = Some(u16::from(frame.code));
            }
        }
        code
    });
    functions.event("Connect").await;
    gateway.stop().await;
    assert_eq!(client.await.unwrap(), Some(1001));
    assert_eq!(functions.events_so_far("Disconnect").await.len(), 1);
}

#[tokio::test]
async fn events_keep_the_time_of_the_connection() {
    let stage = Stage::new().await;
    let mut socket = stage.connect().await;
    let mut times = Vec::new();
    for _ in 0..2 {
        socket.send("a").await;
        let event = stage.functions.event("Default").await;
        times.push(event["requestContext"]["connectedAt"].as_i64().unwrap());
    }
    socket.stream.close(None).await.unwrap();
    times.push(stage.functions.event("Disconnect").await["requestContext"]["connectedAt"].as_i64().unwrap());
    assert!(times.iter().all(|time| *time == times[0]));
}
