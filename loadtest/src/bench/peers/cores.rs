//! Who runs on which core: servers on one, the client and Postgres on the other, and how busy each core was.
//! Must never move a thing that this bench did not start. Linux alone; elsewhere it says so.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Cores {
    /// The servers'.
    pub server: usize,
    /// Ours, and Postgres'.
    pub client: usize,
}

/// Ticks of one core since the machine began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ticks {
    /// Not idle; what the hypervisor gave to others counts as well.
    pub busy: u64,
    /// All.
    pub total: u64,
}

impl Ticks {
    /// The part of the time since `earlier` in which the core was busy.
    #[must_use]
    pub fn busy_since(self, earlier: Self) -> f64 {
        let (busy, total) = (self.busy - earlier.busy, self.total - earlier.total);
        #[expect(clippy::cast_precision_loss, reason = "ticks of a run are far below 2^52")]
        let share = busy as f64 / total.max(1) as f64;
        share
    }
}

impl Cores {
    /// The first two cores we may use, with this thread moved to the client's.
    ///
    /// # Errors
    /// There are not two, or this is not Linux.
    pub fn take() -> Result<Self> {
        let [client, server] = allowed()?[..2] else { bail!("two cores are needed") };
        let cores = Self { server, client };
        pin(0, cores.client)?;
        Ok(cores)
    }

    /// What is started within runs on the server's core, with all its threads.
    ///
    /// # Errors
    /// The work's own.
    pub async fn on_server<T>(self, work: impl Future<Output = Result<T>>) -> Result<T> {
        pin(0, self.server)?;
        let outcome = work.await;
        pin(0, self.client)?;
        outcome
    }

    /// Moves the Postgres that keeps its files somewhere below `folder` to the client's core.
    ///
    /// # Errors
    /// There is none.
    pub fn move_postgres(self, folder: &Path) -> Result<()> {
        let file = find(folder, "postmaster.pid")?.context("the server's private Postgres keeps no postmaster.pid")?;
        let text = std::fs::read_to_string(&file)?;
        let postmaster: i32 = text.lines().next().and_then(|line| line.trim().parse().ok()).context("no pid in it")?;
        pin(postmaster, self.client)?;
        // Later ones inherit it; those that are there already do not.
        for child in children(postmaster)? {
            // One that has ended meanwhile needs no core.
            drop(pin(child, self.client));
        }
        Ok(())
    }
}

/// That all threads of a process keep to one core.
///
/// # Errors
/// One does not.
pub fn ensure_on(core: usize, pid: u32) -> Result<()> {
    for entry in std::fs::read_dir(format!("/proc/{pid}/task")).context("the server has ended")? {
        // A thread that has ended meanwhile keeps to it as well.
        let status = std::fs::read_to_string(entry?.path().join("status")).unwrap_or_default();
        let may = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
        if may.is_some_and(|may| may.trim() != core.to_string()) {
            bail!("a thread of {pid} may run on cores {} as well as {core}", may.unwrap_or_default().trim());
        }
    }
    Ok(())
}

/// How busy a core has been.
///
/// # Errors
/// No `/proc`.
pub fn ticks(core: usize) -> Result<Ticks> {
    let stat = std::fs::read_to_string("/proc/stat").context("cannot read /proc/stat")?;
    ticks_in(&stat, core).with_context(|| format!("/proc/stat does not tell of core {core}"))
}

/// user nice system idle iowait irq softirq steal; guests are in `user` already.
fn ticks_in(stat: &str, core: usize) -> Option<Ticks> {
    let name = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&name))?;
    let fields: Vec<u64> = line.split_whitespace().take(8).map_while(|field| field.parse().ok()).collect();
    let (&idle, &waiting) = (fields.get(3)?, fields.get(4)?);
    let total = fields.iter().sum();
    Some(Ticks { busy: total - idle - waiting, total })
}

fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let entry = entry?;
        if entry.file_name() == name {
            return Ok(Some(entry.path()));
        }
        if entry.file_type()?.is_dir()
            && let Some(found) = find(&entry.path(), name)?
        {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn children(parent: i32) -> Result<Vec<i32>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").context("cannot list /proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // State and parent stand behind the name.
        let of = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<i32>().ok());
        if of == Some(parent) {
            found.push(pid);
        }
    }
    Ok(found)
}

/// 0 is the calling thread.
#[cfg(target_os = "linux")]
fn pin(pid: i32, core: usize) -> Result<()> {
    use nix::sched::{CpuSet, sched_setaffinity};

    let mut set = CpuSet::new();
    set.set(core)?;
    sched_setaffinity(nix::unistd::Pid::from_raw(pid), &set)
        .with_context(|| format!("cannot move {pid} to core {core}"))
}

#[cfg(target_os = "linux")]
fn allowed() -> Result<Vec<usize>> {
    use nix::sched::{CpuSet, sched_getaffinity};

    let set = sched_getaffinity(nix::unistd::Pid::from_raw(0))?;
    let cores: Vec<usize> = (0..CpuSet::count()).filter(|&core| set.is_set(core).unwrap_or(false)).collect();
    if cores.len() < 2 {
        bail!("one core for the servers and one for the client are needed; we may use {cores:?}");
    }
    Ok(cores)
}

#[cfg(not(target_os = "linux"))]
fn pin(_: i32, _: usize) -> Result<()> {
    bail!("pinning servers and client to cores of their own is written for Linux")
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Result<Vec<usize>> {
    bail!("pinning servers and client to cores of their own is written for Linux")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_is_busy_when_it_is_neither_idle_nor_waiting() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 100 50 4 5 6 7 8\ncpu1 0 0 0 1 0 0 0 0 0 0\n";
        let ticks = ticks_in(stat, 0).unwrap();
        assert_eq!(ticks, Ticks { busy: 21, total: 171 });
        assert_eq!(ticks_in(stat, 2), None);
        let later = Ticks { busy: 46, total: 221 };
        assert!((later.busy_since(ticks) - 0.5).abs() < 1e-9);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_child_is_found_and_a_pinned_thread_has_one_core() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let found = children(own).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(found.contains(&i32::try_from(child.id()).unwrap()));
        let core = allowed_here()[0];
        let pinned = std::thread::spawn(move || {
            pin(0, core).unwrap();
            allowed_here()
        });
        assert_eq!(pinned.join().unwrap(), [core]);
        assert!(ensure_on(usize::MAX, std::process::id()).is_err());
    }

    #[cfg(target_os = "linux")]
    fn allowed_here() -> Vec<usize> {
        let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).unwrap();
        (0..nix::sched::CpuSet::count()).filter(|&core| set.is_set(core).unwrap()).collect()
    }
}
