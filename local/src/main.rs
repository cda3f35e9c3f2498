//! `cargo run`: the whole messenger on this machine.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sam_gateway::gateway::{self, Gateway, TEST_API};
use sam_gateway::invoke::Functions;
use sam_gateway::invoke::host::Host;
use sam_gateway::neighbour::Neighbour;
use sam_gateway::options::{Options, exit_code, interrupted, start_logging};
use sam_gateway::template::NamedBy;
use sd_notify::NotifyState;
use windi_functions::Function;
use windi_local::in_process::InProcess;
use windi_local::stack::{self, Stack};
use windi_local::{demo, reports};
use windi_shared::config;
use windi_shared::db::Database;
use windi_shared::ids::ReportId;

/// How often the database's connections are counted.
const MEASURED_EVERY: Duration = Duration::from_secs(2);

type Error = Box<dyn std::error::Error + Send + Sync>;

/// The functions make many short-lived allocations on all threads at once: the system's allocator costs a tenth of the
/// messages per second (measured with the throughput benchmark).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The WinDI messenger on this machine: API Gateway, functions, PostgreSQL, DynamoDB and S3, in one process and its child.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
    /// Directory for the data
    #[arg(long, default_value = ".windi", global = true)]
    data_dir: PathBuf,
    /// Create demo data: five people and three chats
    #[arg(long)]
    demo: bool,
    /// Run the functions elsewhere instead of in this process: any URL that speaks Lambda's Invoke API, such as
    /// http://127.0.0.1:9000 for `cargo lambda watch`
    #[arg(long, value_name = "URL")]
    invoke_url: Option<String>,
    /// What the functions are called there
    #[arg(long, value_enum, default_value_t, requires = "invoke_url")]
    function_names: NamedBy,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write the private database to a file; a messenger that is running goes on
    Backup { file: PathBuf },
    /// Make a new data directory from a backup
    Restore { file: PathBuf },
    /// Show the messages that people have reported, or mark one report as resolved
    Reports {
        /// The report that has been dealt with
        #[arg(long, value_name = "ID")]
        resolve: Option<ReportId>,
        /// The database, if it is not the private one in the data directory
        #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
        database_url: Option<String>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    // A link that is refused is a mistake of the client.
    start_logging("warn,windi=info,sam_gateway=info,sqlx=error,s3s=off");
    exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    match &arguments.command {
        None => serve(arguments).await,
        Some(Command::Backup { file }) => {
            stack::back_up(&arguments.data_dir, file).await?;
            println!("Backed up {} to {}.", arguments.data_dir.display(), file.display());
            Ok(())
        }
        Some(Command::Restore { file }) => {
            stack::restore(&arguments.data_dir, file).await?;
            println!("Restored {} to {}.", file.display(), arguments.data_dir.display());
            Ok(())
        }
        Some(Command::Reports { resolve, database_url }) => {
            print!("{}", reports::run(&arguments.data_dir, database_url.clone(), *resolve).await?);
            Ok(())
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Error> {
    // Listen before anything starts, so an interrupt during the start stops what has been started so far.
    let interrupted = interrupted()?;
    tokio::pin!(interrupted);
    let (gateway, mut stack) = tokio::select! {
        started = start(&arguments) => started?,
        () = &mut interrupted => return Ok(()),
    };
    // A service manager that waits to hear this is told; without one nothing happens.
    notify(NotifyState::Ready);
    let lost = tokio::select! {
        () = &mut interrupted => None,
        reason = stack.lost() => Some(reason),
    };
    notify(NotifyState::Stopping);
    eprintln!("Stopping.");
    gateway.stop().await;
    drop(stack);
    lost.map_or(Ok(()), |reason| Err(reason.into()))
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        eprintln!("warning: cannot notify the service manager: {error}");
    }
}

async fn start(arguments: &Arguments) -> Result<(Gateway, Stack), Error> {
    let Arguments { options, data_dir, invoke_url, .. } = arguments;
    if invoke_url.is_some() && options.faults.is_some_and(|faults| faults.freeze) {
        return Err("only functions in this process can be frozen; leave out --invoke-url or \"freeze\"".into());
    }
    let template = options.load_template(arguments.function_names)?;
    if invoke_url.is_none() {
        // The gateway checks this too, but only after PostgreSQL has been started for nothing.
        template.check(|function| function.parse::<Function>().is_ok())?;
    }
    let stage = template.websocket.as_ref().ok_or("the template has no WebSocket API")?.stage.clone();
    let (listener, address) = options.listen().await?;
    options.start_metrics()?;
    let (stack, app) = Stack::start(data_dir, &format!("http://{address}/{stage}"), config::has_limits()?).await?;
    if options.metrics.is_some() {
        tokio::spawn(measure(app.db.clone()));
    }
    let (aws, mail) = (app.aws.clone(), app.settings.mail.path.clone());
    let functions: Arc<dyn Functions> = match invoke_url {
        Some(url) => {
            write_private(&environment_file(data_dir), &app.settings.environment_file()?)?;
            write_private(&environment_file(data_dir).with_extension("json"), &app.settings.environment_json())?;
            Arc::new(Host::new(url)?)
        }
        None => Arc::new(InProcess::new(app)),
    };
    let neighbour = stack.store().map(|store| Arc::new(store) as Arc<dyn Neighbour>);
    let settings = gateway::Settings { neighbour, ..options.settings() };
    let gateway = Gateway::start(listener, template, functions, settings)?;
    aws.connect(gateway.management());
    if arguments.demo {
        demo::fill(&format!("http://{address}")).await?;
    }
    announce(arguments, &address.to_string(), &stage, &mail, &stack);
    Ok((gateway, stack))
}

/// Reports the database connections of the functions in this process, for as long as it runs.
async fn measure(db: Database) {
    loop {
        let (open, idle) = (f64::from(db.size()), db.idle() as f64);
        metrics::gauge!("database_connections", "state" => "idle").set(idle);
        metrics::gauge!("database_connections", "state" => "used").set(open - idle);
        tokio::time::sleep(MEASURED_EVERY).await;
    }
}

/// Path of the environment for functions outside this process, written for `cargo lambda watch --env-file`, and next to it
/// as JSON for `sam local --env-vars`.
fn environment_file(data_dir: &Path) -> PathBuf {
    data_dir.join("functions.env")
}

fn write_private(path: &Path, text: &str) -> Result<(), Error> {
    // Readable only by its owner: it holds secrets.
    let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| format!("{}: {e}", path.display()).into())
}

fn announce(arguments: &Arguments, address: &str, stage: &str, mail: &Path, stack: &Stack) {
    println!("WinDI Messenger {} is running. Ctrl-C stops it.\n", env!("CARGO_PKG_VERSION"));
    println!("  Page         http://{address}/");
    println!("  HTTP         http://{address}");
    println!("  WebSocket    ws://{address}/{stage}");
    println!("  Data         {}", arguments.data_dir.display());
    println!("  Mail         {}", mail.display());
    if let Some(cluster) = stack.cluster() {
        println!("  PostgreSQL   {} (files in {})", stack.psql().unwrap_or_default(), cluster.home().display());
    }
    if let Some(url) = &arguments.invoke_url {
        println!("  Functions    {url}");
        println!("  Environment  {} (what the functions need)", environment_file(&arguments.data_dir).display());
    }
    if arguments.options.faults.is_some() {
        println!("  Faults       http://{address}{TEST_API}");
    }
    if arguments.demo {
        let people: Vec<_> = demo::PEOPLE.iter().map(|(username, _)| *username).collect();
        println!("  Demo users   {}, password {}", people.join(", "), demo::PASSWORD);
    }
    println!("\n  Try          curl http://{address}/health");
}
