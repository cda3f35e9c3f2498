//! `pgbench` on the cluster, as a yardstick: what PostgreSQL alone reaches.

use std::path::PathBuf;
use std::process::Command;

use sqlx::AssertSqlSafe;
use windi_backing::postgres::Cluster;
use windi_shared::db::Database;

use super::messenger::Messenger;
use super::{TEXT, median};

/// A script of one statement. Client `c` sends to chat `c % chats` as one of its two members, so that up to `2 * chats`
/// clients are different people.
const SEND: &str = "
\\set chat :client_id % :chats
\\set user 2 * :chat + :client_id / :chats
select * from send_message(lpad(:chat::text, 32, '0')::uuid, lpad(:user::text, 32, '0')::uuid, gen_random_uuid()::text,
    'TEXT', null, null, null, null, 30, 1e9)";

/// The least that a message can cost: a row with one unique key.
const BARE: &str = "insert into bare (key, text) values (gen_random_uuid()::text, 'TEXT')";

#[derive(Clone, Copy)]
pub enum Script {
    Send,
    Bare,
}

/// `pgbench` against one database, which has private chats made by `add_private_chats`.
pub struct Pgbench {
    program: PathBuf,
    socket: PathBuf,
    database: &'static str,
    /// Scripts and logs.
    directory: tempfile::TempDir,
}

impl Pgbench {
    pub async fn new(cluster: &Cluster, database: &'static str, db: &Database) -> Self {
        let table = "create table bare (id bigint generated always as identity, key text, text text, unique (key))";
        sqlx::query(AssertSqlSafe(table)).execute(db).await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        for (script, statement) in [(Script::Send, SEND), (Script::Bare, BARE)] {
            // In one line, which is one statement to pgbench.
            std::fs::write(directory.path().join(name(script)), one_line(statement)).unwrap();
        }
        let program = cluster.client("pgbench").expect("pgbench, which comes with PostgreSQL's server");
        Self { program, socket: cluster.socket().to_owned(), database, directory }
    }

    /// On the database of a messenger that runs in this process.
    pub async fn beside(messenger: &Messenger) -> Self {
        Self::new(messenger.stack.cluster().unwrap(), "windi", &messenger.app.db).await
    }

    /// Transactions per second.
    pub fn per_second(&self, script: Script, clients: usize, chats: usize, seconds: u64) -> f64 {
        let out = self.run(script, clients, chats, seconds, &[]);
        out.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok()).unwrap()
    }

    /// The median of one client's transactions, in milliseconds.
    pub fn median_ms(&self, script: Script, seconds: u64) -> f64 {
        let prefix = self.directory.path().join("log");
        self.run(script, 1, 1, seconds, &["-l", "--log-prefix", prefix.to_str().unwrap()]);
        let mut times = Vec::new();
        for file in std::fs::read_dir(self.directory.path()).unwrap().map(|entry| entry.unwrap().path()) {
            if file.file_name().unwrap().to_str().unwrap().starts_with("log.") {
                // The third column is the time in microseconds.
                let log = std::fs::read_to_string(&file).unwrap();
                times.extend(log.lines().map(|line| line.split(' ').nth(2).unwrap().parse::<f64>().unwrap() / 1000.0));
                std::fs::remove_file(file).unwrap();
            }
        }
        median(times)
    }

    fn run(&self, script: Script, clients: usize, chats: usize, seconds: u64, more: &[&str]) -> String {
        let mut pgbench = Command::new(&self.program);
        pgbench.arg("-h").arg(&self.socket).args(["-U", "windi", "-n", "-M", "prepared", "-j", "2"]);
        pgbench.args(["-T", &seconds.to_string(), "-c", &clients.to_string(), "-D", &format!("chats={chats}")]);
        pgbench.args(more).arg("-f").arg(self.directory.path().join(name(script))).arg(self.database);
        let output = pgbench.output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && !err.contains("ERROR"), "{out}{err}");
        out.into_owned()
    }
}

fn name(script: Script) -> &'static str {
    match script {
        Script::Send => "send",
        Script::Bare => "bare",
    }
}

fn one_line(statement: &str) -> String {
    let (settings, sql): (Vec<_>, Vec<_>) = statement.trim().lines().partition(|line| line.starts_with('\\'));
    let sql = sql.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    settings.into_iter().chain([sql.replace("TEXT", TEXT).as_str()]).map(|line| format!("{line}\n")).collect()
}
