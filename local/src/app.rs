//! The functions' clients in this process, and the settings they are made of.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder as HttpClient;
use windi_functions::push::Push;
use windi_shared::auth::Tokens;
use windi_shared::config::{DatabaseConfig, TokenConfig};
use windi_shared::connections::Connections;
use windi_shared::db::{self, PgPool};

use sam_gateway::aws::REGION;

/// Every client any function uses. On AWS each function has just its own.
#[derive(Debug)]
pub struct App {
    /// What they were made of.
    pub settings: Settings,
    /// PostgreSQL.
    pub db: PgPool,
    /// Signing keys.
    pub tokens: Tokens,
    /// DynamoDB.
    pub connections: Connections,
    /// `@connections`.
    pub push: Push,
}

/// What the functions are told by their environment.
#[derive(Clone)]
pub struct Settings {
    /// PostgreSQL.
    pub database: DatabaseConfig,
    /// Signing keys.
    pub tokens: TokenConfig,
    /// Where DynamoDB answers.
    pub dynamodb_endpoint: String,
    /// The connections table.
    pub table: String,
    /// Where `@connections` answers: the WebSocket stage's address.
    pub push_endpoint: String,
}

impl std::fmt::Debug for Settings {
    /// Without what is secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { dynamodb_endpoint, table, push_endpoint, .. } = self;
        write!(f, "Settings {{ {dynamodb_endpoint}, {table}, {push_endpoint}, .. }}")
    }
}

impl App {
    /// Makes the clients. Nothing is connected to before it is used.
    ///
    /// # Errors
    /// What is wrong with a setting.
    pub fn new(settings: Settings) -> Result<Self, &'static str> {
        let connections = Connections::new(&sdk_config(Some(&settings.dynamodb_endpoint)), &settings.table);
        Ok(Self {
            db: db::connect(&settings.database)?,
            tokens: Tokens::new(&settings.tokens)?,
            push: Push::new(&sdk_config(None), &settings.push_endpoint, connections.clone()),
            connections,
            settings,
        })
    }
}

impl Settings {
    /// The environment of a function outside of this process.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            ("DATABASE_URL", self.database.url.clone()),
            ("JWT_SECRET", self.tokens.secret.clone()),
            ("CONNECTIONS_TABLE", self.table.clone()),
            ("CONNECTIONS_ENDPOINT", self.push_endpoint.clone()),
            ("AWS_ENDPOINT_URL_DYNAMODB", self.dynamodb_endpoint.clone()),
            ("AWS_REGION", region()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ];
        if let Some(previous) = &self.tokens.previous_secret {
            variables.push(("JWT_SECRET_PREVIOUS", previous.clone()));
        }
        variables
    }

    /// The same as a file that a shell reads, and `cargo lambda watch --env-file`, which takes no `=` and no `%` without
    /// quotes.
    ///
    /// # Errors
    /// If a value has a quote itself.
    pub fn environment_file(&self) -> Result<String, String> {
        let line = |(name, value): (&str, String)| {
            if value.contains(['\'', '\n']) {
                return Err(format!(
                    "{name} holds a quote or a line break, which cannot be written into a file of variables"
                ));
            }
            Ok(format!("{name}='{value}'\n"))
        };
        self.environment().into_iter().map(line).collect()
    }
}

/// `AWS_REGION`, for emulators that keep regions apart.
fn region() -> String {
    std::env::var("AWS_REGION").ok().filter(|region| !region.is_empty()).unwrap_or_else(|| REGION.to_owned())
}

/// For services on this machine: any credentials, no proxy, no encryption.
fn sdk_config(endpoint: Option<&str>) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "windi-local");
    let http = HttpClient::new().build_http();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http);
    config.set_endpoint_url(endpoint.map(str::to_owned));
    config.build()
}
