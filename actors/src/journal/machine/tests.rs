//! What the journal promises, case by case. The seeded world is in `sim`.

use super::*;
use crate::command::Deed;
use crate::entry::{Change, Verb};
use crate::testing::{EPOCH, entry, post, user};
use tidings_protocol::push::EventName;
use tidings_protocol::text::PostText;

fn creates(n: u64) -> Command {
    let text = Some(PostText::parse("hello").expect("good"));
    Command { actor: user(1), act: Act::PostCreate { id: post(n), text, extra: None, pictures: Vec::new() } }
}

fn done(seqs: impl IntoIterator<Item = u64>) -> Result<Committed, CommitFault> {
    let change = |n| Change::Post { verb: Verb::Created, id: post(n), author: user(1) };
    let outcomes = seqs.into_iter().map(|seq| Outcome::Done(entry(seq, change(seq)))).collect();
    Ok(Committed { epoch: EPOCH, outcomes, brought: Vec::new() })
}

fn journal() -> Journal<u64> {
    Journal::new(Uuid::from_u128(1))
}

/// Effects in short.
fn brief(effects: &[Effect<u64>]) -> String {
    let brief = |effect: &Effect<u64>| match effect {
        Effect::Commit(_, commands) => format!("commit {}", commands.len()),
        Effect::Answer(to, Ok(_)) => format!("done {to}"),
        Effect::Answer(to, Err(none)) => format!("{none:?} {to}"),
        Effect::Announce(batch) => format!("announce {}..{}", batch.first, batch.last),
        Effect::Suspect => "suspect".to_owned(),
        Effect::Wait(wait) => format!("wait {wait}"),
    };
    effects.iter().map(brief).collect::<Vec<_>>().join(", ")
}

#[test]
fn an_idle_journal_commits_at_once_and_gathers_while_it_is_busy() {
    let mut journal = journal();
    assert_eq!(brief(&journal.submit(0, creates(1), 1)), "commit 1");
    assert_eq!(brief(&journal.submit(0, creates(2), 2)), "");
    assert_eq!(brief(&journal.submit(0, creates(3), 3)), "");
    assert_eq!(brief(&journal.committed(done([1]))), "announce 1..1, done 1, commit 2");
    assert_eq!(brief(&journal.committed(done([2, 3]))), "announce 2..3, done 2, done 3");
    assert!(journal.is_idle());
}

#[test]
fn what_commands_bring_others_is_announced_with_them_and_answers_nobody() {
    let mut journal = journal();
    journal.submit(0, creates(1), 1);
    let own = |n| Change::Own { event: EventName::NotificationUpdated, user: user(2), id: Uuid::from_u128(n) };
    let Ok(mut committed) = done([1]) else { unreachable!("it is") };
    committed.brought = vec![entry(2, own(1)), entry(3, own(2))];
    let effects = journal.committed(Ok(committed));
    assert_eq!(brief(&effects), "announce 1..3, done 1");
    let Some(Effect::Announce(batch)) = effects.first() else { unreachable!("it is") };
    assert_eq!(batch.entries.len(), 3);
}

#[test]
fn of_a_commit_that_wrote_more_than_it_tells_the_end_is_announced() {
    let mut journal = journal();
    journal.submit(0, creates(1), 1);
    journal.submit(0, creates(2), 2);
    journal.submit(0, creates(3), 3);
    journal.submit(0, creates(4), 4);
    // Its own is the last of the three it wrote.
    assert_eq!(brief(&journal.committed(done([3]))), "announce 3..3, done 1, commit 3");
    let effects = journal.committed(done([4, 7, 8]));
    assert_eq!(brief(&effects), "announce 7..8, done 2, done 3, done 4");
    let Some(Effect::Announce(batch)) = effects.first() else { unreachable!("it is") };
    assert_eq!(batch.entries.len(), 2);
}

#[test]
fn p2_a_bad_command_fails_alone() {
    let mut journal = journal();
    for n in 1..=4 {
        journal.submit(0, creates(n), n);
    }
    assert_eq!(brief(&journal.committed(done([1]))), "announce 1..1, done 1, commit 3");
    let rejected = || Err(CommitFault::Rejected("?".to_owned()));
    assert_eq!(brief(&journal.committed(rejected())), "commit 1");
    assert_eq!(brief(&journal.committed(done([2]))), "announce 2..2, done 2, commit 1");
    assert_eq!(brief(&journal.committed(rejected())), "Broken 3, commit 1");
    journal.submit(0, creates(5), 5);
    journal.submit(0, creates(6), 6);
    assert_eq!(brief(&journal.committed(done([3]))), "announce 3..3, done 4, commit 2", "together again");
}

#[test]
fn p10_an_unknown_outcome_is_asked_again_and_the_tail_is_told_to_look() {
    let mut journal = journal();
    journal.submit(0, creates(1), 1);
    let unknown = Err(CommitFault::Unknown("cut off".to_owned()));
    assert_eq!(brief(&journal.committed(unknown)), format!("suspect, wait {AGAIN_MS}"));
    assert!(!journal.is_idle());
    assert_eq!(brief(&journal.again(100)), "commit 1");
    assert_eq!(brief(&journal.committed(done([1]))), "announce 1..1, suspect, done 1");
}

#[test]
fn p10_a_batch_of_unknown_outcome_is_asked_again_as_it_was() {
    let mut journal = journal();
    journal.submit(0, creates(1), 1);
    journal.submit(0, creates(2), 2);
    journal.submit(3_000, creates(3), 3);
    let second = journal.committed(done([1]));
    let asked = |effects: &[Effect<u64>]| {
        effects.iter().find_map(|effect| {
            if let Effect::Commit(batch, commands) = effect { Some((*batch, format!("{commands:?}"))) } else { None }
        })
    };
    let first_asked = asked(&second).expect("the second batch");
    journal.committed(Err(CommitFault::Unknown("cut off".to_owned())));
    journal.submit(3_100, creates(4), 4);
    let again = journal.again(limits::COMMIT_PATIENCE_MS);
    assert_eq!(brief(&again), "Unavailable 2, commit 2", "its author is told, and it stays in its batch");
    assert_eq!(asked(&again).expect("asked again"), first_asked, "under its number");
    journal.committed(Err(CommitFault::NotDone("still away".to_owned())));
    let again = journal.again(limits::COMMIT_PATIENCE_MS);
    assert_eq!(asked(&again).expect("asked again"), first_asked, "what the first try did is still unknown");
    let next = journal.committed(done([2, 3]));
    assert_eq!(brief(&next), "announce 2..3, suspect, done 3, commit 1");
    assert_eq!(asked(&next).expect("the third batch").0.number, first_asked.0.number + 1);
}

#[test]
fn p2_a_batch_that_nobody_waits_for_any_more_is_let_go() {
    let mut journal = journal();
    journal.submit(0, creates(1), 1);
    journal.submit(1, creates(2), 2);
    journal.committed(Err(CommitFault::Unknown("cut off".to_owned())));
    assert_eq!(brief(&journal.again(limits::COMMIT_PATIENCE_MS)), "Unavailable 1, commit 1");
    assert_eq!(brief(&journal.committed(done([1]))), "announce 1..1, done 2");
}

#[test]
fn p6_beyond_its_bound_the_queue_answers_overloaded_at_once() {
    let mut journal = journal();
    let all = 1 + limits::JOURNAL_QUEUE as u64;
    for n in 0..all {
        assert!(!brief(&journal.submit(0, creates(n), n)).contains("Overloaded"), "{n}");
    }
    assert_eq!(brief(&journal.submit(0, creates(all), all)), format!("Overloaded {all}"));
    assert_eq!(journal.depth(), limits::JOURNAL_QUEUE + 1);
}

#[test]
fn p2_what_waits_too_long_is_given_up_and_the_rest_goes_on() {
    let mut journal = journal();
    journal.submit(0, creates(1), 1);
    journal.submit(4_000, creates(2), 2);
    let not_done = || Err(CommitFault::NotDone("away".to_owned()));
    assert_eq!(brief(&journal.committed(not_done())), format!("wait {AGAIN_MS}"));
    assert_eq!(brief(&journal.again(limits::COMMIT_PATIENCE_MS)), "Unavailable 1, commit 1");
    assert_eq!(brief(&journal.committed(done([1]))), "announce 1..1, done 2");
}

fn by_one(act: Act) -> Command {
    Command { actor: user(1), act }
}

#[test]
fn what_has_to_be_asked_for_is_done_again_as_a_deed_before_what_was_sent_after_it() {
    let mut journal = journal();
    journal.submit(0, by_one(Act::Follow { whom: user(2) }), 1);
    journal.submit(0, by_one(Act::Unfollow { whom: user(2) }), 2);
    journal.submit(0, creates(3), 3);
    let refused =
        || Committed { epoch: EPOCH, outcomes: vec![Outcome::Refused(Denied::AsksFirst)], brought: Vec::new() };
    let effects = journal.committed(Ok(refused()));
    let Some(Effect::Commit(_, commands)) = effects.first() else { panic!("{effects:?}") };
    assert!(
        matches!(commands[..], [Command { act: Act::Deed(Deed::Ask { .. }), .. }]),
        "alone: nothing may follow a deed"
    );
    let change = Change::Request { verb: Verb::Created, asker: user(1), asked: user(2) };
    let asked = Committed { epoch: EPOCH, outcomes: vec![Outcome::Done(entry(1, change))], brought: Vec::new() };
    assert_eq!(brief(&journal.committed(Ok(asked))), "announce 1..1, done 1, commit 2");
    // The end of it was decided with a post, which is done, and comes again alone.
    let mut both = refused();
    both.outcomes.push(Outcome::Done(entry(2, Change::Post { verb: Verb::Created, id: post(3), author: user(1) })));
    assert_eq!(brief(&journal.committed(Ok(both))), "announce 2..2, done 3, commit 1");
    assert_eq!(brief(&journal.committed(done([3]))), "announce 3..3, done 2");
    assert!(journal.is_idle());
}

/// On what one may comment depends on whom one follows, which is decided for all of a batch at once.
#[test]
fn a_comment_waits_for_a_follow_of_its_author_that_was_sent_before_it() {
    let id = tidings_protocol::ids::CommentId(Uuid::from_u128(9));
    let text = tidings_protocol::text::CommentText::parse("hello").expect("good");
    let comment =
        |actor| Command { actor, act: Act::CommentCreate { id, post: post(1), parent: None, text: text.clone() } };
    for (author, together) in [(user(1), "commit 1"), (user(3), "commit 2")] {
        let mut journal = journal();
        journal.submit(0, creates(1), 1);
        journal.submit(0, by_one(Act::Follow { whom: user(2) }), 2);
        journal.submit(0, comment(author), 3);
        assert_eq!(brief(&journal.committed(done([1]))), format!("announce 1..1, done 1, {together}"));
    }
}
