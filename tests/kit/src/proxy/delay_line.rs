//! Owns the bytes under way in one direction and says when the next may arrive. Pure: time is an argument.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::weather::Weather;

/// Bytes under way at most, as in a socket's buffers; a sender is not read further beyond that.
const LINE_BYTES: usize = 256 * 1024;
/// A narrow line writes about this often a second, so that its rate is even.
const WRITES_PER_SECOND: u32 = 20;

#[derive(Debug)]
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    /// How much of it has arrived already.
    arrived: usize,
}

/// Bytes under way, in order.
#[derive(Debug, Default)]
pub(super) struct DelayLine {
    pieces: VecDeque<Piece>,
    waiting: usize,
    /// A narrow line is still busy with what went before.
    busy_until: Option<Instant>,
}

impl DelayLine {
    pub(super) fn has_room(&self) -> bool {
        self.waiting < LINE_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Takes bytes in; `luck` in 0..1 says how much of the jitter they meet.
    pub(super) fn push(&mut self, bytes: &[u8], weather: &Weather, luck: f64, now: Instant) {
        let due = now + weather.latency + weather.jitter.mul_f64(luck);
        // Order is kept: nobody overtakes.
        let due = self.pieces.back().map_or(due, |last| due.max(last.due));
        self.waiting += bytes.len();
        self.pieces.push_back(Piece { due, bytes: bytes.to_vec(), arrived: 0 });
    }

    /// When the next bytes may arrive; nothing while there are none or a black hole has them.
    pub(super) fn due(&self, weather: &Weather) -> Option<Instant> {
        let first = self.pieces.front().filter(|_| !weather.hold)?;
        let busy = self.busy_until.filter(|_| weather.bytes_per_second.is_some());
        Some(busy.map_or(first.due, |busy| busy.max(first.due)))
    }

    /// The bytes of the next write.
    pub(super) fn next(&self, weather: &Weather) -> &[u8] {
        let Some(first) = self.pieces.front() else { return &[] };
        let waiting = &first.bytes[first.arrived..];
        let even = weather.bytes_per_second.map(|rate| (rate / WRITES_PER_SECOND).max(1) as usize);
        let most = [weather.chunk, even].into_iter().flatten().min().unwrap_or(usize::MAX);
        &waiting[..waiting.len().min(most.max(1))]
    }

    /// That many bytes have arrived.
    pub(super) fn arrived(&mut self, bytes: usize, weather: &Weather, now: Instant) {
        self.waiting -= bytes;
        if let Some(first) = self.pieces.front_mut() {
            first.arrived += bytes;
            if first.arrived == first.bytes.len() {
                self.pieces.pop_front();
            }
        }
        self.busy_until = weather.bytes_per_second.map(|rate| {
            let takes = Duration::from_secs_f64(bytes as f64 / f64::from(rate.max(1)));
            self.busy_until.map_or(now, |busy| busy.max(now)) + takes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn calm_bytes_are_due_at_once_and_in_order() {
        let (mut line, now, calm) = (DelayLine::default(), Instant::now(), Weather::default());
        line.push(b"one", &calm, 0.5, now);
        line.push(b"two", &calm, 0.5, now);
        assert_eq!((line.due(&calm), line.next(&calm)), (Some(now), &b"one"[..]));
        line.arrived(3, &calm, now);
        assert_eq!(line.next(&calm), b"two");
        line.arrived(3, &calm, now);
        assert!(line.is_empty() && line.due(&calm).is_none());
    }

    #[test]
    fn jitter_never_lets_later_bytes_overtake() {
        let (mut line, now) = (DelayLine::default(), Instant::now());
        let late = Weather::late(10 * MS, 10 * MS);
        line.push(b"slow", &late, 1.0, now);
        line.push(b"fast", &late, 0.0, now + MS);
        assert_eq!(line.due(&late), Some(now + 20 * MS));
        line.arrived(4, &late, now + 20 * MS);
        assert_eq!(line.due(&late), Some(now + 20 * MS), "not at 11 ms");
    }

    #[test]
    fn a_narrow_line_keeps_its_rate_and_a_dribble_its_size() {
        let (mut line, now, narrow) = (DelayLine::default(), Instant::now(), Weather::narrow(1_000));
        line.push(&[7; 100], &narrow, 0.0, now);
        let first = line.next(&narrow).len();
        assert_eq!(first, 50);
        line.arrived(first, &narrow, now);
        assert_eq!(line.due(&narrow), Some(now + 50 * MS));
        assert_eq!(line.next(&Weather::dribble(1_000)).len(), 1);
        assert_eq!(line.due(&Weather::default()), Some(now), "a line that is wide again is not busy");
    }

    #[test]
    fn a_black_hole_holds_and_fills_up() {
        let (mut line, now, hole) = (DelayLine::default(), Instant::now(), Weather::black_hole());
        line.push(&vec![0; LINE_BYTES], &hole, 0.0, now);
        assert!(!line.has_room());
        assert_eq!(line.due(&hole), None);
        assert_eq!(line.due(&Weather::default()), Some(now));
    }
}
