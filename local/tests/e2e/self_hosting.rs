//! The program behind a TLS proxy, watched by Prometheus and a service manager.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use reqwest::Client;
use serde_json::json;
use tokio::net::TcpListener;

use crate::lifecycle::start;

#[tokio::test]
async fn behind_a_proxy_clients_are_told_apart_and_only_functions_reach_connections() {
    let data = tempfile::tempdir().unwrap();
    let program = start(data.path(), &["--demo", "--trusted-proxy", "127.0.0.1"]);
    let client = Client::builder().no_proxy().build().unwrap();
    // The throttle of failed logins counts by address. What a client writes in front of its own address counts for
    // nothing.
    let guess = async |number: usize, address: &str| {
        let request = client.post(format!("{}/auth/login", program.base));
        let request = request.header("x-forwarded-for", format!("6.6.6.{number}, {address}"));
        let body = json!({"username": format!("nobody{number}"), "password": "wrong wrong"});
        request.json(&body).send().await.unwrap().status().as_u16()
    };
    let mut refused = false;
    for number in 0..250 {
        if guess(number, "203.0.113.9").await == 429 {
            refused = true;
            break;
        }
    }
    assert!(refused, "an address may guess for ever");
    assert_eq!(guess(0, "203.0.113.10").await, 401, "another client pays for the first");

    let post = |forwarded: bool| {
        let request = client.post(format!("{}/ws/@connections/AAAAAAAAAAAAAAA=", program.base));
        let request = request.header("authorization", "AWS4-HMAC-SHA256 x").body("x");
        if forwarded { request.header("x-forwarded-for", "203.0.113.9") } else { request }.send()
    };
    assert_eq!(post(false).await.unwrap().status(), 410);
    assert_eq!(post(true).await.unwrap().status(), 403);
    program.end();
}

#[tokio::test]
async fn what_it_does_is_counted() {
    let data = tempfile::tempdir().unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    let program = start(data.path(), &["--demo", "--metrics", &free]);
    let metrics = reqwest::get(format!("http://{free}/metrics")).await.unwrap().text().await.unwrap();
    // The demo has registered five people, over HTTP.
    for line in [
        r#"http_requests_total{route="POST /auth/register",status="201"} 5"#,
        r#"function_invocations_total{function="register",outcome="ok"} 5"#,
        r#"http_request_duration_seconds_bucket{route="POST /auth/register",le="30"} 5"#,
        "database_connections{state=\"idle\"}",
    ] {
        assert!(metrics.contains(line), "{line} is not in\n{metrics}");
    }
    program.end();
}

#[tokio::test]
async fn a_service_manager_is_told_when_it_is_ready() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut command = crate::lifecycle::command(data.path(), "0");
    let mut child = command.env("NOTIFY_SOCKET", &path).spawn().unwrap();
    let mut text = [0; 64];
    let length = manager.recv(&mut text).unwrap();
    assert_eq!(std::str::from_utf8(&text[..length]).unwrap().trim(), "READY=1");
    child.kill().unwrap();
    child.wait().unwrap();
}
