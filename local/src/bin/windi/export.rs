//! `windi export`: everything of one's own, and what others have said in one's chats, in one file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use windi_shared::ids::{ChatId, MessageId, UserId};
use windi_shared::protocol::{ChatWithMembers, Export, History};

use crate::client::{Backoff, Client, Error, Result};
use crate::show::say;

/// Writes a JSON object a line: `account`, `session`, `blocked`, `chat`, `members`, `message`. Each message is there once: first one's
/// own, then chat by chat the others'.
///
/// # Errors
/// If there is such a file already, or if the server refuses; what has been written is then removed.
pub async fn export(client: &Client, path: &Path) -> Result<()> {
    // It holds everything that anybody has written to this person.
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    let mut lines = Lines { file: BufWriter::new(file), count: 0 };
    let done = match write(client, &mut lines).await {
        Ok(()) => {
            lines.file.into_inner().map_err(|error| Error::Io(error.into_error())).and_then(|file| Ok(file.sync_all()?))
        }
        Err(error) => Err(error),
    };
    if done.is_err() {
        let _ = std::fs::remove_file(path);
    } else {
        say(&format!("Wrote {} lines.", lines.count));
    }
    done
}

struct Lines {
    file: BufWriter<File>,
    count: u64,
}

impl Lines {
    fn write(&mut self, kind: &str, value: &impl Serialize) -> Result<()> {
        self.count += 1;
        Ok(writeln!(self.file, "{}", json!({kind: value}))?)
    }
}

async fn write(client: &Client, lines: &mut Lines) -> Result<()> {
    // Of each chat the last of one's own messages that is written: a chat that becomes active meanwhile may be on no page.
    let (mut me, mut chats, mut path) = (None, BTreeMap::<ChatId, MessageId>::new(), "/export?limit=100".to_owned());
    loop {
        let page: Export = patiently(client, &path).await?;
        if let Some(account) = &page.account {
            me = Some(account.id);
            lines.write("account", account)?;
        }
        for session in &page.sessions {
            lines.write("session", session)?;
        }
        for person in &page.blocked {
            lines.write("blocked", person)?;
        }
        for chat in &page.chats {
            chats.entry(chat.chat.id).or_default();
            lines.write("chat", chat)?;
        }
        for message in &page.messages {
            chats.insert(message.chat_id, message.id);
            lines.write("message", message)?;
        }
        let Some(next) = page.next else { break };
        path = format!("/export?limit=100&after={next}");
    }
    for (chat_id, own) in chats {
        match write_chat(client, lines, chat_id, me, own).await {
            // Somebody has removed this person meanwhile. What is written stays.
            Err(error) if error.has_code("chat_not_found") => eprintln!("You are not in the chat {chat_id} any more."),
            outcome => outcome?,
        }
    }
    Ok(())
}

/// Who is in a chat, and what is in it besides one's own words up to `own`.
async fn write_chat(
    client: &Client,
    lines: &mut Lines,
    chat_id: ChatId,
    me: Option<UserId>,
    own: MessageId,
) -> Result<()> {
    let chat: ChatWithMembers = patiently(client, &format!("/chats/{chat_id}")).await?;
    lines.write("members", &json!({"chat_id": chat_id, "members": chat.members}))?;
    let mut after = 0;
    loop {
        let page: History = patiently(client, &format!("/messages/history/{chat_id}?limit=100&after={after}")).await?;
        for message in &page.messages {
            if Some(message.sender_id) != me || message.text.is_none() || message.id > own {
                lines.write("message", message)?;
            }
        }
        let Some(last) = page.messages.last().filter(|_| page.has_more) else { return Ok(()) };
        after = last.id;
    }
}

/// Asks until there is an answer.
async fn patiently<T: DeserializeOwned>(client: &Client, path: &str) -> Result<T> {
    let mut backoff = Backoff::default();
    loop {
        let error = match client.call(Method::GET, path, None).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        tokio::time::sleep(backoff.after(error)?).await;
    }
}
