//! How Postgres's programs are run: as the right account, in a folder it can read, and in an empty environment, so
//! that nobody's `PGDATA`, `PGHOST` or locale changes what happens.

use std::{env, os::unix::process::CommandExt, path::Path, process::Command};

use crate::{Binaries, Fault, account::Account};

/// One of Postgres's programs, ready for its arguments.
pub(crate) fn program(binaries: &Binaries, name: &str, folder: &Path, account: Option<&Account>) -> Command {
    let mut command = Command::new(binaries.program(name));
    command.env_clear().env("LC_ALL", "C").current_dir(folder);
    if let Some(path) = env::var_os("PATH") {
        command.env("PATH", path);
    }
    if let Some(account) = account {
        command.uid(account.uid.as_raw()).gid(account.gid.as_raw());
    }
    command
}

/// Runs a program to its end and gives back what it printed.
pub(crate) fn run(mut command: Command) -> Result<String, Fault> {
    let name = Path::new(command.get_program())
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let ended = command.output().map_err(|cause| Fault::Program { program: name.clone(), said: cause.to_string() })?;
    if ended.status.success() {
        return Ok(String::from_utf8_lossy(&ended.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ended.stderr);
    Err(Fault::Program { program: name, said: format!("{} ({})", said.trim(), ended.status) })
}
