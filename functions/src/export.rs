//! `GET /export`, which [`history`](crate::history) serves: everything of a person's own, page by page.

use lambda_http::Request;
use windi_shared::auth::{Caller, Tokens};
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, blocks, chat_list, export, sessions, users};
use windi_shared::fields::MAX_BLOCKED;
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{Export, ExportCursor, ListCursor, Message};
use windi_shared::{Error, Result};

use crate::http_api::{self, Answer};

/// How many chats are looked into for one page, and how many of their messages. A page may therefore have less than it could.
const MAX_CHATS: i64 = 50;
const MAX_MESSAGES: i64 = 20_000;

/// # Errors
/// [`Error::Unauthorized`]; [`Error::InvalidField`] for a wrong page; [`Error::RateLimited`].
pub async fn export(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let limit = http_api::limit(request, 50)?;
    rates::take(db, caller.user_id, Deed::Export).await?;
    let page = match http_api::query::<ExportCursor>(request, "after")? {
        None => {
            let me = caller.user_id;
            Export {
                account: Some(users::account(db, me).await?),
                sessions: sessions::list(db, me).await?,
                blocked: blocks::page(db, me, None, MAX_BLOCKED).await?.0,
                ..chats(db, caller, None, limit).await?
            }
        }
        Some(ExportCursor::Chats(after)) => chats(db, caller, Some(after), limit).await?,
        Some(ExportCursor::Messages { chat_id, id }) => {
            let (messages, next) = words(db, caller.user_id, (chat_id, id), limit).await?;
            Export { messages, next: next.map(|next| next.to_string()), ..Export::default() }
        }
    };
    http_api::ok(&page)
}

/// A page of chats; after the last one come the messages.
async fn chats(db: &Database, caller: Caller, after: Option<ListCursor>, limit: i64) -> Result<Export> {
    let (chats, next) = chat_list::page(db, caller.user_id, caller.session_id, after, limit, true).await?;
    let next = next.map_or(ExportCursor::FIRST_MESSAGE, ExportCursor::Chats);
    Ok(Export { chats, next: Some(next.to_string()), ..Export::default() })
}

/// The person's own words after a message, chat by chat.
async fn words(
    db: &Database,
    me: UserId,
    (from, after): (ChatId, i64),
    limit: i64,
) -> Result<(Vec<Message>, Option<ExportCursor>)> {
    let chats = export::chats(db, me, from, MAX_CHATS).await?;
    let (mut messages, mut budget) = (Vec::new(), MAX_MESSAGES);
    for (chat_id, last) in &chats {
        let mut id = if *chat_id == from { after } else { 0 };
        while id < *last {
            let room = limit - i64::try_from(messages.len()).map_err(Error::internal)?;
            if room <= 0 || budget <= 0 {
                return Ok((messages, Some(ExportCursor::Messages { chat_id: *chat_id, id })));
            }
            let up_to = id.saturating_add(budget).min(*last);
            let found = export::words(db, *chat_id, me, id, up_to, room).await?;
            let is_full = i64::try_from(found.len()).map_err(Error::internal)? >= room;
            let read = found.last().filter(|_| is_full).map_or(up_to, |last| last.id);
            budget -= read - id;
            id = read;
            messages.extend(found);
        }
    }
    let is_full = i64::try_from(chats.len()).map_err(Error::internal)? >= MAX_CHATS;
    let next =
        chats.last().filter(|_| is_full).map(|(chat_id, id)| ExportCursor::Messages { chat_id: *chat_id, id: *id });
    Ok((messages, next))
}
