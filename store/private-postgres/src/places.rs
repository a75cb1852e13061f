//! The folder of one cluster: what lies where, and who owns it now.
//!
//! The lock is the kernel's (`flock`), so it ends with its owner, however that ends; a stale lock file means nothing.

use std::{
    env,
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Seek, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use crate::{
    Fault,
    account::{self, Account},
};

/// Shortest `sun_path` among the systems we know (macOS: 104 bytes with its end mark); Linux allows 107.
const SOCKET_PATH_BYTES: usize = 103;
/// Postgres names its socket by the port, also where no TCP port is open.
pub(crate) const PORT: u16 = 5432;
/// The log is put aside at the next start once it is longer than this.
const LOG_BYTES: u64 = 4 << 20;

/// Paths within a cluster's folder.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) folder: PathBuf,
    /// Postgres's own files.
    pub(crate) pgdata: PathBuf,
    pub(crate) log: PathBuf,
    /// Held open as long as the folder is ours.
    _lock: File,
}

impl Places {
    /// Makes the folder if needed and takes it over, or says who has it.
    pub(crate) fn take(folder: &Path, account: Option<&Account>) -> Result<Self, Fault> {
        fs::create_dir_all(folder).map_err(Fault::file(folder))?;
        let folder = fs::canonicalize(folder).map_err(Fault::file(folder))?;
        if let Some(account) = account {
            account::let_through(&folder)?;
            account.can_reach(&folder)?;
        }
        let lock = lock(&folder)?;
        Ok(Self { pgdata: folder.join("pgdata"), log: folder.join("postgres.log"), folder, _lock: lock })
    }

    /// What marks the processes of this cluster: it stands in the command line of each of them, and no other
    /// cluster on this machine has the same.
    pub(crate) fn tag(&self) -> Result<String, Fault> {
        let found = fs::metadata(&self.pgdata).map_err(Fault::file(&self.pgdata))?;
        Ok(format!("tidings-{:x}-{:x}", found.dev(), found.ino()))
    }

    /// The log, opened for a new server, and how long it was.
    pub(crate) fn open_log(&self) -> Result<(File, u64), Fault> {
        if fs::metadata(&self.log).is_ok_and(|found| found.len() > LOG_BYTES) {
            fs::rename(&self.log, self.folder.join("postgres.log.1")).map_err(Fault::file(&self.log))?;
        }
        let log =
            OpenOptions::new().create(true).append(true).mode(0o600).open(&self.log).map_err(Fault::file(&self.log))?;
        let length = log.metadata().map_err(Fault::file(&self.log))?.len();
        Ok((log, length))
    }

    /// What the log says since it was `from` bytes long; the last lines of it.
    pub(crate) fn log_since(&self, from: u64) -> String {
        let mut said = String::new();
        let read = File::open(&self.log).and_then(|mut log| {
            log.seek(std::io::SeekFrom::Start(from))?;
            log.read_to_string(&mut said)
        });
        match read {
            Ok(_) => last_lines(&said, 12),
            Err(cause) => format!("(unreadable: {cause})"),
        }
    }
}

/// The folder of the socket. Trust is given to whoever reaches it, so only Postgres's account and root may.
#[derive(Debug)]
pub(crate) enum SocketFolder {
    /// Inside the cluster's folder.
    Inside(PathBuf),
    /// Elsewhere, because the cluster's path is too long for a socket.
    Elsewhere(tempfile::TempDir),
}

impl SocketFolder {
    pub(crate) fn make(folder: &Path, account: Option<&Account>) -> Result<Self, Fault> {
        let inside = folder.join("socket");
        if fits(&inside) {
            account::make_private(&inside, account)?;
            return Ok(Self::Inside(inside));
        }
        // Not the system's temporary folder if that is long as well.
        let root = [env::temp_dir(), PathBuf::from("/tmp")]
            .into_iter()
            .find(|root| fits(&root.join("tidings-xxxxxx")))
            .unwrap_or_else(|| PathBuf::from("/tmp"));
        let elsewhere = tempfile::Builder::new()
            .prefix("tidings-")
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&root)
            .map_err(Fault::file(&root))?;
        account::give(elsewhere.path(), account)?;
        Ok(Self::Elsewhere(elsewhere))
    }

    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Inside(path) => path,
            Self::Elsewhere(folder) => folder.path(),
        }
    }
}

/// Where a cluster lives unless told otherwise: `/var/lib/tidings` for root, else the user's data folder
/// (`XDG_DATA_HOME`, `~/.local/share`, on macOS `~/Library/Application Support`) with `tidings` in it.
#[must_use]
pub fn default_folder() -> PathBuf {
    if nix::unistd::geteuid().is_root() {
        return PathBuf::from("/var/lib/tidings");
    }
    // The specification of base directories has relative paths ignored.
    let given = env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let root = given.unwrap_or_else(|| {
        let home = env::var_os("HOME").map_or_else(env::temp_dir, PathBuf::from);
        home.join(if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" })
    });
    root.join("tidings")
}

/// Whether a socket in `folder` has a path the system can take.
fn fits(folder: &Path) -> bool {
    folder.join(format!(".s.PGSQL.{PORT}")).as_os_str().len() <= SOCKET_PATH_BYTES
}

/// Takes the lock of the folder and writes down who has it.
fn lock(folder: &Path) -> Result<File, Fault> {
    let path = folder.join("owner.lock");
    let mut lock = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(Fault::file(&path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(Fault::InUse { folder: folder.to_path_buf(), owner: owner(&mut lock) });
        }
        Err(TryLockError::Error(cause)) => return Err(Fault::File { path, cause }),
    }
    lock.set_len(0).map_err(Fault::file(&path))?;
    writeln!(lock, "{}", std::process::id()).map_err(Fault::file(&path))?;
    Ok(lock)
}

/// The pid the owner wrote into its lock.
fn owner(lock: &mut File) -> String {
    let mut said = String::new();
    match lock.read_to_string(&mut said) {
        Ok(_) if !said.trim().is_empty() => said.trim().to_owned(),
        Ok(_) | Err(_) => "unknown".to_owned(),
    }
}

/// The last `count` lines of a text.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_folder_has_its_socket_elsewhere() {
        let root = tempfile::tempdir().unwrap();
        let long = root.path().join("x".repeat(SOCKET_PATH_BYTES));
        let socket = SocketFolder::make(&long, None).unwrap();
        assert!(matches!(socket, SocketFolder::Elsewhere(_)), "{socket:?}");
        assert!(fits(socket.path()));
        let mode = fs::metadata(socket.path()).unwrap().mode();
        assert_eq!(mode & 0o777, 0o700, "whoever enters is trusted");
    }

    #[test]
    fn the_end_of_a_text_is_its_last_lines() {
        assert_eq!(last_lines("a\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("a", 2), "a");
    }
}
