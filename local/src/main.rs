//! `cargo run`: the whole messenger on this machine.

use std::io::IsTerminal as _;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use windi_local::demo;
use windi_local::gateway::{Gateway, Limits};
use windi_local::invoke::Invoker;
use windi_local::stack::Stack;
use windi_local::template::Template;

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
    #[arg(long)]
    demo: bool,
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

async fn start(arguments: &Arguments) -> Result<(Gateway, Stack), Error> {
    let template = Template::load(&arguments.template)?;
    let stage = template.websocket.as_ref().map_or_else(String::new, |api| api.stage.clone());
    let listener = TcpListener::bind((arguments.host, arguments.port))
        .await
        .map_err(|e| format!("cannot listen on {}:{}: {e} (--port chooses another)", arguments.host, arguments.port))?;
    let mut address = listener.local_addr()?;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    let (stack, app) = Stack::start(&arguments.data_dir, &format!("http://{address}/{stage}")).await?;
    let gateway = Gateway::start(listener, template, Invoker::InProcess(Arc::new(app)), Limits::default())?;
    if arguments.demo {
        demo::fill(&format!("http://{address}")).await?;
    }
    announce(arguments, &address.to_string(), &stage, &stack);
    Ok((gateway, stack))
}

fn announce(arguments: &Arguments, address: &str, stage: &str, stack: &Stack) {
    println!("WinDI Messenger {} is running. Ctrl-C stops it.\n", env!("CARGO_PKG_VERSION"));
    println!("  HTTP         http://{address}");
    println!("  WebSocket    ws://{address}/{stage}");
    println!("  Data         {}", arguments.data_dir.display());
    if let Some(files) = stack.database_files() {
        println!("  PostgreSQL   {} (files in {})", stack.psql().unwrap_or_default(), files.display());
    }
    if arguments.demo {
        let people: Vec<_> = demo::PEOPLE.iter().map(|(username, _)| *username).collect();
        println!("  Demo users   {}, password {}", people.join(", "), demo::PASSWORD);
    }
    println!("\n  Try          curl http://{address}/health");
}
