//! The calls about one's own account, other people, and devices that are told of messages.

use utoipa::PartialSchema as _;
use windi_shared::error::ErrorKind::*;
use windi_shared::fields::Words;
use windi_shared::ids::UserId;
use windi_shared::protocol::{
    Account, AccountChange, EmailConfirmation, Export, Farewell, ForgottenPassword, FormLogin, FoundPeople,
    LoginSchema, NewEmail, NewPassword, NewPushSubscription, OldPushSubscription, PasswordReset, PresenceList, Profile,
    PushKey, Refresh, Registration, Sessions, TokenPair,
};

use super::call::{Call, UUID, limit, text};
use crate::http_api::MAX_IDS;

pub(super) const ACCOUNTS: &str = "Accounts";
pub(super) const PEOPLE: &str = "People";
pub(super) const MESSAGES: &str = "Messages";

pub(super) fn all() -> Vec<Call> {
    [accounts(), recovery(), people(), pushes()].into_iter().flatten().collect()
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
    let after = format!("^(chats_[0-9]{{1,14}}_{UUID}|messages_{UUID}_[0-9]{{1,18}})$");
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
