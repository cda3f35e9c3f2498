//! Whether the session behind a frame is still alive.
//!
//! Ending a session closes its sockets at once, through DynamoDB and `@connections`. If either fails, the session must
//! not last as long as its sockets do, so each process asks the database again, at most once a minute per session.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use windi_shared::Result;
use windi_shared::db::{Database, sessions};
use windi_shared::ids::SessionId;

/// How long a positive answer is trusted.
const TRUSTED: Duration = Duration::from_secs(60);
/// How many sessions a process remembers. A Lambda environment sees a handful; the local gateway sees everybody's.
const MAX_REMEMBERED: usize = 10_000;

static FOUND_ALIVE: LazyLock<FoundAlive> = LazyLock::new(FoundAlive::default);

/// Whether the session was alive within the last minute.
pub async fn is_live(db: &Database, session_id: SessionId) -> Result<bool> {
    let now = SystemTime::now();
    if FOUND_ALIVE.is_recent(session_id, now) {
        return Ok(true);
    }
    let is_live = sessions::is_live(db, session_id).await?;
    if is_live {
        FOUND_ALIVE.note(session_id, now);
    }
    Ok(is_live)
}

/// Uses the wall clock: a frozen Lambda environment may not count the time it was frozen for.
#[derive(Debug, Default)]
struct FoundAlive {
    at: Mutex<HashMap<SessionId, SystemTime>>,
}

impl FoundAlive {
    fn is_recent(&self, session_id: SessionId, now: SystemTime) -> bool {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.get(&session_id).is_some_and(|found| now.duration_since(*found).is_ok_and(|age| age < TRUSTED))
    }

    fn note(&self, session_id: SessionId, now: SystemTime) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.len() >= MAX_REMEMBERED {
            // Every session is then asked about once more, which costs less than finding the oldest every time.
            at.clear();
        }
        at.insert(session_id, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_trusted_for_a_minute_and_not_longer() {
        let (found, session_id, now) = (FoundAlive::default(), SessionId::new(), SystemTime::now());
        assert!(!found.is_recent(session_id, now));
        found.note(session_id, now);
        assert!(found.is_recent(session_id, now + TRUSTED - Duration::from_millis(1)));
        assert!(!found.is_recent(session_id, now + TRUSTED));
        assert!(!found.is_recent(SessionId::new(), now));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (found, now) = (FoundAlive::default(), SystemTime::now());
        for _ in 0..MAX_REMEMBERED + 5 {
            found.note(SessionId::new(), now);
        }
        assert_eq!(found.at.lock().expect("not poisoned").len(), 5);
    }

    #[test]
    fn a_clock_that_was_set_back_is_not_trusted() {
        let (found, session_id, now) = (FoundAlive::default(), SessionId::new(), SystemTime::now());
        found.note(session_id, now);
        assert!(!found.is_recent(session_id, now - Duration::from_secs(1)));
    }
}
