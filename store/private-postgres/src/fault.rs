//! Everything that can keep a private cluster from running, in words an operator can act on.
//!
//! Never holds a secret: paths, versions and Postgres's own messages only.

use std::path::PathBuf;

/// Why a private cluster could not be started, used or stopped.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No usable server binaries were found anywhere.
    #[error(
        "no Postgres server binaries found (looked in PATH, `pg_config --bindir`, /usr/lib/postgresql and Homebrew); {}",
        crate::binaries::INSTALL_HINT
    )]
    NoBinaries,
    /// The cluster's files were made by a major version that is not installed.
    #[error(
        "the cluster in {} was made by Postgres {made_by}, which is not installed (found: {found}); install that version, or dump and restore",
        folder.display()
    )]
    OtherVersion {
        /// The cluster's folder.
        folder: PathBuf,
        /// The major version its files belong to.
        made_by: String,
        /// The major versions that were found.
        found: String,
    },
    /// Somebody else, alive, owns the folder.
    #[error("{} is in use by another Tidings (pid {owner}); stop that one first, or give this one a folder of its own", folder.display())]
    InUse {
        /// The cluster's folder.
        folder: PathBuf,
        /// The owner's pid as it wrote it down, or `unknown`.
        owner: String,
    },
    /// Running as root, but there is no account to run Postgres as.
    #[error(
        "Postgres refuses to run as root and there is no `postgres` user on this machine; create one (useradd --system postgres) or start Tidings as an ordinary user"
    )]
    NoAccount,
    /// The account Postgres runs as cannot walk into the folder.
    #[error("{} lies below {}, which the user `{account}` cannot enter; choose a folder it can reach (the default is /var/lib/tidings)", folder.display(), closed.display())]
    Unreachable {
        /// The cluster's folder.
        folder: PathBuf,
        /// The ancestor that is closed to the account.
        closed: PathBuf,
        /// The account's name.
        account: String,
    },
    /// A folder or file could not be made, read or removed.
    #[error("{}: {cause}", path.display())]
    File {
        /// What was being touched.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// One of Postgres's programs could not be run, or failed.
    #[error("{program} failed: {said}")]
    Program {
        /// The program's name.
        program: String,
        /// What it said.
        said: String,
    },
    /// The server ended instead of becoming ready.
    #[error("Postgres ended instead of starting; the end of {}:\n{said}", log.display())]
    Ended {
        /// The server's log.
        log: PathBuf,
        /// The last lines of it.
        said: String,
    },
    /// The server, or a stale one, did not do what it was told within its time.
    #[error("Postgres did not {what} within {seconds} s; see {}", log.display())]
    TooSlow {
        /// What it was to do: `start`, `stop`.
        what: &'static str,
        /// How long it was waited for.
        seconds: u64,
        /// The server's log.
        log: PathBuf,
    },
    /// Nobody keeps it running.
    #[error("no Postgres is running in {}", folder.display())]
    NotRunning {
        /// The cluster's folder.
        folder: PathBuf,
    },
    /// A name that cannot be used for a database.
    #[error("`{0}` is no name for a database: 1 to 63 of a-z, 0-9 and _")]
    DatabaseName(String),
}

impl Fault {
    /// For `map_err` on file operations.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |cause| Self::File { path, cause }
    }
}
