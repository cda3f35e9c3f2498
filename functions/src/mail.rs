//! Mail, through Amazon SES or into a directory, where each mail is a file.

use std::fs::{DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_sesv2::error::{DisplayErrorContext, ProvideErrorMetadata as _};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_sdk_sesv2::{Client, config::Builder};
use chrono::Utc;
use uuid::Uuid;
use windi_shared::config::MailDirectory;
use windi_shared::fields::Email;
use windi_shared::{Error, Result};

use crate::letters::Letter;

/// How long one attempt to hand a mail over may take.
const ATTEMPT_LIMIT: Duration = Duration::from_millis(1200);
/// How long that may take with its retry: less than `recover` takes to answer.
const LIMIT: Duration = Duration::from_millis(1600);

/// The road by which mail leaves.
#[derive(Debug, Clone)]
pub struct Mail {
    road: Road,
}

#[derive(Debug, Clone)]
enum Road {
    Off,
    Service { client: Client, from: Email },
    Directory(MailDirectory),
}

impl Mail {
    /// For a messenger without mail.
    pub fn off() -> Self {
        Self { road: Road::Off }
    }

    /// Through SES, which must know the sender.
    pub fn through_ses(config: &SdkConfig, from: Email) -> Self {
        let timeouts =
            TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT_LIMIT).operation_timeout(LIMIT).build();
        let retries = RetryConfig::standard().with_max_attempts(2).with_initial_backoff(Duration::from_millis(100));
        let builder = Builder::from(config).timeout_config(timeouts).retry_config(retries);
        // It guards streamed bodies. Ours are in memory, and the time limits above apply.
        let builder = builder.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        // Functions in Aurora's network have only IPv6, and the usual name of SES only IPv4. An emulator has one name.
        let builder = builder.use_dual_stack(config.endpoint_url().is_none());
        Self { road: Road::Service { client: Client::from_conf(builder.build()), from } }
    }

    /// Into files, which are made together with the directory, for nobody else to read.
    pub fn into_files(directory: MailDirectory) -> Self {
        Self { road: Road::Directory(directory) }
    }

    /// # Errors
    /// [`Error::MailDisabled`].
    pub fn is_on(&self) -> Result<()> {
        if matches!(self.road, Road::Off) { Err(Error::MailDisabled) } else { Ok(()) }
    }

    /// Whether mail can be sent, and to this address.
    ///
    /// # Errors
    /// [`Error::MailDisabled`]; [`Error::InvalidField`] if the address would need quotes in a mail.
    pub fn reaches(&self, address: &Email) -> Result<()> {
        self.is_on()?;
        mailbox(address).map(|_| ())
    }

    /// Hands a mail over to whoever delivers it.
    ///
    /// # Errors
    /// Those of [`Self::reaches`]; [`Error::Unavailable`] if SES does not take it; [`Error::Internal`] if it cannot be
    /// written.
    pub async fn send(&self, to: &Email, letter: Letter) -> Result<()> {
        self.is_on()?;
        let to = mailbox(to).inspect_err(|_| tracing::warn!("An address that would need quotes gets no mail."))?;
        match &self.road {
            Road::Off => Err(Error::MailDisabled),
            Road::Service { client, from } => hand_over(client, &sender(from)?, &to, &letter).await,
            Road::Directory(MailDirectory { path, from }) => {
                let (directory, text) = (path.clone(), written(&sender(from)?, &to, &letter));
                let write = tokio::task::spawn_blocking(move || write(&directory, &text));
                let file = write.await.map_err(Error::internal)?.map_err(Error::internal)?;
                tracing::info!(file = %file.display(), "Wrote a mail.");
                Ok(())
            }
        }
    }
}

/// An address as it stands in the header of a mail, with its host in ASCII.
///
/// An address may have commas, brackets and quotes before its @, which separate addresses in a header. Such an address
/// would have to be quoted, hardly anybody has one, and nobody can smuggle in another address or header if it is
/// refused.
fn mailbox(address: &Email) -> Result<String> {
    let refused = || Error::field("email", "is an address that no mail can be sent to");
    let (who, host) = address.as_str().split_once('@').ok_or_else(refused)?;
    let host = idna::domain_to_ascii(host).map_err(|_| refused())?;
    let is_atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let is_plain = who.chars().all(is_atom) && !who.starts_with('.') && !who.ends_with('.') && !who.contains("..");
    let is_host = !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if is_plain && is_host { Ok(format!("{who}@{host}")) } else { Err(refused()) }
}

fn sender(from: &Email) -> Result<String> {
    mailbox(from).map_err(|_| Error::internal("no mail can come from the address in MAIL_FROM"))
}

async fn hand_over(client: &Client, from: &str, to: &str, letter: &Letter) -> Result<()> {
    let content = |text: &str| Content::builder().data(text).charset("UTF-8").build().map_err(Error::internal);
    let body = Body::builder().text(content(&letter.text)?).build();
    let message = Message::builder().subject(content(letter.subject)?).body(body).build();
    let request = client
        .send_email()
        .from_email_address(from)
        .destination(Destination::builder().to_addresses(to).build())
        .content(EmailContent::builder().simple(message).build());
    match request.send().await {
        Ok(answer) => {
            tracing::info!(mail_id = answer.message_id(), "Sent a mail.");
            Ok(())
        }
        Err(error) => {
            // A refusal by its code only: its text may have the address.
            let problem = error.code().map(str::to_owned);
            let problem = problem.unwrap_or_else(|| DisplayErrorContext(&error).to_string());
            Err(Error::Unavailable(format!("SES did not take a mail: {problem}").into()))
        }
    }
}

/// A mail as RFC 5322 has it.
fn written(from: &str, to: &str, letter: &Letter) -> String {
    let host = from.rsplit('@').next().unwrap_or_default();
    let headers = [
        format!("Date: {}", Utc::now().to_rfc2822()),
        format!("From: {from}"),
        format!("To: {to}"),
        format!("Subject: {}", letter.subject),
        format!("Message-ID: <{}@{host}>", Uuid::new_v4()),
        "MIME-Version: 1.0".to_owned(),
        "Content-Type: text/plain; charset=utf-8".to_owned(),
        "Content-Transfer-Encoding: 8bit".to_owned(),
        "Auto-Submitted: auto-generated".to_owned(),
    ];
    format!("{}\r\n\r\n{}", headers.join("\r\n"), letter.text.replace('\n', "\r\n"))
}

/// Whoever looks for files that end with `.eml` never finds half of one. Their names begin with the time, so they are
/// in order.
fn write(directory: &Path, text: &str) -> std::io::Result<PathBuf> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let name = format!("{}-{}.eml", Utc::now().format("%Y%m%dT%H%M%S%.3fZ"), Uuid::new_v4().simple());
    let (path, unfinished) = (directory.join(&name), directory.join(format!(".{name}.part")));
    let mut file = File::options().create_new(true).write(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&unfinished, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox_of(text: &str) -> Option<String> {
        mailbox(&Email::new(text).expect("an address")).ok()
    }

    #[test]
    fn an_address_is_one_address_and_nothing_else_in_a_header() {
        assert_eq!(mailbox_of("ann.o'hara+x@example.com").as_deref(), Some("ann.o'hara+x@example.com"));
        assert_eq!(mailbox_of("Ann@bücher.example").as_deref(), Some("Ann@xn--bcher-kva.example"));
        for text in ["a,b@example.com", "<a>@example.com", "\"a\"@example.com", "a;b@example.com", "a:b@example.com"] {
            assert_eq!(mailbox_of(text), None, "{text}");
        }
        for text in ["(a)@example.com", "a\\@example.com", ".a@example.com", "a..b@example.com", "é@example.com"] {
            assert_eq!(mailbox_of(text), None, "{text}");
        }
    }

    #[test]
    fn a_mail_has_its_headers_and_its_lines() {
        let letter = Letter { subject: "Subject", text: "one\ntwo\n".to_owned() };
        let mail = written("from@example.com", "to@example.com", &letter);
        let (head, body) = mail.split_once("\r\n\r\n").expect("an empty line");
        assert!(head.starts_with("Date: ") && head.contains("\r\nFrom: from@example.com\r\nTo: to@example.com\r\n"));
        assert!(head.contains("\r\nMessage-ID: <") && head.contains("@example.com>\r\n"));
        assert_eq!(body, "one\r\ntwo\r\n");
    }
}
