//! The command line of a program that serves a gateway.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;
use tokio::net::TcpListener;

use crate::access::Access;
use crate::faults::Faults;
use crate::gateway::Settings;
use crate::metrics;
use crate::state::Limits;
use crate::template::{NamedBy, Template, TemplateError};

#[derive(Debug, Args)]
pub struct Options {
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 3000)]
    pub port: u16,
    /// The SAM template to serve
    #[arg(long, default_value = "template.yaml")]
    pub template: PathBuf,
    /// A value for a parameter of the template, instead of its default; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
    /// A proxy in front, by address or network, whose X-Forwarded-For and X-Forwarded-Proto are believed; may be
    /// repeated
    #[arg(long = "trusted-proxy", value_name = "ADDRESS", value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,
    /// Who may use @connections besides this machine, by address or network; may be repeated
    #[arg(long = "functions-from", value_name = "ADDRESS", value_parser = network)]
    pub functions_from: Vec<IpNet>,
    /// Serve metrics for Prometheus at http://ADDRESS/metrics, such as 127.0.0.1:9464
    #[arg(long, value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
    /// How long a function may take to answer
    #[arg(long, value_name = "SECONDS", default_value = "29", value_parser = seconds)]
    pub integration_timeout: Duration,
    /// How long a socket may be silent
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    pub idle_timeout: Duration,
    /// How long a socket may live
    #[arg(long, value_name = "SECONDS", default_value = "7200", value_parser = seconds)]
    pub max_life: Duration,
    /// What goes wrong on purpose, such as '{"seed":1,"lose_disconnects":0.5}'; even '{}' opens /@faults, where it can
    /// be changed
    #[arg(long, value_name = "JSON", value_parser = faults)]
    pub faults: Option<Faults>,
}

impl Options {
    /// Reads the template and gives its functions the names by which they are invoked.
    pub fn load_template(&self, named_by: NamedBy) -> Result<Template, TemplateError> {
        Template::load_with(&self.template, named_by, &self.parameters)
    }

    pub fn settings(&self) -> Settings {
        let limits = Limits {
            integration: self.integration_timeout,
            idle: self.idle_timeout,
            life: self.max_life,
            ..Limits::default()
        };
        let mut access = Access { proxies: self.trusted_proxies.clone(), ..Access::default() };
        access.functions.extend(&self.functions_from);
        // Functions in this process connect to the address it listens on, from that address.
        if !self.host.is_unspecified() {
            access.functions.push(self.host.into());
        }
        Settings { limits, faults: self.faults, access, neighbour: None }
    }

    /// Serves metrics, if an address for them was given.
    ///
    /// # Errors
    /// If it is taken or not allowed. The text is for the person who started the program.
    pub fn start_metrics(&self) -> Result<(), String> {
        let Some(address) = self.metrics else { return Ok(()) };
        metrics::serve(address).map_err(|e| format!("cannot serve metrics at {address}: {e}"))
    }

    /// Listens, and returns the address that clients on this machine can use.
    ///
    /// # Errors
    /// If the port is taken or not allowed. The text is for the person who started the program.
    pub async fn listen(&self) -> Result<(TcpListener, SocketAddr), String> {
        let problem = |e| format!("cannot listen on {}:{}: {e} (try another port with --port)", self.host, self.port);
        let listener = TcpListener::bind((self.host, self.port)).await.map_err(problem)?;
        let mut address = listener.local_addr().map_err(problem)?;
        if address.ip().is_unspecified() {
            address.set_ip(IpAddr::from([127, 0, 0, 1]));
        }
        Ok((listener, address))
    }
}

/// Completes on Ctrl-C or on a service manager's SIGTERM.
///
/// # Errors
/// If the signal handlers cannot be installed.
pub fn interrupted() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Logs readable text to standard error, at the level that `RUST_LOG` sets, or else at `default`.
pub fn start_logging(default: &str) {
    use std::io::IsTerminal as _;
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
}

/// A program's exit code. If the program failed, the reason goes to standard error.
pub fn exit_code(outcome: Result<(), Box<dyn std::error::Error + Send + Sync>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse().map(|address: IpAddr| IpNet::from(address));
    text.parse().or_else(|_| address()).map_err(|_| "must be an address or a network such as 10.0.0.0/8".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or_else(|| "must be NAME=VALUE".to_owned())?;
    Ok((name.to_owned(), value.to_owned()))
}

fn faults(text: &str) -> Result<Faults, String> {
    let faults: Faults = serde_json::from_str(text).map_err(|e| e.to_string())?;
    faults.check().map(|()| faults)
}
