//! Every HTTP call: what it takes, what it returns, and how it can fail.

use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema as _, ToSchema};
use windi_shared::error::ErrorKind::{self, *};
use windi_shared::fields::Words;
use windi_shared::ids::{ChatId, SessionId, UserId};
use windi_shared::protocol::{
    Account, Changes, ChatList, ChatWithMembers, ChosenReactions, FormLogin, Forward, FoundMessages, FoundPeople,
    Health, History, LoginSchema, Member, Message, MessageRead, NewChatSchema, NewMember, NewName, NewPassword,
    NewRole, NewText, PageConfig, Refresh, Registration, Removed, SendMessage, Sessions, TokenPair, UnreadTotal,
};

use super::schemas::Shape;
use crate::http_api::MAX_PAGE;
use crate::users::MAX_IDS;

pub const JSON: &str = "application/json";

/// A body that a call takes or returns.
pub struct Body {
    pub media_type: &'static str,
    /// `None` for a file.
    pub shape: Option<Shape>,
    /// The kind of its examples in `docs/protocol.md`.
    pub example: &'static str,
}

/// An answer of a call that is no error of ours.
pub struct Answer {
    pub status: u16,
    pub what: &'static str,
    pub body: Option<Body>,
}

pub struct Parameter {
    pub name: &'static str,
    pub what: &'static str,
    pub schema: RefOr<Schema>,
    pub required: bool,
}

/// A call, by the method and the path of its route.
pub struct Call {
    pub method: &'static str,
    pub path: &'static str,
    /// Its name in generated clients.
    pub id: &'static str,
    pub tag: &'static str,
    pub summary: &'static str,
    /// Whether it needs a token.
    pub secured: bool,
    pub query: Vec<Parameter>,
    pub bodies: Vec<Body>,
    pub answers: Vec<Answer>,
    pub errors: Vec<ErrorKind>,
}

impl Call {
    /// A call that needs a token and asks the database.
    fn new(
        method: &'static str,
        path: &'static str,
        id: &'static str,
        tag: &'static str,
        summary: &'static str,
    ) -> Self {
        let errors = vec![Unauthorized, InvalidField, Internal, Unavailable];
        let (query, bodies, answers) = (Vec::new(), Vec::new(), Vec::new());
        Self { method, path, id, tag, summary, secured: true, query, bodies, answers, errors }
    }

    /// A call that serves a file of this build.
    fn file(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        media_type: &'static str,
        what: &'static str,
    ) -> Self {
        let mut call = Self::new("GET", path, id, FILES, summary).without_token();
        call.errors = vec![Internal];
        let body = Body { media_type, shape: None, example: "" };
        call.answers.push(Answer { status: 200, what, body: Some(body) });
        call.answers.push(Answer { status: 304, what: "The file that the client has, by its `ETag`.", body: None });
        call
    }

    fn without_token(mut self) -> Self {
        self.secured = false;
        self.errors.retain(|error| *error != Unauthorized);
        self
    }

    fn takes<T: ToSchema>(self, example: &'static str) -> Self {
        self.takes_as::<T>(JSON, example)
    }

    fn takes_as<T: ToSchema>(mut self, media_type: &'static str, example: &'static str) -> Self {
        if self.bodies.is_empty() {
            self.errors.extend([MalformedJson, PayloadTooLarge, UnsupportedMediaType]);
        }
        self.bodies.push(Body { media_type, shape: Some(Shape::of::<T>()), example });
        self
    }

    fn returns<T: ToSchema>(mut self, status: u16, what: &'static str, example: &'static str) -> Self {
        let body = Body { media_type: JSON, shape: Some(Shape::of::<T>()), example };
        self.answers.push(Answer { status, what, body: Some(body) });
        self
    }

    fn done(mut self, what: &'static str) -> Self {
        self.answers.push(Answer { status: 204, what, body: None });
        self
    }

    fn query(mut self, name: &'static str, schema: impl Into<RefOr<Schema>>, what: &'static str) -> Self {
        self.query.push(Parameter { name, what, schema: schema.into(), required: false });
        self
    }

    fn must(mut self) -> Self {
        if let Some(parameter) = self.query.last_mut() {
            parameter.required = true;
        }
        self
    }

    fn refuses(mut self, errors: &[ErrorKind]) -> Self {
        self.errors.extend(errors);
        self
    }

    /// The variables of its path.
    pub fn path_parameters(&self) -> Vec<Parameter> {
        let names = self.path.split(['{', '}']).skip(1).step_by(2);
        names.map(|name| path_parameter(name.trim_end_matches('+'))).collect()
    }
}

fn path_parameter(name: &'static str) -> Parameter {
    let (schema, what): (RefOr<Schema>, _) = match name {
        "message_id" => (number(1), "The message's number in the chat."),
        "chat_id" => (ChatId::schema(), "The chat."),
        "user_id" => (UserId::schema(), "The person."),
        "session_id" => (SessionId::schema(), "The session."),
        _ => (text("").into(), "As the page names it."),
    };
    Parameter { name, what, schema, required: true }
}

fn number(least: i64) -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer);
    number.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64))).minimum(Some(least)).into()
}

const UUID: &str = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}";

fn text(pattern: &str) -> ObjectBuilder {
    let pattern = Some(pattern.to_owned()).filter(|pattern| !pattern.is_empty());
    ObjectBuilder::new().schema_type(Type::String).pattern(pattern)
}

/// A page's size.
fn limit(default: i64) -> RefOr<Schema> {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_PAGE));
    number.default(Some(default.into())).into()
}

/// The sections, in the order in which they are shown.
pub const TAGS: [&str; 6] = [ACCOUNTS, PEOPLE, CHATS, MESSAGES, OPERATION, FILES];
const ACCOUNTS: &str = "Accounts";
const PEOPLE: &str = "People";
const CHATS: &str = "Chats";
const MESSAGES: &str = "Messages";
const OPERATION: &str = "Operation";
const FILES: &str = "Files";

pub fn all() -> Vec<Call> {
    [accounts(), chats(), messages(), files()].into_iter().flatten().collect()
}

fn accounts() -> Vec<Call> {
    vec![
        Call::new("POST", "/auth/register", "register", ACCOUNTS, "Make an account")
            .without_token()
            .takes::<Registration>("register")
            .returns::<Account>(201, "The new account.", "account")
            .refuses(&[EmailTaken, UsernameTaken]),
        Call::new("POST", "/auth/login", "login", ACCOUNTS, "Get tokens for a password")
            .without_token()
            .takes::<LoginSchema>("login")
            .takes_as::<FormLogin>("application/x-www-form-urlencoded", "")
            .returns::<TokenPair>(200, "Tokens of a new session.", "tokens")
            .refuses(&[InvalidCredentials, TooManyAttempts]),
        Call::new("POST", "/auth/refresh", "refresh", ACCOUNTS, "Get the next tokens of a session")
            .without_token()
            .takes::<Refresh>("refresh")
            .returns::<TokenPair>(200, "The session's next tokens.", "tokens")
            .refuses(&[Unauthorized]),
        Call::new("POST", "/auth/logout", "logout", ACCOUNTS, "End this session")
            .done("The session has ended and its sockets are closed."),
        Call::new("POST", "/auth/password", "changePassword", ACCOUNTS, "Change the password")
            .takes::<NewPassword>("new_password")
            .done("The password is changed; all other sessions have ended.")
            .refuses(&[WrongPassword, TooManyAttempts]),
        Call::new("GET", "/auth/sessions", "listSessions", ACCOUNTS, "List your live sessions")
            .returns::<Sessions>(200, "The sessions, newest first.", "sessions"),
        Call::new("DELETE", "/auth/sessions/{session_id}", "endSession", ACCOUNTS, "End another of your sessions")
            .done("The session has ended and its sockets are closed.")
            .refuses(&[SessionNotFound]),
        Call::new("GET", "/auth/me", "getAccount", ACCOUNTS, "See your account")
            .returns::<Account>(200, "The account.", "account"),
        Call::new("GET", "/users", "findPeople", PEOPLE, "Find people by name, or get their names by id")
            .query("search", Words::schema(), "Words, each the beginning of a part of a name or username; returns up to 20 people. Give either this or `ids`.")
            .query("ids", text(&format!("^{UUID}(,{UUID}){{0,{}}}$", MAX_IDS - 1)), "Up to 100 people's ids, separated by commas.")
            .returns::<FoundPeople>(200, "The people found.", "found_people"),
    ]
}

fn chats() -> Vec<Call> {
    vec![
        Call::new("GET", "/chats", "listChats", CHATS, "List your chats, the latest active first")
            .query("limit", limit(50), "The page's size.")
            .query("after", text(&format!("^[0-9]{{1,14}}_{UUID}$")), "The `next` of the page before.")
            .returns::<ChatList>(200, "A page of chats.", "chat_list"),
        Call::new("POST", "/chats", "createChat", CHATS, "Open a private chat or make a group")
            .takes::<NewChatSchema>("new_chat")
            .returns::<ChatWithMembers>(201, "The new chat.", "chat")
            .returns::<ChatWithMembers>(200, "The private chat that the two had already.", "")
            .refuses(&[UserNotFound]),
        Call::new("GET", "/chats/unread", "countUnread", CHATS, "Count what is unread in all your chats")
            .returns::<UnreadTotal>(200, "The sums over all chats.", "unread"),
        Call::new("GET", "/chats/{chat_id}", "getChat", CHATS, "See a chat with its members")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound]),
        Call::new("PATCH", "/chats/{chat_id}", "renameGroup", CHATS, "Rename a group, as an admin or its owner")
            .takes::<NewName>("new_name")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound, Forbidden]),
        Call::new("GET", "/chats/{chat_id}/changes", "getChanges", CHATS, "Catch up on a chat")
            .query("after", number(0), "The revision that the client holds; 0 for none.")
            .query("limit", limit(50), "How many messages at most.")
            .returns::<Changes>(200, "What has changed since, and the chat as it is now.", "changes")
            .refuses(&[ChatNotFound]),
        Call::new(
            "POST",
            "/chats/{chat_id}/members",
            "addMember",
            CHATS,
            "Add somebody to a group, as an admin or its owner",
        )
        .takes::<NewMember>("new_member")
        .returns::<Member>(201, "The new member.", "member")
        .returns::<Member>(200, "The member, who was one already.", "member")
        .refuses(&[ChatNotFound, UserNotFound, Forbidden, GroupFull]),
        Call::new(
            "PATCH",
            "/chats/{chat_id}/members/{user_id}",
            "changeRole",
            CHATS,
            "Change a member's role, as the group's owner",
        )
        .takes::<NewRole>("new_role")
        .returns::<Member>(200, "The member.", "member")
        .refuses(&[ChatNotFound, MemberNotFound, Forbidden]),
        Call::new(
            "DELETE",
            "/chats/{chat_id}/members/{user_id}",
            "removeMember",
            CHATS,
            "Remove somebody with a lower role, or leave",
        )
        .returns::<Removed>(200, "The chat's revision after the removal.", "removed")
        .refuses(&[ChatNotFound, MemberNotFound, Forbidden]),
    ]
}

fn messages() -> Vec<Call> {
    let latest = OneOfBuilder::new().item(number(0)).item(text("^latest$"));
    vec![
        Call::new("POST", "/messages", "sendMessage", MESSAGES, "Send a message, as the socket's action of this name does")
            .takes::<SendMessage>("send")
            .returns::<Message>(201, "The message, which was stored.", "message")
            .returns::<Message>(200, "The message, which the same send had stored before.", "message")
            .refuses(&[ChatNotFound, IdempotencyConflict, MessageNotFound, MessageDeleted, Forbidden]),
        Call::new("PATCH", "/messages/{chat_id}/{message_id}", "editMessage", MESSAGES, "Edit your message")
            .takes::<NewText>("new_text")
            .returns::<Message>(200, "The message.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, Forbidden, MessageDeleted]),
        Call::new("DELETE", "/messages/{chat_id}/{message_id}", "deleteMessage", MESSAGES, "Delete your message, or as an admin anybody's")
            .returns::<Message>(200, "The tombstone that remains.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, Forbidden]),
        Call::new("POST", "/messages/{chat_id}/{message_id}/read", "markRead", MESSAGES, "Mark everything up to this message as read")
            .returns::<MessageRead>(200, "The read cursor, which may be further.", "")
            .refuses(&[ChatNotFound, MessageNotFound]),
        Call::new("POST", "/messages/{chat_id}/{message_id}/forward", "forwardMessage", MESSAGES, "Send a copy of a message to another chat")
            .takes::<Forward>("forward")
            .returns::<Message>(201, "The copy, which was stored.", "message")
            .returns::<Message>(200, "The copy, which the same call had stored before.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, IdempotencyConflict]),
        Call::new("PUT", "/messages/{chat_id}/{message_id}/reactions", "react", MESSAGES, "Choose what you react to a message with")
            .takes::<ChosenReactions>("chosen_reactions")
            .returns::<Message>(200, "The message.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, TooManyReactions]),
        Call::new("PUT", "/messages/{chat_id}/{message_id}/pin", "pinMessage", MESSAGES, "Pin a message; in groups as an admin or the owner")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, TooManyPins]),
        Call::new("DELETE", "/messages/{chat_id}/{message_id}/pin", "unpinMessage", MESSAGES, "Unpin a message; in groups as an admin or the owner")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound, MessageNotFound, Forbidden]),
        Call::new("GET", "/messages/search", "searchMessages", MESSAGES, "Search your chats")
            .query("q", Words::schema(), "Words that must all occur, in any form; `\"quoted words\"` together, `or` for either, `-` without.")
            .must()
            .query("chat_id", ChatId::schema(), "Only in this chat.")
            .query("limit", limit(20), "How many at most.")
            .returns::<FoundMessages>(200, "The messages found, newest first.", "found_messages")
            .refuses(&[ChatNotFound]),
        Call::new("GET", "/messages/history/{chat_id}", "getHistory", MESSAGES, "Read a page of a chat, oldest first")
            .query("limit", limit(50), "The page's size.")
            .query("offset", number(0), "How many messages to skip; the same as `after`.")
            .query("before", latest, "The message after the page; `latest` for the newest page. Give at most one of `offset`, `before` and `after`.")
            .query("after", number(0), "The message before the page.")
            .returns::<History>(200, "The page.", "history")
            .refuses(&[ChatNotFound]),
    ]
}

fn files() -> Vec<Call> {
    let mut health = Call::new("GET", "/health", "getHealth", OPERATION, "See whether everything works")
        .without_token()
        .returns::<Health>(200, "Everything works.", "health")
        .returns::<Health>(503, "Something does not.", "");
    health.errors.retain(|error| *error != Unavailable);
    let mut config = Call::new("GET", "/config.json", "getConfig", OPERATION, "Learn where sockets are opened")
        .without_token()
        .returns::<PageConfig>(200, "The address.", "config");
    config.errors = vec![InvalidField, Internal];
    vec![
        health,
        config,
        Call::file("/", "getPage", "The browser client", "text/html", "The page."),
        Call::file("/docs", "getDocs", "This description, to read and try", "text/html", "The page."),
        Call::file("/openapi.json", "getOpenapi", "This description", JSON, "OpenAPI 3.1."),
        Call::file("/asyncapi.json", "getAsyncapi", "The socket's description", JSON, "AsyncAPI 3."),
        Call::file(
            "/web/{version}/{file+}",
            "getFile",
            "The files of the pages",
            "application/octet-stream",
            "The file, with the media type of its kind.",
        )
        .refuses(&[FileNotFound]),
    ]
}
