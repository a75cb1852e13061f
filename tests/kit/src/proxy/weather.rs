//! Owns the conditions of a link. Pure: it says what holds, the pump does it.

use std::time::Duration;

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From those who connect to the part behind.
    Up,
    /// From the part behind to those who connected.
    Down,
    /// Each of them.
    Both,
}

/// The conditions one way. The default is calm: bytes go on as they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weather {
    /// What every byte waits.
    pub latency: Duration,
    /// What it waits at most beside that; order is kept.
    pub jitter: Duration,
    /// Bytes a second of each connection.
    pub bytes_per_second: Option<u32>,
    /// Bytes in one write; 1 dribbles.
    pub chunk: Option<usize>,
    /// Nothing arrives; it waits in the line, and senders block once that is full. A black hole, as TCP shows it.
    pub hold: bool,
    /// Only every so-many-th connection is concerned.
    pub one_in: u64,
}

impl Default for Weather {
    fn default() -> Self {
        let none = Duration::ZERO;
        Self { latency: none, jitter: none, bytes_per_second: None, chunk: None, hold: false, one_in: 1 }
    }
}

impl Weather {
    /// A black hole.
    #[must_use]
    pub fn black_hole() -> Self {
        Self { hold: true, ..Self::default() }
    }

    /// Late, and not always equally.
    #[must_use]
    pub fn late(latency: Duration, jitter: Duration) -> Self {
        Self { latency, jitter, ..Self::default() }
    }

    /// Narrow.
    #[must_use]
    pub fn narrow(bytes_per_second: u32) -> Self {
        Self { bytes_per_second: Some(bytes_per_second), ..Self::default() }
    }

    /// Byte by byte.
    #[must_use]
    pub fn dribble(bytes_per_second: u32) -> Self {
        Self { chunk: Some(1), ..Self::narrow(bytes_per_second) }
    }

    /// For every so-many-th connection alone.
    #[must_use]
    pub fn one_in(self, one_in: u64) -> Self {
        Self { one_in: one_in.max(1), ..self }
    }

    pub(super) fn is_calm(&self) -> bool {
        *self == Self { one_in: self.one_in, ..Self::default() }
    }
}

/// The conditions both ways.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skies {
    up: Weather,
    down: Weather,
}

impl Skies {
    pub(super) fn set(&mut self, way: Way, weather: Weather) {
        if way != Way::Down {
            self.up = weather;
        }
        if way != Way::Up {
            self.down = weather;
        }
    }

    /// What holds for this connection.
    pub(super) fn over(&self, way: Way, number: u64) -> Weather {
        let weather = if way == Way::Up { self.up } else { self.down };
        if number.is_multiple_of(weather.one_in.max(1)) { weather } else { Weather::default() }
    }
}
