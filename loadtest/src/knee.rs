//! Where the knee is: the last step that kept the limits, and the first that did not.
//! Pure: steps in, a verdict out. Must never call a step good of which too little was measured to say so.

use serde::{Deserialize, Serialize};

use crate::settings::Steps;

/// One step as it came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Posts and comments a second that were asked for.
    pub rate: f64,
    /// p99 of the deliveries of what was due in it; of the acknowledgements where there were none.
    pub p99_ms: Option<f64>,
    /// Due and without an answer at its end.
    pub backlog: u64,
    /// Answered with a refusal while it lasted.
    pub refused: u64,
    /// Why the harness itself was what could not do more, if it was.
    pub client_bound: Option<String>,
}

/// What the steps found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Knee {
    /// The highest rate that kept the limits, in posts and comments a second.
    pub held: Option<f64>,
    /// The rate that did not; none if all did.
    pub broke: Option<f64>,
    /// In words: what passed which limit.
    pub why: String,
    /// The harness was what could not do more: the server may carry more than this.
    pub client_bound: bool,
}

/// Which limit a step passed, in words.
#[must_use]
pub fn passed(step: &Step, limits: &Steps) -> Option<String> {
    #[expect(clippy::cast_precision_loss, reason = "posts in flight are few")]
    let waiting = step.backlog as f64 / step.rate.max(f64::MIN_POSITIVE);
    match step.p99_ms {
        None => Some("nothing was delivered or acknowledged".to_owned()),
        Some(p99) if p99 > limits.p99_ms => Some(format!("p99 {p99:.1} ms, more than {} ms", limits.p99_ms)),
        Some(_) if waiting > limits.backlog_seconds => Some(format!(
            "{} without an answer when the step ended, {waiting:.2} s worth, more than {} s",
            step.backlog, limits.backlog_seconds
        )),
        Some(_) if step.refused > 0 => Some(format!("{} refused", step.refused)),
        Some(_) => None,
    }
}

/// The knee of these steps, the last of which may have passed a limit.
#[must_use]
pub fn find(steps: &[Step], limits: &Steps) -> Knee {
    let broke = steps.iter().position(|step| passed(step, limits).is_some());
    let held = steps[..broke.unwrap_or(steps.len())].last();
    let last = broke.map_or(held, |at| steps.get(at));
    let client = last.and_then(|step| step.client_bound.as_deref());
    let mut why = match broke.and_then(|at| passed(&steps[at], limits)) {
        Some(why) => why,
        None => "all steps kept the limits: the knee is further up".to_owned(),
    };
    if let Some(client) = client {
        why = format!("{why}; CLIENT-BOUND: {client}");
    }
    Knee {
        held: held.map(|step| step.rate),
        broke: broke.map(|at| steps[at].rate),
        why,
        client_bound: client.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue: latency grows as the rate nears what can be done, and beyond it what is due piles up.
    fn curve(capacity: f64, rates: &[f64]) -> Vec<Step> {
        let step = |&rate: &f64| {
            let busy = (rate / capacity).min(0.999);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a test's own numbers")]
            let backlog = ((rate - capacity).max(0.0) * 5.0) as u64;
            Step { rate, p99_ms: Some(2.0 / (1.0 - busy)), backlog, refused: 0, client_bound: None }
        };
        rates.iter().map(step).collect()
    }

    const RATES: &[f64] = &[100.0, 200.0, 400.0, 800.0, 1600.0];

    #[test]
    fn the_knee_is_the_last_step_within_the_limits() {
        let limits = Steps { p99_ms: 20.0, ..Steps::default() };
        let knee = find(&curve(900.0, RATES), &limits);
        assert_eq!((knee.held, knee.broke), (Some(800.0), Some(1600.0)), "{}", knee.why);
        assert!(knee.why.contains("more than 20 ms"), "{}", knee.why);
        // 800 of 850 a second queue for 34 ms.
        assert_eq!(find(&curve(850.0, RATES), &limits).held, Some(400.0));
    }

    #[test]
    fn a_backlog_alone_is_a_knee() {
        let mut steps = curve(10_000.0, RATES);
        steps[3].backlog = 401;
        let knee = find(&steps, &Steps::default());
        assert_eq!((knee.held, knee.broke), (Some(400.0), Some(800.0)));
        assert!(knee.why.contains("401 without an answer") && knee.why.contains("0.50 s worth"), "{}", knee.why);
    }

    #[test]
    fn a_step_that_is_refused_is_not_carried() {
        let mut steps = curve(10_000.0, RATES);
        steps[2].refused = 1;
        let knee = find(&steps, &Steps::default());
        assert_eq!((knee.held, knee.why.as_str()), (Some(200.0), "1 refused"));
    }

    #[test]
    fn what_breaks_once_is_broken_though_a_later_step_holds() {
        let mut steps = curve(10_000.0, RATES);
        steps[1].p99_ms = Some(70.0);
        assert_eq!(find(&steps, &Steps::default()).held, Some(100.0));
        steps[0].p99_ms = None;
        let knee = find(&steps, &Steps::default());
        assert_eq!((knee.held, knee.broke), (None, Some(100.0)));
    }

    #[test]
    fn without_a_break_the_knee_is_further_up_and_a_busy_client_says_so() {
        let mut steps = curve(1e9, RATES);
        let knee = find(&steps, &Steps::default());
        assert_eq!((knee.held, knee.broke, knee.client_bound), (Some(1600.0), None, false));
        assert!(knee.why.contains("further up"));
        steps[4].client_bound = Some("0.99 cores".to_owned());
        steps[4].p99_ms = Some(99.0);
        let knee = find(&steps, &Steps::default());
        assert!(knee.client_bound && knee.why.contains("CLIENT-BOUND: 0.99 cores"), "{}", knee.why);
    }
}
