//! Backs up and restores one database of a private cluster, in `pg_dump`'s own format, which newer major versions of
//! PostgreSQL read too.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::binaries;
use crate::postgres::{Cluster, PostgresError, USER};

/// Writes `database` of the cluster in `home` to `file`, which only its owner can read. A server that is running goes on
/// serving meanwhile; the backup holds everything that was acknowledged before it began. If nobody runs it (`running`),
/// it is started for this.
///
/// # Errors
/// If there is no cluster in `home`, if `file` exists, if a running server cannot be reached, or if `pg_dump` fails;
/// `file` is then removed.
pub async fn back_up(home: &Path, running: bool, database: &str, file: &Path) -> Result<(), PostgresError> {
    let home = Cluster::existing(home)?;
    if file.exists() {
        return Err(PostgresError::Files(file.to_owned(), std::io::ErrorKind::AlreadyExists.into()));
    }
    // Under another name until it is whole.
    let part = file.with_added_extension("part");
    let output = create(&part)?;
    let dumped = async {
        let (socket, cluster) = match Cluster::socket_in(&home) {
            Some(socket) => (socket, None),
            // Starting a second one would stop the first.
            None if running => return Err(PostgresError::OutOfReach(home)),
            None => {
                let cluster = Cluster::start(&home).await?;
                (cluster.socket().to_owned(), Some(cluster))
            }
        };
        let mut dump = client(&home, "pg_dump", &socket)?;
        // With the settings of the role in this database.
        dump.args(["--format=custom", "--create", database]).stdout(output);
        let done = run("pg_dump", dump);
        if let Some(cluster) = cluster {
            cluster.stop();
        }
        done
    };
    let done = dumped.await.and_then(|()| {
        File::open(&part).and_then(|part| part.sync_all()).map_err(|e| PostgresError::Files(part.clone(), e))?;
        std::fs::rename(&part, file).map_err(|e| PostgresError::Files(file.to_owned(), e))
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

/// Makes a cluster in `home` with the database in `file`.
///
/// # Errors
/// If there is a cluster already, or if `pg_restore` fails, which leaves nothing behind.
pub async fn restore(home: &Path, file: &Path) -> Result<(), PostgresError> {
    let input = File::open(file).map_err(|e| PostgresError::Files(file.to_owned(), e))?;
    if let Ok(existing) = Cluster::existing(home) {
        return Err(PostgresError::Exists(existing));
    }
    let cluster = Cluster::start(home).await?;
    let mut restore = client(cluster.home(), "pg_restore", cluster.socket())?;
    restore.args(["--exit-on-error", "--create", "--dbname=postgres"]).stdin(input);
    let done = run("pg_restore", restore);
    let home = cluster.home().to_owned();
    cluster.stop();
    if done.is_err() {
        // Half a database must not be served.
        let _ = std::fs::remove_dir_all(home);
    }
    done
}

fn create(file: &Path) -> Result<File, PostgresError> {
    // It holds everything that anybody has written.
    let created = OpenOptions::new().create_new(true).write(true).mode(0o600).open(file);
    created.map_err(|e| PostgresError::Files(file.to_owned(), e))
}

fn client(home: &Path, program: &'static str, socket: &Path) -> Result<Command, PostgresError> {
    let found = binaries::find_client(home, program).ok_or(PostgresError::NoClient(program))?;
    let mut command = Command::new(found);
    command.arg(format!("--host={}", socket.display())).arg(format!("--username={USER}"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    Ok(command)
}

fn run(program: &'static str, mut command: Command) -> Result<(), PostgresError> {
    let output = command.output().map_err(|e| PostgresError::Files(PathBuf::from(command.get_program()), e))?;
    if output.status.success() {
        return Ok(());
    }
    Err(PostgresError::Failed { program, output: String::from_utf8_lossy(&output.stderr).trim().to_owned() })
}
