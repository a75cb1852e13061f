//! The journal beside a dumb store that decides, fails in every way a store may, and keeps a plain list of what it has written.

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::entity::PostExtra;
use tidings_protocol::ids::{CommentId, SessionId};
use tidings_protocol::position::Seq;
use tidings_protocol::text::{CommentText, DisplayName, PostText};

use super::*;
use crate::command::{Deed, Denied, ExtraChange, ProfileChange};
use crate::entry::{Change, Verb};
use crate::testing::{Dice, EPOCH, entry, post, user};

type Ticket = usize;

const WRITER: Uuid = Uuid::from_u128(7);

struct World {
    dice: Dice,
    now: Now,
    journal: Journal<Ticket>,
    /// By ticket: what was asked, and when.
    asked: Vec<(Command, Now)>,
    answers: BTreeMap<Ticket, Result<Outcome, NoOutcome>>,
    /// What is written, in order; `None` was written by another node.
    list: Vec<Option<Ticket>>,
    /// The last batch decided and what came of it: a command asked again in another batch is done again.
    decided: Option<(u64, Vec<Outcome>)>,
    /// What each batch consisted of when it was first sent.
    sent: BTreeMap<u64, Vec<Ticket>>,
    /// A batch lost on its way to the database, where it may come through yet.
    lost: Option<u64>,
    announced: BTreeSet<u64>,
    /// Answered, and announced by a later entry alone: its batch wrote more than it was answered with.
    untold: usize,
    poisoned: BTreeSet<Ticket>,
    on_its_way: Option<(Now, Result<Committed, CommitFault>)>,
    wake_at: Option<Now>,
    faults: bool,
    /// Until when the database is away.
    away_until: Now,
    commits: usize,
    suspected: bool,
}

impl World {
    fn of(seed: u64) -> Self {
        Self {
            dice: Dice::of(seed),
            now: 0,
            journal: Journal::new(WRITER),
            asked: Vec::new(),
            answers: BTreeMap::new(),
            list: Vec::new(),
            decided: None,
            sent: BTreeMap::new(),
            lost: None,
            announced: BTreeSet::new(),
            untold: 0,
            poisoned: BTreeSet::new(),
            on_its_way: None,
            wake_at: None,
            faults: true,
            away_until: 0,
            commits: 0,
            suspected: true,
        }
    }

    fn ask(&mut self) {
        let ticket = self.asked.len();
        if self.dice.percent(1) {
            self.poisoned.insert(ticket);
        }
        let command = command(&mut self.dice, ticket);
        self.asked.push((command.clone(), self.now));
        let depth = self.journal.depth();
        let effects = self.journal.submit(self.now, command, ticket);
        self.perform(effects);
        if let Some(Err(NoOutcome::Overloaded)) = self.answers.get(&ticket) {
            assert!(depth >= limits::JOURNAL_QUEUE, "turned away with {depth} waiting");
        }
        assert!(self.journal.depth() <= limits::JOURNAL_QUEUE + limits::BATCH_COMMANDS, "unbounded (P6)");
    }

    fn perform(&mut self, effects: Vec<Effect<Ticket>>) {
        for effect in effects {
            match effect {
                Effect::Commit(batch, commands) => self.commit(batch, &commands),
                Effect::Answer(ticket, answer) => self.answered(ticket, answer),
                Effect::Announce(batch) => self.told(&batch),
                Effect::Suspect => self.suspected = true,
                Effect::Wait(wait) => assert!(self.wake_at.replace(self.now + wait).is_none(), "one wait at a time"),
            }
        }
    }

    fn commit(&mut self, batch: BatchId, commands: &[Command]) {
        self.commits += 1;
        assert!(self.on_its_way.is_none() && self.wake_at.is_none(), "one batch at a time");
        assert!((1..=limits::BATCH_COMMANDS).contains(&commands.len()));
        assert_eq!(batch.writer, WRITER);
        let number = batch.number;
        let now: Vec<_> = self.journal.in_flight.iter().map(|waiting| waiting.to).collect();
        let tickets = self.sent.entry(number).or_insert_with(|| now.iter().map(|to| to.expect("waits")).collect());
        assert_eq!(tickets.len(), commands.len(), "asked again as it was");
        for (ticket, command) in tickets.iter().zip(commands) {
            assert_eq!(format!("{command:?}"), format!("{:?}", self.asked[*ticket].0));
        }
        let poisoned = tickets.iter().any(|ticket| self.poisoned.contains(ticket));
        independent(commands);
        let fault = match self.faults {
            true if self.now < self.away_until => self.dice.one_of(&[0, 3]),
            true => self.dice.below(20),
            false => 99,
        };
        let result = match fault {
            0 | 1 => Err(CommitFault::NotDone("cannot connect".to_owned())),
            2 if !poisoned => {
                drop(self.carry_out(number));
                Err(CommitFault::Unknown("cut off after the commit".to_owned()))
            }
            3 => {
                self.lost = (!poisoned && self.dice.percent(50)).then_some(number);
                Err(CommitFault::Unknown("cut off before the commit".to_owned()))
            }
            _ if poisoned || fault == 4 && commands.len() > 1 && !self.was_decided(number) => {
                Err(CommitFault::Rejected("what is this?".to_owned()))
            }
            _ => Ok(self.carry_out(number)),
        };
        self.suspected &= !matches!(result, Err(CommitFault::Unknown(_)));
        let wait = if self.faults && self.dice.percent(2) { 3_000 } else { self.dice.between(0, 20) };
        self.on_its_way = Some((self.now + wait, result));
    }

    fn was_decided(&self, number: u64) -> bool {
        self.decided.as_ref().is_some_and(|(last, _)| *last == number)
    }

    /// Decides a batch, unless it was the last to be decided.
    fn carry_out(&mut self, number: u64) -> Committed {
        if self.dice.percent(30) {
            self.list.push(None);
        }
        match &mut self.decided {
            Some((last, outcomes)) if *last == number => {
                for outcome in outcomes.iter_mut() {
                    if let Outcome::Done(entry) = outcome {
                        *outcome = Outcome::Duplicate(entry.clone());
                    }
                }
            }
            decided => {
                assert!(decided.as_ref().is_none_or(|(last, _)| *last < number), "the batch before it was asked again");
                let mut outcomes = Vec::new();
                for &ticket in &self.sent[&number] {
                    let change = Change::Post { verb: Verb::Created, id: post(ticket as u64), author: user(1) };
                    let blocks = matches!(self.asked[ticket].0.act, Act::Deed(Deed::Block { .. }));
                    outcomes.push(if ticket % 17 == 3 {
                        Outcome::Refused(Denied::NotFound)
                    } else {
                        // It ends follows first, by entries of their own.
                        let follows = if blocks { ticket % 3 } else { 0 };
                        self.list.extend(std::iter::repeat_n(None, follows));
                        self.list.push(Some(ticket));
                        Outcome::Done(entry(self.list.len() as u64, change))
                    });
                }
                *decided = Some((number, outcomes));
            }
        }
        let outcomes = self.decided.iter().flat_map(|(_, outcomes)| outcomes).cloned().collect();
        Committed { epoch: EPOCH, outcomes, brought: Vec::new() }
    }

    /// What was lost on its way comes through after all, unless its writer has gone on.
    fn lost_ones_come_through(&mut self) {
        if let Some(number) = self.lost.take()
            && self.decided.as_ref().is_none_or(|(last, _)| *last < number)
        {
            drop(self.carry_out(number));
        }
    }

    fn told(&mut self, batch: &Batch) {
        assert_eq!(batch.entries.len() as u64, batch.last.0 - batch.first.0 + 1);
        for (seq, entry) in (batch.first.0..).zip(&batch.entries) {
            assert_eq!(entry.seq.0, seq, "contiguous (P1)");
            let ticket = self.list[usize::try_from(seq).expect("small") - 1].expect("written by this node");
            let answer = self.answers.get(&ticket);
            let told_not_to_wait = matches!(answer, Some(Err(NoOutcome::Unavailable)));
            assert!(answer.is_none() || told_not_to_wait, "announced after its answer");
            assert!(self.announced.insert(seq), "announced twice");
        }
    }

    fn answered(&mut self, ticket: Ticket, answer: Result<Outcome, NoOutcome>) {
        let written = |seq: Seq| self.list[usize::try_from(seq.0).expect("small") - 1];
        let times = self.list.iter().filter(|written| **written == Some(ticket)).count();
        match &answer {
            Ok(Outcome::Done(entry)) => {
                assert_eq!((written(entry.seq), times), (Some(ticket), 1), "acknowledged before its commit (P2)");
                let announced = self.announced.range(entry.seq.0..).next();
                assert!(announced.is_some(), "answered before a tail could know of it");
                self.untold += usize::from(announced != Some(&entry.seq.0));
            }
            Ok(Outcome::Duplicate(entry)) => assert_eq!((written(entry.seq), times), (Some(ticket), 1)),
            Ok(Outcome::Refused(_)) | Err(NoOutcome::Overloaded) => assert_eq!(times, 0, "refused leaves nothing (P2)"),
            Err(NoOutcome::Unavailable) => {
                let waited = self.now - self.asked[ticket].1;
                assert!(waited >= limits::COMMIT_PATIENCE_MS && times <= 1, "given up after {waited} ms");
            }
            Err(NoOutcome::Broken) => assert!(self.poisoned.contains(&ticket), "one bad command fails only itself"),
        }
        assert!(self.answers.insert(ticket, answer).is_none(), "answered twice");
    }

    fn pass(&mut self, span: Now) {
        let until = self.now + span;
        while let Some(due) = self.on_its_way.as_ref().map(|(due, _)| *due).or(self.wake_at).filter(|due| *due <= until)
        {
            self.now = self.now.max(due);
            if self.dice.percent(30) {
                self.lost_ones_come_through();
            }
            let effects = match self.on_its_way.take() {
                Some((_, result)) => self.journal.committed(result),
                None => {
                    self.wake_at = None;
                    self.journal.again(self.now)
                }
            };
            self.perform(effects);
        }
        self.now = until;
    }

    fn finish(&mut self) {
        self.faults = false;
        self.pass(60_000);
        assert!(self.journal.is_idle() && self.journal.depth() == 0);
        assert_eq!(self.answers.len(), self.asked.len(), "every command gets an answer (P8)");
        assert!(self.suspected, "after an unknown outcome somebody has to look");
        let ours: Vec<Ticket> = self.list.iter().flatten().copied().collect();
        assert!(ours.is_sorted_by(|a, b| a < b), "in the order asked, each once (P1)");
        let broken = |ticket: &Ticket| matches!(self.answers[ticket], Err(NoOutcome::Broken | NoOutcome::Overloaded));
        assert!(!ours.iter().any(broken), "refused and yet written");
    }
}

/// Commands over few enough people and things that they get in each other's way.
fn command(dice: &mut Dice, ticket: Ticket) -> Command {
    let actor = user(dice.below(40));
    let text = |prefix: &str| format!("{prefix} {ticket}");
    let comment = |n| CommentId(uuid::Uuid::from_u64_pair(3, n));
    let (some_post, some_comment) = (post(dice.below(60)), comment(dice.below(60)));
    let act = match dice.below(10) {
        0 => Act::UserUpdate {
            name: DisplayName::parse(text("name")).ok(),
            bio: None,
            change: ProfileChange::default(),
            if_rev: None,
        },
        1 => Act::Follow { whom: user(dice.below(40)) },
        2 => Act::Unfollow { whom: user(dice.below(40)) },
        3 => {
            let text = PostText::parse(text("edit")).expect("good");
            Act::PostUpdate { id: some_post, text, change: ExtraChange::default(), if_rev: None }
        }
        4 if dice.percent(30) => Act::PostDelete { id: some_post },
        5 => Act::CommentCreate {
            id: some_comment,
            post: some_post,
            parent: dice.percent(50).then(|| comment(dice.below(60))),
            text: CommentText::parse(text("answer")).expect("good"),
        },
        6 => Act::CommentDelete { id: some_comment },
        7 if dice.percent(30) => {
            let session = SessionId(uuid::Uuid::from_u64_pair(4, dice.below(10)));
            Act::SessionRevoke { session: dice.percent(50).then_some(session) }
        }
        8 if dice.percent(20) => Act::Deed(Deed::Mute { whom: user(dice.below(40)), until: None }),
        8 if dice.percent(20) => Act::Deed(Deed::Block { whom: user(dice.below(40)) }),
        _ => {
            let text = PostText::parse(text("post")).ok();
            let of = dice.percent(20).then_some(some_post);
            let extra = of.map(|_| Box::new(PostExtra { of, ..PostExtra::default() }));
            Act::PostCreate { id: post(1_000 + ticket as u64), text, extra, pictures: Vec::new() }
        }
    };
    Command { actor, act }
}

fn is_deed(command: &Command) -> bool {
    matches!(command.act, Act::Deed(_))
}

/// What a command needs to stay as it is, and what it changes, in words. Any comment may belong to any post.
fn spelled_out(command: &Command) -> (Vec<String>, Vec<String>) {
    let me = format!("user {}", command.actor);
    match &command.act {
        Act::UserCreate { .. } | Act::UserUpdate { .. } => (vec![], vec![me]),
        Act::Follow { whom } | Act::Unfollow { whom } => {
            (vec![me, format!("user {whom}")], vec![format!("{} follows {whom}", command.actor)])
        }
        Act::PostCreate { id, extra, .. } => {
            let of = extra.iter().filter_map(|extra| extra.of).map(|of| format!("post {of}"));
            ([me].into_iter().chain(of).collect(), vec![format!("post {id}")])
        }
        Act::PostUpdate { id, .. } => (vec![me], vec![format!("post {id}")]),
        // Decided after all others.
        Act::Deed(_) => (vec![], vec![]),
        Act::PostDelete { id } => (vec![me], vec![format!("post {id}"), "where comments are".to_owned()]),
        Act::CommentCreate { id, post, parent, .. } => {
            let parent = parent.iter().map(|parent| format!("comment {parent}"));
            ([me, format!("post {post}")].into_iter().chain(parent).collect(), vec![format!("comment {id}")])
        }
        Act::CommentUpdate { id, .. } | Act::CommentDelete { id } => {
            (vec![me, "where comments are".to_owned()], vec![format!("comment {id}")])
        }
        Act::SessionRevoke { session: Some(session) } => (vec![me], vec![format!("session {session}")]),
        Act::SessionRevoke { session: None } => (vec![], vec![me]),
    }
}

/// No command of a batch may touch what another one writes, but for deeds, which come last.
fn independent(commands: &[Command]) {
    assert!(commands.is_sorted_by_key(is_deed), "a deed is decided after what was asked later");
    let spelled: Vec<_> = commands.iter().map(spelled_out).collect();
    let mut writers = BTreeMap::<&str, usize>::new();
    for (at, (_, writes)) in spelled.iter().enumerate() {
        for thing in writes {
            let other = writers.insert(thing, at);
            assert!(other.is_none_or(|other| other == at || thing == "where comments are"), "both write: {thing}");
        }
    }
    for (at, (reads, _)) in spelled.iter().enumerate() {
        for thing in reads {
            assert!(writers.get(thing.as_str()).is_none_or(|writer| *writer == at), "read and written: {thing}");
        }
    }
}

#[test]
fn p2_p6_p10_every_command_gets_one_answer_and_what_is_acknowledged_is_written_once() {
    let (mut commits, mut untold, mut asked, mut answers) = (0, 0, 0, BTreeMap::<String, usize>::new());
    for seed in 0..40 {
        let mut world = World::of(seed);
        for _ in 0..80 {
            if world.dice.percent(2) {
                world.away_until = world.now + world.dice.between(0, 12_000);
            }
            let many = if world.dice.percent(1) { 1_500 } else { world.dice.between(0, 12) };
            for _ in 0..many {
                world.ask();
            }
            let span = if world.dice.percent(5) { 2_000 } else { world.dice.between(0, 40) };
            world.pass(span);
        }
        world.finish();
        commits += world.commits;
        untold += world.untold;
        asked += world.asked.len();
        for answer in world.answers.values() {
            let kind = match answer {
                Ok(Outcome::Done(_)) => "done".to_owned(),
                Ok(Outcome::Duplicate(_)) => "duplicate".to_owned(),
                Ok(Outcome::Refused(_)) => "refused".to_owned(),
                Err(none) => format!("{none:?}"),
            };
            *answers.entry(kind).or_default() += 1;
        }
    }
    println!("{asked} commands in {commits} batches, {untold} not announced: {answers:?}");
    assert!(answers.len() == 6 && untold > 10, "the world has been too kind: {answers:?}");
}
