//! Sends frames to connections through `@connections`. This is best effort: sync makes up for a push that does not
//! arrive, and no request fails because somebody else's phone is off.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_apigatewaymanagement::primitives::Blob;
use chrono::Utc;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::task::JoinSet;
use tracing::Instrument as _;
use windi_shared::Result;
use windi_shared::connections::{Address, BATCH, Connection, Connections};
use windi_shared::ids::{ChatId, ConnectionId, UserId};
use windi_shared::protocol::ServerFrame;

use crate::posts::{POSTS_AT_ONCE, Posted, Posts, encode};

/// How many fan-outs are in progress at once. Others wait their turn, which does not count towards [`FAN_OUT_LIMIT`].
///
/// Both limits apply to the process. A Lambda environment has one request at a time and never waits, but the local
/// gateway has everybody's, and a thousand fan-outs at once would slow each other down until all of them were cut
/// short.
const FAN_OUTS_AT_ONCE: usize = 32;
/// How long a whole fan-out may take once it has its turn; the function has 28 s.
const FAN_OUT_LIMIT: Duration = Duration::from_secs(5);
/// A fan-out to at most this many people is shorter than letting others go first would take.
const FEW: usize = 4;
/// The `$connect` of a connection younger than this may still be in progress: API Gateway returns 410 for it too.
const YOUNG: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Push {
    posts: Posts,
    connections: Connections,
    turns: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

/// Whom a frame did not reach, because they are not connected.
#[derive(Debug, Default)]
pub struct Missed {
    /// They have no device on their list.
    pub absent: Vec<UserId>,
    /// They have no live device left, although their list said otherwise.
    pub gone: Vec<UserId>,
}

/// The outcome of the posts of one fan-out.
#[derive(Default)]
struct Tally {
    posts: AtomicUsize,
    gone: AtomicUsize,
    failed: AtomicUsize,
    missed: Mutex<Missed>,
}

impl Tally {
    fn missed(&self) -> MutexGuard<'_, Missed> {
        self.missed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes those of the users who have none of these devices. If the devices are not known, nobody counts as absent.
    fn note_absent(&self, users: &[UserId], devices: &Result<Vec<Connection>>) {
        let Ok(devices) = devices else { return };
        let present: HashSet<_> = devices.iter().map(|device| device.user_id).collect();
        self.missed().absent.extend(users.iter().filter(|user_id| !present.contains(*user_id)));
    }

    /// Logs what was done since `start`, and returns whom it did not reach, also if the rest was cut short.
    fn report(&self, start: Instant) -> Missed {
        let count = |counter: &AtomicUsize| counter.load(Ordering::Relaxed);
        let posts = count(&self.posts);
        if posts > 0 {
            let (gone, failed, ms) = (count(&self.gone), count(&self.failed), start.elapsed().as_millis() as u64);
            tracing::info!(posts, gone, failed, ms, "Fanned out.");
        }
        std::mem::take(&mut *self.missed())
    }
}

impl Push {
    pub fn new(posts: Posts, connections: Connections) -> Self {
        Self {
            posts,
            connections,
            turns: Arc::new(Semaphore::new(FAN_OUTS_AT_ONCE)),
            places: Arc::new(Semaphore::new(POSTS_AT_ONCE)),
        }
    }

    pub fn posts(&self) -> &Posts {
        &self.posts
    }

    /// The table that lists the connections it posts to.
    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Sends `frame` to every device of `users` except one. Returns the users who are not connected.
    pub async fn to_users(&self, users: &[UserId], frame: &ServerFrame, except: Option<&ConnectionId>) -> Missed {
        let Some(body) = encode(frame) else { return Missed::default() };
        let tally = Arc::new(Tally::default());
        let mut shares = users.chunks(BATCH).map(|users| {
            let (push, users, body) = (self.clone(), users.to_vec(), body.clone());
            let (except, tally) = (except.cloned(), Arc::clone(&tally));
            async move {
                let devices = push.connections.of_users(&users).await;
                tally.note_absent(&users, &devices);
                let wanted = |connection: &Connection| Some(&connection.id) != except.as_ref();
                push.post_all(devices, body, &tally, wanted, |connection| Address::User(connection.user_id)).await;
            }
        });
        // Further shares have tasks of their own, so that all cores work on a large group.
        let mut others = JoinSet::new();
        let fan_out = async {
            let Some(first) = shares.next() else { return };
            if users.len() > FEW {
                // In one process the look-up and the posts are calls that hardly ever wait, so they would hold this thread
                // for long: the acknowledgement, which has just been queued for its socket, can go first.
                tokio::task::yield_now().await;
            }
            shares.for_each(|share| drop(others.spawn(share.in_current_span())));
            first.await;
            while let Some(share) = others.join_next().await {
                if let Err(error) = share {
                    tracing::error!(%error, "A part of a fan-out failed.");
                }
            }
        };
        let _turn = self.turn().await;
        let start = Instant::now();
        within_limit(fan_out).await;
        // If it was cut short, a task may still be running on another core.
        others.shutdown().await;
        tally.report(start)
    }

    /// Sends `frame` to the devices that have the chat open and belong to users for whom `meant` returns true.
    pub async fn to_open(&self, chat_id: ChatId, frame: &ServerFrame, meant: impl Fn(UserId) -> bool) {
        let Some(body) = encode(frame) else { return };
        let tally = Tally::default();
        let fan_out = async {
            let devices = self.connections.of_chat(chat_id).await;
            let wanted = |connection: &Connection| meant(connection.user_id);
            self.post_all(devices, body, &tally, wanted, |_| Address::Chat(chat_id)).await;
        };
        let _turn = self.turn().await;
        let start = Instant::now();
        within_limit(fan_out).await;
        tally.report(start);
    }

    /// Waits for a turn, which lasts until it is dropped; its time limit begins then.
    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Neither semaphore is ever closed, so a turn and a place can always be acquired.
        self.turns.acquire().await.ok()
    }

    /// Posts to those of the devices that are wanted.
    async fn post_all(
        &self,
        devices: Result<Vec<Connection>>,
        body: Blob,
        tally: &Tally,
        wanted: impl Fn(&Connection) -> bool,
        listed_at: impl Fn(&Connection) -> Address,
    ) {
        let devices = match devices {
            Ok(devices) => devices,
            Err(error) => return error.log(),
        };
        let posts = stream::iter(devices.into_iter().filter(wanted));
        posts
            .for_each_concurrent(POSTS_AT_ONCE, |connection| {
                let (address, body) = (listed_at(&connection), body.clone());
                async move { self.post_or_forget(address, &connection, body, tally).await }
            })
            .await;
    }

    /// Posts, and takes a connection that no longer exists off its list.
    async fn post_or_forget(&self, address: Address, connection: &Connection, body: Blob, tally: &Tally) {
        let _place = self.places.acquire().await;
        tally.posts.fetch_add(1, Ordering::Relaxed);
        match self.posts.post(&connection.id, body).await {
            Posted::Arrived => return,
            Posted::Failed => {
                tally.failed.fetch_add(1, Ordering::Relaxed);
                return;
            }
            Posted::Gone => {
                tally.gone.fetch_add(1, Ordering::Relaxed);
            }
        }
        if is_young(connection) {
            return;
        }
        match self.connections.forget(address, &[&connection.id]).await {
            Ok(forgotten) if forgotten.was_last => {
                tally.missed().gone.push(connection.user_id);
            }
            Ok(_) => {}
            Err(error) => error.log(),
        }
    }
}

async fn within_limit(fan_out: impl Future<Output = ()>) {
    if tokio::time::timeout(FAN_OUT_LIMIT, fan_out).await.is_err() {
        tracing::warn!("A fan-out was cut short; sync will make it good.");
    }
}

fn is_young(connection: &Connection) -> bool {
    connection.at > Utc::now().timestamp_millis() - YOUNG.as_millis() as i64
}
