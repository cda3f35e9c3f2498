//! Calls and sockets with the stored login, whose tokens are refreshed when an access token has expired.

use std::io;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error as WsError;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;
use windi_shared::fields::{ClientMessageId, MessageText};
use windi_shared::ids::ChatId;
use windi_shared::protocol::{ErrorBody, PageConfig, SendMessage, TokenPair};

use crate::show::one_line;
use crate::store::Store;

/// Longer than the server takes for anything: API Gateway answers within thirty seconds, if only with an error.
pub const PATIENCE: Duration = Duration::from_secs(35);
/// Three attempts have to begin within the ten seconds in which a refresh token may be used again.
const REFRESH_PATIENCE: Duration = Duration::from_secs(3);
/// How long a server that says 503 without more may take to wake up.
const WAKING: Duration = Duration::from_secs(5);
/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// How much is shown of an answer that nobody expected, in characters.
const UNEXPECTED_CHARS: usize = 200;

pub type Result<T> = std::result::Result<T, Error>;
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The messenger's own error; its status is 0 if it came on a socket.
    #[error("{} ({})", .body.message, .body.code)]
    Refused { status: u16, body: Box<ErrorBody> },
    /// Any other answer: the gateway's own error, or something that is not a messenger.
    #[error("{url} answered {status}: {text}")]
    Unexpected { url: String, status: u16, text: String },
    #[error("{url} cannot be reached: {reason}")]
    NoAnswer { url: String, reason: String },
    /// A socket that was open.
    #[error("the connection was lost: {0}")]
    Lost(String),
    #[error("nobody is logged in at {0}; `windi login` does it")]
    NotLoggedIn(String),
    #[error("the session at {0} has ended; log in again")]
    Ended(String),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("{0}")]
    Other(String),
}

impl From<ErrorBody> for Error {
    fn from(frame: ErrorBody) -> Self {
        Self::Refused { status: 0, body: Box::new(frame) }
    }
}

impl Error {
    /// The least time after which the same request may succeed; nothing if waiting does not help.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoAnswer { .. } | Self::Lost(_) => Some(Duration::ZERO),
            // Too fast: the server says how long to wait.
            Self::Refused { status: 429, body } => body.retry_after.map(Duration::from_secs),
            Self::Refused { status: 500.., body } => Some(Duration::from_secs(body.retry_after.unwrap_or(0))),
            Self::Unexpected { status: 503, .. } => Some(WAKING),
            Self::Unexpected { status: 500.., .. } => Some(Duration::ZERO),
            _ => None,
        }
    }

    /// Whether the messenger has refused with this code.
    pub fn has_code(&self, code: &str) -> bool {
        matches!(self, Self::Refused { body, .. } if body.code == code)
    }

    /// Whether a new access token may help.
    fn is_unauthorized(&self) -> bool {
        match self {
            Self::Refused { body, .. } => body.code == "unauthorized",
            Self::Unexpected { status, .. } => *status == 401,
            _ => false,
        }
    }
}

/// The pauses between attempts: a random part of a second, then of two, four, up to a minute.
#[derive(Debug, Default)]
pub struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// How long to wait after this error, which is printed.
    ///
    /// # Errors
    /// The error itself, if waiting does not help.
    pub fn after(&mut self, error: Error) -> Result<Duration> {
        let Some(least) = error.retry_after() else { return Err(error) };
        let most = Duration::from_secs(1 << self.attempts.min(6)).min(LONGEST_PAUSE);
        self.attempts += 1;
        eprintln!("{}; trying again", one_line(&error.to_string()));
        Ok(least.max(most.mul_f64(fastrand::f64())))
    }
}

/// A message with a key of its own, so that it can be sent any number of times.
pub fn new_message(chat_id: ChatId, text: MessageText) -> SendMessage {
    let client_message_id = ClientMessageId::new(Uuid::now_v7().to_string()).ok();
    SendMessage { chat_id, text: Some(text), file_ids: None, reply_to_id: None, client_message_id }
}

/// One messenger, and the login there if there is one.
pub struct Client {
    http: reqwest::Client,
    /// Without a slash at its end.
    pub url: String,
    pub store: Store,
}

impl Client {
    /// # Errors
    /// If there is no place for tokens.
    pub fn new(url: String) -> Result<Self> {
        let agent = concat!("windi/", env!("CARGO_PKG_VERSION"));
        // A redirection could take a password elsewhere.
        let http = reqwest::Client::builder().user_agent(agent).timeout(PATIENCE).redirect(Policy::none()).build();
        Ok(Self { http: http.map_err(|error| Error::Other(cause(&error)))?, store: Store::of(&url)?, url })
    }

    /// A call that needs no login.
    ///
    /// # Errors
    /// If the server refuses, answers something else or does not answer.
    pub async fn open<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<T> {
        self.parsed(method, path, None, body).await
    }

    /// A call of the person who is logged in.
    ///
    /// # Errors
    /// If nobody is, or if the server refuses, answers something else or does not answer.
    pub async fn call<T: DeserializeOwned>(&self, method: Method, path: &str, body: Option<&Value>) -> Result<T> {
        let tokens = self.tokens()?;
        match self.parsed(method.clone(), path, Some(&tokens.access_token), body).await {
            Err(error) if error.is_unauthorized() => {
                let tokens = self.refresh(&tokens).await?;
                self.parsed(method, path, Some(&tokens.access_token), body).await
            }
            answer => answer,
        }
    }

    /// The status and the body of an answer, whatever they are.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn ask(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(u16, String)> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = async {
            let response = request.send().await?;
            Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
        };
        answer.await.map_err(|error| match cause(&error) {
            reason if error.is_builder() => Error::Other(reason),
            reason => Error::NoAnswer { url: self.url.clone(), reason },
        })
    }

    async fn parsed<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<T> {
        let (status, text) = self.ask(method, path, token, body).await?;
        if (200..300).contains(&status) {
            // A 204 has no body.
            let json = if text.is_empty() { "null" } else { text.as_str() };
            return serde_json::from_str(json).map_err(|_| self.unexpected(path, status, &text));
        }
        Err(match serde_json::from_str(&text) {
            Ok(body) => Error::Refused { status, body },
            Err(_) => self.unexpected(path, status, &text),
        })
    }

    /// The error for an answer that is not one of the messenger's.
    pub fn unexpected(&self, path: &str, status: u16, text: &str) -> Error {
        let text = text.chars().take(UNEXPECTED_CHARS).collect();
        Error::Unexpected { url: format!("{}{path}", self.url), status, text }
    }

    fn tokens(&self) -> Result<TokenPair> {
        self.store.load()?.ok_or_else(|| Error::NotLoggedIn(self.url.clone()))
    }

    /// The tokens that come after those with a refused access token. They are on the disk before anybody uses them.
    async fn refresh(&self, refused: &TokenPair) -> Result<TokenPair> {
        let _lock = self.store.lock()?;
        let held = self.tokens()?;
        if held.access_token != refused.access_token {
            // Another process was faster. The token that it used must not be used again.
            return Ok(held);
        }
        let body = json!({"refresh_token": held.refresh_token});
        let mut tries = 1;
        loop {
            let attempt = self.open::<TokenPair>(Method::POST, "/auth/refresh", Some(&body));
            let late = |_| Err(Error::NoAnswer { url: self.url.clone(), reason: "no answer in time".to_owned() });
            match tokio::time::timeout(REFRESH_PATIENCE, attempt).await.unwrap_or_else(late) {
                Ok(tokens) => {
                    self.store.save(&tokens)?;
                    return Ok(tokens);
                }
                Err(Error::Refused { body, .. }) if body.code == "unauthorized" => {
                    self.store.forget()?;
                    return Err(Error::Ended(self.url.clone()));
                }
                // The answer may have been lost; for ten seconds the same token gets it again.
                Err(error) if error.retry_after().is_some() && tries < 3 => {
                    tries += 1;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where sockets are opened.
    ///
    /// # Errors
    /// If the server does not say, or if tokens would go there without encryption although they come here with it.
    pub async fn socket_url(&self) -> Result<String> {
        let PageConfig { web_socket_url: url } = self.open(Method::GET, "/config.json", None).await?;
        let schemes: &[&str] = if self.url.starts_with("https:") { &["wss:"] } else { &["ws:", "wss:"] };
        if schemes.iter().any(|scheme| url.starts_with(scheme)) {
            return Ok(url);
        }
        Err(Error::Other(format!("config.json says {url}, which does not begin with {}", schemes.join(" or "))))
    }

    /// Opens a socket of the person who is logged in.
    ///
    /// # Errors
    /// As for [`connect`](Self::connect), or if nobody is logged in.
    pub async fn socket(&self, url: &str) -> Result<Socket> {
        let tokens = self.tokens()?;
        match self.connect(url, Some(&tokens.access_token)).await {
            Err(error) if error.is_unauthorized() => {
                let tokens = self.refresh(&tokens).await?;
                self.connect(url, Some(&tokens.access_token)).await
            }
            opened => opened,
        }
    }

    /// Opens a socket.
    ///
    /// # Errors
    /// If the server refuses or cannot be reached.
    pub async fn connect(&self, url: &str, token: Option<&str>) -> Result<Socket> {
        let bad = |reason: String| Error::Other(format!("no socket can be opened at {url}: {reason}"));
        let mut request = url.into_client_request().map_err(|error| bad(error.to_string()))?;
        if let Some(token) = token {
            let bearer = HeaderValue::from_str(&format!("Bearer {token}"));
            request.headers_mut().insert(AUTHORIZATION, bearer.map_err(|error| bad(error.to_string()))?);
        }
        let no_answer = |reason: String| Error::NoAnswer { url: url.to_owned(), reason };
        match tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await {
            Ok(Ok((socket, _))) => Ok(socket),
            Ok(Err(WsError::Http(response))) => {
                let (status, text) = (response.status().as_u16(), "the socket was refused".to_owned());
                Err(Error::Unexpected { url: url.to_owned(), status, text })
            }
            Ok(Err(error)) => Err(no_answer(cause(&error))),
            Err(_) => Err(no_answer("no answer in time".to_owned())),
        }
    }
}

/// What is at the bottom of an error, such as `Connection refused`. The layers above it only say that a request failed.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
