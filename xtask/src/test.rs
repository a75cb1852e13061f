//! `cargo xtask test`: everything a test needs, then all tests; the runner's summary is the last thing printed.
//!
//! Tests use a Postgres and a Redis of this run alone. Both end with it, whatever ends it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, ensure};
use tidings_testkit::{PrivatePostgres, Redis, TEST_POSTGRES, TEST_REDIS};

use crate::{
    install::{self, Part},
    shell::{self, Cargo},
};

/// Names, in the environment of tests, the Python that has the packages of `tests/python/requirements.txt`.
const TEST_PYTHON: &str = "TIDINGS_TEST_PYTHON";
/// Names the browser.
const TEST_CHROMIUM: &str = "TIDINGS_TEST_CHROMIUM";

/// Names the Node.js.
const TEST_NODE: &str = "TIDINGS_TEST_NODE";
/// The oldest Node.js that the client library and Playwright run on.
const NODE_MAJOR: u32 = 20;

/// The Postgres and the Redis that tests share; they end with this value.
pub(crate) struct Servers {
    postgres: PrivatePostgres,
    redis: Redis,
}

impl Servers {
    pub(crate) fn start() -> Result<Self> {
        Ok(Self { postgres: PrivatePostgres::fast()?, redis: Redis::start()? })
    }

    /// Lets what cargo runs know where they are.
    pub(crate) fn named_to(&self, cargo: Cargo) -> Cargo {
        cargo.env(TEST_POSTGRES, self.postgres.url("postgres")).env(TEST_REDIS, self.redis.url())
    }
}

/// Prepares, runs all tests or those that `args` choose, and gives back the runner's exit code.
pub(crate) fn test(args: &[String]) -> Result<ExitCode> {
    install::ensure(&Part::ALL)?;
    npm_packages(&shell::root().join("tests/browser"))?;
    let node = node()?;
    let python = python_packages()?;
    let chromium = install::chromium().context("Chromium was here a moment ago")?;
    let servers = Servers::start()?;
    let with_parts = |cargo: Cargo| {
        let cargo = servers.named_to(cargo);
        cargo.env(TEST_PYTHON, &python).env(TEST_CHROMIUM, &chromium).env(TEST_NODE, &node)
    };
    if !has_nextest() {
        // Runs doc tests as well.
        let runner = Cargo::new(["test", "--no-fail-fast"]);
        return with_parts(runner.args(scope(args)).args(args)).exit_code();
    }
    // First, so that the runner's summary comes last. Whoever chooses tests does not mean these.
    let docs_pass = !args.is_empty() || with_parts(Cargo::new(["test", "--doc", "--workspace"])).succeeds()?;
    let runner = Cargo::new(["nextest", "run", "--no-fail-fast"]);
    let code = with_parts(runner.args(scope(args)).args(args)).exit_code()?;
    Ok(if docs_pass { code } else { ExitCode::FAILURE })
}

/// All of the workspace, unless the arguments choose packages.
fn scope(args: &[String]) -> Option<&'static str> {
    let chosen = args.iter().any(|arg| arg.starts_with("-p") || arg.starts_with("--package"));
    (!chosen).then_some("--workspace")
}

fn has_nextest() -> bool {
    Cargo::new(["nextest", "--version"]).output().is_ok()
}

/// The packages of a folder, such as the browser tests', when its lock file says something new.
pub(crate) fn npm_packages(folder: &Path) -> Result<()> {
    let lock = folder.join("package-lock.json");
    if !lock.exists() {
        return Ok(());
    }
    once_per(&lock, &folder.join("node_modules/.tidings-stamp"), || {
        shell::run(
            Command::new("npm")
                .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
                // Browsers come from the system.
                .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
                .current_dir(folder),
        )
    })
}

/// A Node.js that is new enough: the system's, or one as an npm package. Debian 12 has version 18.
fn node() -> Result<PathBuf> {
    let system = PathBuf::from("node");
    if major_of(&system).is_some_and(|major| major >= NODE_MAJOR) {
        return Ok(system);
    }
    let folder = shell::target().join("test-node");
    let node = folder.join("node_modules/.bin/node");
    if major_of(&node).is_none() {
        fs::create_dir_all(&folder)?;
        let install = ["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"];
        shell::run(Command::new("npm").args(install).arg(&folder).arg("node@22"))?;
    }
    let major = major_of(&node).context("Node.js came with npm, but does not run")?;
    ensure!(major >= NODE_MAJOR, "the tests need Node.js {NODE_MAJOR} or newer; found {major}");
    Ok(node)
}

/// The first number of `v22.1.0`.
fn major_of(node: &Path) -> Option<u32> {
    let said = Command::new(node).arg("--version").output().ok()?;
    let version = String::from_utf8(said.stdout).ok()?;
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// A Python environment with the packages of the tests; its interpreter.
fn python_packages() -> Result<PathBuf> {
    let venv = shell::target().join("test-venv");
    let python = venv.join("bin/python");
    let wanted = shell::root().join("tests/python/requirements.txt");
    once_per(&wanted, &venv.join("tidings-stamp"), || {
        shell::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv))?;
        shell::run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(&wanted),
        )
    })?;
    Ok(python)
}

/// Does the work unless `stamp` says that it was done for this very `wanted` file.
fn once_per(wanted: &Path, stamp: &Path, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let now = fs::read(wanted).with_context(|| wanted.display().to_string())?;
    if fs::read(stamp).is_ok_and(|done| done == now) {
        return Ok(());
    }
    work()?;
    fs::write(stamp, now).with_context(|| stamp.display().to_string())
}
