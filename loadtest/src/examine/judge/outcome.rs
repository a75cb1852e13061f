//! Requests against the journal and the final state: lost, phantom, aborted, done twice, done in another order than answered.
//! Must never look at who was shown what: that is `stream`.

use std::collections::{BTreeMap, HashMap};

use super::ledger::{Ledger, Outcome, Request, State, Story, Want};
use super::{Invariant, Verdict};
use crate::examine::history::{Op, Seen, Thing};

/// I1, I2, I3, I8, I9, I10.
pub(super) fn judge(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    count(ledger, verdict);
    for (thing, story) in &ledger.things {
        phantoms(ledger, *thing, story, verdict);
        repetitions(ledger, *thing, story, verdict);
    }
    answers(ledger, verdict);
    real_time(ledger, verdict);
    if ledger.last.is_some() {
        last_state(ledger, verdict);
    }
}

fn count(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    for told in ledger.requests.values() {
        verdict.tally.requests += 1;
        match told.outcome {
            Outcome::Done { duplicate: false, seq: Some(_) } => verdict.tally.acknowledged += 1,
            Outcome::Done { .. } => {}
            Outcome::Refused => verdict.tally.refused += 1,
            Outcome::Unknown | Outcome::Pending => verdict.tally.unknown += 1,
        }
    }
}

fn attempts<'a>(ledger: &'a Ledger<'_>, want: Want) -> Vec<&'a Request> {
    let numbers = ledger.attempts.get(&want).map(Vec::as_slice).unwrap_or_default();
    numbers.iter().filter_map(|number| ledger.requests.get(number)).collect()
}

/// I2: somebody asked for every state, and was not refused.
fn phantoms(ledger: &Ledger<'_>, thing: Thing, story: &Story, verdict: &mut Verdict) {
    // Sign-ups are before the examination.
    for (rev, state) in story.states.iter().filter(|(rev, _)| **rev > ledger.base) {
        let asked = attempts(ledger, Want::behind(thing, state.mark, state.gone));
        let says = if asked.is_empty() {
            "and nobody asked for it"
        } else if asked.iter().all(|told| told.outcome == Outcome::Refused) {
            "though it was refused"
        } else {
            // Nothing may be shown before it was asked for, either.
            let first = asked.iter().map(|told| told.asked).min().unwrap_or_default();
            if first <= state.record {
                continue;
            }
            "before anybody asked for it"
        };
        let frames = asked.iter().flat_map(|told| [Some(told.asked), told.ended]).flatten();
        let frames: Vec<usize> = frames.chain([state.record]).collect();
        verdict.accuse(Invariant::Phantom, format!("{thing:?} rev {rev} was shown {says}"), frames);
    }
}

/// I8, I9: a create is done once; a change at most as often as it was asked for.
fn repetitions(ledger: &Ledger<'_>, thing: Thing, story: &Story, verdict: &mut Verdict) {
    if matches!(thing, Thing::Follow(..)) {
        return;
    }
    let mut by_content: HashMap<(u64, bool), Vec<(u64, State)>> = HashMap::new();
    for (rev, state) in &story.states {
        by_content.entry((state.mark, state.gone)).or_default().push((*rev, *state));
    }
    for ((mark, gone), states) in by_content {
        let asked = attempts(ledger, Want::behind(thing, mark, gone));
        let creates = asked.iter().any(|told| matches!(told.op, Op::Create(..)));
        let most = if creates || gone { 1 } else { asked.len().max(1) };
        if states.len() > most {
            let unknown = asked.iter().any(|told| told.outcome == Outcome::Unknown);
            let invariant = if unknown { Invariant::Unknown } else { Invariant::OneEvent };
            let revs: Vec<u64> = states.iter().map(|(rev, _)| *rev).collect();
            let says = format!("{thing:?}: asked for {} times, done at {revs:?}", asked.len());
            verdict.accuse(invariant, says, states.iter().map(|(_, state)| state.record));
        }
    }
}

/// I8: of all answers to a create and its repetitions, at most one says that it was done now.
fn answers(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    for (want, numbers) in &ledger.attempts {
        let told = || numbers.iter().filter_map(|number| ledger.requests.get(number));
        if !told().any(|told| matches!(told.op, Op::Create(..))) {
            continue;
        }
        let new = told().filter(|told| matches!(told.outcome, Outcome::Done { duplicate: false, .. }));
        let new: Vec<usize> = new.filter_map(|told| told.ended).collect();
        if new.len() > 1 {
            verdict.accuse(Invariant::OneEvent, format!("{want:?} was answered as new {} times", new.len()), new);
        }
    }
}

/// I10: answered before asked ⇒ before in the journal. Complete for one journal whose entries are unique.
fn real_time(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    // By the record of the answer: the highest entry answered so far.
    let mut answered: BTreeMap<usize, (u64, usize)> = BTreeMap::new();
    let mut done: Vec<(&Request, u64)> = Vec::new();
    for (want, numbers) in &ledger.attempts {
        let told: Vec<&Request> = numbers.iter().filter_map(|number| ledger.requests.get(number)).collect();
        // What was asked for twice may have been done by either; a follow that was so already is answered with the old entry.
        let again = told.len() > 1 || matches!(want, Want::Active(_) | Want::Gone(Thing::Follow(..)));
        for request in told {
            if let (Outcome::Done { seq: Some(seq), duplicate: false }, Some(ended)) = (request.outcome, request.ended)
            {
                answered.insert(ended, (seq, ended));
                if !again {
                    done.push((request, seq));
                }
            }
        }
    }
    let mut highest = (0, 0);
    for entry in answered.values_mut() {
        highest = highest.max(*entry);
        *entry = highest;
    }
    for (request, seq) in done {
        let before = answered.range(..request.asked).next_back().map(|(_, highest)| *highest);
        if let Some((higher, record)) = before.filter(|(higher, _)| *higher >= seq) {
            let says = format!("{:?} got entry {seq}, though entry {higher} had been answered before", request.op);
            verdict.accuse(Invariant::RealTime, says, [record, request.asked, request.ended.unwrap_or_default()]);
        }
    }
}

/// I1, I3: the final state is the newest that anybody was told, thing by thing.
fn last_state(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    let Some((index, last)) = ledger.last else { return };
    let found: HashMap<Thing, &Seen> = last.things.iter().map(|seen| (seen.thing, seen)).collect();
    for (thing, story) in &ledger.things {
        let Some((rev, state)) = story.latest() else { continue };
        if rev <= ledger.base {
            continue;
        }
        match found.get(thing) {
            Some(seen) if (seen.rev >= rev || seen.rev == 0) && !state.gone => {}
            // A follow that is over is not among what is alive; anything else that is over must not be either.
            None if state.gone || may_be_gone(ledger, *thing) => {}
            other => {
                let then = other.map_or_else(|| "absent".to_owned(), |seen| format!("rev {}", seen.rev));
                let (invariant, says) = match newest_acknowledged(story) {
                    Some(acknowledged) if other.is_none_or(|seen| seen.rev < acknowledged) => {
                        (Invariant::Lost, format!("{thing:?} rev {acknowledged} was acknowledged; in the end: {then}"))
                    }
                    _ => (Invariant::AbortedRead, format!("{thing:?} rev {rev} was shown; in the end: {then}")),
                };
                verdict.accuse(invariant, says, [state.record, index]);
            }
        }
    }
    acknowledged_without_sight(ledger, &found, index, verdict);
}

fn newest_acknowledged(story: &Story) -> Option<u64> {
    story.states.iter().rev().find(|(_, state)| state.acknowledged.is_some()).map(|(rev, _)| *rev)
}

/// A removal whose answer nobody got may be what made it vanish; a removed post takes its comments along.
fn may_be_gone(ledger: &Ledger<'_>, thing: Thing) -> bool {
    let removal_is_open = |thing| {
        attempts(ledger, Want::Gone(thing))
            .iter()
            .any(|told| matches!(told.outcome, Outcome::Unknown | Outcome::Pending | Outcome::Done { .. }))
    };
    let post = ledger.things.get(&thing).and_then(|story| story.on).map(Thing::Post);
    let with_post = post.is_some_and(|post| removal_is_open(post) || ledger.end_of(post).is_some());
    removal_is_open(thing) && newest_wants_it(ledger, thing) || with_post
}

/// For follows: that an old request to end it was answered says nothing if it was begun again later.
fn newest_wants_it(ledger: &Ledger<'_>, thing: Thing) -> bool {
    let Thing::Follow(follower, followee) = thing else { return true };
    !ledger.is_clear(follower, followee)
}

/// An acknowledged removal must hold although the removed thing shows nothing.
fn acknowledged_without_sight(ledger: &Ledger<'_>, found: &HashMap<Thing, &Seen>, index: usize, verdict: &mut Verdict) {
    for told in ledger.requests.values() {
        if let (Op::Delete(thing), Outcome::Done { .. }) = (told.op, told.outcome) {
            if found.contains_key(&thing) {
                let says = format!("the removal of {thing:?} was acknowledged, and it is there in the end");
                verdict.accuse(Invariant::Lost, says, [told.asked, told.ended.unwrap_or_default(), index]);
            }
        }
    }
}
