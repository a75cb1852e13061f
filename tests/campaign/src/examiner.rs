//! The examiner: `tidings-load examine --steered`, told what is broken, asked for its verdict.
//!
//! It sees the world through the proxies alone; what it is told here goes into its history and decides nothing.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read, Write as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};
use tidings_testkit::until;

/// Until accounts exist and everybody is connected, on a busy machine.
const READY_PATIENCE: Duration = Duration::from_secs(90);

/// What an examination is asked to do.
#[derive(Clone, Debug)]
pub struct Load {
    /// The harness.
    pub harness: PathBuf,
    /// Accounts.
    pub people: u32,
    /// Connections.
    pub clients: u32,
    /// Changes a second, of all together.
    pub rate: u32,
    /// How long the world may take to recover before anything missing is lost, in seconds.
    pub recover: u32,
    /// How long the settling and the judging may take.
    pub patience: Duration,
}

/// Where the files of one examination go.
#[derive(Clone, Debug)]
pub struct Files {
    /// Everything that happened.
    pub history: PathBuf,
    /// The report as JSON.
    pub report: PathBuf,
    /// The accounts, for the next examination of the same world.
    pub accounts: PathBuf,
}

/// An examination under way; it is ended when it is dropped.
#[derive(Debug)]
pub struct Examiner {
    child: Child,
    orders: Option<ChildStdin>,
    said: Arc<Mutex<String>>,
    report: PathBuf,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// 0: nothing to complain of; 1: violations, or a fault that did not fire; 2: could not examine.
    pub code: i32,
    /// What it said in words.
    pub words: String,
    /// Its report.
    pub report: Value,
}

impl Examiner {
    /// Starts it and waits until all of its clients are connected.
    ///
    /// # Errors
    /// When it cannot be run, or ends, or is not ready in time.
    pub fn start(load: &Load, urls: &[String], seed: u64, files: &Files) -> Result<Self> {
        let mut command = Command::new(&load.harness);
        command.args(["examine", "--steered"]);
        for url in urls {
            command.args(["--url", url]);
        }
        let numbers = [
            ("--people", u64::from(load.people)),
            ("--clients", u64::from(load.clients)),
            ("--rate", u64::from(load.rate)),
            ("--recover", u64::from(load.recover)),
            ("--seed", seed),
        ];
        for (name, number) in numbers {
            command.args([name, &number.to_string()]);
        }
        for (name, path) in [("--history", &files.history), ("--json", &files.report), ("--accounts", &files.accounts)]
        {
            command.arg(name).arg(path);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| format!("cannot run {}", load.harness.display()))?;
        let said = Arc::new(Mutex::new(String::new()));
        listen(child.stdout.take(), &said);
        listen(child.stderr.take(), &said);
        let orders = child.stdin.take();
        let mut examiner = Self { child, orders, said, report: files.report.clone() };
        examiner.wait_ready()?;
        Ok(examiner)
    }

    fn wait_ready(&mut self) -> Result<()> {
        until("the examiner is ready", READY_PATIENCE, || {
            if let Some(status) = self.child.try_wait()? {
                bail!("the examiner ended before it was ready ({status}): {}", self.words());
            }
            Ok(self.words().lines().any(|line| line.trim() == "ready").then_some(()))
        })
    }

    /// Its pid, for those who watch what it uses.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    #[must_use]
    pub fn words(&self) -> String {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells it where a fault stands: `ordered`, `fired` or `healed`.
    ///
    /// # Errors
    /// When it is gone.
    pub fn fault(&mut self, number: u32, name: &str, phase: &str) -> Result<()> {
        self.tell(&json!({ "what": "fault", "number": number, "name": name, "phase": phase }))
    }

    /// Tells it that all faults are over, and waits for its verdict.
    ///
    /// # Errors
    /// When it does not come to one within `patience`.
    pub fn verdict(mut self, patience: Duration) -> Result<Verdict> {
        self.tell(&json!({ "what": "healed" }))?;
        drop(self.orders.take());
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            ensure!(Instant::now() < deadline, "no verdict within {patience:?}: {}", self.words());
            thread::sleep(Duration::from_millis(20));
        };
        let words = self.words();
        let code = status.code().with_context(|| format!("the examiner was killed ({status}): {words}"))?;
        ensure!(code == 0 || code == 1, "the examiner could not examine ({status}): {words}");
        Ok(Verdict { code, report: read(&self.report).with_context(|| words.clone())?, words })
    }

    fn tell(&mut self, line: &Value) -> Result<()> {
        let told = self.orders.as_mut().context("the examiner has been told everything").and_then(|orders| {
            writeln!(orders, "{line}")?;
            Ok(orders.flush()?)
        });
        told.with_context(|| format!("the examiner does not listen any more: {}", self.words()))
    }
}

impl Drop for Examiner {
    fn drop(&mut self) {
        // Nobody waits for a verdict any more.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

fn read(path: &Path) -> Result<Value> {
    let text = fs::read(path).with_context(|| format!("no report: {}", path.display()))?;
    Ok(serde_json::from_slice(&text)?)
}

/// Gathers what is printed; a pipe that nobody empties would stop the examiner.
fn listen(pipe: Option<impl Read + Send + 'static>, said: &Arc<Mutex<String>>) {
    let Some(pipe) = pipe else { return };
    let said = Arc::clone(said);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            said.push_str(&line);
            said.push('\n');
        }
    });
}
