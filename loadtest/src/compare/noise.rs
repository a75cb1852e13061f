//! Whether two sets of measurements differ by more than chance: the rank-sum test of Mann and Whitney over slices of runs.
//! Pure. Must never assume how measurements are spread: latencies are anything but normal.

/// Slices that a part of a run is cut into. Neighbouring intervals resemble each other, so that each of them is not a
/// measurement of its own; the median of a dozenth of the part is nearly one.
pub const SLICES: usize = 12;
/// Fewer slices than this on a side can show nothing.
const FEWEST: usize = 5;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// Median before.
    pub from: f64,
    /// Median after.
    pub to: f64,
    /// How likely such an order would be by chance alone; none if there is too little to say.
    pub chance: Option<f64>,
    /// The largest relative difference between the medians of two runs of the same side, or of two thirds of one run:
    /// what moved by itself, without anything being changed.
    pub drift: f64,
}

/// Compares runs with runs, each a list of intervals.
#[must_use]
pub fn find(before: &[Vec<f64>], after: &[Vec<f64>]) -> Finding {
    let pooled = |runs: &[Vec<f64>]| runs.iter().flat_map(|run| slices(run)).collect::<Vec<f64>>();
    let (one, other) = (pooled(before), pooled(after));
    let enough = one.len() >= FEWEST && other.len() >= FEWEST;
    Finding {
        from: median(&one),
        to: median(&other),
        chance: enough.then(|| chance(&one, &other)),
        drift: [before, after].into_iter().map(drift).fold(0.0, f64::max),
    }
}

fn drift(runs: &[Vec<f64>]) -> f64 {
    let thirds = |run: &Vec<f64>| {
        let third = |number: usize| run[run.len() * number / 3..run.len() * (number + 1) / 3].to_vec();
        spread(&[third(0), third(1), third(2)])
    };
    runs.iter().map(thirds).fold(spread(runs), f64::max)
}

/// The largest median of a run over the smallest, less one.
fn spread(runs: &[Vec<f64>]) -> f64 {
    let medians: Vec<f64> = runs.iter().map(|run| median(run)).collect();
    let most = medians.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
    if least > 0.0 { most / least - 1.0 } else { 0.0 }
}

/// The median of each slice.
fn slices(run: &[f64]) -> Vec<f64> {
    let slices = SLICES.min(run.len()).max(1);
    (0..slices).map(|slice| &run[run.len() * slice / slices..run.len() * (slice + 1) / slices]).map(median).collect()
}

/// The middle one; 0 of nothing.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// Two-sided, by the normal approximation with ties; it is good enough from five on a side, and errs towards chance.
#[expect(clippy::cast_precision_loss, reason = "dozens of slices")]
fn chance(one: &[f64], other: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        one.iter().map(|value| (*value, true)).chain(other.iter().map(|value| (*value, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut at) = (0.0, 0.0, 0);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let count = tied.len() as f64;
        let rank = at as f64 + f64::midpoint(count, 1.0);
        ranks += rank * tied.iter().filter(|(_, first)| *first).count() as f64;
        ties += count.powi(3) - count;
        at += tied.len();
    }
    let (n, m) = (one.len() as f64, other.len() as f64);
    let u = ranks - n * (n + 1.0) / 2.0;
    let all = n + m;
    let variance = n * m / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    if variance <= 0.0 {
        return 1.0;
    }
    let distance = ((u - n * m / 2.0).abs() - 0.5).max(0.0) / variance.sqrt();
    outside(distance)
}

/// How much of a normal distribution lies further out than this many deviations, on both sides (Abramowitz and Stegun
/// 7.1.26, good to 1.5e-7).
fn outside(deviations: f64) -> f64 {
    let x = deviations / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let terms = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let sum = terms.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    (sum * (-x * x).exp()).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;

    fn run(level: f64, rng: &mut StdRng) -> Vec<f64> {
        (0..120).map(|_| level * (1.0 + 0.4 * rng.random::<f64>())).collect()
    }

    #[test]
    fn the_normal_tail_is_right() {
        assert!((outside(1.96) - 0.05).abs() < 1e-4);
        assert!((outside(2.576) - 0.01).abs() < 1e-4);
        assert!((outside(0.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn runs_alike_are_seldom_called_different() {
        let mut rng = StdRng::seed_from_u64(1);
        let alarms = (0..2000)
            .filter(|_| find(&[run(5.0, &mut rng)], &[run(5.0, &mut rng)]).chance.is_some_and(|chance| chance < 0.01))
            .count();
        // One in a hundred is what the threshold allows.
        assert!(alarms < 35, "{alarms} of 2,000");
    }

    #[test]
    fn a_real_change_is_seen_through_the_noise() {
        let mut rng = StdRng::seed_from_u64(2);
        for _ in 0..200 {
            let found = find(&[run(5.0, &mut rng)], &[run(6.0, &mut rng)]);
            assert!(found.chance.is_some_and(|chance| chance < 0.001), "{found:?}");
            assert!((1.1..1.3).contains(&(found.to / found.from)));
        }
    }

    #[test]
    fn too_little_says_nothing_and_equal_values_are_equal() {
        assert_eq!(find(&[vec![1.0; 4]], &[vec![2.0; 100]]).chance, None);
        assert_eq!(find(&[vec![1.0; 50]], &[vec![1.0; 50]]).chance, Some(1.0));
        assert_eq!(find(&[], &[vec![1.0; 50]]).chance, None);
    }

    #[test]
    fn what_moves_by_itself_is_drift() {
        let found = find(&[vec![10.0; 20], vec![13.0; 20]], &[vec![12.0; 20]]);
        assert!((found.drift - 0.3).abs() < 1e-9);
        let rising: Vec<f64> = (0..30).map(|number| if number < 10 { 10.0 } else { 14.0 }).collect();
        assert!((find(&[rising], &[vec![12.0; 20]]).drift - 0.4).abs() < 1e-9);
    }
}
