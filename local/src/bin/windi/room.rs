//! One chat as it is on the screen: what has been printed, and what comes next.
//!
//! This is the rule of "Order and holes" in `docs/protocol.md`. Nothing here does I/O: every change returns the lines
//! to print.

use std::collections::BTreeMap;

use windi_shared::ids::{ChatId, MessageId, UserId};
use windi_shared::protocol::{History, Message, ServerFrame};

use crate::show::{Names, message};

#[derive(Debug)]
pub struct Room {
    pub chat_id: ChatId,
    me: UserId,
    pub names: Names,
    /// The revision held.
    pub revision: i64,
    /// The newest message; 0 if there are none.
    pub last_id: MessageId,
    /// The revision of each message that has been printed.
    printed: BTreeMap<MessageId, i64>,
    /// Pushes that came before the one they follow, by revision.
    waiting: BTreeMap<i64, ServerFrame>,
    /// Whether the person is no longer in the chat.
    pub left: bool,
}

impl Room {
    /// A chat of which nothing has been printed; the caller adds the [names](Self::names).
    pub fn new(chat_id: ChatId, me: UserId) -> Self {
        Self {
            chat_id,
            me,
            names: Names::default(),
            revision: 0,
            last_id: 0,
            printed: BTreeMap::new(),
            waiting: BTreeMap::new(),
            left: false,
        }
    }

    /// Begins with a page of the history.
    pub fn begin(&mut self, page: &History) -> Vec<String> {
        self.revision = page.revision;
        page.messages.iter().filter_map(|message| self.put(message)).collect()
    }

    /// Takes a push, of whatever chat. It is applied when all before it have been.
    pub fn push(&mut self, frame: ServerFrame) -> Vec<String> {
        if let Some((chat_id, revision)) = change(&frame)
            && chat_id == self.chat_id
            && revision > self.revision
        {
            self.waiting.insert(revision, frame);
        }
        self.settle()
    }

    /// Whether something is missing before a push that has arrived.
    pub fn has_hole(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes every message that has changed up to `revision`, in the order of their numbers.
    pub fn catch_up(&mut self, messages: &[Message], revision: i64) -> Vec<String> {
        let mut lines: Vec<_> = messages.iter().filter_map(|message| self.put(message)).collect();
        self.revision = revision;
        self.waiting.retain(|waiting, _| *waiting > revision);
        lines.extend(self.settle());
        lines
    }

    fn settle(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(frame) = self.waiting.remove(&(self.revision + 1)) {
            self.revision += 1;
            lines.extend(self.apply(frame));
        }
        lines
    }

    fn apply(&mut self, frame: ServerFrame) -> Option<String> {
        match frame {
            ServerFrame::NewMessage(message)
            | ServerFrame::MessageEdited(message)
            | ServerFrame::MessageDeleted(message) => self.put(&message),
            ServerFrame::ChatUpdated(update) => self.put(update.entry.as_ref()?),
            ServerFrame::MemberAdded(change) | ServerFrame::MemberUpdated(change) => {
                let member = change.member;
                self.names.add(member.id, &member.name, member.username.as_deref());
                self.put(change.entry.as_ref()?)
            }
            ServerFrame::ChatDissolved(_) => {
                self.left = true;
                Some("(the group was dissolved)".to_owned())
            }
            ServerFrame::MemberRemoved(removed) => {
                self.left |= removed.user_id == self.me;
                self.put(&removed.entry)
            }
            _ => None,
        }
    }

    /// Nothing if this state of the message, or a later one, has been printed.
    fn put(&mut self, message_now: &Message) -> Option<String> {
        let Message { id, revision, .. } = *message_now;
        if self.printed.get(&id).is_some_and(|printed| *printed >= revision) {
            return None;
        }
        self.printed.insert(id, revision);
        self.last_id = self.last_id.max(id);
        Some(message(&self.names, message_now))
    }
}

/// The chat that a push is about and its revision after the change, if it has one.
fn change(frame: &ServerFrame) -> Option<(ChatId, i64)> {
    match frame {
        ServerFrame::NewMessage(message)
        | ServerFrame::MessageEdited(message)
        | ServerFrame::MessageDeleted(message) => Some((message.chat_id, message.revision)),
        ServerFrame::ChatCreated(created) => Some((created.chat_id, created.revision)),
        ServerFrame::ChatUpdated(update) => Some((update.chat_id, update.revision)),
        ServerFrame::MemberAdded(member) | ServerFrame::MemberUpdated(member) => {
            Some((member.chat_id, member.revision))
        }
        ServerFrame::MemberRemoved(removed) => Some((removed.chat_id, removed.revision)),
        ServerFrame::ChatDissolved(dissolved) => Some((dissolved.chat_id, dissolved.revision)),
        ServerFrame::MessageReacted(reacted) => Some((reacted.chat_id, reacted.revision)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(room: &Room, id: MessageId, revision: i64) -> ServerFrame {
        let data = json!({"chat_id": room.chat_id, "id": id, "sender_id": UserId::new(), "kind": "text", "text": format!("text {id}"),
            "timestamp": "2026-11-20T08:00:00.123Z", "edited_at": null, "deleted_at": null, "is_read": false,
            "client_message_id": "k", "revision": revision});
        ServerFrame::NewMessage(serde_json::from_value(data).expect("a message"))
    }

    #[test]
    fn everything_is_printed_once_and_in_order_whatever_the_order_of_the_pushes() {
        let mut room = Room::new(ChatId::new(), UserId::new());
        room.revision = 1;
        let (first, second, third) = (said(&room, 1, 2), said(&room, 2, 3), said(&room, 3, 4));
        assert!(room.push(third.clone()).is_empty() && room.has_hole());
        assert_eq!(room.push(first.clone()), ["#1 2026-11-20 08:00:00Z somebody: text 1"]);
        assert!(room.has_hole());
        assert_eq!(room.push(second).len(), 2);
        assert!(room.push(first).is_empty() && room.push(third).is_empty() && !room.has_hole());
        assert_eq!((room.revision, room.last_id), (4, 3));
    }
}
