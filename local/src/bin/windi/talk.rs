//! `windi chat`: one chat over a socket that is opened again whenever it closes.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, BufRead as _};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Error as WsError, Message as WsMessage};
use windi_shared::fields::{ClientMessageId, MessageText};
use windi_shared::ids::{MessageId, UserId};
use windi_shared::protocol::{
    Account, Changes, ChatWithMembers, ErrorBody, History, MAX_STALE, MarkRead, Message, Pong, Reply, SendMessage,
    ServerFrame,
};

use crate::client::{Backoff, Client, Error, PATIENCE, Result, Socket, new_message};
use crate::find;
use crate::room::Room;
use crate::show::{one_line, say};

/// A socket that is silent for ten minutes is closed.
const PING_EVERY: Duration = Duration::from_secs(240);
/// How long pushes that come in another order may take.
const HOLE: Duration = Duration::from_millis(500);
/// The least pause before a frame that failed is repeated.
const REPEAT: Duration = Duration::from_secs(1);

/// Prints the newest page of a chat and then everything that happens in it, and sends every line of the standard input.
/// Returns when the input has ended and everything has been acknowledged.
///
/// # Errors
/// If the person is not logged in or not in the chat any more, or may not reconnect. Whatever may pass is waited for.
pub async fn talk(client: &Client, with: &str) -> Result<()> {
    let chat_id = find::chat(client, with, true).await?;
    let me: Account = client.call(Method::GET, "/auth/me", None).await?;
    let url = client.socket_url().await?;
    let mut talk = Talk {
        client,
        room: Room::new(chat_id, me.id),
        me: me.id,
        read: 0,
        lines: lines(),
        at_end: false,
        unsent: VecDeque::new(),
        works: false,
        due: Due::new(),
    };
    let mut backoff = Backoff::default();
    loop {
        let Err(error) = talk.connected(&url).await else { return Ok(()) };
        if std::mem::take(&mut talk.works) {
            backoff = Backoff::default();
        }
        let until = Instant::now() + backoff.after(error)?;
        loop {
            if talk.is_done() {
                return Ok(());
            }
            tokio::select! {
                () = sleep_until(until) => break,
                line = talk.lines.recv(), if !talk.at_end => talk.typed(line),
            }
        }
    }
}

/// The lines of the standard input, read by a thread of its own: reading cannot be interrupted.
fn lines() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in io::stdin().lock().split(b'\n').map_while(io::Result::ok) {
            let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

struct Talk<'a> {
    client: &'a Client,
    me: UserId,
    room: Room,
    /// The read cursor, as far as it has been requested.
    read: MessageId,
    lines: UnboundedReceiver<String>,
    /// Whether the standard input has ended.
    at_end: bool,
    /// What has been typed and not been acknowledged, oldest first.
    unsent: VecDeque<SendMessage>,
    /// Whether the present socket has answered.
    works: bool,
    due: Due,
}

/// When something is due on one socket.
struct Due {
    ping: Instant,
    /// The answer to the ping.
    pong: Option<Instant>,
    /// The answer to the first of the unsent messages, which is under way.
    answer: Option<Instant>,
    /// The repetition of a frame that failed. Nothing is sent before.
    repeat: Option<Instant>,
    /// The end of the wait for pushes that are missing.
    hole: Option<Instant>,
}

impl Due {
    /// For a new socket: a ping is the first frame.
    fn new() -> Self {
        Self { ping: Instant::now(), pong: None, answer: None, repeat: None, hole: None }
    }

    /// Everything that has not been answered is repeated, but not before `pause`.
    fn again(&mut self, pause: Duration) {
        let at = Instant::now() + pause;
        if self.pong.take().is_some() {
            self.ping = at;
        }
        (self.answer, self.repeat) = (None, Some(at));
    }

    fn next(&self) -> Instant {
        [self.pong, self.answer, self.repeat, self.hole].into_iter().flatten().fold(self.ping, Instant::min)
    }
}

/// Whether something is due now.
fn is_over(due: Option<Instant>) -> bool {
    due.is_some_and(|at| at <= Instant::now())
}

fn lost(reason: &str) -> Error {
    Error::Lost(reason.to_owned())
}

async fn transmit(socket: &mut Socket, action: &str, data: Value) -> Result<()> {
    let frame = json!({"action": action, "data": data}).to_string();
    socket.send(WsMessage::text(frame)).await.map_err(|error| lost(&error.to_string()))
}

impl Talk<'_> {
    fn is_done(&self) -> bool {
        self.at_end && self.unsent.is_empty()
    }

    /// Talks on a new socket until that ends, which is always an error, or until there is nothing more to do.
    async fn connected(&mut self, url: &str) -> Result<()> {
        let mut socket = self.client.socket(url).await?;
        // Connected first: a message that is not in what is read now will be pushed.
        if self.room.revision == 0 {
            self.load().await?;
        } else {
            self.catch_up().await?;
            // Whether the last receipt arrived is not known, and a cursor only moves forward.
            self.read = 0;
        }
        self.due = Due::new();
        loop {
            self.work(&mut socket).await?;
            if self.is_done() {
                let _ = socket.close(None).await;
                return Ok(());
            }
            tokio::select! {
                message = socket.next() => self.received(message).await?,
                line = self.lines.recv(), if !self.at_end => self.typed(line),
                () = sleep_until(self.due.next()) => {}
            }
        }
    }

    /// Does what is due.
    async fn work(&mut self, socket: &mut Socket) -> Result<()> {
        if is_over(self.due.pong) || is_over(self.due.answer) {
            return Err(lost("no answer in time"));
        }
        if is_over(self.due.hole) {
            self.catch_up().await?;
            self.due.hole = None;
        }
        self.due.hole = if self.room.has_hole() { self.due.hole.or(Some(Instant::now() + HOLE)) } else { None };
        if is_over(Some(self.due.ping)) {
            let chats = BTreeMap::from([(self.room.chat_id, self.room.revision)]);
            transmit(socket, "ping", json!({"chats": chats})).await?;
            self.due.ping = Instant::now() + PING_EVERY;
            self.due.pong = Some(Instant::now() + PATIENCE);
        }
        if self.due.repeat.is_some() && !is_over(self.due.repeat) {
            return Ok(());
        }
        self.due.repeat = None;
        // One at a time, because frames of one connection may be handled in any order.
        if self.due.answer.is_none()
            && let Some(message) = self.unsent.front()
        {
            transmit(socket, "sendMessage", json!(message)).await?;
            self.due.answer = Some(Instant::now() + PATIENCE);
        }
        if self.room.last_id > self.read {
            let read = MarkRead { chat_id: self.room.chat_id, message_id: self.room.last_id };
            transmit(socket, "markRead", json!(read)).await?;
            self.read = self.room.last_id;
        }
        Ok(())
    }

    fn typed(&mut self, line: Option<String>) {
        match line.map(|line| if line.trim().is_empty() { Ok(None) } else { MessageText::new(line).map(Some) }) {
            None => self.at_end = true,
            Some(Ok(None)) => {}
            Some(Ok(Some(text))) => self.unsent.push_back(new_message(self.room.chat_id, text)),
            Some(Err(reason)) => eprintln!("error: not sent: the message {reason}"),
        }
    }

    async fn received(&mut self, message: Option<std::result::Result<WsMessage, WsError>>) -> Result<()> {
        match message {
            Some(Ok(WsMessage::Text(text))) => match serde_json::from_str::<Reply>(&text) {
                Ok(reply) => self.reply(reply.frame).await,
                Err(_) => {
                    // The gateway's own errors have no type, and do not say what failed: everything is repeated.
                    let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                    if frame.get("type").is_none() {
                        self.due.again(REPEAT);
                        self.read = 0;
                    }
                    Ok(())
                }
            },
            Some(Ok(WsMessage::Close(Some(frame)))) if u16::from(frame.code) == 1000 => Err(self.dismissed().await),
            Some(Ok(WsMessage::Close(_))) | None => Err(lost("it was closed")),
            Some(Ok(_)) => Ok(()),
            Some(Err(error)) => Err(lost(&error.to_string())),
        }
    }

    async fn reply(&mut self, frame: ServerFrame) -> Result<()> {
        match &frame {
            ServerFrame::Error(error) => return self.refused(error),
            ServerFrame::Pong(pong) => {
                (self.works, self.due.pong) = (true, None);
                return self.compared(pong).await;
            }
            ServerFrame::NewMessage(message) => self.acknowledge(message),
            _ => {}
        }
        self.room.push(frame).iter().for_each(|line| say(line));
        if self.room.left { Err(Error::Other("you are no longer in this chat".to_owned())) } else { Ok(()) }
    }

    /// Whether this is the key of the first of the unsent messages.
    fn is_first(&self, key: &str) -> bool {
        let first = self.unsent.front().and_then(|unsent| unsent.client_message_id.as_ref());
        first.map(ClientMessageId::as_str) == Some(key)
    }

    /// The first of the unsent messages is done with, and the next may be sent.
    fn drop_first(&mut self) {
        self.unsent.pop_front();
        self.due.answer = None;
    }

    /// Looks whether a message is the first of the unsent ones, which then has been stored.
    fn acknowledge(&mut self, message: &Message) {
        let is_mine = message.sender_id == self.me && message.chat_id == self.room.chat_id;
        if is_mine && self.is_first(&message.client_message_id) {
            self.drop_first();
            // Sending has moved the cursor.
            self.read = self.read.max(message.id);
        }
    }

    async fn compared(&mut self, pong: &Pong) -> Result<()> {
        match pong.stale.get(&self.room.chat_id) {
            Some(0) => Err(Error::Other("you are no longer in this chat".to_owned())),
            // A lower one means that the database was restored, or that a push has overtaken this.
            Some(revision) if *revision == self.room.revision => Ok(()),
            // This chat may be among those that were left out.
            None if pong.stale.len() < MAX_STALE => Ok(()),
            _ => self.catch_up().await,
        }
    }

    fn refused(&mut self, error: &ErrorBody) -> Result<()> {
        let is_first = error.client_message_id.as_deref().is_some_and(|key| self.is_first(key));
        match error.code.as_str() {
            "unavailable" | "internal" => {
                let least = Duration::from_secs(error.retry_after.unwrap_or(0));
                let pause = least.max(REPEAT.mul_f64(1.0 + fastrand::f64()));
                self.due.repeat = Some(Instant::now() + pause);
                match error.action.as_deref() {
                    Some("markRead") => self.read = 0,
                    Some("ping") => (self.due.ping, self.due.pong) = (Instant::now() + pause, None),
                    _ if is_first => self.due.answer = None,
                    _ => {}
                }
            }
            "session_ended" | "password_changed" | "too_many_connections" | "chat_not_found" => {
                return Err(error.clone().into());
            }
            code => {
                let what = if is_first { "not sent" } else { "refused" };
                eprintln!("error: {what}: {} ({})", one_line(&error.message), one_line(code));
                if is_first {
                    self.drop_first();
                }
            }
        }
        Ok(())
    }

    /// Why the server has closed the socket without saying so. Waits until there is an answer.
    async fn dismissed(&self) -> Error {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.client.call::<Account>(Method::GET, "/auth/me", None).await {
                Ok(_) => {
                    let reason = "the server has closed the socket, perhaps because you have too many";
                    return Error::Other(reason.to_owned());
                }
                Err(error) => error,
            };
            match backoff.after(error) {
                Ok(pause) => tokio::time::sleep(pause).await,
                Err(error) => return error,
            }
        }
    }

    /// Begins with the newest page.
    async fn load(&mut self) -> Result<()> {
        let chat_id = self.room.chat_id;
        let chat: ChatWithMembers = self.client.call(Method::GET, &format!("/chats/{chat_id}"), None).await?;
        let path = format!("/messages/history/{chat_id}?before=latest");
        let page: History = self.client.call(Method::GET, &path, None).await?;
        let mut room = Room::new(chat_id, self.me);
        room.names.members(&chat);
        room.names.learn(self.client, &page.messages).await?;
        let member = chat.members.iter().flatten().find(|member| member.id == self.me);
        self.read = member.map_or(0, |member| member.last_read_id);
        room.begin(&page).iter().for_each(|line| say(line));
        self.room = room;
        Ok(())
    }

    /// Fetches what has changed since the revision held.
    async fn catch_up(&mut self) -> Result<()> {
        let (mut messages, mut revision) = (BTreeMap::new(), self.room.revision);
        loop {
            let path = format!("/chats/{}/changes?after={revision}&limit=100", self.room.chat_id);
            let changes: Changes = self.client.call(Method::GET, &path, None).await?;
            if changes.revision < revision {
                eprintln!("The messenger's database has been restored.");
                return self.load().await;
            }
            revision = changes.revision;
            messages.extend(changes.messages.into_iter().map(|message| (message.id, message)));
            if !changes.has_more {
                let messages: Vec<_> = messages.into_values().collect();
                self.room.names.members(&changes.chat);
                self.room.names.learn(self.client, &messages).await?;
                for message in &messages {
                    self.acknowledge(message);
                }
                self.room.catch_up(&messages, revision).iter().for_each(|line| say(line));
                return Ok(());
            }
        }
    }
}
