//! Many open sockets that do nothing, held by a process of their own: only the messenger's side of them is measured.

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use super::messenger::Person;
use super::sockets::Device;

/// The first argument of a benchmark that is run as such a process.
const ARGUMENT: &str = "idle";

/// Sockets in another process. They close when this is dropped.
pub struct Idle(Child);

/// To be called first in a benchmark that uses [`Idle`]. Lets this process open as many files as the system allows: the usual
/// soft limit is 1,024. In a process that [`Idle::open`] has started, it holds the sockets and does not return.
pub async fn begin() {
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let arguments: Vec<_> = std::env::args().collect();
    if arguments.get(1).is_some_and(|argument| argument == ARGUMENT) {
        hold(&arguments[2]).await;
    }
}

impl Idle {
    /// Opens a socket for each of these people and returns when all are open.
    pub async fn open(base: &str, people: &[Person]) -> Self {
        let tokens: Vec<String> = people.iter().map(|person| person.token.clone()).collect();
        let base = base.to_owned();
        let start = move || {
            let mut clients = Command::new(std::env::current_exe().unwrap());
            let mut clients =
                clients.args([ARGUMENT, &base]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
            let input = clients.stdin.as_mut().unwrap();
            writeln!(input, "{}", tokens.join(" ")).unwrap();
            let mut line = String::new();
            std::io::BufReader::new(clients.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "open\n");
            clients
        };
        Self(tokio::task::spawn_blocking(start).await.unwrap())
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

/// What the other process does: opens a socket for each token, says so, and holds them until its input ends.
async fn hold(base: &str) -> ! {
    let mut tokens = String::new();
    std::io::stdin().lock().read_line(&mut tokens).unwrap();
    let mut open = Vec::new();
    for token in tokens.split_whitespace() {
        open.push(Device::connect_with(base, token).await);
    }
    println!("open");
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()).unwrap()).await.unwrap();
    // Without the closing handshakes of thousands of sockets, which are not what is measured.
    std::process::exit(0);
}

/// The resident memory of this process, in bytes.
pub fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}
