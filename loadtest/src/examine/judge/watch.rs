//! What one client holds of one feed, by the `rev` rule, and what it must hold by the journal (P3, P4).
//! Must never hold what the client was not sent.

use std::collections::HashMap;
use std::rc::Rc;

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::ledger::Ledger;
use super::life::{Id, Life, Story};
use super::{Invariant, Verdict};
use crate::examine::history::{Seen, Thing};

/// Things in the order of their last change: by then everybody who watches must have them.
pub(super) type Due = Rc<Vec<(u64, Id)>>;

/// One feed as one client holds it.
pub(super) struct Watch {
    /// Which life of the journal it is of.
    pub life: usize,
    /// Whose client.
    pub viewer: Uuid,
    /// Which.
    pub feed: FeedName,
    /// As of the last snapshot.
    pub base: u64,
    /// By the `rev` rule: which state of each thing.
    members: HashMap<Id, u64>,
    due: Due,
    next: usize,
}

/// Up to where, and what says so.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// Everything before this entry.
    pub before: u64,
    /// The record.
    pub record: usize,
}

impl Watch {
    /// Begins with a snapshot.
    pub fn from(
        (number, life): (usize, &Life),
        viewer: Uuid,
        feed: FeedName,
        base: u64,
        members: &[Seen],
        due: Due,
    ) -> Self {
        let next = due.partition_point(|(rev, _)| *rev <= base);
        let known = members.iter().filter_map(|seen| life.known(seen.thing).map(|id| (id, seen.rev)));
        Self { life: number, viewer, feed, base, members: known.collect(), due, next }
    }

    /// Takes an event: keep it if it is newer. A removed post takes its comments along.
    pub fn apply(&mut self, life: &Life, id: Id, seen: &Seen) {
        let held = self.members.entry(id).or_insert(seen.rev);
        *held = seen.rev.max(*held);
        if let (Thing::Post(post), true, FeedName::Post(_)) = (seen.thing, seen.gone, self.feed) {
            self.members.retain(|id, _| life.stories[*id as usize].on != Some(post));
        }
    }

    /// Everything whose last change is before the mark must have come.
    pub fn demand(&mut self, ledger: &Ledger<'_>, life: &Life, mark: Mark, verdict: &mut Verdict) {
        while let Some((rev, id)) = self.due.get(self.next).copied().filter(|(rev, _)| *rev < mark.before) {
            self.next += 1;
            let story = &life.stories[id as usize];
            let Some(state) = story.latest().filter(|_| self.must_have(ledger, life, story, rev, mark)) else {
                continue;
            };
            verdict.tally.demands += 1;
            let held = self.members.get(&id).copied();
            let has =
                if state.gone { held.is_none_or(|held| held >= rev) } else { held.is_some_and(|held| held >= rev) };
            if !has {
                let had = held.map_or_else(|| "nothing".to_owned(), |held| format!("rev {held}"));
                let (thing, feed, before) = (story.thing, self.feed, mark.before);
                let says = format!("{thing:?} rev {rev} never came on `{feed}` before {before}; it has {had}");
                verdict.accuse(Invariant::Lost, says, [state.record, mark.record]);
            }
        }
    }

    fn must_have(&self, ledger: &Ledger<'_>, life: &Life, story: &Story, rev: u64, mark: Mark) -> bool {
        let post = story.on.and_then(|post| life.story(Thing::Post(post)));
        let Some(author) = story.author else { return false };
        // Whoever follows somebody takes a fresh `home` for it: what lies between is none of this watch's.
        post.and_then(Story::removed).is_none()
            && rev > ledger.base
            && (self.feed != FeedName::Home || life.circles.steady(self.viewer, author, self.base, mark.before))
    }

    /// What is held in the end must be what is there in the end (P4).
    pub fn compare(
        &self,
        ledger: &Ledger<'_>,
        life: &Life,
        found: &HashMap<Thing, &Seen>,
        last: usize,
        verdict: &mut Verdict,
    ) {
        verdict.tally.final_feeds += 1;
        for (id, rev) in &self.members {
            let story = &life.stories[*id as usize];
            // People of old are not fetched again, and people on `home` go with what they wrote.
            let is_elsewhere = matches!((self.feed, story.thing), (FeedName::Home, Thing::User(_)));
            if *rev == 0 || story.is_gone_at(*rev) || is_elsewhere || story.author.is_none() {
                continue;
            }
            let told = found.get(&story.thing);
            let is_same = told.is_some_and(|told| told.rev == *rev || matches!(story.thing, Thing::Follow(..)));
            if is_same || (*rev <= ledger.base && told.is_none()) {
                continue;
            }
            let then = told.map_or_else(|| "absent".to_owned(), |told| format!("rev {}", told.rev));
            let says = format!("`{}` by events shows {:?} rev {rev}, fetched: {then}", self.feed, story.thing);
            let record = story.as_of(*rev).map(|state| state.record);
            verdict.accuse(Invariant::Snapshot, says, record.into_iter().chain([last]));
        }
    }
}

/// Everything that a feed may show, by its last change.
pub(super) fn due(life: &Life, feed: FeedName, viewer: Uuid, base: u64) -> Due {
    let of = |author: Uuid| life.of_author.get(&author).into_iter().flatten().map(|(_, id)| *id);
    let all = || life.posts.iter().map(|(_, id)| *id);
    let ids: Vec<Id> = match feed {
        FeedName::Global => all().collect(),
        FeedName::Home => life.of_author.values().flatten().map(|(_, id)| *id).collect(),
        FeedName::User(whose) => of(whose.0).collect(),
        FeedName::Post(which) => life.of_post.get(&which.0).cloned().unwrap_or_default(),
        FeedName::Tag(_) | FeedName::List(_) | FeedName::Notifications | FeedName::Mod | FeedName::Firehose => {
            Vec::new()
        }
        FeedName::Me => {
            let follows = life.of_follower.get(&viewer).into_iter().flatten().copied();
            follows.chain(life.known(Thing::User(viewer))).collect()
        }
    };
    let last = |id: Id| life.stories[id as usize].latest().map(|state| (state.rev, id));
    let mut due: Vec<(u64, Id)> = ids.into_iter().filter_map(last).filter(|(rev, _)| *rev > base).collect();
    due.sort_unstable();
    Rc::new(due)
}
