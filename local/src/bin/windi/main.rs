//! `windi`: the messenger in a terminal, for people who talk and for operators who check a deployment.
//!
//! * [`client`]: calls and sockets with the stored login; [`store`] keeps its tokens.
//! * [`find`]: whom a name on the command line means. [`show`]: what is safe to print.
//! * [`export`]: `windi export`.
//! * [`talk`]: `windi chat`, with [`room`] for the order of what is printed. [`check`]: `windi check`.

mod check;
mod client;
mod export;
mod find;
mod room;
mod show;
mod store;
mod talk;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use reqwest::{Method, Url};
use serde::de::IgnoredAny;
use serde_json::json;
use windi_shared::fields::MessageText;
use windi_shared::protocol::{Account, ChatWithMembers, History, Message, TokenPair};

use crate::client::{Backoff, Client, Error, Result};
use crate::show::{Names, one_line, say};

/// WinDI Messenger in a terminal. Times are UTC. The exit code is 2 if the command line is wrong, and 1 if anything
/// else fails.
#[derive(Debug, Parser)]
#[command(name = "windi", version)]
struct Arguments {
    /// Where the messenger is
    #[arg(long, env = "WINDI_URL", default_value = "http://localhost:3000", global = true, value_parser = base_url)]
    url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Create an account and log in; the password is in WINDI_PASSWORD, or is asked for
    Register { name: String, username: String, email: String },
    /// Log in; the password is in WINDI_PASSWORD, or is asked for
    Login { username_or_email: String },
    /// End the session
    Logout,
    /// List the chats: id, name, unread messages, last message
    Chats,
    /// Send one message to a person (by username) or to a group (by name, or by the chat's id)
    Send { to: String, text: String },
    /// Print the newest messages
    History {
        with: String,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(1..=100))]
        limit: u8,
    },
    /// Talk: every line typed is sent, everything received is printed; Ctrl-D ends it
    Chat { with: String },
    /// Write everything of one's own, and what others have said in one's chats, to a new file: a JSON object a line
    Export { file: PathBuf },
    /// Check a deployment; without a login, only what is possible without one, and that decides the exit code
    Check,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", one_line(&error.to_string()));
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    let client = Client::new(arguments.url)?;
    match &arguments.command {
        Command::Register { name, username, email } => register(&client, name, username, email).await,
        Command::Login { username_or_email } => {
            log_in(&client, username_or_email, &password()?).await?;
            say("Logged in.");
            Ok(())
        }
        Command::Logout => log_out(&client).await,
        Command::Chats => chats(&client).await,
        Command::Send { to, text } => send(&client, to, text).await,
        Command::History { with, limit } => history(&client, with, *limit).await,
        Command::Chat { with } => talk::talk(&client, with).await,
        Command::Export { file } => export::export(&client, file).await,
        Command::Check => check::check(&client).await,
    }
}

/// An http or https address, without a slash at its end.
fn base_url(text: &str) -> std::result::Result<String, String> {
    let url = Url::parse(text).map_err(|e| e.to_string())?;
    if !["http", "https"].contains(&url.scheme()) || url.query().is_some() || url.fragment().is_some() {
        return Err("must look like https://host or http://host:port".to_owned());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// From the environment, or else a line of the standard input. A terminal does not show it.
fn password() -> Result<String> {
    if let Ok(password) = std::env::var("WINDI_PASSWORD") {
        return Ok(password);
    }
    let stdin = io::stdin();
    let shown = if stdin.is_terminal() { Some(tcgetattr(&stdin).map_err(io::Error::from)?) } else { None };
    if let Some(shown) = &shown {
        eprint!("Password: ");
        let mut hidden = shown.clone();
        hidden.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(&stdin, SetArg::TCSAFLUSH, &hidden).map_err(io::Error::from)?;
    }
    let mut password = String::new();
    let read = stdin.read_line(&mut password);
    if let Some(shown) = &shown {
        tcsetattr(&stdin, SetArg::TCSANOW, shown).map_err(io::Error::from)?;
        eprintln!();
    }
    read?;
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}

async fn register(client: &Client, name: &str, username: &str, email: &str) -> Result<()> {
    let password = password()?;
    let body = json!({"name": name, "username": username, "email": email, "password": password});
    let account: Account = client.open(Method::POST, "/auth/register", Some(&body)).await?;
    log_in(client, &account.email, &password).await?;
    say("Registered and logged in.");
    Ok(())
}

async fn log_in(client: &Client, who: &str, password: &str) -> Result<()> {
    let field = if who.contains('@') { "email" } else { "username" };
    let body = json!({field: who, "password": password});
    let tokens: TokenPair = client.open(Method::POST, "/auth/login", Some(&body)).await?;
    // Whoever is refreshing the former login now would otherwise write its tokens over these.
    let _lock = client.store.lock()?;
    Ok(client.store.save(&tokens)?)
}

async fn log_out(client: &Client) -> Result<()> {
    match client.call::<IgnoredAny>(Method::POST, "/auth/logout", None).await {
        Ok(_) | Err(Error::Ended(_)) => {}
        Err(error) => return Err(error),
    }
    client.store.forget()?;
    say("Logged out.");
    Ok(())
}

async fn chats(client: &Client) -> Result<()> {
    for chat in find::chats(client).await? {
        let name = find::name(&chat);
        let last = chat.last_message.as_ref().map(show::summary).unwrap_or_default();
        say(&format!("{}  {name}  {} unread  {last}", chat.chat.id, chat.unread_count));
    }
    Ok(())
}

async fn send(client: &Client, to: &str, text: &str) -> Result<()> {
    let text = MessageText::new(text).map_err(|reason| Error::Other(format!("the message {reason}")))?;
    let chat_id = find::chat(client, to, true).await?;
    let send = json!(client::new_message(chat_id, text));
    let mut backoff = Backoff::default();
    // Repeated with the same key until it is answered: it is stored once, whatever is lost on the way.
    let message: Message = loop {
        let error = match client.call(Method::POST, "/messages", Some(&send)).await {
            Ok(message) => break message,
            Err(error) => error,
        };
        tokio::time::sleep(backoff.after(error)?).await;
    };
    say(&format!("#{} {}", message.id, show::time(message.timestamp)));
    Ok(())
}

async fn history(client: &Client, with: &str, limit: u8) -> Result<()> {
    let chat_id = find::chat(client, with, false).await?;
    let chat: ChatWithMembers = client.call(Method::GET, &format!("/chats/{chat_id}"), None).await?;
    let path = format!("/messages/history/{chat_id}?before=latest&limit={limit}");
    let page: History = client.call(Method::GET, &path, None).await?;
    let mut names = Names::default();
    names.members(&chat);
    names.learn(client, &page.messages).await?;
    for message in &page.messages {
        say(&show::message(&names, message));
    }
    Ok(())
}
