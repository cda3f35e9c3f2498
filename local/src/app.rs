//! The clients the functions use in this process, and the settings they are built from.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder as HttpClient;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use windi_functions::mail::Mail;
use windi_functions::posts::Posts;
use windi_functions::push::Push;
use windi_functions::store::Store;
use windi_functions::web_push::WebPush;
use windi_shared::auth::Tokens;
use windi_shared::config::{self, DatabaseConfig, FilesConfig, MailDirectory, PushConfig, TokenConfig};
use windi_shared::connections::Connections;
use windi_shared::db::{self, Database};

use sam_gateway::aws::REGION;

use crate::in_process_aws::InProcessAws;

/// All clients that any function uses. On AWS each function has only the ones it needs.
#[derive(Debug)]
pub struct App {
    pub settings: Settings,
    pub db: Database,
    pub tokens: Tokens,
    pub connections: Connections,
    pub push: Push,
    pub store: Store,
    pub mail: Mail,
    pub web_push: WebPush,
    pub aws: InProcessAws,
}

/// What the functions read from their environment.
#[derive(Clone)]
pub struct Settings {
    pub database: DatabaseConfig,
    pub tokens: TokenConfig,
    /// A URL.
    pub dynamodb_endpoint: String,
    /// Name of the connections table.
    pub table: String,
    /// URL of the WebSocket stage, which serves `@connections`.
    pub push_endpoint: String,
    pub files: FilesConfig,
    /// Where mails are written.
    pub mail: MailDirectory,
    pub push: PushConfig,
}

impl std::fmt::Debug for Settings {
    /// Leaves out the secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dynamodb_endpoint, table, push_endpoint, .. } = self;
        write!(f, "Settings {{ {dynamodb_endpoint}, {table}, {push_endpoint}, .. }}")
    }
}

impl App {
    /// Builds the clients. Each connects on first use.
    ///
    /// # Errors
    /// A message that says what is wrong with a setting.
    pub fn new(settings: Settings, aws: InProcessAws) -> Result<Self, &'static str> {
        let network = HttpClient::new().build_http();
        let dynamodb = sdk_config(aws.dynamodb(network.clone()), Some(&settings.dynamodb_endpoint));
        let connections = Connections::new(&dynamodb, &settings.table);
        let store = Store::new(&sdk_config(network.clone(), None), &settings.files);
        let posts = Posts::new(&sdk_config(aws.management(network), None), &settings.push_endpoint);
        Ok(Self {
            db: db::connect(&settings.database)?,
            tokens: Tokens::new(&settings.tokens)?,
            push: Push::new(posts, connections.clone()),
            connections,
            store,
            mail: Mail::into_files(settings.mail.clone()),
            web_push: WebPush::new(&settings.push)?,
            settings,
            aws,
        })
    }
}

impl Settings {
    /// Where the page finds files, if that is elsewhere.
    pub fn files_origin(&self) -> Option<&str> {
        self.files.public_url.as_deref().or(self.files.endpoint.as_deref()).filter(|url| !url.is_empty())
    }

    /// The environment variables of a function that runs outside this process.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("DATABASE_URL", self.database.url.clone()),
            ("JWT_SECRET", self.tokens.secret.clone()),
            ("CONNECTIONS_TABLE", self.table.clone()),
            ("CONNECTIONS_ENDPOINT", self.push_endpoint.clone()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb_endpoint.clone()),
            ("FILES_BUCKET", self.files.bucket.clone()),
            ("MAIL_DIRECTORY", self.mail.path.display().to_string()),
            ("VAPID_SUBJECT", self.push.subject.clone()),
            ("AWS_REGION", region()),
            ("AWS_ACCESS_KEY_ID", credential("AWS_ACCESS_KEY_ID")),
            ("AWS_SECRET_ACCESS_KEY", credential("AWS_SECRET_ACCESS_KEY")),
        ];
        if let Some(previous) = &self.tokens.previous_secret {
            variables.push(("JWT_SECRET_PREVIOUS", previous.clone()));
        }
        let FilesConfig { endpoint, credentials, public_url, .. } = &self.files;
        let credentials = credentials.clone().unzip();
        for (name, value) in [
            ("AWS_ENDPOINT_URL_S3", endpoint.clone()),
            ("FILES_ACCESS_KEY_ID", credentials.0),
            ("FILES_SECRET_ACCESS_KEY", credentials.1),
            // An empty one would count as none.
            ("FILES_PUBLIC_URL", public_url.clone().map(|url| if url.is_empty() { "/".to_owned() } else { url })),
        ] {
            variables.extend(value.map(|value| (name, value)));
        }
        if let Some(secret) = &self.push.secret {
            variables.push(("PUSH_KEY", secret.clone()));
        }
        if self.push.allows_http {
            variables.push(("PUSH_ALLOW_HTTP", "on".to_owned()));
        }
        if !self.database.has_limits {
            variables.push(("RATE_LIMITS", "off".to_owned()));
        }
        variables
    }

    /// The environment of functions outside this process, for `sam local --env-vars`. It sets only variables that the
    /// template has. Its address of the socket is AWS's, which clients would otherwise be told.
    pub fn environment_json(&self) -> String {
        let websocket_url = ("WEBSOCKET_URL", self.push_endpoint.replacen("http", "ws", 1));
        let variables = self.environment().into_iter().chain([websocket_url]);
        let variables: serde_json::Map<_, _> = variables.map(|(name, value)| (name.to_owned(), value.into())).collect();
        serde_json::json!({"Parameters": variables}).to_string()
    }

    /// The environment of functions outside this process, as a file for a shell or for `cargo lambda watch --env-file`,
    /// which accepts `=` and `%` only in quotes.
    ///
    /// # Errors
    /// If a value contains a quote or a line break.
    pub fn environment_file(&self) -> Result<String, String> {
        let line = |(name, value): (&str, String)| {
            if value.contains(['\'', '\n']) {
                return Err(format!(
                    "{name} contains a quote or a line break, so it cannot be written to an environment file"
                ));
            }
            Ok(format!("{name}='{value}'\n"))
        };
        self.environment().into_iter().map(line).collect()
    }
}

/// `AWS_REGION` if it is set, for emulators that keep regions apart.
fn region() -> String {
    config::optional("AWS_REGION").unwrap_or_else(|| REGION.to_owned())
}

/// The variable, for emulators that check credentials, or any text.
fn credential(variable: &'static str) -> String {
    config::optional(variable).unwrap_or_else(|| "local".to_owned())
}

/// For services on this machine: no proxy, no encryption.
fn sdk_config(http: SharedHttpClient, endpoint: Option<&str>) -> SdkConfig {
    let [id, key] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(credential);
    let credentials = Credentials::new(id, key, None, None, "windi-local");
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http);
    config.set_endpoint_url(endpoint.map(str::to_owned));
    config.build()
}
