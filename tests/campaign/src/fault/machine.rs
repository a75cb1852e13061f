//! What the machine under a node does to it: a clock that jumps, memory that runs out, an operator who stops it politely.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context as _, Result, ensure};
use jiff::{Timestamp, fmt::rfc2822};
use tidings_testkit::until;

use super::{Fault, Luck, Part};
use crate::world::World;

/// A drain lasts as long as the node was told, and a little.
const DRAIN_PATIENCE: Duration = Duration::from_secs(10);

/// A node is told to end (`SIGTERM`), hands its connections over, and is started again.
struct Drain {
    node: usize,
    evidence: Option<String>,
}

pub(super) fn drain(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Drain { node: luck.node(), evidence: None })
}

impl Fault for Drain {
    fn row(&self) -> &'static str {
        "F12"
    }

    fn kind(&self) -> &'static str {
        "drain node"
    }

    fn name(&self) -> String {
        format!("drain node {}", self.node)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Node(self.node)]
    }

    fn length(&self) -> Duration {
        Duration::ZERO
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        let member = &mut world.members[self.node];
        let (clients, began) = (member.clients.counts().live, Instant::now());
        let code = member.node.terminate(DRAIN_PATIENCE)?;
        ensure!(code == 0, "the drain of node {} ended with code {code}", self.node);
        self.evidence = Some(format!("ended with code 0 after {:?}, with {clients} clients", began.elapsed()));
        Ok(())
    }

    fn fired(&mut self, _world: &mut World) -> Result<Option<String>> {
        Ok(self.evidence.clone())
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        world.members[self.node].node.restart()
    }
}

/// A node whose clock is wrong for a while, and jumps there and back.
struct Clock {
    node: usize,
    seconds: i64,
    length: Duration,
}

/// Within the leeway of tokens. More would rightly make the node refuse the tokens of its peers.
pub(super) fn clock(luck: &mut Luck) -> Box<dyn Fault> {
    let seconds = luck.one_of(&[-50, -20, 20, 50]);
    Box::new(Clock { node: luck.node(), seconds, length: luck.millis(2_000..4_000) })
}

impl Fault for Clock {
    fn row(&self) -> &'static str {
        "F14"
    }

    fn kind(&self) -> &'static str {
        "clock jump"
    }

    fn name(&self) -> String {
        format!("clock of node {} off by {} s for {:?}", self.node, self.seconds, self.length)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Node(self.node)]
    }

    fn length(&self) -> Duration {
        self.length
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        world.members[self.node].set_clock(self.seconds)
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let off = off_by(world.members[self.node].node.address())?;
        Ok(((off - self.seconds).abs() <= 2).then(|| format!("its own Date header is off by {off} s")))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        let member = &world.members[self.node];
        member.set_clock(0)?;
        until("the clock is right again", Duration::from_secs(10), || {
            Ok((off_by(member.node.address())?.abs() <= 2).then_some(()))
        })
    }
}

/// How wrong the clock of this node is, by its own `Date` header.
fn off_by(address: SocketAddr) -> Result<i64> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let headers = answer.lines().filter_map(|line| line.split_once(": "));
    let mut dates = headers.filter(|(name, _)| name.eq_ignore_ascii_case("date"));
    let (_, date) = dates.next().with_context(|| format!("no Date: {answer}"))?;
    let said = rfc2822::parse(date)?.timestamp().as_second();
    Ok(said - Timestamp::try_from(SystemTime::now())?.as_second())
}

/// A node that gets hardly any more memory than it has, by a memory cgroup (version 1).
struct Memory {
    node: usize,
    group: PathBuf,
}

const GROUPS: &str = "/sys/fs/cgroup/memory";
/// What it may still take. The kernel ends a node that wants more; then it is as killed.
const MORE_BYTES: &str = "131072";

/// Whether this machine lets us limit memory.
pub(super) fn can_limit_memory() -> bool {
    let trial = Path::new(GROUPS).join(format!("tidings-trial-{}", std::process::id()));
    fs::create_dir(&trial).and_then(|()| fs::remove_dir(&trial)).is_ok()
}

pub(super) fn memory(luck: &mut Luck) -> Box<dyn Fault> {
    let node = luck.node();
    Box::new(Memory { node, group: Path::new(GROUPS).join(format!("tidings-{}-{node}", std::process::id())) })
}

impl Memory {
    fn counted(&self, what: &str) -> Result<u64> {
        Ok(fs::read_to_string(self.group.join(what))?.trim().parse()?)
    }
}

impl Fault for Memory {
    fn row(&self) -> &'static str {
        "F20"
    }

    fn kind(&self) -> &'static str {
        "out of memory"
    }

    fn name(&self) -> String {
        format!("node {} out of memory", self.node)
    }

    fn claims(&self) -> Vec<Part> {
        // It takes more memory only while there is something to do.
        vec![Part::Node(self.node), Part::Postgres]
    }

    fn length(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        fs::create_dir(&self.group)?;
        fs::write(self.group.join("memory.limit_in_bytes"), MORE_BYTES)?;
        Ok(fs::write(self.group.join("cgroup.procs"), world.members[self.node].node.pid().to_string())?)
    }

    fn fired(&mut self, _world: &mut World) -> Result<Option<String>> {
        let refused = self.counted("memory.failcnt")?;
        Ok((refused > 0).then(|| format!("the kernel refused it memory {refused} times")))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        let member = &mut world.members[self.node];
        // It may have been ended, or be about to be.
        member.node.restart()?;
        until("its group is empty", Duration::from_secs(5), || Ok(fs::remove_dir(&self.group).is_ok().then_some(())))
    }
}
