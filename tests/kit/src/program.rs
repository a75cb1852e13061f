//! A program running for a test: signals, its end, and its death with the test.

use std::{
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Child, Command, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use tidings_private_postgres::{Leash, Rope};

use crate::until;

/// A child that ends when this value is dropped or the test dies.
#[derive(Debug)]
pub(crate) struct Program {
    // Before the child: a leash lets go before the pid is given back.
    _leash: Leash,
    child: Child,
    ended: Option<ExitStatus>,
}

impl Program {
    /// `folder` goes too when the test dies; when it lives, its owner removes it.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Result<Self> {
        // A Ctrl-C in the terminal is for the test runner.
        let child = command
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let leash = Leash::tie(Rope { pid: child.id(), signal: "KILL", folder: Some(folder) })?;
        Ok(Self { _leash: leash, child, ended: None })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Sends a signal unless it has ended.
    pub(crate) fn signal(&mut self, signal: Signal) -> Result<()> {
        if self.ended()?.is_none() {
            let pid = i32::try_from(self.child.id()).context("no pid")?;
            kill(Pid::from_raw(pid), signal)?;
        }
        Ok(())
    }

    /// Waits for its end; the exit code, or 128 + the signal that ended it, as a shell would say.
    pub(crate) fn end(&mut self, patience: Duration) -> Result<i32> {
        let status = until("the end of a program", patience, || self.ended())?;
        let signal = status.signal().map(|signal| 128 + signal);
        status.code().or(signal).context("ended without a status")
    }

    pub(crate) fn kill9(&mut self) -> Result<()> {
        self.signal(Signal::SIGKILL)?;
        self.end(Duration::from_secs(10)).map(drop)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The test is over; there is nobody to tell.
        let _gone = self.kill9();
    }
}
