//! What open sockets cost: `cargo bench -p sam-gateway --bench sockets`.
//!
//! * 5,000 idle sockets: how much memory each takes in the gateway's process. The clients are separate processes.
//! * One that pings and never reads the answers: how much memory that costs.
//! * One that is posted to all the time and never reads: how long posts to others take, compared with one that reads.
//!
//! Fails if a socket costs more than 12 KB, or if the 99th percentile for the others more than doubles.

#![expect(clippy::unwrap_used, reason = "a benchmark ends where something unexpected happens")]

use std::io::{BufRead as _, Read as _};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::{SinkExt as _, StreamExt as _};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use sam_gateway::gateway::{Gateway, Settings};
use sam_gateway::invoke::host::Host;
use sam_gateway::sockets::PostError;
use sam_gateway::template::Template;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const SOCKETS: usize = 5_000;
const CLIENTS: usize = 2;
const MOST_BYTES: usize = 12 * 1024;
const MOST_PINGS: usize = 8 * 1024 * 1024;
/// Posts to the others in each of the alternating blocks.
const POSTS: usize = 1_500;
const BLOCKS: usize = 6;

/// No `$connect`: everybody is let in, and no function is called.
const TEMPLATE: &str = "
Resources:
  Nothing: { Type: AWS::Serverless::Function }
  Socket:
    Type: AWS::Serverless::WebSocketApi
    Properties:
      StageName: ws
      RouteSelectionExpression: $request.body.action
      Routes: { $default: { FunctionArn: !GetAtt Nothing.Arn } }
";

type Stream = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn main() {
    // Open as many files as the system lets us: the usual soft limit is 1,024.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let arguments: Vec<_> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("clients") => runtime.block_on(clients(&arguments[2], arguments[3].parse().unwrap())),
        _ => runtime.block_on(bench()),
    }
}

async fn bench() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), TEMPLATE).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let host = Arc::new(Host::new("http://127.0.0.1:9").unwrap());
    let gateway = Gateway::start(listener, Template::load(file.path()).unwrap(), host, Settings::default()).unwrap();

    // What the first connection sets up once must not count.
    drop(connect(&url).await);
    let before = resident();
    let children: Vec<Child> = (0..CLIENTS).map(|_| start_clients(&url, SOCKETS / CLIENTS)).collect();
    while gateway.sockets().len() < SOCKETS {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let each = (resident() - before) / SOCKETS;
    println!("{SOCKETS} open sockets, idle: {:.1} KB of the gateway's memory each", each as f64 / 1024.0);
    for mut child in children {
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    let pings = pings_unread(&url).await;
    let ratio = slow_reader(&gateway, &url).await;
    assert!(pings <= MOST_PINGS, "{pings} bytes are kept for a client that does not read the answers to its pings");
    assert!(each <= MOST_BYTES, "a socket costs {each} bytes");
    assert!(ratio <= 2.0, "a client that does not read makes the others wait {ratio:.2} times as long");
}

/// A client process. It opens its sockets, prints a line, and holds them until its input ends.
async fn clients(url: &str, count: usize) {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(connect(url).await);
    }
    println!("open");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()).unwrap()).await.unwrap();
    // Exit without the closing handshakes of thousands of sockets, which are not what is measured.
    std::process::exit(0);
}

fn start_clients(url: &str, count: usize) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["clients", url, &count.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    std::io::BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "open\n");
    child
}

async fn connect(url: &str) -> Stream {
    tokio_tungstenite::connect_async(url).await.unwrap().0
}

/// The resident memory of this process, in bytes.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// How much memory grows, in bytes and including the client's, while a client pings for five seconds and reads nothing.
async fn pings_unread(url: &str) -> usize {
    let (mut write, _unread) = connect(url).await.split();
    let before = resident();
    let flood = async { while write.send(Message::Ping(vec![0; 125].into())).await.is_ok() {} };
    let outcome = tokio::time::timeout(Duration::from_secs(5), flood).await;
    let grown = resident().saturating_sub(before);
    let what = if outcome.is_ok() { "was cut off" } else { "is no longer read from" };
    println!("a client that pings and never reads {what}, and cost {} KB", grown / 1024);
    grown
}

/// The 99th percentile of posts to others while one client does not read, as a multiple of that while it does.
async fn slow_reader(gateway: &Gateway, url: &str) -> f64 {
    let (mut with, mut without) = (Vec::new(), Vec::new());
    let refused = Arc::new(AtomicU64::new(0));
    let mut other = opened(gateway, url).await;
    for block in 0..BLOCKS {
        let reads = block % 2 == 0;
        let (id, mut target) = opened(gateway, url).await;
        let reader = tokio::spawn(async move {
            if reads {
                while let Some(Ok(_)) = target.next().await {}
            } else {
                std::future::pending::<()>().await;
            }
            drop(target);
        });
        let stop = Arc::new(AtomicBool::new(false));
        let flood = tokio::spawn(flood(gateway.sockets().clone(), id, stop.clone(), refused.clone()));
        let waits = if reads { &mut without } else { &mut with };
        for _ in 0..POSTS {
            let start = Instant::now();
            gateway.sockets().post(&other.0, "hello".to_owned()).unwrap();
            other.1.next().await.unwrap().unwrap();
            waits.push(start.elapsed());
        }
        stop.store(true, Ordering::Relaxed);
        flood.await.unwrap();
        reader.abort();
    }
    let (with, without) = (percentile_99(with), percentile_99(without));
    let ratio = with.as_secs_f64() / without.as_secs_f64();
    let refused = refused.load(Ordering::Relaxed);
    println!(
        "a post to others at the 99th percentile: {with:?} while one does not read ({refused} posts to it refused),"
    );
    println!("  {without:?} while it does: {ratio:.2} times");
    assert!(refused > 0, "the queue of the client that does not read was never full");
    ratio
}

/// Posts a megabyte every ten milliseconds, whether or not it is read.
async fn flood(sockets: sam_gateway::sockets::Sockets, id: String, stop: Arc<AtomicBool>, refused: Arc<AtomicU64>) {
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        for _ in 0..8 {
            match sockets.post(&id, "x".repeat(128 * 1024)) {
                Err(PostError::Full) => refused.fetch_add(1, Ordering::Relaxed),
                Ok(()) | Err(PostError::Gone) => 0,
            };
        }
    }
}

/// A new socket, and its connection id.
async fn opened(gateway: &Gateway, url: &str) -> (String, Stream) {
    let before: Vec<_> = gateway.sockets().ids();
    let stream = connect(url).await;
    let id = gateway.sockets().ids().into_iter().find(|id| !before.contains(id)).unwrap();
    (id, stream)
}

fn percentile_99(mut waits: Vec<Duration>) -> Duration {
    waits.sort_unstable();
    waits[waits.len() * 99 / 100]
}
