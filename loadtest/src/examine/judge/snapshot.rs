//! Snapshots against the journal: one is the journal up to its `seq`, nothing else, nothing missing, nothing older (P4, P5).
//! Must never look at what the client held before: a snapshot replaces it.

use std::collections::HashMap;

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::ledger::Ledger;
use super::life::{Id, Life};
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Seen, Thing};

/// A snapshot as recorded.
#[derive(Clone, Copy)]
pub(super) struct Shot<'a> {
    /// For whom.
    pub viewer: Uuid,
    /// Of what.
    pub feed: FeedName,
    /// As of.
    pub seq: u64,
    /// What it shows.
    pub members: &'a [Seen],
    /// There is no more.
    pub complete: bool,
    /// Where it stands.
    pub record: usize,
    /// The client did not read for a while.
    pub slow: bool,
}

/// Holds a snapshot against the journal.
pub(super) fn compare(ledger: &Ledger<'_>, life: &Life, shot: Shot<'_>, patience: Patience, verdict: &mut Verdict) {
    verdict.tally.snapshots += 1;
    let (feed, seq) = (shot.feed, shot.seq);
    for seen in shot.members.iter().filter(|seen| !seen.gone) {
        let Thing::Follow(follower, followee) = seen.thing else {
            presence(ledger, life, shot, seen, patience, verdict);
            continue;
        };
        if follower != shot.viewer || life.circles.surely(follower, followee, seq) == Some(false) {
            let says = format!("the snapshot of `{feed}` as of {seq} lists {followee}, who is not followed");
            verdict.accuse(Invariant::Snapshot, says, [shot.record]);
        }
    }
    absences(ledger, life, shot, verdict);
}

fn presence(ledger: &Ledger<'_>, life: &Life, shot: Shot<'_>, seen: &Seen, patience: Patience, verdict: &mut Verdict) {
    let Some(story) = life.story(seen.thing) else { return };
    let (feed, seq, thing) = (shot.feed, shot.seq, seen.thing);
    if seen.rev > seq {
        let says = format!("the snapshot of `{feed}` as of {seq} holds {thing:?} rev {}", seen.rev);
        verdict.accuse(Invariant::Snapshot, says, [shot.record]);
    }
    if let Some(end) = life.end_of(story) {
        let is_late = |told: usize| told < shot.record && ledger.clock.is_late(told, shot.record, patience.revocation);
        if end.rev <= seq || (!shot.slow && end.acknowledged.is_some_and(is_late)) {
            let says = format!("the snapshot of `{feed}` as of {seq} shows {thing:?}, removed at {}", end.rev);
            verdict.accuse(Invariant::Visibility, says, [end.record, shot.record]);
        }
    }
    let author = story.author.filter(|_| feed == FeedName::Home);
    let is_strange = author.is_some_and(|author| life.circles.surely(shot.viewer, author, seq) == Some(false));
    if is_strange || !Life::may_show(feed, shot.viewer, story) {
        let says = format!("the snapshot of `{feed}` as of {seq} shows {thing:?}, which does not belong there");
        verdict.accuse(Invariant::Visibility, says, [shot.record]);
    }
}

fn absences(ledger: &Ledger<'_>, life: &Life, shot: Shot<'_>, verdict: &mut Verdict) {
    let held: HashMap<Thing, u64> = shot.members.iter().map(|seen| (seen.thing, seen.rev)).collect();
    for id in wanted(life, shot) {
        let story = &life.stories[id as usize];
        let Some(state) = story.as_of(shot.seq).filter(|state| !state.gone && state.rev > ledger.base) else {
            continue;
        };
        if life.end_of(story).is_some_and(|end| end.rev <= shot.seq) || ledger.may_be_gone(life, story, shot.record) {
            continue;
        }
        if let Thing::Follow(follower, followee) = story.thing
            && life.circles.surely(follower, followee, shot.seq) != Some(true)
        {
            continue;
        }
        let held = held.get(&story.thing);
        if held.is_none_or(|rev| *rev < state.rev && *rev != 0) {
            let had = held.map_or_else(|| "not at all".to_owned(), |rev| format!("at rev {rev}"));
            let (feed, seq, thing, rev) = (shot.feed, shot.seq, story.thing, state.rev);
            let says = format!("the snapshot of `{feed}` as of {seq} has {thing:?} rev {rev} {had}");
            verdict.accuse(Invariant::Snapshot, says, [state.record, shot.record]);
        }
    }
}

/// What a snapshot must show, if it is alive.
fn wanted(life: &Life, shot: Shot<'_>) -> Vec<Id> {
    let oldest = shot.members.iter().filter_map(|seen| seen.place).min();
    let floor = if shot.complete { 0 } else { oldest.unwrap_or(u64::MAX) };
    let in_reach = |places: &[(u64, Id)]| -> Vec<Id> {
        let from = places.partition_point(|(place, _)| *place < floor);
        let to = places.partition_point(|(place, _)| *place <= shot.seq);
        places.get(from..to).unwrap_or_default().iter().map(|(_, id)| *id).collect()
    };
    let of = |author: Uuid| life.of_author.get(&author).map(Vec::as_slice).unwrap_or_default();
    match shot.feed {
        FeedName::Global => in_reach(&life.posts),
        FeedName::Home => {
            let followed = |author: &&Uuid| life.circles.surely(shot.viewer, **author, shot.seq) == Some(true);
            life.of_author.keys().filter(followed).flat_map(|author| in_reach(of(*author))).collect()
        }
        FeedName::User(whose) => in_reach(of(whose.0)).into_iter().chain(life.known(Thing::User(whose.0))).collect(),
        // Comments come newest first, and then older ones that these answer: no line can be drawn where there is more.
        FeedName::Post(which) if shot.complete => life.of_post.get(&which.0).cloned().unwrap_or_default(),
        FeedName::Post(which) => life.known(Thing::Post(which.0)).into_iter().collect(),
        FeedName::Tag(_) | FeedName::List(_) | FeedName::Notifications | FeedName::Mod | FeedName::Firehose => {
            Vec::new()
        }
        FeedName::Me => {
            let follows = life.of_follower.get(&shot.viewer).into_iter().flatten().copied();
            follows.chain(life.known(Thing::User(shot.viewer))).collect()
        }
    }
}
