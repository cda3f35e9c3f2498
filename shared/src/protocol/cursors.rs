//! Where the next page of a list begins: a position, not a number, so that what comes or goes meanwhile moves nothing. Clients
//! pass a cursor back unchanged.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use chrono::DateTime;

use crate::ids::{ChatId, MessageId, UserId};
use crate::protocol::timestamp::Timestamp;

/// A page of `GET /chats` begins after this chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListCursor {
    /// The chat's last activity.
    pub activity: Timestamp,
    pub chat_id: ChatId,
}

/// Written as `<milliseconds since 1970>_<chat id>`.
impl Display for ListCursor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.activity.0.timestamp_millis(), self.chat_id)
    }
}

impl FromStr for ListCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (millis, chat_id) = text.split_once('_').ok_or(())?;
        Ok(Self { activity: moment(millis)?, chat_id: chat_id.parse().map_err(|_| ())? })
    }
}

/// A page of `GET /messages/search` begins after this message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HitCursor {
    pub timestamp: Timestamp,
    pub chat_id: ChatId,
    pub id: MessageId,
}

/// Written as `<milliseconds since 1970>_<chat id>_<number>`.
impl Display for HitCursor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}_{}", self.timestamp.0.timestamp_millis(), self.chat_id, self.id)
    }
}

impl FromStr for HitCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (chat, id) = text.rsplit_once('_').ok_or(())?;
        let ListCursor { activity, chat_id } = chat.parse()?;
        Ok(Self { timestamp: activity, chat_id, id: id.parse().map_err(|_| ())? })
    }
}

/// A page of `GET /users/blocked` begins after this person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockCursor {
    pub blocked_at: Timestamp,
    pub user_id: UserId,
}

/// Written as `<milliseconds since 1970>_<user id>`.
impl Display for BlockCursor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.blocked_at.0.timestamp_millis(), self.user_id)
    }
}

impl FromStr for BlockCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (millis, user_id) = text.split_once('_').ok_or(())?;
        Ok(Self { blocked_at: moment(millis)?, user_id: user_id.parse().map_err(|_| ())? })
    }
}

fn moment(millis: &str) -> Result<Timestamp, ()> {
    let moment = DateTime::from_timestamp_millis(millis.parse().map_err(|_| ())?).map(Timestamp);
    // PostgreSQL's years begin after chrono's do.
    let years = Timestamp::YEAR_1970..Timestamp::YEAR_10000;
    moment.filter(|moment| years.contains(moment)).ok_or(())
}
