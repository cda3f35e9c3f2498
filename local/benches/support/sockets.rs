//! Devices: sockets that send messages and read frames.

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use windi_shared::ids::ChatId;

use super::TEXT;
use super::messenger::Person;

pub struct Device(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A `new_message` frame, as far as benchmarks read it.
#[derive(Deserialize)]
pub struct NewMessage<'a> {
    pub sender_id: &'a str,
    pub client_message_id: &'a str,
}

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    data: Option<&'a serde_json::value::RawValue>,
}

impl Device {
    /// Connects to the messenger at `http://<address>`.
    pub async fn connect(base: &str, person: &Person) -> Self {
        Self::connect_with(base, &person.token).await
    }

    /// Connects with an access token.
    pub async fn connect_with(base: &str, token: &str) -> Self {
        let mut request = format!("{}/ws", base.replace("http:", "ws:")).into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    pub async fn send(&mut self, chat_id: ChatId, key: &str) {
        let data = json!({"chat_id": chat_id, "text": TEXT, "client_message_id": key});
        self.act("sendMessage", &data).await;
    }

    /// Sends a frame with this action.
    pub async fn act(&mut self, action: &str, data: &serde_json::Value) {
        let frame = json!({"action": action, "data": data});
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    /// The text of the next frame.
    pub async fn frame(&mut self) -> Utf8Bytes {
        loop {
            if let Message::Text(text) = self.0.next().await.unwrap().unwrap() {
                return text;
            }
        }
    }
}

/// The message in a frame. `None` if it says that somebody has come or gone; anything else ends the benchmark.
pub fn new_message(frame: &str) -> Option<NewMessage<'_>> {
    let Frame { kind, data } = serde_json::from_str(frame).unwrap();
    match kind {
        "new_message" => Some(serde_json::from_str(data.unwrap().get()).unwrap()),
        "user_status" => None,
        _ => panic!("{frame}"),
    }
}
