//! Waiting for the real world, always with a deadline, and finding a free port.

use std::{
    hash::{BuildHasher as _, RandomState},
    net::TcpListener,
    process, thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

const POLL: Duration = Duration::from_millis(10);
/// The ports of [`free_port`].
const FIRST_PORT: u64 = 10_000;
const PORTS: u64 = 20_000;

/// Asks again and again until `ask` answers; fails naming `what` when `patience` is over, or at once when `ask` does.
///
/// # Errors
/// The first error of `ask`, or the end of patience.
pub fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            bail!("not within {patience:?}: {what}");
        }
        thread::sleep(POLL);
    }
}

/// A TCP port of loopback that was free a moment ago. Somebody may take it before you do: check, and try another.
///
/// Below the ports that systems give to outgoing connections: whoever dials a server that is down would otherwise now and
/// then get its very port as their own, be connected to themselves, and keep the server from coming back.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let start = RandomState::new().hash_one(process::id()) % PORTS;
    let ports = (0..PORTS).map(|step| FIRST_PORT + (start + step) % PORTS);
    let mut ports = ports.filter_map(|port| u16::try_from(port).ok());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).context("no free port on 127.0.0.1")
}
