//! All connections of one run: watched together, failed together.
//! Must never go on with fewer than were asked for.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use tokio::task::JoinHandle;

use crate::history::Outcome;
use crate::schedule::Order;
use crate::stage::Stage;

/// How often conditions are looked at while waiting.
const LOOK: Duration = Duration::from_millis(20);

/// The connections of a run.
pub struct Crowd {
    /// What they share.
    pub stage: Rc<Stage>,
    /// One for each.
    pub tasks: Vec<JoinHandle<Result<()>>>,
    /// What each is told. Held to the end: a connection whose orders end closes.
    pub orders: Vec<tokio::sync::mpsc::UnboundedSender<Order>>,
}

impl Crowd {
    /// A moment of waiting for connections.
    ///
    /// # Errors
    /// One gave up, or time is.
    pub async fn wait(&mut self, deadline: Instant, bar: &ProgressBar) -> Result<()> {
        if Instant::now() > deadline {
            let closes = self.stage.meters.borrow().closes.clone();
            bail!("only {} connections opened; what happened: {closes:?}", self.stage.open.get());
        }
        bar.set_position(self.stage.open.get() as u64);
        self.fail_if_one_failed().await?;
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }

    /// A moment of watching the run.
    ///
    /// # Errors
    /// One gave up.
    pub async fn look(&mut self, bar: &ProgressBar) -> Result<()> {
        tokio::time::sleep(LOOK).await;
        {
            let meters = self.stage.meters.borrow();
            bar.set_position(meters.ack.len());
            bar.set_message(format!("{} deliveries", meters.events));
        }
        self.fail_if_one_failed().await
    }

    async fn fail_if_one_failed(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.iter().position(JoinHandle::is_finished) {
            let outcome = self.tasks.swap_remove(ended).await;
            outcome.context("a connection's task failed")?.context("a connection gave up")?;
        }
        Ok(())
    }

    /// Whether every post has its answer.
    #[must_use]
    pub fn all_answered(&self) -> bool {
        // Whoever got no answer by now is waited for; refusals and "unavailable" are answers.
        let meters = self.stage.meters.borrow();
        let refused: u64 = meters.refusals.values().sum();
        let done = self
            .stage
            .outcomes
            .borrow()
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Acknowledged { .. }))
            .count();
        done as u64 + refused >= self.stage.plan.len() as u64
    }
}
