//! Whom a name on the command line means.

use reqwest::Method;
use serde_json::json;
use windi_shared::fields::{Name, Username};
use windi_shared::ids::ChatId;
use windi_shared::protocol::{ChatKind, ChatList, ChatWithMembers, FoundPeople, ListedChat, NewChat, Person};

use crate::client::{Client, Error, Result};
use crate::show::{one_line, person};

/// All chats, the latest active first.
///
/// # Errors
/// If the server refuses or does not answer.
pub async fn chats(client: &Client) -> Result<Vec<ListedChat>> {
    let (mut chats, mut path) = (Vec::new(), "/chats?limit=100".to_owned());
    loop {
        let page: ChatList = client.call(Method::GET, &path, None).await?;
        chats.extend(page.chats);
        let Some(next) = page.next else { return Ok(chats) };
        path = format!("/chats?limit=100&after={next}");
    }
}

/// What the person asking calls a chat, safe to print.
pub fn name(chat: &ListedChat) -> String {
    match (&chat.peer, &chat.chat.name) {
        (Some(peer), _) => person(&peer.name, peer.username.as_deref()),
        (None, name) => one_line(name.as_deref().unwrap_or_default()),
    }
}

/// The chat with the person of this username, the group of this name, or the chat with this id. A private chat that
/// does not exist is made if `create`.
///
/// # Errors
/// If there is no such chat or more than one, or if the server refuses or does not answer.
pub async fn chat(client: &Client, target: &str, create: bool) -> Result<ChatId> {
    if let Ok(chat_id) = target.parse() {
        return Ok(chat_id);
    }
    let (group, username) = (Name::new(target).ok(), Username::new(target).ok());
    let is_group = |chat: &ListedChat| {
        let name = chat.chat.name.as_deref();
        chat.chat.kind == ChatKind::Group && name.is_some() && name == group.as_ref().map(Name::as_str)
    };
    let is_private = |chat: &ListedChat| chat.peer.as_ref().is_some_and(|peer| is(peer, username.as_ref()));
    let mut found = Vec::new();
    let chats = chats(client).await?;
    found.extend(chats.iter().filter(|chat| is_group(chat)).map(|chat| chat.chat.id));
    let private = chats.iter().find(|chat| is_private(chat)).map(|chat| chat.chat.id);
    found.extend(private);
    // Looked up even if there is a group of that name, so that nothing meant for one person is sent to many.
    let stranger = if create && private.is_none() { somebody(client, username.as_ref()).await? } else { None };
    match (found.as_slice(), stranger) {
        ([], Some(stranger)) => {
            let new = NewChat {
                kind: ChatKind::Private,
                user_id: Some(stranger.id),
                name: None,
                member_ids: None,
                client_chat_id: None,
            };
            let chat: ChatWithMembers = client.call(Method::POST, "/chats", Some(&json!(new))).await?;
            Ok(chat.chat.id)
        }
        ([], None) => Err(Error::Other(format!("there is no chat with '{target}'"))),
        ([chat_id], None) => Ok(*chat_id),
        _ => {
            let ids: Vec<_> = found.iter().map(ToString::to_string).collect();
            Err(Error::Other(format!("'{target}' may be several; use the id of a chat: {}", ids.join(", "))))
        }
    }
}

fn is(person: &Person, username: Option<&Username>) -> bool {
    username.is_some() && person.username.as_deref() == username.map(Username::as_str)
}

/// The person with this username, whether or not there is a chat with them.
async fn somebody(client: &Client, username: Option<&Username>) -> Result<Option<Person>> {
    let Some(username) = username else { return Ok(None) };
    // A username has no characters that mean something in a query.
    let path = format!("/users?search={}", username.as_str());
    let found: FoundPeople = client.call(Method::GET, &path, None).await?;
    Ok(found.users.into_iter().find(|person| is(person, Some(username))))
}
