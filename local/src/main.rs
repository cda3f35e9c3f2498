//! `cargo run`: the whole messenger on this machine.

use std::fs::File;
use std::io::{IsTerminal as _, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use windi_local::app::Settings;
use windi_local::demo;
use windi_local::faults::Faults;
use windi_local::gateway::{Gateway, Limits, TEST_API};
use windi_local::invoke::{Host, Invoker};
use windi_local::stack::Stack;
use windi_local::template::{NamedBy, Template};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The WinDI messenger on this machine: API Gateway, functions, PostgreSQL and DynamoDB, in one process and its child.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1")]
    host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    #[arg(long, default_value_t = 3000)]
    port: u16,
    /// What to serve.
    #[arg(long, default_value = "template.yaml")]
    template: PathBuf,
    /// Where to keep the data.
    #[arg(long, default_value = ".windi")]
    data_dir: PathBuf,
    /// Make five people and three chats to look at.
    #[arg(long, conflicts_with = "gateway_only")]
    demo: bool,
    /// Run the functions there and not in this process: any address that speaks Lambda's Invoke API, such as
    /// http://127.0.0.1:9000 of `cargo lambda watch`.
    #[arg(long, value_name = "URL")]
    invoke_url: Option<String>,
    /// What the functions are called there.
    #[arg(long, value_enum, default_value_t, requires = "invoke_url")]
    function_names: NamedBy,
    /// Only the gateway, without PostgreSQL and DynamoDB: for the template and the functions of any other project.
    #[arg(long, requires = "invoke_url")]
    gateway_only: bool,
    /// How long a function may take to answer.
    #[arg(long, value_name = "SECONDS", default_value = "29", value_parser = seconds)]
    integration_timeout: Duration,
    /// How long a socket may be silent.
    #[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds)]
    idle_timeout: Duration,
    /// How long a socket may live.
    #[arg(long, value_name = "SECONDS", default_value = "7200", value_parser = seconds)]
    max_life: Duration,
    /// What is to go wrong, such as '{"seed":1,"lose_disconnects":0.5}'; even '{}' opens /@faults, where it can be changed.
    #[arg(long, value_name = "JSON", value_parser = faults)]
    faults: Option<Faults>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|e| e.to_string())
}

fn faults(text: &str) -> Result<Faults, String> {
    let faults: Faults = serde_json::from_str(text).map_err(|e| e.to_string())?;
    faults.check().map(|()| faults)
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,windi=info,sqlx=error"));
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    // From the first moment on: what is interrupted while starting is stopped too.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let interrupted = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };
    tokio::pin!(interrupted);
    let (gateway, stack) = tokio::select! {
        started = start(&arguments) => started?,
        () = &mut interrupted => return Ok(()),
    };
    interrupted.await;
    eprintln!("Stopping.");
    gateway.stop().await;
    drop(stack);
    Ok(())
}

async fn start(arguments: &Arguments) -> Result<(Gateway, Option<Stack>), Error> {
    if arguments.invoke_url.is_some() && arguments.faults.is_some_and(|faults| faults.freeze) {
        return Err("only functions in this process can be frozen; leave out --invoke-url or \"freeze\"".into());
    }
    let template = Template::load_named_by(&arguments.template, arguments.function_names)?;
    if arguments.invoke_url.is_none() {
        // Before anything is started for a template that cannot be served.
        template.check(|function| windi_functions::Function::named(function).is_some())?;
    }
    let stage = template.websocket.as_ref().map_or_else(String::new, |api| api.stage.clone());
    let listener = TcpListener::bind((arguments.host, arguments.port))
        .await
        .map_err(|e| format!("cannot listen on {}:{}: {e} (--port chooses another)", arguments.host, arguments.port))?;
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    let (stack, app) = if arguments.gateway_only {
        (None, None)
    } else {
        let (stack, app) = Stack::start(&arguments.data_dir, &format!("http://{address}/{stage}")).await?;
        (Some(stack), Some(Arc::new(app)))
    };
    let invoker = match (&arguments.invoke_url, app) {
        (Some(url), app) => {
            if let Some(app) = app {
                write_environment(&environment_file(arguments), &app.settings)?;
            }
            Invoker::Host(Host::new(url)?)
        }
        (None, Some(app)) => Invoker::InProcess(app),
        (None, None) => return Err("--gateway-only needs --invoke-url".into()),
    };
    let limits =
        Limits { integration: arguments.integration_timeout, idle: arguments.idle_timeout, life: arguments.max_life };
    let gateway = Gateway::start(listener, template, invoker, limits, arguments.faults)?;
    if arguments.demo {
        demo::fill(&format!("http://{address}")).await?;
    }
    announce(arguments, &address.to_string(), &stage, stack.as_ref());
    Ok((gateway, stack))
}

/// What functions outside of this process must be told, for `cargo lambda watch --env-file`.
fn environment_file(arguments: &Arguments) -> PathBuf {
    arguments.data_dir.join("functions.env")
}

fn write_environment(path: &Path, settings: &Settings) -> Result<(), Error> {
    // It has secrets.
    let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(path);
    let text = settings.environment_file()?;
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn announce(arguments: &Arguments, address: &str, stage: &str, stack: Option<&Stack>) {
    println!("WinDI Messenger {} is running. Ctrl-C stops it.\n", env!("CARGO_PKG_VERSION"));
    println!("  HTTP         http://{address}");
    println!("  WebSocket    ws://{address}/{stage}");
    if let Some(url) = &arguments.invoke_url {
        println!("  Functions    {url}");
    }
    if let Some(stack) = stack {
        println!("  Data         {}", arguments.data_dir.display());
        if let Some(files) = stack.database_files() {
            println!("  PostgreSQL   {} (files in {})", stack.psql().unwrap_or_default(), files.display());
        }
        if arguments.invoke_url.is_some() {
            println!("  Environment  {} (what the functions need)", environment_file(arguments).display());
        }
    }
    if arguments.faults.is_some() {
        println!("  Faults       http://{address}{TEST_API}");
    }
    if arguments.demo {
        let people: Vec<_> = demo::PEOPLE.iter().map(|(username, _)| *username).collect();
        println!("  Demo users   {}, password {}", people.join(", "), demo::PASSWORD);
    }
    if stack.is_some() {
        println!("\n  Try          curl http://{address}/health");
    }
}
