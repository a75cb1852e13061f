//! Finding a cluster that another process of this machine runs, for tools beside it.
//!
//! Reads what Postgres itself wrote down; starts, ends and changes nothing.

use std::{fs, io, path::Path};

use nix::{errno::Errno, sys::signal::kill, unistd::Pid};

use crate::{Fault, address};

/// The URL of a database of the cluster in `folder`, which its owner keeps running.
///
/// # Errors
/// [`Fault::NotRunning`] when nobody does; [`Fault::File`] when one may not look.
pub fn url_of_running(folder: &Path, database: &str) -> Result<String, Fault> {
    let path = folder.join("pgdata/postmaster.pid");
    let not_running = || Fault::NotRunning { folder: folder.to_owned() };
    let said = match fs::read_to_string(&path) {
        Ok(said) => said,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(not_running()),
        Err(cause) => return Err(Fault::File { path, cause }),
    };
    // Its pid, the files, since when, the port, the socket's folder, the address, the shared memory, the state.
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    let (Some(pid), Some(socket), Some(&"ready")) = (lines.first(), lines.get(4), lines.get(7)) else {
        return Err(not_running());
    };
    let pid = pid.parse().map(Pid::from_raw).map_err(|_| not_running())?;
    match kill(pid, None) {
        Err(Errno::ESRCH) => Err(not_running()),
        Ok(()) | Err(_) => Ok(address::url(Path::new(socket), database)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<String, Fault> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("pgdata")).unwrap();
        fs::write(folder.path().join("pgdata/postmaster.pid"), text).unwrap();
        url_of_running(folder.path(), "tidings")
    }

    #[test]
    fn only_a_server_that_is_there_and_ready_is_found() {
        let own = std::process::id();
        let ready = format!("{own}\n/x/pgdata\n1\n5432\n/x/socket\n\n  1 2\nready   \n");
        assert!(written(&ready).unwrap().contains("host=/x/socket&"), "{:?}", written(&ready));
        for wrong in [&ready.replace("ready", "starting"), &ready.replacen(&own.to_string(), "999999999", 1), "", "1\n"]
        {
            assert!(matches!(written(wrong), Err(Fault::NotRunning { .. })), "{wrong}");
        }
        let nothing = tempfile::tempdir().unwrap();
        assert!(matches!(url_of_running(nothing.path(), "tidings"), Err(Fault::NotRunning { .. })));
    }
}
