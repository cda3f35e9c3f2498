//! The tokens of a login, in a file that only its owner can read.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::PathBuf;

use windi_shared::protocol::TokenPair;

/// One messenger's file in `$XDG_STATE_HOME/windi`, or else in `~/.local/state/windi`.
pub struct Store {
    directory: PathBuf,
    /// The messenger's URL, as a file name.
    name: String,
}

impl Store {
    /// # Errors
    /// If the environment does not say where the directory is, or if it cannot be made.
    pub fn of(url: &str) -> io::Result<Self> {
        let path = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = path("XDG_STATE_HOME").or_else(|| path("HOME").map(|home| home.join(".local/state")));
        let state = state.ok_or_else(|| io::Error::other("there is no place for tokens: HOME is not set"))?;
        let directory = state.join("windi");
        DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(|error| {
            let reason = format!("{}: {error}", directory.display());
            io::Error::new(error.kind(), reason)
        })?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let escaped = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
        Ok(Self { directory, name: url.bytes().map(escaped).collect() })
    }

    /// # Errors
    /// If the file cannot be read, or if something else is in it.
    pub fn load(&self) -> io::Result<Option<TokenPair>> {
        let path = self.file("json");
        match fs::read(&path) {
            // The parser's own words might quote a token.
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|_| {
                io::Error::new(ErrorKind::InvalidData, format!("{} is damaged; log in again", path.display()))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    /// Replaces the tokens; afterwards the new ones are on the disk. The caller holds the [lock](Self::lock).
    ///
    /// # Errors
    /// If they cannot be written; the former ones are still there.
    pub fn save(&self, tokens: &TokenPair) -> io::Result<()> {
        let new = self.file("new");
        let file = File::options().create(true).truncate(true).write(true).mode(0o600).open(&new)?;
        serde_json::to_writer(&file, tokens)?;
        file.sync_all()?;
        fs::rename(&new, self.file("json"))
    }

    /// # Errors
    /// If the file is there and cannot be removed.
    pub fn forget(&self) -> io::Result<()> {
        match fs::remove_file(self.file("json")) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Waits until no other process changes the tokens; none does until the returned file is dropped.
    ///
    /// # Errors
    /// If the file cannot be made or locked.
    pub fn lock(&self) -> io::Result<File> {
        let file = File::options().create(true).truncate(false).write(true).mode(0o600).open(self.file("lock"))?;
        file.lock()?;
        Ok(file)
    }

    fn file(&self, kind: &str) -> PathBuf {
        self.directory.join(format!("{}.{kind}", self.name))
    }
}
