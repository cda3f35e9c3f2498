//! `sam-gateway`: the gateway on its own, for the template and functions of any project.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use sam_gateway::gateway::{Gateway, TEST_API};
use sam_gateway::invoke::host::Host;
use sam_gateway::options::{Options, exit_code, interrupted, start_logging};
use sam_gateway::template::NamedBy;

/// Events and answers are many short-lived allocations on all threads at once. The system allocator is slower at those.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// API Gateway on your own machine: the HTTP API and the WebSocket API of a SAM template.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Where the functions run: an http:// URL that speaks Lambda's Invoke API, such as http://127.0.0.1:9000 for
    /// `cargo lambda watch` or http://127.0.0.1:3001 for `sam local start-lambda`
    #[arg(long, value_name = "URL")]
    invoke_url: String,
    /// Which names the functions have there
    #[arg(long, value_enum, default_value_t)]
    function_names: NamedBy,
}

#[tokio::main]
async fn main() -> ExitCode {
    start_logging("warn,sam_gateway=info");
    exit_code(run(Arguments::parse()).await)
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let Arguments { options, invoke_url, function_names } = arguments;
    if options.faults.is_some_and(|faults| faults.freeze) {
        return Err("functions behind --invoke-url cannot be frozen; remove \"freeze\" from --faults".into());
    }
    let interrupted = interrupted()?;
    let template = options.load_template(function_names)?;
    let stage = template.websocket.as_ref().map(|api| api.stage.clone());
    let functions = Arc::new(Host::new(&invoke_url)?);
    let (listener, address) = options.listen().await?;
    options.start_metrics()?;
    let gateway = Gateway::start(listener, template, functions, options.settings())?;

    println!("Serving {}. Ctrl-C stops it.\n", options.template.display());
    println!("  HTTP         http://{address}");
    if let Some(stage) = stage {
        println!("  WebSocket    ws://{address}/{stage}");
    }
    println!("  Functions    {invoke_url}");
    if options.faults.is_some() {
        println!("  Faults       http://{address}{TEST_API}");
    }
    interrupted.await;
    eprintln!("Stopping.");
    gateway.stop().await;
    Ok(())
}
