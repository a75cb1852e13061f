//! What the machine says of processes and of us: CPU time, resident memory, open files, loopback addresses (Linux's `/proc`).
//! Must never guess: where `/proc` is missing, the figure is missing too.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

/// `/proc/<pid>/stat` counts in these; 100 on every Linux that Rust supports (`USER_HZ`).
const TICKS_PER_SECOND: u64 = 100;
/// Files we need besides sockets.
const OTHER_FILES: u64 = 256;
/// Connections from one source address: below the default `connections_per_ip` of the server (1,000), and far below the
/// about 28,000 ports that one address has.
const CONNECTIONS_PER_SOURCE: usize = 800;

/// CPU time of one process since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cpu {
    /// In the program itself.
    pub user: Duration,
    /// In the kernel for it.
    pub system: Duration,
}

impl Cpu {
    /// Both parts.
    #[must_use]
    pub fn total(self) -> Duration {
        self.user + self.system
    }

    /// What has been used since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        Self { user: self.user.saturating_sub(earlier.user), system: self.system.saturating_sub(earlier.system) }
    }
}

/// CPU time of a process, to 10 ms.
///
/// # Errors
/// No such process, or no `/proc`.
pub fn cpu_of(pid: u32) -> Result<Cpu> {
    let path = format!("/proc/{pid}/stat");
    let stat = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    cpu_in(&stat).with_context(|| format!("{path} has an unknown form"))
}

/// From now on this thread gets the processor only when nobody else wants it. There is no way back.
///
/// # Errors
/// There is no `renice` here.
pub fn give_way() -> Result<()> {
    let thread = nix::unistd::gettid().to_string();
    let renice = std::process::Command::new("renice").args(["-n", "19", "-p", &thread]).output();
    let ended = renice.context("cannot run renice")?;
    ensure!(ended.status.success(), "renice: {}", String::from_utf8_lossy(&ended.stderr));
    Ok(())
}

/// Fields 14 and 15; counted from behind the name, which may hold blanks and brackets itself.
fn cpu_in(stat: &str) -> Option<Cpu> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || -> Option<Duration> {
        let ticks: u64 = fields.next()?.parse().ok()?;
        Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
    };
    Some(Cpu { user: ticks()?, system: ticks()? })
}

/// Our own CPU time.
///
/// # Errors
/// No `/proc`.
pub fn own_cpu() -> Result<Cpu> {
    cpu_of(std::process::id())
}

/// Resident memory of a process, in bytes.
///
/// # Errors
/// No such process, or no `/proc`.
pub fn resident_bytes(pid: u32) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = std::fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let kib: Option<u64> = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.trim().strip_suffix("kB"))
        .and_then(|number| number.trim().parse().ok());
    Ok(1024 * kib.with_context(|| format!("{path} names no VmRSS"))?)
}

/// What all cores together have done since the machine was started, in core-seconds.
///
/// # Errors
/// No `/proc`, or one of an unknown form.
pub fn busy() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/stat")?;
    let ticks = busy_in(&stat).context("/proc/stat has an unknown form")?;
    Ok(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// User, nice, system, interrupts and what a hypervisor took; not idle and not waiting for a disk.
fn busy_in(stat: &str) -> Option<u64> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields: Vec<u64> = line.split_whitespace().map_while(|field| field.parse().ok()).collect();
    let idle = fields.get(3)? + fields.get(4)?;
    // The last two are contained in the first two.
    Some(fields.iter().take(8).sum::<u64>() - idle)
}

/// The machine that the harness runs on, for those who compare results.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Cores that we may use.
    pub cores: usize,
    /// As the processor names itself.
    pub processor: String,
    /// Of the operating system.
    pub kernel: String,
    /// Of the machine, in bytes.
    pub memory_bytes: u64,
}

/// What is known of this machine.
#[must_use]
pub fn facts() -> Facts {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let after = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_once(':')).map(|(_, rest)| rest.trim().to_owned()).unwrap_or_default()
    };
    let memory = after(&read("/proc/meminfo"), "MemTotal");
    let kib: u64 = memory.trim_end_matches(" kB").parse().unwrap_or(0);
    Facts {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        processor: after(&read("/proc/cpuinfo"), "model name"),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        memory_bytes: 1024 * kib,
    }
}

/// Makes room for this many sockets, raising the limits where we may.
///
/// # Errors
/// The machine does not allow it; the message says what to do.
pub fn make_room_for(sockets: usize) -> Result<()> {
    let needed = sockets as u64 + OTHER_FILES;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft < needed {
        // Root may raise the hard limit as well.
        let raised = setrlimit(Resource::RLIMIT_NOFILE, needed, hard.max(needed))
            .or_else(|_| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
        raised.context("cannot raise the limit of open files")?;
    }
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        soft >= needed,
        "{sockets} connections need {needed} open files, but only {soft} are allowed: raise `ulimit -n`"
    );
    Ok(())
}

/// The source address of the `index`th connection; only loopback has addresses to spare.
#[must_use]
pub fn source_for(index: usize, target: IpAddr) -> Option<IpAddr> {
    let spread = target.is_loopback() && target.is_ipv4();
    let last = u8::try_from(1 + (index / CONNECTIONS_PER_SOURCE) % 250).unwrap_or(1);
    spread.then_some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_from_behind_the_name() {
        let stat = "7 (a) b (c) S 1 1 1 0 -1 0 9 9 9 9 123 45 0 0 20 0 1 0 5 6 7";
        let cpu = cpu_in(stat).unwrap();
        assert_eq!(cpu.user, Duration::from_millis(1230));
        assert_eq!(cpu.system, Duration::from_millis(450));
        assert_eq!(cpu_in("7 (x) S 1"), None);
    }

    #[test]
    fn we_ourselves_have_memory_and_cpu_time() {
        assert!(resident_bytes(std::process::id()).unwrap() > 100_000);
        assert!(own_cpu().unwrap().since(Cpu::default()) == own_cpu().unwrap());
    }

    #[test]
    fn what_the_machine_does_leaves_out_what_it_waits_for() {
        let stat = "cpu  10 1 20 1000 500 3 4 5 9 9\ncpu0 1 1 1 1";
        assert_eq!(busy_in(stat), Some(10 + 1 + 20 + 3 + 4 + 5));
        assert_eq!(busy_in("intr 7"), None);
        let facts = facts();
        assert!(facts.cores > 0 && !facts.kernel.is_empty() && facts.memory_bytes > 1 << 20);
    }

    #[test]
    fn room_is_made_or_refused_in_words() {
        make_room_for(10).unwrap();
        let said = make_room_for(usize::MAX / 4).unwrap_err().to_string();
        assert!(said.contains("ulimit") || said.contains("open files"), "{said}");
    }

    #[test]
    fn many_connections_come_from_many_addresses() {
        let target = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(source_for(0, target), Some(target));
        assert_ne!(source_for(CONNECTIONS_PER_SOURCE, target), Some(target));
        assert_eq!(source_for(0, IpAddr::from([192, 0, 2, 1])), None);
    }
}
