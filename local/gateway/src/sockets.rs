//! The open sockets, each with a bounded queue of frames to send.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;

use crate::metrics;

/// How much may wait for a client that reads slowly, in frames and in bytes. Beyond either limit a post is refused with
/// 429, as on AWS. How much AWS itself buffers is not documented.
const MAX_QUEUED_FRAMES: usize = 512;
const MAX_QUEUED_BYTES: usize = 1024 * 1024;

/// Why a frame was not queued.
#[derive(Debug, PartialEq, Eq)]
pub enum PostError {
    /// The socket does not exist: not yet, no longer or not at all.
    Gone,
    /// The queue is full, because the client reads too slowly.
    Full,
}

/// What `GET @connections` returns.
#[derive(Debug, Clone)]
pub struct Info {
    /// When the handshake began.
    pub connected_at: DateTime<Utc>,
    /// When a frame was last received or sent.
    pub last_active_at: DateTime<Utc>,
    pub source_ip: String,
    pub user_agent: Option<String>,
}

#[derive(Debug)]
struct Entry {
    queue: mpsc::Sender<String>,
    queued_bytes: Arc<AtomicUsize>,
    info: Info,
    number: u64,
    calls: u64,
}

/// The frames that wait to be sent to one socket.
#[derive(Debug)]
pub struct Queue {
    frames: mpsc::Receiver<String>,
    bytes: Arc<AtomicUsize>,
    /// The socket's number, counted from 1.
    pub number: u64,
}

impl Queue {
    /// The next frame, or `None` when the socket has been closed and everything queued before that has been taken.
    pub async fn next(&mut self) -> Option<String> {
        self.frames.recv().await
    }

    /// Makes room for other frames. To be called when a frame of this many bytes has been sent.
    pub fn sent(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// The open sockets by connection id.
#[derive(Debug, Clone, Default)]
pub struct Sockets {
    open: Arc<Mutex<HashMap<String, Entry>>>,
    opened: Arc<AtomicU64>,
}

impl Sockets {
    /// Adds a socket. From here on, and not before, it can be posted to.
    pub fn open(&self, connection_id: &str, info: Info) -> Queue {
        let (queue, frames) = mpsc::channel(MAX_QUEUED_FRAMES);
        let number = self.opened.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = Arc::new(AtomicUsize::new(0));
        let entry = Entry { queue, queued_bytes: bytes.clone(), info, number, calls: 0 };
        let mut open = self.lock();
        open.insert(connection_id.to_owned(), entry);
        metrics::sockets(open.len());
        Queue { frames, bytes, number }
    }

    /// Removes a socket. From here on a post to it is a 410. The connection closes when everything queued is sent.
    pub fn close(&self, connection_id: &str) {
        let mut open = self.lock();
        open.remove(connection_id);
        metrics::sockets(open.len());
    }

    /// Records that a frame was received or sent.
    pub fn touch(&self, connection_id: &str) {
        if let Some(entry) = self.lock().get_mut(connection_id) {
            entry.info.last_active_at = Utc::now();
        }
    }

    /// Queues a frame.
    pub fn post(&self, connection_id: &str, frame: String) -> Result<(), PostError> {
        let open = self.lock();
        let entry = open.get(connection_id).ok_or(PostError::Gone)?;
        let bytes = frame.len();
        // We hold the lock, so only `Queue::sent` can change the count meanwhile, and that makes room.
        if entry.queued_bytes.load(Ordering::Relaxed) + bytes > MAX_QUEUED_BYTES {
            return Err(PostError::Full);
        }
        // Added before the frame is queued, because the frame may be sent and subtracted before `try_send` returns.
        entry.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        entry.queue.try_send(frame).map_err(|e| {
            entry.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            match e {
                mpsc::error::TrySendError::Full(_) => PostError::Full,
                mpsc::error::TrySendError::Closed(_) => PostError::Gone,
            }
        })
    }

    /// Counts a call about a socket, for [`crate::faults`]. Returns the numbers of socket and call, each from 1.
    pub fn count_call(&self, connection_id: &str) -> Option<(u64, u64)> {
        let mut open = self.lock();
        let entry = open.get_mut(connection_id)?;
        entry.calls += 1;
        Some((entry.number, entry.calls))
    }

    pub fn info(&self, connection_id: &str) -> Option<Info> {
        self.lock().get(connection_id).map(|entry| entry.info.clone())
    }

    /// The connection ids of the open sockets.
    pub fn ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    pub fn len(&self) -> usize {
        self.lock().len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        // Held for one look-up at a time and never across an await. A panic in between leaves the map intact.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info() -> Info {
        let now = Utc::now();
        Info { connected_at: now, last_active_at: now, source_ip: String::new(), user_agent: None }
    }

    #[tokio::test]
    async fn a_queue_is_bounded_in_frames_and_in_bytes() {
        let sockets = Sockets::default();
        let mut queue = sockets.open("a", info());
        let large = || "x".repeat(MAX_QUEUED_BYTES / 4);
        for _ in 0..4 {
            assert_eq!(sockets.post("a", large()), Ok(()));
        }
        assert_eq!(sockets.post("a", "x".to_owned()), Err(PostError::Full));
        assert_eq!(queue.next().await, Some(large()));
        assert_eq!(sockets.post("a", large()), Err(PostError::Full), "the frame has not been sent yet");
        queue.sent(MAX_QUEUED_BYTES / 4);
        assert_eq!(sockets.post("a", large()), Ok(()));

        let _kept = sockets.open("b", info());
        let taken = (0..).take_while(|_| sockets.post("b", String::new()).is_ok()).count();
        assert_eq!(taken, MAX_QUEUED_FRAMES);
        assert_eq!(sockets.post("c", String::new()), Err(PostError::Gone));
    }
}
