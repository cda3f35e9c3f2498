//! Where the next page of a list begins: a position, not a number, so that what comes or goes meanwhile moves nothing. Clients
//! pass a cursor back unchanged.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use chrono::DateTime;
use uuid::Uuid;

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

/// A page of `GET /export` after the first begins after this.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportCursor {
    Chats(ListCursor),
    /// A person's own words, in the order of the chats' ids.
    Messages {
        chat_id: ChatId,
        id: MessageId,
    },
}

impl ExportCursor {
    pub const FIRST_MESSAGE: Self = Self::Messages { chat_id: ChatId(Uuid::nil()), id: 0 };
}

/// Written as `chats_` and a [`ListCursor`], or as `messages_<chat id>_<number>`.
impl Display for ExportCursor {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Chats(after) => write!(f, "chats_{after}"),
            Self::Messages { chat_id, id } => write!(f, "messages_{chat_id}_{id}"),
        }
    }
}

impl FromStr for ExportCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text.split_once('_').ok_or(())? {
            ("chats", after) => Ok(Self::Chats(after.parse()?)),
            ("messages", after) => {
                let (chat_id, id) = after.split_once('_').ok_or(())?;
                let id = id.parse().ok().filter(|id: &MessageId| *id >= 0).ok_or(())?;
                Ok(Self::Messages { chat_id: chat_id.parse().map_err(|_| ())?, id })
            }
            _ => Err(()),
        }
    }
}

fn moment(millis: &str) -> Result<Timestamp, ()> {
    let moment = DateTime::from_timestamp_millis(millis.parse().map_err(|_| ())?).map(Timestamp);
    // PostgreSQL's years begin after chrono's do.
    let years = Timestamp::YEAR_1970..Timestamp::YEAR_10000;
    moment.filter(|moment| years.contains(moment)).ok_or(())
}

#[cfg(test)]
mod tests {
    use super::{BlockCursor, ExportCursor, HitCursor, ListCursor};

    const ID: &str = "019a1b2c-0000-7000-8000-000000000001";

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_a_made_up_one_is_not() {
        let (list, hit) = (format!("1763625600123_{ID}"), format!("1763625600123_{ID}_42"));
        assert_eq!(list.parse().map(|cursor: ListCursor| cursor.to_string()), Ok(list.clone()));
        assert_eq!(list.parse().map(|cursor: BlockCursor| cursor.to_string()), Ok(list.clone()));
        assert_eq!(hit.parse().map(|cursor: HitCursor| cursor.to_string()), Ok(hit.clone()));
        for text in [format!("chats_{list}"), format!("messages_{ID}_42"), ExportCursor::FIRST_MESSAGE.to_string()] {
            assert_eq!(text.parse().map(|cursor: ExportCursor| cursor.to_string()), Ok(text));
        }
        for text in ["", "_", "x", ID, "1_2", &hit, &format!("99999999999999999_{ID}"), &format!("-1_{ID}")] {
            assert_eq!(text.parse::<ListCursor>(), Err(()), "{text}");
            assert_eq!(text.parse::<BlockCursor>(), Err(()), "{text}");
        }
        for text in ["", "1_2_3", &list, &format!("{hit}_1"), &format!("chats_{hit}"), &format!("messages_{ID}_-1")] {
            assert_eq!(text.parse::<HitCursor>(), Err(()), "{text}");
            assert_eq!(text.parse::<ExportCursor>(), Err(()), "{text}");
        }
    }
}
