//! Running other programs: cargo, package installers, and the question whether a program is there.
//!
//! Never goes through a shell.

use std::{
    env,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use tidings_private_postgres::{Leash, Rope};

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the workspace")
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    let given = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    root().join(given)
}

/// The program's path, if it is in `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// Runs to the end; an error unless it succeeds.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    ensure!(status.success(), "{} failed ({status})", shown(command));
    Ok(())
}

/// Runs to the end, and ends with us should we be killed.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    let mut child = command.spawn().with_context(|| format!("cannot run {}", shown(command)))?;
    let leash = Leash::tie(Rope { pid: child.id(), signal: "TERM", folder: None })?;
    let status = child.wait()?;
    drop(leash);
    Ok(status)
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// A cargo command in the workspace.
pub(crate) struct Cargo(Command);

impl Cargo {
    pub(crate) fn new<const N: usize>(args: [&str; N]) -> Self {
        // The cargo that runs us, so that one toolchain builds everything.
        let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        command.args(args).current_dir(root());
        Self(command)
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.0.env(name, value);
        self
    }

    /// In another folder than the root of the workspace.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.0.current_dir(folder);
        self
    }

    pub(crate) fn run(mut self) -> Result<()> {
        run(&mut self.0)
    }

    /// Whether it succeeded, whatever it printed.
    pub(crate) fn succeeds(mut self) -> Result<bool> {
        Ok(status(&mut self.0)?.success())
    }

    /// Its exit code, to be ours.
    pub(crate) fn exit_code(mut self) -> Result<ExitCode> {
        let code = status(&mut self.0)?.code().and_then(|code| u8::try_from(code).ok());
        Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
    }

    /// Its exit code and all that it said, whether it succeeded or not. It ends with us should we be killed.
    pub(crate) fn heard(mut self) -> Result<(Option<i32>, String)> {
        self.0.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.0.spawn().with_context(|| format!("cannot run {}", shown(&self.0)))?;
        let leash = Leash::tie(Rope { pid: child.id(), signal: "TERM", folder: None })?;
        let ended = child.wait_with_output()?;
        drop(leash);
        let said = [ended.stdout, ended.stderr].concat();
        Ok((ended.status.code(), String::from_utf8_lossy(&said).into_owned()))
    }

    /// What it prints; an error unless it succeeds.
    pub(crate) fn output(mut self) -> Result<String> {
        let ended = self.0.output()?;
        let complaint = String::from_utf8_lossy(&ended.stderr);
        ensure!(ended.status.success(), "{} failed: {complaint}", shown(&self.0));
        Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
    }
}
