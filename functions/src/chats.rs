//! `GET /chats`, `POST /chats`, `GET /chats/unread`, `GET`, `PATCH` and `DELETE /chats/{chat_id}`, `PATCH /chats/{chat_id}/settings`,
//! `GET /chats/{chat_id}/changes`: lists a person's chats, creates one, returns one with its members, changes it, ends it, and
//! returns what has changed in it.

use lambda_http::{Body, Request, Response};
use windi_shared::auth::Tokens;
use windi_shared::db::files::{self, Shown};
use windi_shared::db::rates::{self, Deed};
use windi_shared::db::{Database, chat_list, chats, members, messages, sessions};
use windi_shared::fields::{Description, MAX_SLOW_SECONDS};
use windi_shared::protocol::{
    Changes, ChatChange, ChatCreated, ChatDissolved, ChatEvent, ChatList, ChatUpdated, ListCursor, NewChat, Role,
    ServerFrame, SettingsChange, SettingsChanged, Timestamp, WantedChat,
};
use windi_shared::{Error, Result};

use crate::door;
use crate::http_api::{self, Answer};
use crate::notify;
use crate::push::Push;

pub fn main() -> door::Outcome {
    door::run(|mut door| async move {
        let db = door.database().await?;
        let tokens = door.tokens().await?;
        let push = door.push().await?;
        door.http(|request| handle(&db, &tokens, &push, request)).await
    })
}

pub async fn handle(db: &Database, tokens: &Tokens, push: &Push, request: Request) -> Response<Body> {
    http_api::respond(&request, async {
        match http_api::route(&request).as_str() {
            "GET /chats" => list(db, tokens, &request).await,
            "POST /chats" => create(db, tokens, push, &request).await,
            "GET /chats/unread" => unread(db, tokens, &request).await,
            "GET /chats/{chat_id}" => get(db, tokens, &request).await,
            "PATCH /chats/{chat_id}" => change(db, tokens, push, &request).await,
            "DELETE /chats/{chat_id}" => dissolve(db, tokens, push, &request).await,
            "PATCH /chats/{chat_id}/settings" => set(db, tokens, push, &request).await,
            "GET /chats/{chat_id}/changes" => changes(db, tokens, &request).await,
            route => http_api::unknown_route(route),
        }
    })
    .await
}

async fn list(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::token_holder(tokens, request).await?;
    let page = async {
        let limit = http_api::limit(request, 50)?;
        let after = http_api::query::<ListCursor>(request, "after")?;
        let with_hidden = http_api::query(request, "hidden")?.unwrap_or_default();
        chat_list::page(db, caller.user_id, caller.session_id, after, limit, with_hidden).await
    };
    let (chats, next) = http_api::if_live(db, caller, page.await).await?;
    // Nobody's list, or that of somebody whose session has ended.
    if chats.is_empty() && !sessions::is_live(db, caller.session_id).await? {
        return Err(Error::Unauthorized);
    }
    http_api::ok(&ChatList { chats, next: next.map(|next| next.to_string()) })
}

async fn unread(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    http_api::ok(&chat_list::unread(db, caller.user_id).await?)
}

async fn get(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    http_api::ok(&chats::get(db, http_api::chat_id(request)?, caller.user_id).await?)
}

async fn create(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let wanted = http_api::read_json::<NewChat>(request)?.check(me)?;
    // What is there already costs nothing.
    let found = match &wanted {
        WantedChat::Private { other } => chats::find_private(db, me, *other).await?,
        WantedChat::Group { key: Some(key), .. } => chats::find_group(db, me, key).await?,
        WantedChat::Group { key: None, .. } => None,
    };
    if let Some(chat_id) = found {
        return http_api::ok(&chats::get(db, chat_id, me).await?);
    }
    rates::take(db, me, Deed::NewChat).await?;

    let mut transaction = db.begin().await?;
    let (chat_id, is_new) = match wanted {
        WantedChat::Private { other } => chats::private(&mut transaction, me, other).await?,
        WantedChat::Group { name, others, key } => {
            chats::group(&mut transaction, me, &name, &others, key.as_ref()).await?
        }
    };
    let chat = chats::get(&mut *transaction, chat_id, me).await?;
    transaction.commit().await?;

    if !is_new {
        return http_api::ok(&chat);
    }
    let members = chat.member_ids();
    tracing::info!(%chat_id, kind = <&str>::from(chat.chat.kind), members = members.len(), "Created a chat.");
    let revision = chat.chat.revision;
    let frame = ServerFrame::ChatCreated(ChatCreated { chat_id, revision, by: me, chat: chat.clone().for_frame() });
    notify::users(db, push, &members, &frame, None).await;
    http_api::created(&chat)
}

/// Changes what everybody sees of a group. Each change has its own entry and revision.
async fn change(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let chat_id = http_api::chat_id(request)?;
    rates::take(db, me, Deed::Change).await?;
    let mut transaction = db.begin().await?;
    chats::lock(&mut transaction, chat_id, me).await?.require(Role::Admin)?;
    let change: ChatChange = http_api::read_json(request)?;
    let mut chat = chats::get(&mut *transaction, chat_id, me).await?;
    let before = &chat.chat;
    let mut events = Vec::new();
    if let Some(name) = change.name.filter(|name| before.name.as_deref() != Some(name.as_str())) {
        chats::rename(&mut *transaction, chat_id, &name).await?;
        events.push(ChatEvent::GroupRenamed { name: name.as_str().to_owned() });
    }
    if let Some(text) = change.description.filter(|text| before.description.as_deref() != words(text.as_ref())) {
        chats::describe(&mut *transaction, chat_id, text.as_ref()).await?;
        events.push(ChatEvent::DescriptionChanged);
    }
    if let Some(wanted) = change.picture_id
        && files::show(&mut transaction, Shown::ByGroup(chat_id), me, "picture_id", wanted).await?
    {
        events.push(ChatEvent::PictureChanged);
    }
    if let Some(posting) = change.posting.filter(|posting| before.posting != *posting) {
        chats::set_posting(&mut *transaction, chat_id, posting).await?;
        events.push(ChatEvent::PostingChanged { posting });
    }
    if let Some(slow_seconds) = change.slow_seconds {
        if !(0..=MAX_SLOW_SECONDS).contains(&slow_seconds) {
            return Err(Error::field("slow_seconds", format!("must be from 0 to {MAX_SLOW_SECONDS}")));
        }
        if before.slow_seconds != slow_seconds {
            chats::set_slow_mode(&mut *transaction, chat_id, slow_seconds).await?;
            events.push(ChatEvent::SlowModeChanged { slow_seconds });
        }
    }
    let mut frames = Vec::new();
    for event in events {
        let entry = messages::record(&mut *transaction, chat_id, me, event).await?;
        chat = chats::get(&mut *transaction, chat_id, me).await?;
        let (revision, chat) = (chat.chat.revision, chat.chat.clone());
        frames.push(ServerFrame::ChatUpdated(ChatUpdated { chat_id, revision, by: me, chat, entry: Some(entry) }));
    }
    transaction.commit().await?;
    for frame in frames {
        notify::users(db, push, &chat.member_ids(), &frame, None).await;
    }
    http_api::ok(&chat)
}

fn words(text: Option<&Description>) -> Option<&str> {
    text.map(Description::as_str)
}

/// Ends a group for everybody.
async fn dissolve(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let chat_id = http_api::chat_id(request)?;
    let mut transaction = db.begin().await?;
    chats::lock(&mut transaction, chat_id, me).await?.require(Role::Owner)?;
    let notified = members::user_ids(&mut *transaction, chat_id).await?;
    chats::dissolve(&mut transaction, chat_id).await?;
    let revision = chats::next_revision(&mut *transaction, chat_id).await?;
    transaction.commit().await?;
    tracing::info!(members = notified.len(), "Dissolved a group.");
    // Whoever had it open is told of nothing more: typing is passed on to members only.
    let frame = ServerFrame::ChatDissolved(ChatDissolved { chat_id, revision, by: me });
    notify::users(db, push, &notified, &frame, None).await;
    Ok(http_api::no_content())
}

/// Changes what a chat is to the caller, and tells their devices.
async fn set(db: &Database, tokens: &Tokens, push: &Push, request: &Request) -> Result<Answer> {
    let me = http_api::caller(db, tokens, request).await?.user_id;
    let chat_id = http_api::chat_id(request)?;
    chats::head(db, chat_id, me).await?;
    rates::take(db, me, Deed::Change).await?;
    let mut change: SettingsChange = http_api::read_json(request)?;
    if change.muted_until.flatten().is_some_and(|until| until >= Timestamp::YEAR_10000) {
        return Err(Error::field("muted_until", "must be before the year 10000"));
    }
    // What is long over is over; PostgreSQL's years begin after chrono's do.
    change.muted_until = change.muted_until.map(|until| until.map(|until| until.max(Timestamp::YEAR_1970)));
    let settings = SettingsChanged { chat_id, settings: chats::set_settings(db, chat_id, me, &change).await? };
    notify::users(db, push, &[me], &ServerFrame::ChatSettings(settings.clone()), None).await;
    http_api::ok(&settings)
}

/// Sync: everything that changed after a revision, in pages. The chat is read first. Anything that happens after that
/// has a higher revision and is left to the next request, so a page never claims more than it holds.
async fn changes(db: &Database, tokens: &Tokens, request: &Request) -> Result<Answer> {
    let caller = http_api::caller(db, tokens, request).await?;
    let limit = http_api::limit(request, 50)?;
    let after: i64 = http_api::query(request, "after")?.unwrap_or(0);
    if after < 0 {
        return Err(Error::field("after", "must not be negative"));
    }
    let chat = chats::get(db, http_api::chat_id(request)?, caller.user_id).await?;
    let mut found = messages::changed(db, chat.chat.id, caller.user_id, after, chat.chat.revision, limit + 1).await?;
    let page = usize::try_from(limit).map_err(Error::internal)?;
    let has_more = found.len() > page;
    found.truncate(page);
    let revision = found.last().filter(|_| has_more).map_or(chat.chat.revision, |last| last.revision);
    http_api::ok(&Changes { chat, messages: found, revision, has_more })
}
