//! Every HTTP call: what it takes, what it returns, and how it can fail.

use utoipa::PartialSchema as _;
use utoipa::openapi::OneOfBuilder;
use windi_shared::error::ErrorKind::*;
use windi_shared::fields::Words;
use windi_shared::ids::ChatId;
use windi_shared::protocol::{
    AnnouncedFile, Changes, ChatChange, ChatList, ChatWithMembers, ChosenReactions, FileInfo, FileLinks, Forward,
    FoundMessages, Health, History, Invite, InvitePreview, Invites, Member, Message, MessageRead, NewChatSchema,
    NewFile, NewInvite, NewMember, NewReport, NewRole, NewText, PageConfig, Removed, SendMessage, SettingsChange,
    SettingsChanged, UnreadTotal,
};

use super::call::{Call, FILES, JSON, UUID, flag, limit, number, text};
use super::people_calls::{self, ACCOUNTS, MESSAGES, PEOPLE};
use crate::http_api::MAX_IDS;

/// The sections, in the order in which they are shown.
pub const TAGS: [&str; 6] = [ACCOUNTS, PEOPLE, CHATS, MESSAGES, OPERATION, FILES];
const CHATS: &str = "Chats";
const OPERATION: &str = "Operation";

pub fn all() -> Vec<Call> {
    let others = [chats(), members(), invites(), messages(), attachments(), files()];
    people_calls::all().into_iter().chain(others.into_iter().flatten()).collect()
}

fn chats() -> Vec<Call> {
    vec![
        Call::new("GET", "/chats", "listChats", CHATS, "List your chats, the latest active first")
            .query("limit", limit(50), "The page's size.")
            .query("after", text(&format!("^[0-9]{{1,14}}_{UUID}$")), "The `next` of the page before.")
            .query("hidden", flag(), "Whether chats that you have taken off your list are in it, too.")
            .returns::<ChatList>(200, "A page of chats.", "chat_list"),
        Call::new("POST", "/chats", "createChat", CHATS, "Open a private chat or make a group")
            .takes::<NewChatSchema>("new_chat")
            .returns::<ChatWithMembers>(201, "The new chat.", "chat")
            .returns::<ChatWithMembers>(
                200,
                "The private chat that the two had already, or the group made with the same key.",
                "",
            )
            .refuses(&[UserNotFound, NotReachable, ChatNotFound, RateLimited]),
        Call::new("GET", "/chats/unread", "countUnread", CHATS, "Count what is unread in all your chats")
            .returns::<UnreadTotal>(200, "The sums over all chats.", "unread"),
        Call::new("GET", "/chats/{chat_id}", "getChat", CHATS, "See a chat with its members")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound]),
        Call::new(
            "PATCH",
            "/chats/{chat_id}",
            "changeGroup",
            CHATS,
            "Change a group's name, description or rules, as an admin or its owner",
        )
        .takes::<ChatChange>("chat_change")
        .returns::<ChatWithMembers>(200, "The chat.", "chat")
        .refuses(&[ChatNotFound, Forbidden, FileNotFound, RateLimited]),
        Call::new("DELETE", "/chats/{chat_id}", "dissolveGroup", CHATS, "End a group for everybody, as its owner")
            .done("Nobody is in the group any more.")
            .refuses(&[ChatNotFound, Forbidden]),
        Call::new(
            "PATCH",
            "/chats/{chat_id}/settings",
            "setChat",
            CHATS,
            "Mute, archive or hide a chat, or mark it as unread, for yourself",
        )
        .takes::<SettingsChange>("settings_change")
        .returns::<SettingsChanged>(200, "What the chat is to you.", "settings")
        .refuses(&[ChatNotFound, RateLimited]),
        Call::new("GET", "/chats/{chat_id}/changes", "getChanges", CHATS, "Catch up on a chat")
            .query("after", number(0), "The revision that the client holds; 0 for none.")
            .query("limit", limit(50), "How many messages at most.")
            .returns::<Changes>(200, "What has changed since, and the chat as it is now.", "changes")
            .refuses(&[ChatNotFound]),
    ]
}

fn members() -> Vec<Call> {
    vec![
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
        .refuses(&[ChatNotFound, UserNotFound, Forbidden, GroupFull, NotReachable, RateLimited]),
        Call::new(
            "PATCH",
            "/chats/{chat_id}/members/{user_id}",
            "changeRole",
            CHATS,
            "Change a member's role, as the group's owner",
        )
        .takes::<NewRole>("new_role")
        .returns::<Member>(200, "The member.", "member")
        .refuses(&[ChatNotFound, MemberNotFound, Forbidden, RateLimited]),
        Call::new(
            "DELETE",
            "/chats/{chat_id}/members/{user_id}",
            "removeMember",
            CHATS,
            "Remove somebody with a lower role, or leave",
        )
        .returns::<Removed>(200, "The chat's revision after the removal.", "removed")
        .refuses(&[ChatNotFound, MemberNotFound, Forbidden, RateLimited]),
    ]
}

fn invites() -> Vec<Call> {
    vec![
        Call::new(
            "POST",
            "/chats/{chat_id}/invites",
            "createInvite",
            CHATS,
            "Make a link into a group, as an admin or its owner",
        )
        .takes::<NewInvite>("new_invite")
        .returns::<Invite>(201, "The link.", "invite")
        .refuses(&[ChatNotFound, Forbidden, TooManyInvites, RateLimited]),
        Call::new(
            "GET",
            "/chats/{chat_id}/invites",
            "listInvites",
            CHATS,
            "List a group's links that work, as an admin or its owner",
        )
        .returns::<Invites>(200, "The links, oldest first.", "")
        .refuses(&[ChatNotFound, Forbidden, RateLimited]),
        Call::new(
            "DELETE",
            "/chats/{chat_id}/invites/{code}",
            "revokeInvite",
            CHATS,
            "Revoke a link, as an admin or the owner",
        )
        .done("The link does not work any more.")
        .refuses(&[ChatNotFound, Forbidden, InviteNotFound, RateLimited]),
        Call::new("GET", "/invites/{code}", "seeInvite", CHATS, "See where a link leads")
            .returns::<InvitePreview>(200, "The group.", "invite_preview")
            .refuses(&[InviteNotFound, RateLimited]),
        Call::new("POST", "/invites/{code}", "join", CHATS, "Join a group by a link")
            .returns::<ChatWithMembers>(201, "The group, which the caller has joined.", "chat")
            .returns::<ChatWithMembers>(200, "The group, which the caller was in already.", "")
            .refuses(&[InviteNotFound, GroupFull, RateLimited]),
    ]
}

fn attachments() -> Vec<Call> {
    vec![
        Call::new("POST", "/files", "announceFile", MESSAGES, "Announce a file, and learn where to put its contents")
            .takes::<NewFile>("new_file")
            .returns::<AnnouncedFile>(
                201,
                "The file, and the request that puts its contents into the store.",
                "announced_file",
            )
            .refuses(&[RateLimited]),
        Call::new(
            "POST",
            "/files/{file_id}/done",
            "finishFile",
            MESSAGES,
            "Say that a file's contents are in the store",
        )
        .returns::<FileInfo>(200, "The file, which can be sent within a day.", "file")
        .refuses(&[FileNotFound, NotUploaded, FileRefused]),
        Call::new("GET", "/files", "linkFiles", MESSAGES, "Learn where to get the contents of files")
            .query(
                "ids",
                text(&format!("^{UUID}(,{UUID}){{0,{}}}$", MAX_IDS - 1)),
                "Up to 100 files' ids, separated by commas.",
            )
            .must()
            .returns::<FileLinks>(200, "The links.", "file_links"),
    ]
}

fn messages() -> Vec<Call> {
    let latest = OneOfBuilder::new().item(number(0)).item(text("^latest$"));
    vec![
        Call::new("POST", "/messages", "sendMessage", MESSAGES, "Send a message, as the socket's action of this name does")
            .takes::<SendMessage>("send")
            .returns::<Message>(201, "The message, which was stored.", "message")
            .returns::<Message>(200, "The message, which the same send had stored before.", "message")
            .refuses(&[ChatNotFound, IdempotencyConflict, MessageNotFound, MessageDeleted, FileNotFound, Forbidden, NotReachable, SlowMode, RateLimited]),
        Call::new("PATCH", "/messages/{chat_id}/{message_id}", "editMessage", MESSAGES, "Edit your message")
            .takes::<NewText>("new_text")
            .returns::<Message>(200, "The message.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, Forbidden, NotReachable, MessageDeleted, RateLimited]),
        Call::new("DELETE", "/messages/{chat_id}/{message_id}", "deleteMessage", MESSAGES, "Delete your message, or as an admin anybody's")
            .returns::<Message>(200, "The tombstone that remains.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, Forbidden, RateLimited]),
        Call::new("POST", "/messages/{chat_id}/{message_id}/read", "markRead", MESSAGES, "Mark everything up to this message as read")
            .returns::<MessageRead>(200, "The read cursor, which may be further.", "")
            .refuses(&[ChatNotFound, MessageNotFound]),
        Call::new("POST", "/messages/{chat_id}/{message_id}/forward", "forwardMessage", MESSAGES, "Send a copy of a message to another chat")
            .takes::<Forward>("forward")
            .returns::<Message>(201, "The copy, which was stored.", "message")
            .returns::<Message>(200, "The copy, which the same call had stored before.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, IdempotencyConflict, NotReachable, SlowMode, RateLimited]),
        Call::new("POST", "/messages/{chat_id}/{message_id}/report", "reportMessage", MESSAGES, "Report somebody else's message to whoever runs the messenger")
            .takes::<NewReport>("new_report")
            .done("It is reported; nobody in the chat is told.")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, RateLimited]),
        Call::new("PUT", "/messages/{chat_id}/{message_id}/reactions", "react", MESSAGES, "Choose what you react to a message with")
            .takes::<ChosenReactions>("chosen_reactions")
            .returns::<Message>(200, "The message.", "message")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, NotReachable, TooManyReactions, RateLimited]),
        Call::new("PUT", "/messages/{chat_id}/{message_id}/pin", "pinMessage", MESSAGES, "Pin a message; in groups as an admin or the owner")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound, MessageNotFound, MessageDeleted, Forbidden, NotReachable, TooManyPins, RateLimited]),
        Call::new("DELETE", "/messages/{chat_id}/{message_id}/pin", "unpinMessage", MESSAGES, "Unpin a message; in groups as an admin or the owner")
            .returns::<ChatWithMembers>(200, "The chat.", "chat")
            .refuses(&[ChatNotFound, MessageNotFound, Forbidden, RateLimited]),
        Call::new("GET", "/messages/search", "searchMessages", MESSAGES, "Search your chats")
            .query("q", Words::schema(), "Words that must all occur, each as the beginning of a word or in any form. No word is an operator.")
            .must()
            .query("chat_id", ChatId::schema(), "Only in this chat.")
            .query("limit", limit(20), "The page's size.")
            .query("after", text(&format!("^[0-9]{{1,14}}_{UUID}_[0-9]{{1,18}}$")), "The `next` of the page before.")
            .returns::<FoundMessages>(200, "A page of the messages found, newest first.", "found_messages")
            .refuses(&[ChatNotFound, RateLimited]),
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
        Call::file(
            "/sw.js",
            "getServiceWorker",
            "The browser client's service worker",
            "text/javascript",
            "The script.",
        ),
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
