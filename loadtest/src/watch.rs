//! Watches a run: takes its intervals, judges its steps, ends it at the knee, and waits for what is still on its way.
//! Must never wait for the server with the plan: what is due is due.

use std::rc::Rc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::crowd::Crowd;
use crate::knee::{self, Step};
use crate::plan;
use crate::report::{bottleneck, millis};
use crate::settings::{Settings, Steps};
use crate::stage::Stage;
use crate::timeline::Timeline;
use crate::usage::{Recorder, Usage};
use crate::view::View;

/// Silence after the last expected delivery, in which a doubled one would show.
const AFTERMATH: Duration = Duration::from_millis(300);

/// Where things stood at some time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// Since the beginning of the run.
    pub at: Duration,
    /// Posts and comments acknowledged by then.
    pub acknowledged: u64,
    /// Events received by then.
    pub events: u64,
    /// Due and without an answer.
    pub backlog: u64,
}

/// A run under watch.
pub struct Watch {
    stage: Rc<Stage>,
    began: Instant,
    patience: Duration,
    limits: Option<Steps>,
    recorder: Option<Recorder>,
    /// Dropped, the plan ends.
    stop: Option<mpsc::Sender<()>>,
    /// Intervals.
    pub timeline: Timeline,
    /// Steps so far, if there are any.
    pub steps: Vec<Step>,
    /// Where things stood when each span began.
    pub begun: Vec<Mark>,
    /// And when it ended.
    pub ended: Vec<Mark>,
    /// Refusals up to the last step that was judged.
    refused: u64,
}

impl Watch {
    /// Begins with the plan.
    #[must_use]
    pub fn begin(stage: Rc<Stage>, settings: &Settings, recorder: Recorder, stop: mpsc::Sender<()>) -> Self {
        Self {
            began: stage.began.get().unwrap_or_else(Instant::now),
            patience: Duration::from_secs_f64(settings.patience),
            limits: settings.steps.clone(),
            recorder: Some(recorder),
            stop: Some(stop),
            timeline: Timeline::of(plan::end(&stage.spans)),
            steps: Vec::new(),
            begun: Vec::new(),
            ended: Vec::new(),
            refused: 0,
            stage,
        }
    }

    /// Until the plan is carried out and everything has come, or nothing comes any more.
    ///
    /// # Errors
    /// A connection gave up.
    pub async fn follow(
        &mut self,
        crowd: &mut Crowd,
        view: &mut View,
        all_heard: &dyn Fn(&Stage) -> bool,
    ) -> Result<()> {
        let end = plan::end(&self.stage.spans);
        while self.began.elapsed() < end && !self.stage.halted.get() {
            crowd.look().await?;
            self.look(view);
        }
        let (mut progress, mut since) = (self.progress(), Instant::now());
        while since.elapsed() < self.patience && !(crowd.all_answered() && all_heard(&self.stage)) {
            crowd.look().await?;
            self.look(view);
            if self.progress() != progress {
                (progress, since) = (self.progress(), Instant::now());
            }
        }
        tokio::time::sleep(AFTERMATH).await;
        self.look(view);
        Ok(())
    }

    /// Ends the plan and the samples.
    pub fn stop(&mut self) -> Usage {
        self.stop = None;
        self.recorder.take().map_or_else(Usage::default, Recorder::stop)
    }

    /// Changes as long as anything comes.
    fn progress(&self) -> (u64, u64, u64, usize) {
        let meters = self.stage.meters.borrow();
        (meters.acknowledged, meters.refused(), meters.events, self.stage.open.get())
    }

    fn look(&mut self, view: &mut View) {
        let now = self.began.elapsed();
        while self.stage.spans.get(self.begun.len()).is_some_and(|span| span.begins <= now) {
            self.begun.push(self.mark(now));
        }
        while self.stage.spans.get(self.ended.len()).is_some_and(|span| span.ends <= now) {
            self.ended.push(self.mark(now));
        }
        if let Some(tick) = self.timeline.look(&self.stage, now) {
            let lately = now.saturating_sub(Duration::from_secs(1));
            let cores = self.recorder.as_ref().map(|recorder| recorder.between(lately, now)).unwrap_or_default();
            view.tick(tick, &self.stage.spans[tick.span], cores);
        }
        self.judge_step(now, view);
    }

    fn mark(&self, now: Duration) -> Mark {
        let backlog = self.stage.backlog(now);
        let meters = self.stage.meters.borrow();
        Mark { at: now, acknowledged: meters.acknowledged, events: meters.events, backlog }
    }

    /// Judges a step when its rest is over, so that what was late has had time to come.
    fn judge_step(&mut self, now: Duration, view: &mut View) {
        let warm_ups = self.stage.spans.iter().filter(|span| !span.measured).count();
        let number = warm_ups + self.steps.len();
        let over = self.stage.spans.get(number).is_some_and(|span| span.ends + span.rest <= now);
        let (Some(limits), true, false) = (&self.limits, over, self.stage.halted.get()) else {
            return;
        };
        let step = self.step(number);
        self.refused += step.refused;
        let span = &self.stage.spans[number];
        let p99 = step.p99_ms.unwrap_or_default();
        match knee::passed(&step, limits) {
            None => view.say(&format!("{}: {:.0}/s kept the limits, p99 {p99:.1} ms", span.name, step.rate)),
            Some(why) => {
                view.say(&format!("{}: {:.0}/s did not: {why}", span.name, step.rate));
                self.stage.halted.set(true);
                self.stop = None;
            }
        }
        self.steps.push(step);
    }

    fn step(&self, number: usize) -> Step {
        let span = &self.stage.spans[number];
        let meters = self.stage.meters.borrow();
        let times = &meters.spans[number];
        let measured = if times.delivery.is_empty() { &times.ack } else { &times.delivery };
        let cores = self.recorder.as_ref().map(|recorder| recorder.between(span.begins, span.ends)).unwrap_or_default();
        Step {
            rate: span.work(),
            p99_ms: (!measured.is_empty()).then(|| millis(measured.value_at_quantile(0.99))),
            backlog: self.ended.get(number).map_or(0, |mark| mark.backlog),
            refused: meters.refused() - self.refused,
            client_bound: bottleneck(cores.client, millis(times.lag.value_at_quantile(0.99))),
        }
    }
}
