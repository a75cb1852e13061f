//! What one was shown against what one may see (I12, P5), and what one read against what one had written (I11).
//! Must never demand that something is shown: that is `watch`.

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::circle::Now;
use super::ledger::Ledger;
use super::life::{Id, Life, Story};
use super::request::{Outcome, Request};
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Op, Seen, Thing};

/// An event as recorded.
#[derive(Clone, Copy)]
pub(super) struct Push {
    /// The subscription.
    pub feed: FeedName,
    /// The entry.
    pub seq: u64,
    /// What it shows.
    pub seen: Seen,
    /// Where it stands.
    pub record: usize,
    /// The client did not read for a while: what comes late was sent in time.
    pub slow: bool,
}

/// One pair of eyes.
#[derive(Clone, Copy)]
pub(super) struct Eyes<'a> {
    /// The history.
    pub ledger: &'a Ledger<'a>,
    /// The journal that it was told of.
    pub life: &'a Life,
    /// Whose client.
    pub viewer: Uuid,
    /// How long a change may take to hold.
    pub patience: Patience,
}

impl Eyes<'_> {
    /// Nothing that is removed, nothing of strangers, nothing that belongs elsewhere.
    pub fn meet(&self, push: Push, id: Id, verdict: &mut Verdict) {
        let story = &self.life.stories[id as usize];
        if !Life::may_show(push.feed, self.viewer, story) {
            let says = format!("{:?} on `{}`, where it does not belong", story.thing, push.feed);
            verdict.accuse(Invariant::Visibility, says, [push.record]);
        }
        if push.seen.gone {
            return;
        }
        if let Some(end) = self.life.end_of(story) {
            let late = !push.slow && end.acknowledged.is_some_and(|told| self.is_late(told, push.record));
            if push.seq >= end.rev || late {
                let says = format!("{:?} was removed at {}, and shown as entry {}", story.thing, end.rev, push.seq);
                verdict.accuse(Invariant::Visibility, says, [end.record, push.record]);
            }
        }
        if let Some(author) = story.author.filter(|author| push.feed == FeedName::Home && *author != self.viewer) {
            self.followed(push, story, author, verdict);
        }
    }

    fn followed(&self, push: Push, story: &Story, author: Uuid, verdict: &mut Verdict) {
        let circles = &self.life.circles;
        let never = !circles.may(self.viewer, author, push.seq, push.record);
        let reached = self.life.reached(push.record);
        let (clock, patience) = (&self.ledger.clock, self.patience.revocation);
        let now = Now { record: push.record, reached, clock, patience };
        let over = circles.over((self.viewer, author), now).filter(|_| !push.slow);
        if never || over.is_some() {
            let says =
                format!("{:?} as entry {} on `home` of somebody who does not follow its author", story.thing, push.seq);
            verdict.accuse(Invariant::Visibility, says, over.into_iter().chain([push.record]));
        }
    }

    fn is_late(&self, told: usize, record: usize) -> bool {
        told < record && self.ledger.clock.is_late(told, record, self.patience.revocation)
    }

    /// People see what they have written, once it is answered.
    pub fn read(&self, told: &Request, seen: Option<&Seen>, record: usize, verdict: &mut Verdict) {
        let Op::Read(thing) = told.op else { return };
        let Some(story) = self.life.story(thing).filter(|story| story.author == Some(self.viewer)) else { return };
        let own = story.states.iter().rev().filter_map(|state| state.acknowledged.map(|answered| (state, answered)));
        let Some((state, answered)) = own.into_iter().find(|(_, answered)| *answered < told.asked) else { return };
        let says = match seen {
            Some(seen) if seen.rev < state.rev => format!("at rev {}", seen.rev),
            None if told.outcome == Outcome::NotFound
                && !state.gone
                && self.life.end_of(story).is_none()
                && !self.ledger.may_be_gone(self.life, story, record) =>
            {
                "as not there".to_owned()
            }
            Some(_) | None => return,
        };
        let says = format!("{thing:?} read {says}, after its author was answered rev {}", state.rev);
        verdict.accuse(Invariant::ReadYourWrites, says, [answered, told.asked, record]);
    }

    /// Everybody: no thing is read older than one has read it before.
    pub fn read_again(&self, thing: Thing, before: (u64, usize), seen: &Seen, record: usize, verdict: &mut Verdict) {
        if seen.rev < before.0 {
            let says = format!("{thing:?} read at rev {}, after rev {}", seen.rev, before.0);
            verdict.accuse(Invariant::ReadYourWrites, says, [before.1, record]);
        }
    }
}
