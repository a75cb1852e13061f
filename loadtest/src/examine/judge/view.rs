//! What one client holds of one feed, by the `rev` rule, and what it must hold by the journal.
//! Must never hold what the client was not sent.

use std::collections::HashMap;
use std::rc::Rc;

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::ledger::{Ledger, Outcome, Story, Want};
use super::{Invariant, Verdict};
use crate::examine::history::{Seen, Thing};

/// Things in the order of their last change: by then everybody who watches must have them.
pub(super) type Due = Rc<Vec<(u64, Thing)>>;

/// One feed as one client holds it.
pub(super) struct Watch {
    /// Whose client.
    pub viewer: Uuid,
    /// Which.
    pub feed: FeedName,
    /// As of the last snapshot.
    pub base: u64,
    /// By the `rev` rule.
    pub members: HashMap<Thing, Seen>,
    due: Due,
    next: usize,
}

/// A snapshot as recorded.
pub(super) struct Shot<'a> {
    pub viewer: Uuid,
    pub feed: FeedName,
    pub seq: u64,
    pub members: &'a [Seen],
    pub complete: bool,
    pub record: usize,
}

impl Watch {
    /// Begins with a snapshot.
    pub fn from(shot: &Shot<'_>, due: Due) -> Self {
        let next = due.partition_point(|(rev, _)| *rev <= shot.seq);
        let members = shot.members.iter().map(|seen| (seen.thing, *seen)).collect();
        Self { viewer: shot.viewer, feed: shot.feed, base: shot.seq, members, due, next }
    }

    /// Takes an event: keep it if it is newer. A removed post takes its comments along.
    pub fn apply(&mut self, seen: &Seen) {
        let held = self.members.entry(seen.thing).or_insert(*seen);
        if seen.rev > held.rev {
            *held = *seen;
        }
        if let (Thing::Post(post), true) = (seen.thing, seen.gone) {
            self.members.retain(|_, member| member.on != Some(post));
        }
    }

    /// Everything whose last change is before `position` must have come (P3).
    pub fn demand(&mut self, ledger: &Ledger<'_>, position: u64, record: usize, verdict: &mut Verdict) {
        while let Some((rev, thing)) = self.due.get(self.next).copied().filter(|(rev, _)| *rev < position) {
            self.next += 1;
            let Some(story) = ledger.things.get(&thing) else { continue };
            if !self.must_have(ledger, story, position) {
                continue;
            }
            verdict.tally.demands += 1;
            let Some((_, state)) = story.latest() else { continue };
            let held = self.members.get(&thing);
            let has =
                if state.gone { held.is_none_or(|seen| seen.gone) } else { held.is_some_and(|seen| seen.rev >= rev) };
            if !has {
                let had = held.map_or_else(|| "nothing".to_owned(), |seen| format!("rev {}", seen.rev));
                let says = format!("{thing:?} rev {rev} never came on `{}` before {position}; it has {had}", self.feed);
                verdict.accuse(Invariant::Lost, says, [state.record, record]);
            }
        }
    }

    fn must_have(&self, ledger: &Ledger<'_>, story: &Story, position: u64) -> bool {
        let post = story.on.and_then(|post| ledger.things.get(&Thing::Post(post)));
        if post.and_then(Story::removed).is_some() {
            return false;
        }
        let Some(author) = story.author else { return false };
        self.feed != FeedName::Home
            || (ledger.is_clear(self.viewer, author) && ledger.follows(self.viewer, author, position))
    }

    /// What is held in the end must be what is there in the end (P4).
    pub fn compare(&self, ledger: &Ledger<'_>, found: &HashMap<Thing, &Seen>, last: usize, verdict: &mut Verdict) {
        verdict.tally.final_feeds += 1;
        for seen in self.members.values().filter(|seen| !seen.gone && seen.rev != 0 && ledger.is_ours(seen)) {
            let told = found.get(&seen.thing);
            if told.is_some_and(|told| told.rev == seen.rev && told.mark == seen.mark)
                || (matches!(seen.thing, Thing::Follow(..)) && told.is_some())
                || matches!((self.feed, seen.thing), (FeedName::Home, Thing::User(_)))
            {
                continue;
            }
            let then = told.map_or_else(|| "absent".to_owned(), |told| format!("rev {}", told.rev));
            let says = format!("`{}` by events shows {:?} rev {}, fetched: {then}", self.feed, seen.thing, seen.rev);
            let record = ledger.things.get(&seen.thing).and_then(|story| story.states.get(&seen.rev));
            verdict.accuse(Invariant::Snapshot, says, record.map(|state| state.record).into_iter().chain([last]));
        }
    }
}

/// Everything that belongs to a feed, by its last change.
pub(super) fn due(ledger: &Ledger<'_>, feed: FeedName, viewer: Uuid) -> Due {
    let mut due: Vec<(u64, Thing)> = Vec::new();
    for (thing, story) in &ledger.things {
        let Some((rev, _)) = story.latest() else { continue };
        if rev > ledger.base && ledger.belongs(feed, viewer, *thing, story, rev) {
            due.push((rev, *thing));
        }
    }
    due.sort_unstable();
    Rc::new(due)
}

/// A snapshot is the journal up to its `seq`: nothing else, nothing missing, nothing older (P4, P5).
pub(super) fn compare_snapshot(ledger: &Ledger<'_>, shot: &Shot<'_>, verdict: &mut Verdict) {
    verdict.tally.snapshots += 1;
    for seen in shot.members.iter().filter(|seen| !seen.gone && ledger.is_ours(seen)) {
        let Some(story) = ledger.things.get(&seen.thing) else { continue };
        if seen.rev > shot.seq {
            let says =
                format!("the snapshot of `{}` as of {} holds {:?} rev {}", shot.feed, shot.seq, seen.thing, seen.rev);
            verdict.accuse(Invariant::Snapshot, says, [shot.record]);
        }
        if let Some((end, state)) = ledger.end_of(seen.thing).filter(|(end, _)| *end <= shot.seq) {
            let says =
                format!("the snapshot of `{}` as of {} shows {:?}, removed at {end}", shot.feed, shot.seq, seen.thing);
            verdict.accuse(Invariant::Visibility, says, [state.record, shot.record]);
        }
        let clear = story.author.is_none_or(|author| ledger.is_clear(shot.viewer, author));
        if clear && seen.rev != 0 && !ledger.belongs(shot.feed, shot.viewer, seen.thing, story, shot.seq) {
            let says = format!("the snapshot of `{}` as of {} shows {:?}", shot.feed, shot.seq, seen.thing);
            verdict.accuse(Invariant::Visibility, says, [shot.record]);
        }
    }
    absences(ledger, shot, verdict);
}

fn absences(ledger: &Ledger<'_>, shot: &Shot<'_>, verdict: &mut Verdict) {
    let places = shot.members.iter().filter_map(|seen| seen.place);
    let floor = match (shot.complete, shot.feed) {
        (true, _) => 0,
        // Comments come newest first, and then older ones that these answer: no line can be drawn.
        (false, FeedName::Post(_)) => u64::MAX,
        (false, FeedName::Home | FeedName::Global | FeedName::Me | FeedName::User(_)) => {
            places.min().unwrap_or(u64::MAX)
        }
    };
    let held: HashMap<Thing, &Seen> = shot.members.iter().map(|seen| (seen.thing, seen)).collect();
    for (thing, story) in &ledger.things {
        let Some((rev, state)) = story.as_of(shot.seq).filter(|(_, state)| !state.gone) else { continue };
        let in_reach = story.place.is_none_or(|place| place >= floor);
        let is_user_elsewhere = matches!((shot.feed, thing), (FeedName::Home, Thing::User(_)));
        let clear =
            story.author.is_some_and(|author| ledger.is_clear(shot.viewer, author)) && !may_be_over(ledger, *thing);
        if rev <= ledger.base || !in_reach || is_user_elsewhere || !clear {
            continue;
        }
        if ledger.end_of(*thing).is_some_and(|(end, _)| end <= shot.seq)
            || !ledger.belongs(shot.feed, shot.viewer, *thing, story, shot.seq)
        {
            continue;
        }
        if held.get(thing).is_none_or(|seen| seen.rev < rev && seen.rev != 0) {
            let had = held.get(thing).map_or_else(|| "not at all".to_owned(), |seen| format!("at rev {}", seen.rev));
            let says = format!("the snapshot of `{}` as of {} has {thing:?} rev {rev} {had}", shot.feed, shot.seq);
            verdict.accuse(Invariant::Snapshot, says, [state.record, shot.record]);
        }
    }
}

/// Somebody asked for its removal, or that of its post, and never heard of it.
fn may_be_over(ledger: &Ledger<'_>, thing: Thing) -> bool {
    let post = ledger.things.get(&thing).and_then(|story| story.on).map(Thing::Post);
    let asked = [Some(thing), post].into_iter().flatten().filter_map(|thing| ledger.attempts.get(&Want::Gone(thing)));
    asked
        .flatten()
        .filter_map(|request| ledger.requests.get(request))
        .any(|told| matches!(told.outcome, Outcome::Unknown | Outcome::Pending))
}
