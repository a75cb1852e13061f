//! Owns the way of the bytes of one connection in one direction, through whatever weather there is.
//! Never drops or changes a byte; a black hole keeps them, the end of the stream included.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Instant,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::watch,
};

use super::{
    counts::Tally,
    delay_line::DelayLine,
    weather::{Skies, Way, Weather},
};

const READ_BYTES: usize = 32 * 1024;

/// The weather over one direction of one connection.
pub(super) struct Sky {
    pub(super) skies: watch::Receiver<Skies>,
    pub(super) way: Way,
    pub(super) number: u64,
}

impl Sky {
    fn now(&mut self) -> Weather {
        self.skies.borrow_and_update().over(self.way, self.number)
    }

    async fn changed(&mut self) {
        if self.skies.changed().await.is_err() {
            // The proxy is about to go.
            std::future::pending::<()>().await;
        }
    }
}

/// Which side is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gone {
    /// The one that sends.
    Sender,
    /// The one that is sent to. What it sent before may still be under way.
    Receiver,
}

/// Carries bytes until the stream ends, and then ends the other.
///
/// # Errors
/// When either side is gone.
pub(super) async fn pump(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut sky: Sky,
    tally: &Tally,
) -> Result<(), Gone> {
    let mut line = DelayLine::default();
    let mut buffer = vec![0; READ_BYTES];
    let mut open = true;
    loop {
        let weather = sky.now();
        if !open && line.is_empty() && !weather.hold {
            return to.shutdown().await.map_err(|_| Gone::Receiver);
        }
        let due = line.due(&weather);
        tokio::select! {
            biased;
            () = sky.changed() => {}
            () = arrive(due), if due.is_some() => {
                let bytes = line.next(&weather);
                to.write_all(bytes).await.map_err(|_| Gone::Receiver)?;
                let written = bytes.len();
                tally.passed(sky.way, written);
                line.arrived(written, &weather, Instant::now());
            }
            read = from.read(&mut buffer), if open && line.has_room() => {
                let bytes = &buffer[..read.map_err(|_| Gone::Sender)?];
                open = !bytes.is_empty();
                if open {
                    meet(bytes.len(), &weather, tally);
                    line.push(bytes, &weather, luck(), Instant::now());
                }
            }
        }
    }
}

/// What these bytes met on their way.
fn meet(bytes: usize, weather: &Weather, tally: &Tally) {
    if weather.hold {
        tally.held(bytes);
    } else if !weather.is_calm() {
        tally.slowed(bytes);
    }
}

async fn arrive(due: Option<Instant>) {
    // The timer's tick is a millisecond; what is due goes at once.
    if let Some(due) = due.filter(|due| *due > Instant::now()) {
        tokio::time::sleep_until(due.into()).await;
    }
}

/// Somewhere in 0..1. Network jitter follows no seed.
fn luck() -> f64 {
    let random = RandomState::new().hash_one(0_u8);
    (random >> 11) as f64 / (1_u64 << 53) as f64
}
