//! The open sockets, and the bounded queue to each.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

/// How many frames may wait for a client that reads slowly. Past it a post is refused with 429, as on AWS.
const QUEUE: usize = 512;

/// What is to happen to a socket.
#[derive(Debug)]
pub enum Outgoing {
    /// Send this text.
    Text(String),
    /// Close it; `DELETE @connections` does.
    Close,
}

/// Why a frame was not queued.
#[derive(Debug, PartialEq, Eq)]
pub enum PostError {
    /// There is no such socket, no longer or not yet.
    Gone,
    /// Its client does not keep up.
    Full,
}

/// What `GET @connections` tells.
#[derive(Debug, Clone)]
pub struct Info {
    /// When the handshake began.
    pub connected_at: DateTime<Utc>,
    /// When a frame last came or went.
    pub last_active_at: DateTime<Utc>,
    /// The client's address.
    pub source_ip: String,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

#[derive(Debug)]
struct Entry {
    queue: mpsc::Sender<Outgoing>,
    info: Info,
}

/// The open sockets by connection id.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    open: Arc<Mutex<HashMap<String, Entry>>>,
}

impl Sockets {
    /// Lists a socket. From here on it can be posted to, and not before.
    pub fn open(&self, connection_id: &str, info: Info) -> mpsc::Receiver<Outgoing> {
        let (queue, frames) = mpsc::channel(QUEUE);
        self.lock().insert(connection_id.to_owned(), Entry { queue, info });
        frames
    }

    /// Strikes a socket off the list.
    pub fn close(&self, connection_id: &str) {
        self.lock().remove(connection_id);
    }

    /// Notes that a frame came or went.
    pub fn touch(&self, connection_id: &str) {
        if let Some(entry) = self.lock().get_mut(connection_id) {
            entry.info.last_active_at = Utc::now();
        }
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// [`PostError`].
    pub fn post(&self, connection_id: &str, outgoing: Outgoing) -> Result<(), PostError> {
        let open = self.lock();
        let entry = open.get(connection_id).ok_or(PostError::Gone)?;
        entry.queue.try_send(outgoing).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => PostError::Full,
            mpsc::error::TrySendError::Closed(_) => PostError::Gone,
        })
    }

    /// What is known of a socket.
    pub fn info(&self, connection_id: &str) -> Option<Info> {
        self.lock().get(connection_id).map(|entry| entry.info.clone())
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        self.lock().len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // Held for a look-up at a time and never across an await; a panic in between leaves a whole map.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
