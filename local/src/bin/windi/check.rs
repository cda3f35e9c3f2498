//! `windi check`: whether a deployment works, one line for each part of it.

use std::time::Instant;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as WsMessage;
use windi_shared::protocol::{Health, Reply, ServerFrame};

use crate::client::{Client, Error, PATIENCE, Result, Socket};
use crate::show::{one_line, say};

/// The `request_id` of the ping.
const PING: &str = "check";

/// Checks the health, the configuration and a socket. Without a login it says so, and checks that the socket's address
/// refuses strangers.
///
/// # Errors
/// If something does not work.
pub async fn check(client: &Client) -> Result<()> {
    let mut report = Report { failed: false };
    report.line("health", health(client)).await;
    let url = report.line("config", config(client)).await;
    let logged_in = client.store.load()?.is_some();
    if !logged_in {
        say(&format!("login   none           nobody is logged in at {}; no socket is opened", client.url));
    }
    if let Some(url) = url {
        if !logged_in {
            report.line("socket", refused(client, &url)).await;
        } else if let Some(mut socket) = report.line("socket", opened(client, &url)).await {
            report.line("ping", answered(&mut socket)).await;
            let _ = socket.close(None).await;
        }
    }
    if report.failed { Err(Error::Other(format!("{} does not work", client.url))) } else { Ok(()) }
}

struct Report {
    failed: bool,
}

impl Report {
    /// Does a check and prints how it went: `health  ok        12 ms  …`. Returns what the next check needs.
    async fn line<T>(&mut self, name: &str, check: impl Future<Output = Result<(T, String)>>) -> Option<T> {
        let start = Instant::now();
        let outcome = check.await;
        let ms = start.elapsed().as_millis();
        let (word, value, text) = match outcome {
            Ok((value, text)) => ("ok", Some(value), text),
            Err(error) => ("failed", None, error.to_string()),
        };
        self.failed |= value.is_none();
        say(&format!("{name:<7} {word:<6} {ms:>5} ms  {}", one_line(&text)));
        value
    }
}

async fn health(client: &Client) -> Result<((), String)> {
    let (status, text) = client.ask(Method::GET, "/health", None, None).await?;
    let Ok(health) = serde_json::from_str::<Health>(&text) else {
        return Err(client.unexpected("/health", status, &text));
    };
    let text = format!("version {}, database {}, connections {}", health.version, health.database, health.connections);
    if status == 200 { Ok(((), text)) } else { Err(Error::Other(text)) }
}

async fn config(client: &Client) -> Result<(String, String)> {
    let url = client.socket_url().await?;
    Ok((url.clone(), url))
}

async fn refused(client: &Client, url: &str) -> Result<((), String)> {
    match client.connect(url, None).await {
        Err(Error::Unexpected { status: 401, .. }) => Ok(((), "refuses whoever is not logged in".to_owned())),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Other("it opens for people who are not logged in".to_owned())),
    }
}

async fn opened(client: &Client, url: &str) -> Result<(Socket, String)> {
    Ok((client.socket(url).await?, "opens".to_owned()))
}

async fn answered(socket: &mut Socket) -> Result<((), String)> {
    let ping = json!({"action": "ping", "request_id": PING}).to_string();
    socket.send(WsMessage::text(ping)).await.map_err(|error| unanswered(&error.to_string()))?;
    tokio::time::timeout(PATIENCE, pong(socket)).await.unwrap_or_else(|_| Err(unanswered("nothing in time")))
}

async fn pong(socket: &mut Socket) -> Result<((), String)> {
    while let Some(message) = socket.next().await {
        let WsMessage::Text(text) = message.map_err(|error| unanswered(&error.to_string()))? else { continue };
        match serde_json::from_str::<Reply>(&text) {
            Ok(Reply { frame: ServerFrame::Pong(_), request_id: Some(id) }) if id == PING => {
                return Ok(((), "answered".to_owned()));
            }
            Ok(Reply { frame: ServerFrame::Error(body), .. }) => return Err(body.into()),
            _ => {}
        }
    }
    Err(unanswered("it was closed"))
}

fn unanswered(reason: &str) -> Error {
    Error::Other(format!("no answer on the socket: {reason}"))
}
