//! All connections of one run: watched together, failed together.
//! Must never go on with fewer than were asked for.

use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::ProgressBar;
use tokio::task::JoinHandle;

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
    pub async fn look(&mut self) -> Result<()> {
        tokio::time::sleep(LOOK).await;
        self.fail_if_one_failed().await
    }

    async fn fail_if_one_failed(&mut self) -> Result<()> {
        while let Some(ended) = self.tasks.iter().position(JoinHandle::is_finished) {
            let outcome = self.tasks.swap_remove(ended).await;
            outcome.context("a connection's task failed")?.context("a connection gave up")?;
        }
        Ok(())
    }

    /// Whether every post that was asked for has its answer; refusals and "unavailable" are answers.
    #[must_use]
    pub fn all_answered(&self) -> bool {
        let stage = &self.stage;
        let asked = if stage.halted.get() {
            stage.asked.borrow().iter().filter(|asked| **asked).count()
        } else {
            stage.plan.len()
        };
        let meters = stage.meters.borrow();
        meters.acknowledged + meters.refused() >= asked as u64
    }
}
