//! `windi-local reports`: what people have reported, for whoever runs the messenger.

use std::path::Path;

use windi_shared::characters::{one_line, printable_lines};
use windi_shared::config;
use windi_shared::db::reports::{self, Report};
use windi_shared::db::{self, Database};
use windi_shared::ids::ReportId;
use windi_shared::protocol::ChatKind;

use crate::stack;

/// How many are shown at once.
const SHOWN: i64 = 100;

type Error = Box<dyn std::error::Error + Send + Sync>;

/// Lists the open reports in the database at `url`, or else in the private one under `data`; or marks one as resolved. Returns
/// what to print.
///
/// # Errors
/// If the database cannot be reached, or there is no such open report.
pub async fn run(data: &Path, url: Option<String>, resolved: Option<ReportId>) -> Result<String, Error> {
    // The cluster is stopped when it is dropped, if it was started for this.
    let (url, _cluster) = match url {
        Some(url) => (url, None),
        None => stack::private_database(data).await?,
    };
    let db = db::connect(&config::database_at(url)?)?;
    match resolved {
        None => list(&db).await,
        Some(id) => resolve(&db, id).await,
    }
}

async fn resolve(db: &Database, id: ReportId) -> Result<String, Error> {
    match reports::resolve(db, id).await {
        Ok(true) => Ok(format!("Resolved {id}.\n")),
        Ok(false) => Err(format!("there is no open report {id}").into()),
        Err(error) => Err(unreachable(&error)),
    }
}

async fn list(db: &Database) -> Result<String, Error> {
    let open = reports::open(db, SHOWN).await.map_err(|error| unreachable(&error))?;
    if open.is_empty() {
        return Ok("No open reports.\n".to_owned());
    }
    let mut lines: Vec<String> = open.iter().map(shown).collect();
    if i64::try_from(open.len())? == SHOWN {
        lines.push(format!("Only the {SHOWN} oldest are shown.\n"));
    }
    Ok(lines.join("\n"))
}

/// The error's own text is for clients.
fn unreachable(error: &windi_shared::Error) -> Error {
    format!("cannot read the reports: {error:?}").into()
}

/// Nobody's text can look like another line or send the terminal anything.
fn shown(report: &Report) -> String {
    let person = |name: &str, username: Option<&str>| match username {
        Some(username) => format!("{} (@{})", one_line(name), one_line(username)),
        None => one_line(name),
    };
    let place = match report.kind {
        ChatKind::Group => format!("group {}", one_line(report.chat_name.as_deref().unwrap_or_default())),
        ChatKind::Private => "a private chat".to_owned(),
    };
    let reporter = report.reporter_name.as_deref();
    let reporter = reporter.map(|name| person(name, report.reporter_username.as_deref()));
    let indented = |text: &str| printable_lines(text, "\n            ");
    format!(
        "{id}  {time}\n  message   #{number} in {place}, {chat_id}\n  by        {sender}, {sender_id}\n  \
         reported  {reporter}\n  reason    {reason}\n  text      {text}\n  files     {files}\n",
        id = report.id,
        time = report.created_at.0.format("%Y-%m-%d %H:%M:%SZ"),
        number = report.message_id,
        chat_id = report.chat_id,
        sender = person(&report.sender_name, report.sender_username.as_deref()),
        sender_id = report.sender_id,
        reporter = reporter.as_deref().unwrap_or("by somebody whose account is deleted"),
        reason = report.reason.as_deref().map_or_else(|| "-".to_owned(), indented),
        text = indented(&report.text),
        files = files(report),
    )
}

/// The names and types of the files that the message had.
fn files(report: &Report) -> String {
    let files = report.files.iter().flat_map(|files| &files.0);
    let files: Vec<_> =
        files.map(|file| format!("{} ({}, {})", one_line(&file.name), file.content_type, file.id)).collect();
    if files.is_empty() { "-".to_owned() } else { files.join(", ") }
}
