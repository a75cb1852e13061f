//! Requests against the journal and the final state: lost, phantom, aborted, done twice, done in another order than answered.
//! Must never look at who was shown what: that is `stream`.

use std::collections::{BTreeMap, HashMap};

use super::ledger::Ledger;
use super::life::{Life, State, Story};
use super::request::{Outcome, Request, Want};
use super::{Invariant, Patience, Verdict};
use crate::examine::history::{Op, Seen, Thing};

/// I1, I2, I3, I8, I9, I10.
pub(super) fn judge(ledger: &Ledger<'_>, patience: Patience, verdict: &mut Verdict) {
    count(ledger, verdict);
    epochs(ledger, verdict);
    for story in ledger.lives.iter().flat_map(|life| &life.stories) {
        phantoms(ledger, story, verdict);
        repetitions(ledger, story, verdict);
    }
    answers(ledger, verdict);
    for life in 0..ledger.lives.len() {
        real_time(ledger, life, verdict);
    }
    let Some((index, last)) = ledger.last else { return };
    let found = last.things.iter().filter(|seen| !seen.gone).map(|seen| (seen.thing, seen)).collect();
    if let Some(life) = ledger.lives.last() {
        last_state(ledger, life, &found, index, verdict);
    }
    removals(ledger, &found, index, verdict);
    carried_over(ledger, patience, &found, index, verdict);
}

type Found<'a> = HashMap<Thing, &'a Seen>;

fn count(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    let tally = &mut verdict.tally;
    for told in ledger.requests.values() {
        tally.requests += 1;
        tally.acknowledged += u64::from(told.is_new());
        tally.refused += u64::from(told.outcome.is_refusal());
        tally.unknown += u64::from(told.outcome.is_open());
    }
    tally.new_epochs = ledger.lives.len().saturating_sub(1) as u64;
}

/// A journal begins a new life only if somebody restored or promoted something, which is a fault that was ordered.
fn epochs(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    for begun in ledger.begun.iter().skip(1) {
        let at = ledger.records[*begun].at;
        if !ledger.clock.is_broken(0, at) {
            verdict.accuse(Invariant::Bijection, "a new epoch, though nothing was broken".to_owned(), [0, *begun]);
        }
    }
}

/// I2: somebody asked for every state, and was not refused.
fn phantoms(ledger: &Ledger<'_>, story: &Story, verdict: &mut Verdict) {
    // Sign-ups are before the examination.
    for state in story.states.iter().filter(|state| state.rev > ledger.base) {
        let asked = ledger.attempts(Want::behind(story.thing, state.mark, state.gone));
        let says = if asked.clone().next().is_none() {
            "and nobody asked for it"
        } else if asked.clone().all(|told| told.outcome.is_refusal()) {
            "though it was refused"
        } else if asked.clone().all(|told| told.asked > state.record) {
            "before anybody asked for it"
        } else {
            continue;
        };
        let frames = asked.take(3).flat_map(|told| [Some(told.asked), told.ended]).flatten();
        let frames: Vec<usize> = frames.chain([state.record]).collect();
        verdict.accuse(Invariant::Phantom, format!("{:?} rev {} was shown {says}", story.thing, state.rev), frames);
    }
}

/// I8, I9: a create is done once; a change at most as often as it was asked for.
fn repetitions(ledger: &Ledger<'_>, story: &Story, verdict: &mut Verdict) {
    if matches!(story.thing, Thing::Follow(..)) || story.states.len() < 2 {
        return;
    }
    let mut by_content: HashMap<(u64, bool), Vec<State>> = HashMap::new();
    for state in story.states.iter().filter(|state| state.rev > ledger.base) {
        by_content.entry((state.mark, state.gone)).or_default().push(*state);
    }
    for ((mark, gone), states) in by_content.into_iter().filter(|(_, states)| states.len() > 1) {
        let asked = ledger.attempts(Want::behind(story.thing, mark, gone));
        let creates = asked.clone().any(|told| matches!(told.op, Op::Create(..)));
        let most = if creates || gone { 1 } else { asked.clone().count().max(1) };
        if states.len() > most {
            let unknown = asked.clone().any(|told| told.outcome.is_open());
            let invariant = if unknown { Invariant::Unknown } else { Invariant::OneEvent };
            let revs: Vec<u64> = states.iter().map(|state| state.rev).collect();
            let says = format!("{:?}: asked for {} times, done at {revs:?}", story.thing, asked.count());
            verdict.accuse(invariant, says, states.iter().map(|state| state.record));
        }
    }
}

/// I8: of all answers to a create and its repetitions, at most one in each life of the journal says that it was done now.
fn answers(ledger: &Ledger<'_>, verdict: &mut Verdict) {
    for (want, numbers) in ledger.attempts.iter().filter(|(_, numbers)| numbers.len() > 1) {
        let told = || numbers.iter().filter_map(|number| ledger.requests.get(number));
        if !told().any(|told| matches!(told.op, Op::Create(..))) {
            continue;
        }
        let mut new: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for told in told().filter(|told| told.is_new()) {
            if let (Some(life), Some(ended)) = (told.life, told.ended) {
                new.entry(life).or_default().push(ended);
            }
        }
        for new in new.into_values().filter(|new| new.len() > 1) {
            verdict.accuse(Invariant::OneEvent, format!("{want:?} was answered as new {} times", new.len()), new);
        }
    }
}

/// I10: answered before asked ⇒ before in the journal. Complete for one journal whose entries are unique.
fn real_time(ledger: &Ledger<'_>, life: usize, verdict: &mut Verdict) {
    // By the record of the answer: the highest entry answered so far.
    let mut answered: Vec<(usize, u64)> = Vec::new();
    let mut done: Vec<(&Request, u64)> = Vec::new();
    for (want, numbers) in &ledger.attempts {
        // What was asked for twice may have been done by either; a follow that was so already is answered with the old entry.
        let told = numbers.iter().filter_map(|number| ledger.requests.get(number));
        let tries = told.clone().filter(|told| !told.outcome.is_refusal()).count();
        let again = tries > 1 || matches!(want, Want::Active(_) | Want::Gone(Thing::Follow(..)));
        for request in told.filter(|told| told.life == Some(life) && told.is_new()) {
            if let Some((seq, ended)) = request.entry() {
                answered.push((ended, seq));
                if !again {
                    done.push((request, seq));
                }
            }
        }
    }
    answered.sort_unstable();
    let mut highest = (0, 0);
    let answered: Vec<(usize, (u64, usize))> = answered
        .into_iter()
        .map(|(ended, seq)| {
            highest = highest.max((seq, ended));
            (ended, highest)
        })
        .collect();
    for (request, seq) in done {
        let before = answered.partition_point(|(ended, _)| *ended < request.asked).checked_sub(1);
        let before = before.and_then(|place| answered.get(place)).map(|(_, highest)| *highest);
        if let Some((higher, record)) = before.filter(|(higher, _)| *higher >= seq) {
            let says = format!("{:?} got entry {seq}, though entry {higher} had been answered before", request.op);
            verdict.accuse(Invariant::RealTime, says, [record, request.asked, request.ended.unwrap_or_default()]);
        }
    }
}

/// I1, I3: the final state is the newest that anybody was told, thing by thing.
fn last_state(ledger: &Ledger<'_>, life: &Life, found: &Found<'_>, index: usize, verdict: &mut Verdict) {
    for story in &life.stories {
        let Some(state) = story.latest().filter(|state| state.rev > ledger.base) else { continue };
        let then = found.get(&story.thing);
        let holds = match (story.thing, then) {
            (Thing::Follow(follower, followee), then) => {
                life.circles.surely(follower, followee, u64::MAX).is_none_or(|active| active == then.is_some())
            }
            (_, Some(seen)) => seen.rev >= state.rev && !state.gone,
            (_, None) => state.gone || life.end_of(story).is_some() || ledger.may_be_gone(life, story, usize::MAX),
        };
        if holds {
            continue;
        }
        let acknowledged = story.states.iter().rev().find(|state| state.acknowledged.is_some()).map(|state| state.rev);
        let then = then.map_or_else(|| "absent".to_owned(), |seen| format!("rev {}", seen.rev));
        let (invariant, says) = match acknowledged {
            Some(rev) if found.get(&story.thing).is_none_or(|seen| seen.rev < rev) => {
                (Invariant::Lost, format!("{:?} rev {rev} was acknowledged; in the end: {then}", story.thing))
            }
            _ => (Invariant::AbortedRead, format!("{:?} rev {} was shown; in the end: {then}", story.thing, state.rev)),
        };
        verdict.accuse(invariant, says, [state.record, index]);
    }
}

/// An acknowledged removal holds, whoever saw it.
fn removals(ledger: &Ledger<'_>, found: &Found<'_>, index: usize, verdict: &mut Verdict) {
    let last = ledger.lives.len().checked_sub(1);
    for told in ledger.requests.values().filter(|told| told.life == last) {
        if let (Op::Delete(thing), Outcome::Done { .. }) = (told.op, told.outcome)
            && found.contains_key(&thing)
        {
            let says = format!("the removal of {thing:?} was acknowledged, and it is there in the end");
            verdict.accuse(Invariant::Lost, says, [told.asked, told.ended.unwrap_or_default(), index]);
        }
    }
}

/// I1 over a change of epoch: what was acknowledged before is there afterwards, by its id.
fn carried_over(ledger: &Ledger<'_>, patience: Patience, found: &Found<'_>, index: usize, verdict: &mut Verdict) {
    let last = ledger.lives.len().checked_sub(1);
    for told in ledger.requests.values().filter(|told| told.life != last && told.is_new()) {
        let Op::Create(thing, _) = told.op else { continue };
        let mut tales = ledger.lives.iter().filter_map(|life| life.story(thing).map(|story| (life, story)));
        let is_over =
            |(life, story)| Life::end_of(life, story).is_some() || ledger.may_be_gone(life, story, usize::MAX);
        if found.contains_key(&thing) || tales.any(is_over) {
            continue;
        }
        verdict.tally.lost_with_epoch += 1;
        if !patience.loss_with_epoch {
            let says = format!("{thing:?} was acknowledged before the new epoch, and is not there in the end");
            verdict.accuse(Invariant::Lost, says, [told.asked, told.ended.unwrap_or_default(), index]);
        }
    }
}
