//! Start-up and serving, shared by all binaries. A wrong setting ends the function at start with an error that names
//! the variable.
//!
//! Each function has a `main` that is not generic and not `async`, so that the compiler translates the whole function
//! once, in this library; a binary is then little more than linking. With `#[tokio::main]` in the binaries each of them
//! took a minute of its own.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use lambda_http::{Body, Request, Response};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use windi_shared::auth::Tokens;
use windi_shared::config::{self, MailConfig};
use windi_shared::connections::Connections;
use windi_shared::db::{self, Database};
use windi_shared::secrets::Secret;

use crate::mail::Mail;
use crate::posts::Posts;
use crate::push::Push;
use crate::store::Store;
use crate::web_push::WebPush;

/// Returned only if a setting is wrong.
pub type Outcome = Result<(), Error>;

/// How long a secret is used before it is read again.
const SECRET_AGE: Duration = Duration::from_secs(300);
/// How soon the database's secret is read again when there is no connection: its password may have been changed.
const SECRET_AGE_DISCONNECTED: Duration = Duration::from_secs(10);

/// How often, and how many times, a deployment tries to read the database's secret.
const SECRET_PAUSE: Duration = Duration::from_secs(5);
const SECRET_ATTEMPTS: u32 = 6;

/// The roots of Amazon Trust Services, from Mozilla's list. Partitions of their own (China) have others.
const AMAZON_ROOTS: &[u8] = include_bytes!("amazon-roots.pem");

/// Runs a function's `main`, logging to standard output.
///
/// # Errors
/// Whatever `main` returns.
pub fn run<F: Future<Output = Outcome>>(main: impl FnOnce(Door) -> F) -> Outcome {
    start_logging();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(main(Door::default()))
}

/// The clients whose settings may change while the function runs.
#[derive(Default)]
pub struct Door {
    aws: OnceCell<SdkConfig>,
    database: Option<(Secret, Database)>,
    tokens: Option<Arc<Tokens>>,
}

impl Door {
    /// `DATABASE_URL`, or the URL in the secret whose ARN it is.
    ///
    /// # Errors
    /// If the setting is missing, or the secret cannot be read.
    pub async fn database_url(&self) -> Result<String, Error> {
        match config::database_secret() {
            None => Ok(config::database()?.url),
            Some(secret) => {
                let secret = Secret::new(self.aws().await, secret);
                let mut attempt = 1;
                loop {
                    match secret.read(config::database_url).await {
                        // In a first deployment the policy is seconds old, and IAM may not know it everywhere yet.
                        Err(error) if attempt < SECRET_ATTEMPTS => {
                            tracing::warn!(%error, "Tries again.");
                            tokio::time::sleep(SECRET_PAUSE).await;
                            attempt += 1;
                        }
                        outcome => return Ok(outcome?),
                    }
                }
            }
        }
    }

    /// The database at `DATABASE_URL`, or at the address in the secret whose ARN it is.
    ///
    /// # Errors
    /// If the setting is missing or wrong, or the secret cannot be read.
    pub async fn database(&mut self) -> Result<Database, Error> {
        let Some(secret) = config::database_secret() else { return Ok(db::connect(&config::database()?)?) };
        let secret = Secret::new(self.aws().await, secret);
        let url = secret.read(config::database_url).await?;
        let pool = db::connect(&config::database_at(url)?)?;
        self.database = Some((secret, pool.clone()));
        Ok(pool)
    }

    /// The keys from `JWT_SECRET`, or from the secret whose ARN it is.
    ///
    /// # Errors
    /// If the setting is missing or wrong, or the secret cannot be read.
    pub async fn tokens(&mut self) -> Result<Arc<Tokens>, Error> {
        let Some(secret) = config::token_secret() else { return Ok(Arc::new(Tokens::new(&config::tokens()?)?)) };
        let tokens = Arc::new(Tokens::kept_in(Secret::new(self.aws().await, secret)).await?);
        self.tokens = Some(Arc::clone(&tokens));
        Ok(tokens)
    }

    /// The table named by `CONNECTIONS_TABLE`.
    ///
    /// # Errors
    /// If the setting is missing.
    pub async fn connections(&self) -> Result<Connections, Error> {
        Ok(Connections::new(self.aws().await, config::connections_table()?))
    }

    /// The WebSocket API at `CONNECTIONS_ENDPOINT`.
    ///
    /// # Errors
    /// If the setting is missing.
    pub async fn posts(&self) -> Result<Posts, Error> {
        Ok(Posts::new(self.aws().await, &config::connections_endpoint()?))
    }

    /// [`Self::posts`] to the connections that [`Self::connections`] lists.
    ///
    /// # Errors
    /// If a setting is missing.
    pub async fn push(&self) -> Result<Push, Error> {
        Ok(Push::new(self.posts().await?, self.connections().await?))
    }

    /// The store at `FILES_BUCKET`.
    ///
    /// # Errors
    /// If the setting is missing.
    pub async fn store(&self) -> Result<Store, Error> {
        Ok(Store::new(self.aws().await, &config::files()?))
    }

    /// `FILES_ORIGIN`, if it is set.
    pub fn files_origin(&self) -> Option<String> {
        config::optional("FILES_ORIGIN")
    }

    /// What `MAIL_FROM` and `MAIL_DIRECTORY` say.
    ///
    /// # Errors
    /// If a setting is wrong.
    pub async fn mail(&self) -> Result<Mail, Error> {
        Ok(match config::mail()? {
            MailConfig::Off => Mail::off(),
            MailConfig::Service(from) => Mail::through_ses(self.aws().await, from),
            MailConfig::Directory(directory) => Mail::into_files(directory),
        })
    }

    /// What `PUSH_KEY`, or the secret whose ARN it is, and `VAPID_SUBJECT` say. The secret is read when it is first needed.
    ///
    /// # Errors
    /// If a setting is missing or wrong.
    pub async fn web_push(&self) -> Result<WebPush, Error> {
        let config = config::web_push()?;
        Ok(match config::push_secret() {
            Some(secret) => WebPush::kept_in(Secret::new(self.aws().await, secret), &config),
            None => WebPush::new(&config)?,
        })
    }

    /// `WEBSOCKET_URL`, if it is set.
    pub fn websocket_url(&self) -> Option<String> {
        config::optional("WEBSOCKET_URL")
    }

    /// The region, credentials and HTTP client of this environment.
    async fn aws(&self) -> &SdkConfig {
        let load =
            async || aws_config::defaults(BehaviorVersion::v2026_01_12()).http_client(http_client()).load().await;
        self.aws.get_or_init(load).await
    }

    /// Serves requests of the HTTP API.
    ///
    /// # Errors
    /// If Lambda's Runtime API cannot be reached.
    pub async fn http<F>(&self, handler: impl Fn(Request) -> F + Sync) -> Outcome
    where
        F: Future<Output = Response<Body>> + Send,
    {
        let handler = &handler;
        let serve = move |request| async move {
            self.renew().await;
            Ok::<_, Error>(handler(request).await)
        };
        lambda_http::run(service_fn(serve)).await
    }

    /// Serves events of the WebSocket API.
    ///
    /// # Errors
    /// If Lambda's Runtime API cannot be reached.
    pub async fn events<E, A, F>(&self, handler: impl Fn(E) -> F + Sync) -> Outcome
    where
        E: DeserializeOwned + Send,
        A: Serialize,
        F: Future<Output = Result<A, Diagnostic>> + Send,
    {
        let handler = &handler;
        let serve = move |event: LambdaEvent<E>| async move {
            self.renew().await;
            handler(event.payload).await
        };
        lambda_runtime::run(service_fn(serve)).await
    }

    /// Reads secrets again that are due.
    async fn renew(&self) {
        if let Some(tokens) = &self.tokens {
            tokens.renew(SECRET_AGE).await;
        }
        if let Some((secret, pool)) = &self.database {
            let age = if pool.size() == 0 { SECRET_AGE_DISCONNECTED } else { SECRET_AGE };
            if let Some(options) = secret.read_again(age, |text| db::options(&config::database_url(text)?)).await {
                pool.set_connect_options(options);
            }
        }
    }
}

/// An HTTP client that trusts what signs AWS's endpoints and nothing else: reading the system's 140 roots takes more time
/// than the rest of a function's start.
fn http_client() -> SharedHttpClient {
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let client = HttpClient::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => client.tls_context(context).build_https(),
        // Cannot happen: the roots are part of this program.
        Err(_) => client.build_https(),
    }
}

/// Logs JSON lines, which CloudWatch can search, at the level of `RUST_LOG` (default `info`).
fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // Each line lists its spans, so the innermost would appear twice.
    let lines = tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false);
    lines.with_env_filter(filter).with_target(false).init();
}
