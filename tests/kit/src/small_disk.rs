//! A disk that can be filled without harm to the machine's own: a file system in memory.
//!
//! Needs the right to mount. What a killed test leaves behind is an empty mount in the temporary folder.

use std::{
    path::Path,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use tempfile::TempDir;

/// Programs that are ending may hold files on it for a moment.
const PATIENCE: Duration = Duration::from_secs(5);

/// A small disk, gone when the value is dropped.
#[derive(Debug)]
pub struct SmallDisk {
    folder: TempDir,
}

impl SmallDisk {
    /// Mounts one.
    ///
    /// # Errors
    /// Where this is not allowed, with what `mount` said.
    pub fn of_mebibytes(size: u32) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("tidings-disk-").tempdir()?;
        let options = format!("size={size}m,mode=0755");
        let ended =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tidings-test"]).arg(folder.path()).output()?;
        ensure!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr).trim());
        Ok(Self { folder })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while !unmounted(self.path()) && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
        }
    }
}

fn unmounted(path: &Path) -> bool {
    Command::new("umount").arg(path).output().is_ok_and(|ended| ended.status.success())
}
