//! What a dead owner has left running, found by the tag in its command line and ended.
//!
//! Never signals a process whose command line lacks the tag: a pid alone (as in `postmaster.pid`) may by now be
//! somebody else's.

use std::{
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};

/// How long a stray is given after each signal: a fast stop writes a checkpoint first.
const PATIENCE: [(Signal, Duration); 3] = [
    (Signal::SIGINT, Duration::from_secs(15)),
    (Signal::SIGQUIT, Duration::from_secs(5)),
    (Signal::SIGKILL, Duration::from_secs(5)),
];
const POLL: Duration = Duration::from_millis(10);

/// Ends everything that belongs to the cluster; false if something is still there.
pub(crate) fn end(tag: &str) -> bool {
    for (signal, patience) in PATIENCE {
        let found = signal_all(tag, signal);
        if found == 0 {
            return true;
        }
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            if find(tag).is_empty() {
                return true;
            }
            thread::sleep(POLL);
        }
    }
    find(tag).is_empty()
}

/// Signals everything that belongs to the cluster; how many that were.
pub(crate) fn signal_all(tag: &str, signal: Signal) -> usize {
    let strays = find(tag);
    for stray in &strays {
        // A stopped one hears nothing before it is woken.
        let wake = (signal == Signal::SIGINT || signal == Signal::SIGQUIT).then_some(Signal::SIGCONT);
        for signal in [Some(signal), wake].into_iter().flatten() {
            // It may have ended by itself since.
            let _gone = kill(*stray, signal);
        }
    }
    strays.len()
}

/// The postmaster passes the tag as `cluster_name`; its children show it in their titles.
fn find(tag: &str) -> Vec<Pid> {
    let setting = format!("cluster_name={tag}");
    let title = format!("postgres: {tag}: ");
    let ours = |line: &str| {
        let program = line.split([' ', '\0']).next().unwrap_or_default();
        (program.ends_with("/postgres") && line.contains(&setting)) || line.starts_with(&title)
    };
    command_lines().into_iter().filter(|(_, line)| ours(line)).map(|(pid, _)| pid).collect()
}

/// Every process with its command line.
#[cfg(target_os = "linux")]
fn command_lines() -> Vec<(Pid, String)> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
            let line = std::fs::read(entry.path().join("cmdline")).ok()?;
            Some((Pid::from_raw(pid), String::from_utf8_lossy(&line).into_owned()))
        })
        .collect()
}

/// Every process with its command line.
#[cfg(not(target_os = "linux"))]
fn command_lines() -> Vec<(Pid, String)> {
    let said = std::process::Command::new("ps").args(["-axww", "-o", "pid=,command="]).output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default();
    said.lines()
        .filter_map(|line| {
            let (pid, line) = line.trim().split_once(' ')?;
            Some((Pid::from_raw(pid.parse().ok()?), line.trim().to_owned()))
        })
        .collect()
}
