//! The checker is checked: a good history passes, each anomaly is named, and no random mutation gets through.

use std::collections::BTreeSet;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;
use crate::graph::{self, Shape};
use crate::history::{Posted, TextMark};

/// Three people, one connection each: 1 and 2 follow 0, 2 follows 1 as well.
fn good() -> History {
    let follows = vec![BTreeSet::new(), BTreeSet::from([0]), BTreeSet::from([0, 1])];
    served(follows, &[0, 1, 0, 0, 1, 0], &[0, 1, 2])
}

/// What a right server would send: every post to every connection that may hear it.
fn served(follows: graph::Follows, authors: &[usize], connections: &[usize]) -> History {
    let post = |(number, author): (usize, &usize)| Posted {
        id: Uuid::from_u128(1 + number as u128),
        author: *author,
        thread: None,
        text: TextMark(1000 + number as u64),
        outcome: Outcome::Acknowledged { seq: 10 + number as u64 },
    };
    let posts: Vec<Posted> = authors.iter().enumerate().map(post).collect();
    let heard_by = |person: usize| -> Vec<Heard> {
        let may = |post: &&Posted| post.author == person || follows[person].contains(&post.author);
        posts.iter().filter(may).map(|post| Heard::Post(seen(post))).collect()
    };
    let readers = connections
        .iter()
        .map(|&person| {
            let lives = vec![Life { resumed_at: None, heard: heard_by(person) }];
            Reader { person, thread: None, kept: true, before: 9, lives }
        })
        .collect();
    History { follows, posts, readers }
}

fn seen(post: &Posted) -> SeenPost {
    let seq = match post.outcome {
        Outcome::Acknowledged { seq } => seq,
        Outcome::Refused | Outcome::Unknown => 99,
    };
    SeenPost { id: post.id, seq, text: post.text }
}

/// Cuts a reader's only life in two, after `at` things heard; the entry at the cursor comes again.
fn resume(history: &mut History, reader: usize, at: usize) {
    let whole = history.readers[reader].lives.remove(0);
    let (first, rest) = whole.heard.split_at(at);
    let last = first.last().unwrap().clone();
    let Heard::Post(SeenPost { seq, .. }) = last else { panic!("made of posts") };
    let again = std::iter::once(last).chain(rest.iter().cloned()).collect();
    history.readers[reader].lives =
        vec![Life { resumed_at: None, heard: first.to_vec() }, Life { resumed_at: Some(seq), heard: again }];
}

fn heard(history: &mut History, reader: usize) -> &mut Vec<Heard> {
    &mut history.readers[reader].lives[0].heard
}

fn post_in(heard: &mut Heard) -> &mut SeenPost {
    match heard {
        Heard::Post(seen) => seen,
        Heard::Snapshot { .. } | Heard::Other { .. } => panic!("made of posts"),
    }
}

/// Fails unless exactly this kind of thing is found.
fn found(history: &History, anomaly: Anomaly) {
    let found: BTreeSet<Anomaly> = check(history).into_iter().map(|violation| violation.anomaly).collect();
    assert_eq!(found, BTreeSet::from([anomaly]));
}

#[test]
fn a_good_history_passes() {
    assert_eq!(check(&good()), []);
}

#[test]
fn a_lost_post_is_found() {
    let mut history = good();
    heard(&mut history, 1).pop();
    found(&history, Anomaly::Lost);
}

#[test]
fn a_doubled_post_is_found() {
    let mut history = good();
    let again = heard(&mut history, 2)[1].clone();
    heard(&mut history, 2).insert(2, again.clone());
    found(&history, Anomaly::Doubled);
    let mut history = good();
    heard(&mut history, 2).push(again);
    found(&history, Anomaly::Doubled);
}

#[test]
fn a_reordered_post_is_found() {
    let mut history = good();
    heard(&mut history, 2).swap(1, 2);
    found(&history, Anomaly::Reordered);
}

#[test]
fn another_event_out_of_order_is_found() {
    let mut history = good();
    heard(&mut history, 2).push(Heard::Other { seq: 3 });
    found(&history, Anomaly::Reordered);
}

#[test]
fn a_phantom_is_found() {
    let mut history = good();
    let phantom = SeenPost { id: Uuid::from_u128(777), seq: 50, text: TextMark(1) };
    heard(&mut history, 1).push(Heard::Post(phantom));
    found(&history, Anomaly::Phantom);
}

#[test]
fn a_refused_post_that_appears_is_a_phantom() {
    let mut history = good();
    history.posts[5].outcome = Outcome::Refused;
    found(&history, Anomaly::Phantom);
}

#[test]
fn an_altered_text_is_found() {
    let mut history = good();
    post_in(&mut heard(&mut history, 1)[0]).text = TextMark(5);
    found(&history, Anomaly::Altered);
}

#[test]
fn delivery_to_a_stranger_is_found() {
    let mut history = good();
    let foreign = seen(&history.posts[1]);
    heard(&mut history, 0).insert(1, Heard::Post(foreign));
    found(&history, Anomaly::Misdelivered);
}

#[test]
fn one_post_in_two_places_is_found() {
    let mut history = good();
    post_in(heard(&mut history, 1).last_mut().unwrap()).seq = 40;
    found(&history, Anomaly::TwoPlaces);
}

#[test]
fn two_posts_in_one_place_are_found() {
    let mut history = good();
    history.posts[5].outcome = Outcome::Acknowledged { seq: 14 };
    assert!(check(&history).iter().any(|violation| violation.anomaly == Anomaly::TwoPlaces));
}

#[test]
fn an_author_whose_posts_change_order_is_found() {
    let history = served(vec![BTreeSet::new()], &[0, 0], &[]);
    let mut turned = history;
    turned.posts.swap(0, 1);
    found(&turned, Anomaly::OutOfTurn);
}

#[test]
fn an_unanswered_post_may_be_there_for_all_or_for_none() {
    let mut history = good();
    history.posts[5].outcome = Outcome::Unknown;
    assert_eq!(check(&history), [], "for all");
    heard(&mut history, 1).pop();
    found(&history, Anomaly::Lost);
    heard(&mut history, 0).pop();
    heard(&mut history, 2).pop();
    assert_eq!(check(&history), [], "for none");
}

#[test]
fn the_entry_at_the_cursor_may_come_again_but_nothing_before_it() {
    let mut history = good();
    resume(&mut history, 2, 3);
    assert_eq!(check(&history), []);
    let older = history.readers[2].lives[0].heard[1].clone();
    history.readers[2].lives[1].heard.insert(0, older);
    found(&history, Anomaly::Doubled);
}

#[test]
fn the_entry_at_the_cursor_comes_again_only_once() {
    let mut history = good();
    resume(&mut history, 2, 3);
    let again = history.readers[2].lives[1].heard[0].clone();
    history.readers[2].lives[1].heard.insert(1, again);
    found(&history, Anomaly::Doubled);
}

#[test]
fn a_snapshot_counts_for_what_it_shows_and_excuses_only_what_it_left_out() {
    let mut history = good();
    let posts: Vec<SeenPost> = history.posts[4..].iter().map(seen).collect();
    resume(&mut history, 2, 1);
    let life = &mut history.readers[2].lives[1];
    life.heard = vec![Heard::Snapshot { thread: false, seq: 15, posts: posts.clone(), complete: false }];
    assert_eq!(check(&history), []);
    history.readers[2].lives[1].heard =
        vec![Heard::Snapshot { thread: false, seq: 15, posts: posts.clone(), complete: true }];
    found(&history, Anomaly::Lost);
    history.readers[2].lives[1].heard =
        vec![Heard::Snapshot { thread: false, seq: 15, posts: posts[..1].to_vec(), complete: false }];
    found(&history, Anomaly::Lost);
}

#[test]
fn what_was_there_before_the_run_is_not_a_phantom() {
    let mut history = good();
    let old = SeenPost { id: Uuid::from_u128(777), seq: 3, text: TextMark(1) };
    let snapshot = Heard::Snapshot { thread: false, seq: 9, posts: vec![old], complete: true };
    heard(&mut history, 2).insert(0, snapshot);
    assert_eq!(check(&history), []);
}

/// The fifth of the good history's posts is a comment, which only those hear who watch its thread: 1 and 2.
fn with_a_comment() -> History {
    let mut history = good();
    history.posts[4].thread = Some(7);
    history.readers[0].thread = Some(8);
    history.readers[1].thread = Some(7);
    history.readers[2].thread = Some(7);
    history
}

#[test]
fn a_comment_is_for_those_who_watch_its_thread_and_for_nobody_else() {
    assert_eq!(check(&with_a_comment()), []);
    let mut history = with_a_comment();
    history.readers[1].thread = Some(8);
    found(&history, Anomaly::Misdelivered);
    let mut history = with_a_comment();
    history.readers[0].thread = Some(7);
    found(&history, Anomaly::Lost);
}

#[test]
fn a_snapshot_of_one_feed_says_nothing_of_the_other() {
    let mut history = with_a_comment();
    let comment = seen(&history.posts[4]);
    // `home` afresh as of 15, and then a comment from before it: the thread goes on from where it was.
    resume(&mut history, 2, 1);
    let posts = [1, 2, 3, 5].map(|number| seen(&history.posts[number])).to_vec();
    let afresh = Heard::Snapshot { thread: false, seq: 15, posts: posts.clone(), complete: true };
    history.readers[2].lives[1].heard = vec![afresh, Heard::Post(comment)];
    assert_eq!(check(&history), []);
    // A snapshot of `home` that leaves something out does not excuse the comment.
    let afresh = Heard::Snapshot { thread: false, seq: 15, posts: posts[3..].to_vec(), complete: false };
    history.readers[2].lives[1].heard = vec![afresh];
    found(&history, Anomaly::Lost);
    let afresh = Heard::Snapshot { thread: true, seq: 15, posts: Vec::new(), complete: false };
    history.readers[2].lives[1].heard.push(afresh);
    assert_eq!(check(&history), []);
}

#[test]
fn nothing_comes_on_a_feed_from_before_its_snapshot() {
    let mut history = good();
    let last = seen(&history.posts[5]);
    heard(&mut history, 1)
        .insert(0, Heard::Snapshot { thread: false, seq: last.seq, posts: Vec::new(), complete: true });
    found(&history, Anomaly::Reordered);
}

#[test]
fn who_is_not_kept_is_not_judged() {
    let mut history = good();
    heard(&mut history, 1).clear();
    history.readers[1].kept = false;
    assert_eq!(check(&history), []);
}

/// A random network, script and set of connections, each resumed once somewhere.
fn any_good(seed: u64) -> History {
    let mut rng = StdRng::seed_from_u64(seed);
    let people = rng.random_range(2..12);
    let follows = graph::make(Shape::Zipf, people, people, rng.random_range(1..6), seed);
    let authors: Vec<usize> = (0..rng.random_range(2..60)).map(|_| rng.random_range(0..people)).collect();
    let connections: Vec<usize> = (0..people + 3).map(|n| n % people).collect();
    let mut history = served(follows, &authors, &connections);
    for reader in 0..history.readers.len() {
        let length = heard(&mut history, reader).len();
        if length > 0 && rng.random_bool(0.5) {
            resume(&mut history, reader, rng.random_range(1..=length));
        }
    }
    history
}

/// All places in the history that are not a permitted repeat: (reader, life, index).
fn places(history: &History) -> Vec<(usize, usize, usize)> {
    let mut places = Vec::new();
    for (r, reader) in history.readers.iter().enumerate() {
        for (l, life) in reader.lives.iter().enumerate() {
            // The first thing of a resumed life is the repeat, and what it repeats ended the life before.
            let from = usize::from(l > 0);
            let until = life.heard.len() - usize::from(l + 1 < reader.lives.len());
            places.extend((from..until.max(from)).map(|index| (r, l, index)));
        }
    }
    places
}

/// Breaks a history in one place; `None` if it has no place for that.
fn mutate(history: &mut History, kind: u8, rng: &mut StdRng) -> Option<()> {
    let places = places(history);
    if places.is_empty() {
        return None;
    }
    let (reader, life, index) = places[rng.random_range(0..places.len())];
    let last = history.readers[reader].lives.len() - 1;
    let heard = &mut history.readers[reader].lives[life].heard;
    match kind {
        0 => {
            heard.remove(index);
        }
        1 => {
            let twin = heard[index].clone();
            let to = rng.random_range(index + 1..=heard.len());
            heard.insert(to, twin);
        }
        2 => {
            let other = rng.random_range(0..heard.len());
            // At the seam of two lives the repeat could hide behind what it repeats.
            if other == index || (life > 0 && other == 0) || (life < last && other + 1 == heard.len()) {
                return None;
            }
            heard.swap(index, other);
        }
        3 => post_in(&mut heard[index]).text.0 ^= 1 << rng.random_range(0..64),
        4 => post_in(&mut heard[index]).id = Uuid::from_u128(rng.random::<u128>() | 1 << 90),
        _ => post_in(&mut heard[index]).seq += rng.random_range(1..50),
    }
    Some(())
}

#[test]
fn random_good_histories_pass() {
    for seed in 0..1000 {
        assert_eq!(check(&any_good(seed)), [], "seed {seed}");
    }
}

#[test]
fn no_mutation_gets_through() {
    let mut broken = 0;
    for seed in 0..1000 {
        for kind in 0..6 {
            let mut history = any_good(seed);
            let mut rng = StdRng::seed_from_u64(seed ^ 0xdead);
            if mutate(&mut history, kind, &mut rng).is_some() {
                broken += 1;
                assert!(!check(&history).is_empty(), "mutation {kind} of {seed} got through");
            }
        }
    }
    assert!(broken > 4_000, "only {broken} of 6,000 were mutated at all");
}
