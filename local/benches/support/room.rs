//! A group whose members are all connected, and how long it takes until the last of them has a message.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use windi_shared::ids::ChatId;

use super::messenger::Person;
use super::sockets::{Device, new_message};

/// Clients do not wait for the messenger's tasks, as they do not when they run elsewhere; only cores are shared.
pub static CLIENTS: LazyLock<Runtime> = LazyLock::new(|| Builder::new_multi_thread().enable_all().build().unwrap());

pub struct Room {
    /// Begins the keys of its messages, which are unique for ever.
    round: String,
    sent: usize,
    /// To the sender: the key of a message to send.
    say: mpsc::UnboundedSender<String>,
    /// From the sender: how long it took until a message was acknowledged.
    acknowledged: mpsc::UnboundedReceiver<Duration>,
    /// The keys of the messages that devices other than the sender's have received.
    arrivals: mpsc::UnboundedReceiver<String>,
    /// The sender first.
    devices: Vec<JoinHandle<()>>,
}

impl Room {
    /// Connects all members of the chat; the first one will send.
    pub async fn open(base: &str, chat_id: ChatId, members: &[Person]) -> Self {
        let (tell, arrivals) = mpsc::unbounded_channel();
        let (say, to_say) = mpsc::unbounded_channel();
        let (tell_acknowledged, acknowledged) = mpsc::unbounded_channel();
        let sender = talk(connect(base, &members[0]).await, chat_id, to_say, tell_acknowledged);
        let mut devices = vec![CLIENTS.spawn(sender)];
        for member in &members[1..] {
            let (mut device, tell) = (connect(base, member).await, tell.clone());
            devices.push(CLIENTS.spawn(async move {
                loop {
                    let frame = device.frame().await;
                    if let Some(message) = new_message(&frame) {
                        let _ = tell.send(message.client_message_id.to_owned());
                    }
                }
            }));
        }
        Self { round: uuid::Uuid::new_v4().simple().to_string(), sent: 0, say, acknowledged, arrivals, devices }
    }

    /// Sends a message: how many milliseconds until the sender had its acknowledgement and until the last member had it.
    pub async fn send(&mut self) -> (f64, f64) {
        self.sent += 1;
        let key = format!("{}-{}", self.round, self.sent);
        let start = Instant::now();
        self.say.send(key.clone()).unwrap();
        self.everybody_has(&key).await;
        let everybody = start.elapsed();
        let acknowledged = self.acknowledged.recv().await.unwrap();
        (acknowledged.as_secs_f64() * 1000.0, everybody.as_secs_f64() * 1000.0)
    }

    /// Returns when all members but the sender have the message with this key.
    pub async fn everybody_has(&mut self, key: &str) {
        for _ in 1..self.devices.len() {
            while self.arrivals.recv().await.unwrap() != key {}
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for device in &self.devices {
            device.abort();
        }
    }
}

/// Sends what it is told to, one message after the other, and tells how long each acknowledgement took.
async fn talk(
    mut device: Device,
    chat_id: ChatId,
    mut to_say: mpsc::UnboundedReceiver<String>,
    tell: mpsc::UnboundedSender<Duration>,
) {
    while let Some(key) = to_say.recv().await {
        let start = Instant::now();
        device.send(chat_id, &key).await;
        while new_message(&device.frame().await).is_none_or(|message| message.client_message_id != key) {}
        let _ = tell.send(start.elapsed());
    }
}

/// Connects with a socket that belongs to the clients' runtime.
async fn connect(base: &str, person: &Person) -> Device {
    let (base, token) = (base.to_owned(), person.token.clone());
    CLIENTS.spawn(async move { Device::connect_with(&base, &token).await }).await.unwrap()
}
