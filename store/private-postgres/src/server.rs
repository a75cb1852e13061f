//! The postmaster as our child: whether it is ready, and how it is made to end.
//!
//! Never waits without a limit.

use std::{
    fs,
    path::Path,
    process::Child,
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::Leash;

/// How often the server is looked at while it starts or stops.
pub(crate) const POLL: Duration = Duration::from_millis(5);

/// A postmaster that was spawned by us and not yet waited for.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) _leash: Option<Leash>,
}

impl Server {
    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal and waits for the end; whether it came in time.
    pub(crate) fn ends_by(&mut self, signal: Signal, patience: Duration) -> bool {
        let Ok(pid) = i32::try_from(self.child.id()) else {
            return false;
        };
        if matches!(self.child.try_wait(), Ok(Some(_))) {
            return true;
        }
        // Our own child, not yet waited for: the pid is still its own. A stopped one is woken to hear it.
        let pid = Pid::from_raw(pid);
        let _sent = kill(pid, signal).and_then(|()| kill(pid, Signal::SIGCONT));
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return true;
            }
            thread::sleep(POLL);
        }
        false
    }
}

/// The eighth line of `postmaster.pid` says `ready` once connections are taken; the first says whose file it is.
pub(crate) fn is_ready(pgdata: &Path, pid: u32) -> bool {
    let Ok(said) = fs::read_to_string(pgdata.join("postmaster.pid")) else {
        return false;
    };
    let mut lines = said.lines();
    lines.next().is_some_and(|first| first.trim() == pid.to_string())
        && lines.nth(6).is_some_and(|status| status.trim() == "ready")
}
