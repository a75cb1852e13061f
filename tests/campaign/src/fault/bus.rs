//! A Redis that lives and misbehaves: it holds commands back, throws subscribers out, forgets, and carries what nobody of ours has said.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use rand::RngExt as _;
use redis::{Client, Connection};
use tidings_testkit::{Way, Weather, until};

use super::{Fault, Luck, Part};
use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(10);
/// How long true messages are listened to, to be told again.
const LISTEN: Duration = Duration::from_millis(300);
/// Of each kind of noise.
const NOISES: usize = 50;

/// `CLIENT PAUSE`: commands of everybody wait.
struct Hold {
    length: Duration,
    /// How long a command behind it had to wait.
    held: Option<JoinHandle<Duration>>,
}

pub(super) fn hold(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Hold { length: luck.millis(1_300..3_000), held: None })
}

impl Fault for Hold {
    fn row(&self) -> &'static str {
        "F3"
    }

    fn kind(&self) -> &'static str {
        "CLIENT PAUSE"
    }

    fn name(&self) -> String {
        format!("CLIENT PAUSE for {:?}", self.length)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Redis]
    }

    fn length(&self) -> Duration {
        self.length
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        let mut redis = connect(world)?;
        let mut pause = redis::cmd("CLIENT");
        let length = u64::try_from(self.length.as_millis())?;
        pause.arg("PAUSE").arg(length).arg("ALL").exec(&mut redis)?;
        // Beside slower faults one may look only when it is over.
        let began = Instant::now();
        self.held = Some(std::thread::spawn(move || {
            // Given up counts as waited for.
            drop(redis::cmd("PING").exec(&mut redis));
            began.elapsed()
        }));
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        if world.redis.ask("PING").is_err() {
            return Ok(Some("a PING was not answered within a second".to_owned()));
        }
        let held = self.held.take().and_then(|held| held.join().ok()).unwrap_or_default();
        Ok((held >= self.length / 2).then(|| format!("a PING waited for {held:?}")))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        until("Redis answers", PATIENCE, || Ok(world.redis.ask("PING").is_ok().then_some(())))
    }
}

/// All subscribers are thrown out, and the rest of Redis is emptied.
struct ThrowOut;

pub(super) fn throw_out(_luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(ThrowOut)
}

impl Fault for ThrowOut {
    fn row(&self) -> &'static str {
        "F5"
    }

    fn kind(&self) -> &'static str {
        "CLIENT KILL TYPE pubsub, FLUSHALL"
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Redis]
    }

    fn length(&self) -> Duration {
        Duration::ZERO
    }

    fn order(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        // They may be on their way back from the last time.
        let said = world.redis.ask("CLIENT KILL TYPE pubsub")?;
        let thrown_out = said.trim().trim_start_matches(':').parse::<u64>().with_context(|| said.clone())?;
        let flushed = world.redis.ask("FLUSHALL")?;
        ensure!(flushed.starts_with("+OK"), "FLUSHALL: {flushed}");
        Ok((thrown_out > 0).then(|| format!("{thrown_out} subscribers were thrown out")))
    }

    fn heal(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }
}

/// A node that reads nothing from Redis, which cuts it off when its output buffer is full.
struct Overflow {
    node: usize,
    cut_before: usize,
}

pub(super) fn overflow(luck: &mut Luck) -> Box<dyn Fault> {
    Box::new(Overflow { node: luck.node(), cut_before: 0 })
}

const SMALL: &str = "CONFIG SET client-output-buffer-limit \"pubsub 256kb 64kb 1\"";
const USUAL: &str = "CONFIG SET client-output-buffer-limit \"pubsub 32mb 8mb 60\"";

impl Fault for Overflow {
    fn row(&self) -> &'static str {
        "F4"
    }

    fn kind(&self) -> &'static str {
        "output buffer cut"
    }

    fn name(&self) -> String {
        format!("{} of node {}", self.kind(), self.node)
    }

    fn claims(&self) -> Vec<Part> {
        vec![Part::Redis, Part::Node(self.node)]
    }

    fn length(&self) -> Duration {
        Duration::from_millis(500)
    }

    fn order(&mut self, world: &mut World) -> Result<()> {
        self.cut_before = cut_for_their_buffers(world)?;
        let said = world.redis.ask(SMALL)?;
        ensure!(said.starts_with("+OK"), "CONFIG SET: {said}");
        world.members[self.node].redis.set(Way::Down, Weather::black_hole());
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        // The kernel and the proxy take some MB before Redis' own buffer fills. Chunks that the others can keep up with.
        let mut redis = connect(world)?;
        if let Some(channel) = channel(&mut redis)? {
            let _receivers: u64 = redis::cmd("PUBLISH").arg(channel).arg(vec![b'?'; 256 * 1024]).query(&mut redis)?;
        }
        let cut = cut_for_their_buffers(world)? - self.cut_before;
        Ok((cut > 0).then(|| format!("Redis cut {cut} subscribers for their buffers")))
    }

    fn heal(&mut self, world: &mut World) -> Result<()> {
        world.members[self.node].redis.calm();
        let said = world.redis.ask(USUAL)?;
        ensure!(said.starts_with("+OK"), "CONFIG SET: {said}");
        Ok(())
    }
}

/// What Redis' log says of it.
fn cut_for_their_buffers(world: &World) -> Result<usize> {
    Ok(world.redis.log()?.matches("overcoming of output buffer limits").count())
}

/// Messages on the nodes' channel that no node has sent, or not now.
struct Noise {
    /// Of which noise is made.
    bytes: Vec<u8>,
    receivers: u64,
    told_again: usize,
}

pub(super) fn noise(luck: &mut Luck) -> Box<dyn Fault> {
    let mut bytes = vec![0; 4096];
    luck.rng.fill(&mut bytes[..]);
    Box::new(Noise { bytes, receivers: 0, told_again: 0 })
}

impl Fault for Noise {
    fn row(&self) -> &'static str {
        "F5"
    }

    fn kind(&self) -> &'static str {
        "forged and repeated rumours"
    }

    fn claims(&self) -> Vec<Part> {
        // Without Postgres there are no true rumours to be told again.
        vec![Part::Redis, Part::Postgres]
    }

    fn length(&self) -> Duration {
        Duration::ZERO
    }

    fn order(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }

    fn fired(&mut self, world: &mut World) -> Result<Option<String>> {
        let mut redis = connect(world)?;
        let Some(channel) = channel(&mut redis)? else { return Ok(None) };
        let heard = listen(world, &channel)?;
        self.told_again += heard.len();
        for message in self.made_of(heard) {
            self.receivers += redis::cmd("PUBLISH").arg(&channel).arg(message).query::<u64>(&mut redis)?;
        }
        let told = self.told_again > 0 && self.receivers > 0;
        Ok(told.then(|| format!("{} old messages told again; {} receipts of noise", self.told_again, self.receivers)))
    }

    fn heal(&mut self, _world: &mut World) -> Result<()> {
        Ok(())
    }
}

impl Noise {
    /// True messages again, the newest first; each with one bit turned, cut short, and under another's name; and plain rubbish.
    fn made_of(&self, heard: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut noise = Vec::new();
        for (number, message) in heard.into_iter().rev().enumerate() {
            let at = usize::from(self.bytes[number % self.bytes.len()]) * message.len() / 256;
            let mut turned = message.clone();
            turned[at] ^= 1 << (number % 8);
            let mut renamed = message.clone();
            for (byte, random) in renamed.iter_mut().skip(4).take(16).zip(&self.bytes) {
                *byte = *random;
            }
            noise.extend([turned, message[..at].to_vec(), renamed, message]);
        }
        noise.extend((1..=NOISES).map(|length| self.bytes[..length * self.bytes.len() / NOISES].to_vec()));
        noise.extend([b"TDB1".to_vec(), Vec::new(), b"{}".to_vec()]);
        noise
    }
}

fn connect(world: &World) -> Result<Connection> {
    let connection = Client::open(world.redis.url())?.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    Ok(connection)
}

/// The channel that the nodes of this world listen to, if one does.
fn channel(redis: &mut Connection) -> Result<Option<String>> {
    let channels: Vec<String> = redis::cmd("PUBSUB").arg("CHANNELS").arg("tidings:*").query(redis)?;
    Ok(channels.into_iter().next())
}

/// What the nodes tell each other for a moment.
fn listen(world: &World, channel: &str) -> Result<Vec<Vec<u8>>> {
    let mut connection = connect(world)?;
    let mut subscribed = connection.as_pubsub();
    subscribed.subscribe(channel)?;
    subscribed.set_read_timeout(Some(LISTEN))?;
    let (mut heard, began) = (Vec::new(), Instant::now());
    while heard.len() < NOISES && began.elapsed() < LISTEN {
        // Silence is no fault of ours.
        let Ok(message) = subscribed.get_message() else { break };
        heard.push(message.get_payload_bytes().to_vec());
    }
    heard.retain(|message| !message.is_empty());
    Ok(heard)
}
