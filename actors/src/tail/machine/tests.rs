//! What the tail promises, case by case. The seeded world is in `sim`.

use super::*;
use crate::testing::{EPOCH, post_batch};

const HEAD: Head = Head { epoch: EPOCH, seq: Seq(10), floor: Seq(0) };

fn rumour(first: u64, last: u64) -> Input {
    Input::Rumour(Arc::new(post_batch(first, last)))
}

/// What was handed on, as ranges.
fn applied(effects: &[Effect]) -> Vec<(u64, u64)> {
    let range = |effect: &Effect| match effect {
        Effect::Apply(batch) => Some((batch.entries.first()?.seq.0, batch.last.0)),
        Effect::AskHead | Effect::AskStretch(..) | Effect::NewEpoch(_) | Effect::Blind | Effect::Sighted => None,
    };
    effects.iter().filter_map(range).collect()
}

fn asked_stretch(effects: &[Effect]) -> Option<(u64, u64)> {
    effects.iter().find_map(|effect| match effect {
        Effect::AskStretch(from, to) => Some((from.0, to.0)),
        Effect::Apply(_) | Effect::AskHead | Effect::NewEpoch(_) | Effect::Blind | Effect::Sighted => None,
    })
}

#[test]
fn p3_a_rumour_that_overlaps_is_cut_and_a_repeat_is_dropped() {
    let mut tail = Tail::new(HEAD, 0);
    assert_eq!(applied(&tail.on(1, rumour(11, 13), false)), [(11, 13)]);
    assert_eq!(applied(&tail.on(2, rumour(11, 13), false)), []);
    assert_eq!(applied(&tail.on(3, rumour(12, 15), false)), [(14, 15)]);
}

#[test]
fn p3_a_hole_waits_for_its_rumour_and_is_then_read() {
    let mut tail = Tail::new(HEAD, 0);
    let effects = tail.on(10, rumour(13, 14), false);
    assert_eq!((applied(&effects), asked_stretch(&effects)), (vec![], None));
    assert_eq!(tail.next_tick(10), 10 + limits::HOLE_PATIENCE_MS);
    let effects = tail.on(10 + limits::HOLE_PATIENCE_MS, Input::Tick, false);
    assert_eq!(asked_stretch(&effects), Some((11, 10 + limits::TAIL_READ_ENTRIES)));
    let stretch = Input::Stretch(Some(Arc::new(post_batch(11, 12))));
    assert_eq!(applied(&tail.on(20, stretch, false)), [(11, 12), (13, 14)]);
}

#[test]
fn p4_a_read_goes_beyond_what_is_parked_so_that_nothing_stands_between_two_changes_of_one_thing() {
    let mut tail = Tail::new(HEAD, 0);
    tail.on(10, rumour(12, 12), false);
    tail.on(10 + limits::HOLE_PATIENCE_MS, Input::Tick, false);
    let stretch = Input::Stretch(Some(Arc::new(post_batch(11, 14))));
    assert_eq!(applied(&tail.on(20, stretch, false)), [(11, 14)], "in one piece, and what was parked not again");
}

#[test]
fn p4_what_takes_several_reads_goes_on_in_one_piece() {
    let mut tail = Tail::new(HEAD, 0);
    let (full, head) = (10 + limits::TAIL_READ_ENTRIES, 15 + limits::TAIL_READ_ENTRIES);
    tail.on(1, rumour(head, head), false);
    tail.on(1 + limits::HOLE_PATIENCE_MS, Input::Tick, false);
    assert!(applied(&tail.on(20, Input::Stretch(Some(Arc::new(post_batch(11, full)))), false)).is_empty());
    assert_eq!(tail.applied(), HEAD.seq, "nobody stands at what is withheld");
    let rest = Input::Stretch(Some(Arc::new(post_batch(full + 1, head + 2))));
    assert_eq!(applied(&tail.on(30, rest, false)), [(11, head + 2)]);
}

#[test]
fn p5_a_node_that_was_stopped_notices_before_it_hands_anything_on() {
    let mut tail = Tail::new(HEAD, 0);
    let late = limits::BLIND_AFTER_MS;
    let effects = tail.on(late, rumour(11, 11), false);
    assert!(matches!(effects[..], [Effect::Blind, ..]), "{effects:?}");
    assert!(applied(&effects).is_empty() && tail.is_blind());
    let stale = tail.on(late + 1, Input::Head(Some(Head { seq: Seq(11), ..HEAD }), 0), false);
    assert!(applied(&stale).is_empty(), "an answer to a question from before the stop confirms nothing");
    let fresh = tail.on(late + 2, Input::Head(Some(Head { seq: Seq(11), ..HEAD }), late + 1), false);
    assert!(matches!(fresh[..], [Effect::Sighted, ..]), "{fresh:?}");
    assert_eq!(applied(&fresh), [(11, 11)], "what was parked meanwhile goes on");
}

#[test]
fn p5_after_standing_still_what_was_missed_goes_on_in_one_piece() {
    let mut tail = Tail::new(HEAD, 0);
    tail.on(1, rumour(12, 12), false);
    let woken = 1 + limits::ASLEEP_MS;
    let effects = tail.on(woken, rumour(11, 11), false);
    assert!(applied(&effects).is_empty(), "a rumour from before, perhaps: {effects:?}");
    assert!(effects.iter().any(|effect| matches!(effect, Effect::AskHead)) && !tail.is_blind());
    assert_eq!(tail.sure_at(), None);
    let head = Head { seq: Seq(14), ..HEAD };
    assert!(applied(&tail.on(woken + 1, Input::Head(Some(head), woken - 1), false)).is_empty(), "asked before");
    let effects = tail.on(woken + 2, Input::Head(Some(head), woken), false);
    assert_eq!((applied(&effects), tail.applied()), (vec![], Seq(10)), "the end of it is not in hand yet");
    assert_eq!(tail.sure_at(), None, "what is held back may end log-ins");
    let effects = tail.on(woken + 3, Input::Stretch(Some(Arc::new(post_batch(13, 15)))), false);
    assert_eq!((applied(&effects), tail.applied()), (vec![(11, 15)], Seq(15)));
    assert_eq!(tail.sure_at(), Some(woken));
    assert_eq!(applied(&tail.on(woken + 4, rumour(16, 16), false)), [(16, 16)]);
}

#[test]
fn p6_more_than_can_be_kept_in_hand_is_a_fresh_start() {
    let mut tail = Tail::new(HEAD, 0);
    let woken = limits::ASLEEP_MS;
    tail.on(woken, Input::Tick, false);
    let far = Head { seq: Seq(11 + limits::TAIL_WITHHELD_ENTRIES), ..HEAD };
    let effects = tail.on(woken + 1, Input::Head(Some(far), woken), false);
    assert!(matches!(effects[..], [Effect::NewEpoch(head), ..] if head == far), "{effects:?}");
    assert_eq!(tail.applied(), far.seq);
}

#[test]
fn p6_what_is_parked_has_a_bound_and_the_rest_is_read_later() {
    let mut tail = Tail::new(HEAD, 0);
    let many = limits::TAIL_PARKED_BATCHES as u64 + 500;
    for seq in 12..12 + many {
        assert!(applied(&tail.on(1, rumour(seq, seq), false)).is_empty());
    }
    assert_eq!(tail.parked.len(), limits::TAIL_PARKED_BATCHES);
    let (mut handed, mut now) = (10, 1);
    while handed < 11 + many {
        now += limits::HOLE_PATIENCE_MS + 1;
        let effects = tail.on(now, Input::Tick, false);
        let Some((from, to)) = asked_stretch(&effects) else { panic!("stuck at {handed}") };
        let stretch = Input::Stretch(Some(Arc::new(post_batch(from, to))));
        for (first, last) in applied(&tail.on(now + 1, stretch, false)) {
            assert_eq!(first, handed + 1);
            handed = last;
        }
    }
    assert!(tail.parked.is_empty());
}

#[test]
fn p6_a_crowded_tail_hands_nothing_on_and_looks_again_soon() {
    let mut tail = Tail::new(HEAD, 0);
    tail.on(0, Input::Back, false);
    tail.on(1, Input::Head(Some(HEAD), 0), false);
    assert!(applied(&tail.on(2, rumour(11, 11), true)).is_empty());
    let wake = tail.next_tick(2);
    assert!(wake <= 2 + limits::HOLE_PATIENCE_MS, "nobody else tells it that the workers have caught up: {wake}");
    assert_eq!(applied(&tail.on(wake, Input::Tick, false)), [(11, 11)]);
}

#[test]
fn a_tail_that_waits_for_answers_is_not_woken_each_millisecond() {
    let mut tail = Tail::new(HEAD, 0);
    tail.on(1, rumour(13, 13), false);
    let mut now = 1;
    let mut wakes = 0;
    while now < limits::BLIND_AFTER_MS + 10_000 {
        now = tail.next_tick(now);
        wakes += 1;
        tail.on(now, Input::Tick, false);
        assert!(wakes < 50, "{wakes} wakes by {now} ms while both questions are unanswered");
    }
    assert!(tail.is_blind());
}

#[test]
fn a_new_epoch_forgets_what_was_parked_of_the_old_one() {
    let mut tail = Tail::new(HEAD, 0);
    tail.on(1, rumour(12, 14), false);
    let other = Head { epoch: Epoch(7), seq: Seq(9), floor: Seq(0) };
    let effects = tail.on(2, Input::Head(Some(other), 1), false);
    assert!(matches!(effects[..], [Effect::NewEpoch(head), ..] if head == other), "{effects:?}");
    let mut next = post_batch(10, 11);
    next.epoch = other.epoch;
    assert_eq!(applied(&tail.on(3, Input::Rumour(Arc::new(next)), false)), [(10, 11)], "and not what was parked");
    assert!(tail.parked.is_empty());
    let garbage = tail.on(4, rumour(12, 12), false);
    assert!(applied(&garbage).is_empty(), "{garbage:?}");
    assert!(matches!(garbage[..], [Effect::AskHead]), "a foreign epoch is a reason to ask: {garbage:?}");
}

#[test]
fn p3_a_node_that_slept_past_what_is_kept_starts_afresh() {
    let mut tail = Tail::new(HEAD, 0);
    let reachable = Head { seq: Seq(90), floor: Seq(11), ..HEAD };
    let effects = tail.on(1, Input::Head(Some(reachable), 0), false);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::NewEpoch(_))), "{effects:?}");
    let forgotten = Head { seq: Seq(90), floor: Seq(50), ..HEAD };
    let effects = tail.on(2, Input::Head(Some(forgotten), 1), false);
    assert!(matches!(effects[..], [Effect::NewEpoch(head), ..] if head.seq == Seq(90)), "{effects:?}");
    assert_eq!(tail.applied(), Seq(90));
}
