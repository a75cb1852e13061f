//! The examiner examined: good histories must pass, and every anomaly put into one must be found by its invariant.
//! Must never let a mutation pass unseen: an examiner that overlooks something is worse than none.

pub mod specimen;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::examine::judge::{Patience, judge};

    #[test]
    fn good_histories_pass() {
        for seed in 0..300 {
            let verdict = judge(&specimen::good(seed), Patience::default());
            assert!(verdict.violations.is_empty(), "seed {seed}: {}", verdict.violations[0]);
        }
    }
}
