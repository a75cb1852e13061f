//! Waiting for the real world, always with a deadline, and finding a free port.

use std::{
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

const POLL: Duration = Duration::from_millis(10);

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
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}
