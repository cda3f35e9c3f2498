//! The account that PostgreSQL runs under. It refuses to run as root, so root lends it another account.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use nix::unistd::{Uid, User};
use std::process::Command;

/// The account the server runs under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Account {
    /// Our own, because we are not root.
    Ours,
    /// Another one, because we are root.
    Lent {
        /// For messages.
        name: String,
        uid: u32,
        /// The primary group.
        gid: u32,
    },
}

impl Account {
    /// Our own account, or for root the first of `postgres` and `nobody` that exists.
    ///
    /// # Errors
    /// If we are root and neither exists.
    pub fn choose() -> Result<Self, &'static str> {
        if !Uid::effective().is_root() {
            return Ok(Self::Ours);
        }
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| User::from_name(name).ok().flatten())
            .map(|user| Self::Lent { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() })
            .ok_or(
                "PostgreSQL refuses to run as root, and there is no user \"postgres\" or \"nobody\" to run it as; \
                 create one of them, or set DATABASE_URL",
            )
    }

    /// Makes `command` run under this account.
    pub fn apply(&self, command: &mut Command) {
        if let Self::Lent { uid, gid, .. } = self {
            command.uid(*uid).gid(*gid);
        }
    }

    /// Gives one of our directories to this account and closes it to everybody else.
    pub fn own(&self, directory: &Path) -> std::io::Result<()> {
        if let Self::Lent { uid, gid, .. } = self {
            std::os::unix::fs::chown(directory, Some(*uid), Some(*gid))?;
        }
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o700))
    }

    /// Whether this account may enter `directory` and everything above it. Root's home, for one, is closed to others.
    pub fn can_reach(&self, directory: &Path) -> bool {
        let Self::Lent { uid, gid, .. } = self else { return true };
        directory.ancestors().all(|above| {
            let Ok(meta) = std::fs::metadata(above) else { return false };
            let bit = if meta.uid() == *uid {
                0o100
            } else if meta.gid() == *gid {
                0o010
            } else {
                0o001
            };
            meta.mode() & bit != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_directory_is_out_of_reach_of_a_lent_account() {
        let directory = tempfile::tempdir().expect("cannot create a temporary directory");
        let lent = Account::Lent { name: "nobody".to_owned(), uid: 65_534, gid: 65_534 };
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).expect("chmod");
        assert!(!lent.can_reach(directory.path()));
        assert!(Account::Ours.can_reach(directory.path()));
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).expect("chmod");
        assert!(lent.can_reach(directory.path()));
    }
}
