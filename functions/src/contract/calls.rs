//! Every HTTP call: what it takes, what it returns, and how it can fail.

use utoipa::PartialSchema as _;
use utoipa::openapi::OneOfBuilder;
use windi_shared::error::ErrorKind::*;
use windi_shared::fields::Words;
use windi_shared::ids::{ChatId, UserId};
use windi_shared::protocol::{
    Account, AccountChange, AnnouncedFile, Changes, ChatChange, ChatList, ChatWithMembers, ChosenReactions,
    EmailConfirmation, Export, Farewell, FileInfo, FileLinks, ForgottenPassword, FormLogin, Forward, FoundMessages,
    FoundPeople, Health, History, Invite, InvitePreview, Invites, LoginSchema, Member, Message, MessageRead,
    NewChatSchema, NewEmail, NewFile, NewInvite, NewMember, NewPassword, NewPushSubscription, NewReport, NewRole,
    NewText, OldPushSubscription, PageConfig, PasswordReset, PresenceList, Profile, PushKey, Refresh, Registration,
    Removed, SendMessage, Sessions, SettingsChange, SettingsChanged, TokenPair, UnreadTotal,
};

use super::call::{Call, FILES, JSON, UUID, flag, limit, number, text};
use crate::users::MAX_IDS;

/// The sections, in the order in which they are shown.
pub const TAGS: [&str; 6] = [ACCOUNTS, PEOPLE, CHATS, MESSAGES, OPERATION, FILES];
const ACCOUNTS: &str = "Accounts";
const PEOPLE: &str = "People";
const CHATS: &str = "Chats";
const MESSAGES: &str = "Messages";
const OPERATION: &str = "Operation";

pub fn all() -> Vec<Call> {
    [accounts(), recovery(), people(), chats(), members(), invites(), messages(), attachments(), pushes(), files()]
        .into_iter()
        .flatten()
        .collect()
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
        Call::new("GET", "/auth/sessions", "listSessions", ACCOUNTS, "List your live sessions").returns::<Sessions>(
            200,
            "The sessions, newest first.",
            "sessions",
        ),
        Call::new("DELETE", "/auth/sessions/{session_id}", "endSession", ACCOUNTS, "End another of your sessions")
            .done("The session has ended and its sockets are closed.")
            .refuses(&[SessionNotFound]),
        Call::new("GET", "/auth/me", "getAccount", ACCOUNTS, "See your account").returns::<Account>(
            200,
            "The account.",
            "account",
        ),
        Call::new("POST", "/users/me/delete", "deleteAccount", ACCOUNTS, "Delete your account")
            .takes::<Farewell>("farewell")
            .done("The account is deleted, and its sessions have ended.")
            .refuses(&[WrongPassword, TooManyAttempts]),
        Call::new("PATCH", "/users/me", "changeAccount", ACCOUNTS, "Change your name, username or privacy")
            .takes::<AccountChange>("account_change")
            .returns::<Account>(200, "The account.", "account")
            .refuses(&[UsernameTaken, FileNotFound, RateLimited]),
    ]
}

fn recovery() -> Vec<Call> {
    let after = format!("^(chats_[0-9]{{1,14}}|messages)_{UUID}(_[0-9]{{1,19}})?$");
    vec![
        Call::new("GET", "/export", "getExport", ACCOUNTS, "Get everything of your own")
            .query("limit", limit(50), "How many chats or messages at most.")
            .query("after", text(&after), "The `next` of the page before.")
            .returns::<Export>(200, "A page.", "export"),
        Call::new("POST", "/auth/forgot", "forgetPassword", ACCOUNTS, "Get a code for a new password by mail")
            .without_token()
            .takes::<ForgottenPassword>("forgotten_password")
            .done("If there is such an account, a code is on its way to its address.")
            .refuses(&[TooManyAttempts, MailDisabled]),
        Call::new("POST", "/auth/reset", "resetPassword", ACCOUNTS, "Set a new password with a code")
            .without_token()
            .takes::<PasswordReset>("password_reset")
            .done("The password is changed; all sessions have ended.")
            .refuses(&[InvalidCode, TooManyAttempts, MailDisabled]),
        Call::new("POST", "/users/me/email", "changeEmail", ACCOUNTS, "Get a code for a new e-mail address")
            .takes::<NewEmail>("new_email")
            .done("A mail is on its way to the new address.")
            .refuses(&[WrongPassword, TooManyAttempts, RateLimited, MailDisabled]),
        Call::new("POST", "/users/me/email/confirm", "confirmEmail", ACCOUNTS, "Confirm a new e-mail address")
            .takes::<EmailConfirmation>("email_confirmation")
            .returns::<Account>(200, "The account.", "account")
            .refuses(&[InvalidCode, EmailTaken, RateLimited, MailDisabled]),
    ]
}

fn people() -> Vec<Call> {
    vec![
        Call::new("GET", "/users", "findPeople", PEOPLE, "Find people by name, or get their names by id")
            .query(
                "search",
                Words::schema(),
                "Words, each the beginning of a part of a name or username. Give either this or `ids`.",
            )
            .query(
                "ids",
                text(&format!("^{UUID}(,{UUID}){{0,{}}}$", MAX_IDS - 1)),
                "Up to 100 people's ids, separated by commas.",
            )
            .query("limit", limit(20), "The page's size, of a search.")
            .query("after", UserId::schema(), "The `next` of the page before.")
            .returns::<FoundPeople>(200, "The people found.", "found_people")
            .refuses(&[RateLimited]),
        Call::new("GET", "/users/{user_id}", "getPerson", PEOPLE, "See somebody")
            .returns::<Profile>(200, "The person.", "profile")
            .refuses(&[UserNotFound]),
        Call::new("GET", "/users/presence", "getPresence", PEOPLE, "See who of your chats' people is there")
            .returns::<PresenceList>(200, "Those who are told when you come and go, 500 at most.", "presence"),
        Call::new("GET", "/users/blocked", "listBlocked", PEOPLE, "List whom you have blocked")
            .query("limit", limit(100), "The page's size.")
            .query("after", text(&format!("^[0-9]{{1,14}}_{UUID}$")), "The `next` of the page before.")
            .returns::<FoundPeople>(200, "The people, the latest first.", "found_people"),
        Call::new("PUT", "/users/{user_id}/block", "block", PEOPLE, "Block somebody")
            .done("They can neither write to you nor add you to groups.")
            .refuses(&[UserNotFound, Forbidden, TooManyBlocked, RateLimited]),
        Call::new("DELETE", "/users/{user_id}/block", "unblock", PEOPLE, "Unblock somebody")
            .done("They are not blocked.")
            .refuses(&[UserNotFound, Forbidden, RateLimited]),
    ]
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

fn pushes() -> Vec<Call> {
    vec![
        Call::new("GET", "/push/key", "getPushKey", MESSAGES, "Learn the key that a browser subscribes to pushes with")
            .returns::<PushKey>(200, "The key.", "push_key")
            .refuses(&[PushDisabled]),
        Call::new(
            "PUT",
            "/push/subscription",
            "subscribe",
            MESSAGES,
            "Have a device told of messages while you are not connected",
        )
        .takes::<NewPushSubscription>("push_subscription")
        .done("The device is told for as long as this session lives.")
        .refuses(&[RateLimited, PushDisabled]),
        Call::new("DELETE", "/push/subscription", "unsubscribe", MESSAGES, "Have a device not told any more")
            .takes::<OldPushSubscription>("old_push_subscription")
            .done("The device is not told."),
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
            .query("after", text(&format!("^[0-9]{{1,14}}_{UUID}_[0-9]{{1,19}}$")), "The `next` of the page before.")
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
