//! Parses `docs/protocol.md` with the real types, example by example.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use strum::VariantArray as _;
use windi_functions::contract::prose::all_examples;
use windi_shared::error::ErrorKind;
use windi_shared::protocol::{
    Account, AccountChange, AnnouncedFile, Changes, ChatChange, ChatList, ChatWithMembers, ChosenReactions,
    ClientFrame, EmailConfirmation, ErrorBody, Export, Farewell, FileInfo, FileLinks, ForgottenPassword, Forward,
    FoundMessages, FoundPeople, Health, History, Invite, InvitePreview, JsonLogin, ListedChat, Member, Message,
    NewChat, NewEmail, NewFile, NewInvite, NewMember, NewPassword, NewPushSubscription, NewReport, NewRole, NewText,
    OldPushSubscription, PageConfig, PasswordReset, PresenceList, Profile, PushKey, PushMessage, Refresh, Registration,
    Removed, Reply, SendMessage, Sessions, SettingsChange, SettingsChanged, TokenPair, UnreadTotal,
};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");

/// Only parses the example: it holds a secret, which is never written.
fn parses<T: DeserializeOwned>(example: &str) -> Result<(), String> {
    serde_json::from_str::<T>(example).map(|_| ()).map_err(|e| e.to_string())
}

/// Parsing and writing the example again must lose and add nothing: it has exactly the fields of the type.
fn is<T: DeserializeOwned + Serialize>(example: &str) -> Result<(), String> {
    let value: T = serde_json::from_str(example).map_err(|e| e.to_string())?;
    let written = serde_json::to_value(value).map_err(|e| e.to_string())?;
    let example: Value = serde_json::from_str(example).map_err(|e| e.to_string())?;
    if written == example { Ok(()) } else { Err(format!("is written as {written}")) }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a line for each kind of example")]
fn every_example_is_what_it_says() {
    let examples: Vec<_> = all_examples().collect();
    assert!(examples.len() >= 40, "only {} examples were found", examples.len());
    for (kind, example) in examples {
        let outcome = match kind {
            "account_change" => is::<AccountChange>(example),
            "account" => is::<Account>(example),
            "changes" => is::<Changes>(example),
            "chat" => is::<ChatWithMembers>(example),
            "chat_change" => is::<ChatChange>(example),
            "chat_list" => is::<ChatList>(example),
            "chosen_reactions" => is::<ChosenReactions>(example),
            "client" => ClientFrame::parse(example).map(|_| ()).map_err(|e| e.to_string()),
            "config" => is::<PageConfig>(example),
            "email_confirmation" => parses::<EmailConfirmation>(example),
            "error" => is::<ErrorBody>(example),
            "export" => is::<Export>(example),
            "announced_file" => is::<AnnouncedFile>(example),
            "file" => is::<FileInfo>(example),
            "file_links" => is::<FileLinks>(example),
            "new_file" => is::<NewFile>(example),
            "farewell" => parses::<Farewell>(example),
            "forgotten_password" => parses::<ForgottenPassword>(example),
            "forward" => is::<Forward>(example),
            "found_messages" => is::<FoundMessages>(example),
            "found_people" => is::<FoundPeople>(example),
            "health" => is::<Health>(example),
            "login" => parses::<JsonLogin>(example),
            "new_email" => parses::<NewEmail>(example),
            "new_password" => parses::<NewPassword>(example),
            "old_push_subscription" => is::<OldPushSubscription>(example),
            "password_reset" => parses::<PasswordReset>(example),
            "push_key" => is::<PushKey>(example),
            "push_message" => is::<PushMessage>(example),
            "push_subscription" => is::<NewPushSubscription>(example),
            "refresh" => parses::<Refresh>(example),
            "history" => is::<History>(example),
            "invite" => is::<Invite>(example),
            "invite_preview" => is::<InvitePreview>(example),
            "listed_chat" => is::<ListedChat>(example),
            "member" => is::<Member>(example),
            "message" => is::<Message>(example),
            "new_chat" => is::<NewChat>(example),
            "new_member" => is::<NewMember>(example),
            "new_invite" => is::<NewInvite>(example),
            "new_report" => is::<NewReport>(example),
            "new_role" => is::<NewRole>(example),
            "new_text" => is::<NewText>(example),
            "register" => parses::<Registration>(example),
            "removed" => is::<Removed>(example),
            "send" => is::<SendMessage>(example),
            "server" => is::<Reply>(example),
            "profile" => is::<Profile>(example),
            "presence" => is::<PresenceList>(example),
            "settings" => is::<SettingsChanged>(example),
            "settings_change" => is::<SettingsChange>(example),
            "sessions" => is::<Sessions>(example),
            "tokens" => is::<TokenPair>(example),
            "unread" => is::<UnreadTotal>(example),
            kind => Err(format!("unknown kind {kind}")),
        };
        assert_eq!(outcome, Ok(()), "{kind}: {example}");
    }
}

#[test]
fn every_error_code_is_in_the_table() {
    let (table, _) = DOCUMENT.split_once("\n## HTTP\n").unwrap();
    for code in ErrorKind::VARIANTS.iter().map(|kind| kind.code()) {
        assert!(table.contains(&format!("`{code}`")), "{code} is not in docs/protocol.md");
    }
}
