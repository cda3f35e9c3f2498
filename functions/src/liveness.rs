//! Whether the session behind a frame is still alive.
//!
//! Ending a session closes its sockets at once, through DynamoDB and `@connections`. Should either fail, the session must not go
//! on as long as its sockets do: so each process asks the database again, at most once a minute per session.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use windi_shared::Result;
use windi_shared::db::{PgPool, sessions};
use windi_shared::ids::SessionId;

/// For how long a session that was found alive is taken for alive.
const TRUSTED: Duration = Duration::from_secs(60);
/// How many sessions a process remembers. A Lambda environment sees a handful; the local gateway has everybody's.
const MAX_REMEMBERED: usize = 10_000;

static FOUND_ALIVE: LazyLock<FoundAlive> = LazyLock::new(FoundAlive::default);

/// Whether the session was alive within the last minute.
pub async fn is_live(db: &PgPool, session_id: SessionId) -> Result<bool> {
    let now = Instant::now();
    if FOUND_ALIVE.is_recent(session_id, now) {
        return Ok(true);
    }
    let is_live = sessions::is_live(db, session_id).await?;
    if is_live {
        FOUND_ALIVE.note(session_id, now);
    }
    Ok(is_live)
}

#[derive(Debug, Default)]
struct FoundAlive {
    at: Mutex<HashMap<SessionId, Instant>>,
}

impl FoundAlive {
    fn is_recent(&self, session_id: SessionId, now: Instant) -> bool {
        let at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        at.get(&session_id).is_some_and(|found| now.saturating_duration_since(*found) < TRUSTED)
    }

    fn note(&self, session_id: SessionId, now: Instant) {
        let mut at = self.at.lock().unwrap_or_else(PoisonError::into_inner);
        if at.len() >= MAX_REMEMBERED {
            at.retain(|_, found| now.saturating_duration_since(*found) < TRUSTED);
        }
        // Full of live ones: this one is asked about with every frame until there is room.
        if at.len() < MAX_REMEMBERED || at.contains_key(&session_id) {
            at.insert(session_id, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_trusted_for_a_minute_and_not_longer() {
        let (found, session_id, now) = (FoundAlive::default(), SessionId::new(), Instant::now());
        assert!(!found.is_recent(session_id, now));
        found.note(session_id, now);
        assert!(found.is_recent(session_id, now + TRUSTED - Duration::from_millis(1)));
        assert!(!found.is_recent(session_id, now + TRUSTED));
        assert!(!found.is_recent(SessionId::new(), now));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_makes_room_with_time() {
        let (found, now) = (FoundAlive::default(), Instant::now());
        for _ in 0..MAX_REMEMBERED + 5 {
            found.note(SessionId::new(), now);
        }
        assert_eq!(found.at.lock().expect("not poisoned").len(), MAX_REMEMBERED);
        let late = SessionId::new();
        found.note(late, now + TRUSTED);
        assert!(found.is_recent(late, now + TRUSTED));
        assert_eq!(found.at.lock().expect("not poisoned").len(), 1);
    }
}
