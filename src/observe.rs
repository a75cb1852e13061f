//! Logs and numbers: where they go and how they look.
//! Must never be given a secret: what may not be logged has a type that cannot be printed (P9).

use std::io::IsTerminal;
use std::sync::OnceLock;
use std::time::Duration;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};

/// From a tenth of a millisecond, a read from memory, to the patience of a client.
const SECONDS: &[f64] = &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Sizes of batches, queues, fan-outs.
const COUNTS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 400.0, 1_000.0, 10_000.0];
/// How often histograms are tidied, so that they do not grow between two looks at them.
const UPKEEP: Duration = Duration::from_secs(5);

/// Why logging cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ObserveFault {
    /// The setting `log`.
    #[error("setting `log` cannot be read: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Somebody else has set it up.
    #[error("logging is set up already")]
    Twice,
}

/// Sends logs to stderr, as configured. Once in a process.
///
/// # Errors
/// When the filter cannot be read.
pub fn log(config: &Config) -> Result<(), ObserveFault> {
    let filter = EnvFilter::try_new(&config.log)?;
    let on_terminal = std::io::stderr().is_terminal();
    let format = config.log_format.unwrap_or(if on_terminal { LogFormat::Text } else { LogFormat::Json });
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
        LogFormat::Text => lines.with_ansi(on_terminal).try_init(),
    }
    .map_err(|_| ObserveFault::Twice)
}

/// Makes every panic loud: counted, and told with its place. Where it is caught, and by whom, is another question.
///
/// A message that was put together at run time is left out: it may quote what people wrote (P9), as slicing a text does.
pub fn alarm_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("(not shown)");
        let thread = std::thread::current();
        metrics::counter!("tidings_panics_total").increment(1);
        tracing::error!(%place, message, thread = thread.name(), "a panic");
    }));
}

/// The numbers of this process; set up at the first call.
///
/// # Panics
/// When something else in the process has set up a recorder of its own.
#[must_use]
pub fn numbers() -> PrometheusHandle {
    static NUMBERS: OnceLock<PrometheusHandle> = OnceLock::new();
    let recorder = || {
        PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)
            .and_then(|builder| builder.set_buckets(COUNTS))
            .and_then(PrometheusBuilder::install_recorder)
            .expect("the buckets are not empty and no other recorder is set up")
    };
    NUMBERS.get_or_init(recorder).clone()
}

/// Keeps the numbers tidy, for as long as it is polled.
pub async fn keep_tidy(numbers: PrometheusHandle) {
    loop {
        tokio::time::sleep(UPKEEP).await;
        numbers.run_upkeep();
    }
}
