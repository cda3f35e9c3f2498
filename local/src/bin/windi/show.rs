//! What is printed, made safe for a terminal: nobody's text can send it escape sequences, change the direction of a
//! line or look like another line.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};

use reqwest::Method;
pub use windi_shared::characters::one_line;
use windi_shared::characters::printable_lines;
use windi_shared::ids::UserId;
use windi_shared::protocol::{
    ChatEvent, ChatWithMembers, FileInfo, FoundPeople, Message, MessageKind, Posting, Timestamp,
};

use crate::client::{Client, Result};

/// The longest part of a message in a list, in characters.
const SUMMARY_CHARS: usize = 60;
/// How many people can be asked for at once.
const PEOPLE_AT_ONCE: usize = 100;

/// Prints a line, which must be safe already. A reader that has gone, such as `head`, ends the program.
pub fn say(line: &str) {
    if writeln!(io::stdout(), "{line}").is_err() {
        std::process::exit(1);
    }
}

pub fn time(timestamp: Timestamp) -> String {
    timestamp.0.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `#42 2026-11-20 08:00:00Z alice: Hello`; further lines of the text are indented. What it answers and whose words it forwards
/// stand before the text.
pub fn message(names: &Names, message: &Message) -> String {
    let head = format!("#{} {} {}", message.id, time(message.timestamp), names.of(message.sender_id));
    if let Some(event) = &message.details.event {
        return format!("{head} {}", happened(names, event));
    }
    let Some(text) = &message.text else { return format!("(deleted) {head}") };
    let edited = if message.edited_at.is_some() { "(edited) " } else { "" };
    let reply = message.details.reply_to.as_ref().map(|quote| format!("(to #{}) ", quote.id)).unwrap_or_default();
    let origin = message.details.forwarded_from.as_ref();
    let origin = origin.map(|origin| format!("(from {}) ", names.of(origin.user_id))).unwrap_or_default();
    format!("{edited}{head}: {reply}{origin}{}{}", files(message), printable_lines(text, "\n    "))
}

/// `[picture.png, 2 KB] `, once for each file.
fn files(message: &Message) -> String {
    let file = |file: &FileInfo| format!("[{}, {} KB] ", one_line(&file.name), file.size.div_euclid(1000) + 1);
    message.details.files.iter().map(file).collect()
}

/// What somebody has done, as the rest of a sentence.
fn happened(names: &Names, event: &ChatEvent) -> String {
    match event {
        ChatEvent::MemberAdded { user_id } => format!("added {}", names.of(*user_id)),
        ChatEvent::MemberRemoved { user_id } => format!("removed {}", names.of(*user_id)),
        ChatEvent::MemberLeft => "left".to_owned(),
        ChatEvent::MemberJoined => "joined by a link".to_owned(),
        ChatEvent::PictureChanged => "changed the picture".to_owned(),
        ChatEvent::DescriptionChanged => "changed the description".to_owned(),
        ChatEvent::PostingChanged { posting: Posting::Admins } => "lets only admins write".to_owned(),
        ChatEvent::PostingChanged { posting: Posting::Everyone } => "lets everyone write".to_owned(),
        ChatEvent::SlowModeChanged { slow_seconds } => format!("set the slow mode to {slow_seconds} s"),
        ChatEvent::RoleChanged { user_id, role } => format!("made {} {}", names.of(*user_id), <&str>::from(*role)),
        ChatEvent::GroupRenamed { name } => format!("renamed the group to {}", one_line(name)),
        ChatEvent::MessagePinned { message_id } => format!("pinned #{message_id}"),
    }
}

/// The beginning of a message in a list.
pub fn summary(message: &Message) -> String {
    if message.kind == MessageKind::Service {
        return "(the group has changed)".to_owned();
    }
    let Some(text) = &message.text else { return "(deleted)".to_owned() };
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let summary: String = line.chars().take(SUMMARY_CHARS).collect();
    format!("{}{}", files(message), one_line(&summary))
}

/// A username, which nobody else has; the name of somebody without one is in quotes.
pub fn person(name: &str, username: Option<&str>) -> String {
    username.map_or_else(|| format!("\"{}\"", one_line(name)), one_line)
}

/// What people are called.
#[derive(Debug, Default)]
pub struct Names(BTreeMap<UserId, String>);

impl Names {
    pub fn of(&self, user_id: UserId) -> &str {
        self.0.get(&user_id).map_or("somebody", String::as_str)
    }

    pub fn add(&mut self, user_id: UserId, name: &str, username: Option<&str>) {
        self.0.insert(user_id, person(name, username));
    }

    /// Adds the members of a chat.
    pub fn members(&mut self, chat: &ChatWithMembers) {
        for member in chat.members.iter().flatten() {
            self.add(member.id, &member.name, member.username.as_deref());
        }
    }

    /// Asks for those who are in these messages and not known: people who have left the chat, or who never were in it.
    ///
    /// # Errors
    /// If the server does not answer.
    pub async fn learn(&mut self, client: &Client, messages: &[Message]) -> Result<()> {
        let people: BTreeSet<_> = messages.iter().flat_map(people).collect();
        let unknown: Vec<_> = people.into_iter().filter(|id| !self.0.contains_key(id)).collect();
        for ids in unknown.chunks(PEOPLE_AT_ONCE) {
            let ids: Vec<_> = ids.iter().map(ToString::to_string).collect();
            let path = format!("/users?ids={}", ids.join(","));
            let found: FoundPeople = client.call(Method::GET, &path, None).await?;
            for person in found.users {
                self.add(person.id, &person.name, person.username.as_deref());
            }
        }
        Ok(())
    }
}

/// Everybody that [`message`] names.
fn people(message: &Message) -> impl Iterator<Item = UserId> {
    let subject = match message.details.event {
        Some(
            ChatEvent::MemberAdded { user_id }
            | ChatEvent::MemberRemoved { user_id }
            | ChatEvent::RoleChanged { user_id, .. },
        ) => Some(user_id),
        _ => None,
    };
    let author = message.details.forwarded_from.as_ref().map(|origin| origin.user_id);
    [Some(message.sender_id), subject, author].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn escape_sequences_do_not_reach_the_terminal() {
        assert_eq!(one_line("a\u{1b}[31mb\u{9b}0mc\r\n\u{7}"), "a\u{fffd}[31mb\u{fffd}0mc\u{fffd}\u{fffd}\u{fffd}");
        assert_eq!(one_line("\u{202e}drowssap"), "\u{fffd}drowssap");
        assert_eq!(one_line("👩\u{200d}👧 naïve"), "👩\u{200d}👧 naïve");
    }
}
