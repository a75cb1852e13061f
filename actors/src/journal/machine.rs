//! Gathers commands into batches and sorts out what came of them.
//! A pure machine. It must never answer before the commit (P2), never let a queue grow past its bound (P6), never guess an unknown
//! outcome (P10): it asks the same batch again, to the last command and under the same number.

use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::FxHashSet;
use tidings_protocol::ids::UserId;
use uuid::Uuid;

use crate::command::{Act, Command, Committed, Denied, Outcome};
use crate::entry::Batch;
use crate::limits;
use crate::ports::{BatchId, CommitFault};
use crate::tail::machine::Now;

/// Why a command has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoOutcome {
    /// Too much is waiting; nothing was done.
    Overloaded,
    /// The journal could not be reached in time. It may have been done: the same command again is safe.
    Unavailable,
    /// The store could not make sense of it: our own fault.
    Broken,
}

/// What the shell does for it. `T` is where an answer goes.
#[derive(Debug)]
pub enum Effect<T> {
    /// Send the commands as one batch; answer with [`Journal::committed`].
    Commit(BatchId, Arc<[Command]>),
    /// Answer one command.
    Answer(T, Result<Outcome, NoOutcome>),
    /// Tell the tail and the peers, before any answer goes out.
    Announce(Arc<Batch>),
    /// Entries may have been written that are not announced: the tail should look.
    Suspect,
    /// Call [`Journal::again`] after this many milliseconds.
    Wait(Now),
}

#[derive(Debug)]
struct Waiting<T> {
    command: Command,
    /// None: its author has been told not to wait, and it is asked again only for the sake of those it was sent with.
    to: Option<T>,
    give_up_at: Now,
}

/// The machine.
#[derive(Debug)]
pub struct Journal<T> {
    /// The batch in flight, or the last one that was.
    batch: BatchId,
    queue: VecDeque<Waiting<T>>,
    in_flight: Vec<Waiting<T>>,
    /// A commit has been sent and not answered, or a wait is running.
    busy: bool,
    /// How many of the queue's first commands go one at a time, to find a bad one.
    alone: usize,
    /// The batch in flight may have been done by an earlier try: it stays as it is until that is known.
    asked_before: bool,
}

/// Between two tries of a batch: about a quarter of the 0.5 s that Postgres needs to come back at best.
const AGAIN_MS: Now = 100;

impl<T> Journal<T> {
    /// An idle one. `writer` must never have been another's.
    #[must_use]
    pub fn new(writer: Uuid) -> Self {
        Self {
            batch: BatchId { writer, number: 0 },
            queue: VecDeque::new(),
            in_flight: Vec::new(),
            busy: false,
            alone: 0,
            asked_before: false,
        }
    }

    /// Takes a command in.
    pub fn submit(&mut self, now: Now, command: Command, to: T) -> Vec<Effect<T>> {
        if self.queue.len() >= limits::JOURNAL_QUEUE {
            return vec![Effect::Answer(to, Err(NoOutcome::Overloaded))];
        }
        let give_up_at = now + limits::COMMIT_PATIENCE_MS;
        self.queue.push_back(Waiting { command, to: Some(to), give_up_at });
        self.go().into_iter().collect()
    }

    /// Whether everything taken in has been answered.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        !self.busy
    }

    /// Commands taken in and not answered.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.queue.len() + self.in_flight.len()
    }

    /// A wait is over.
    pub fn again(&mut self, now: Now) -> Vec<Effect<T>> {
        self.busy = false;
        let mut late = Vec::new();
        for sent in &mut self.in_flight {
            late.extend(sent.to.take_if(|_| now >= sent.give_up_at));
        }
        if self.in_flight.iter().all(|sent| sent.to.is_none()) {
            self.alone = self.alone.saturating_sub(self.in_flight.len());
            self.in_flight.clear();
            self.asked_before = false;
        }
        for mut waiting in std::mem::take(&mut self.queue) {
            if now >= waiting.give_up_at {
                self.alone = self.alone.saturating_sub(1);
                late.extend(waiting.to.take());
            } else {
                self.queue.push_back(waiting);
            }
        }
        let mut effects: Vec<_> = late.into_iter().map(|to| Effect::Answer(to, Err(NoOutcome::Unavailable))).collect();
        effects.extend(self.go());
        effects
    }

    /// The batch in flight came back.
    pub fn committed(&mut self, result: Result<Committed, CommitFault>) -> Vec<Effect<T>> {
        match result {
            Ok(committed) => self.done(committed),
            // What an earlier try of it has done is as unknown as before.
            Err(CommitFault::NotDone(_)) if self.asked_before => vec![Effect::Wait(AGAIN_MS)],
            Err(CommitFault::NotDone(_)) => {
                self.back_in_line();
                vec![Effect::Wait(AGAIN_MS)]
            }
            Err(CommitFault::Unknown(_)) => {
                self.asked_before = true;
                vec![Effect::Suspect, Effect::Wait(AGAIN_MS)]
            }
            Err(CommitFault::Rejected(_)) => self.one_at_a_time(NoOutcome::Broken),
            Err(CommitFault::Unreadable(_)) => {
                let mut effects = vec![Effect::Suspect];
                effects.extend(self.one_at_a_time(NoOutcome::Unavailable));
                effects
            }
        }
    }

    fn done(&mut self, committed: Committed) -> Vec<Effect<T>> {
        let mut effects = Vec::with_capacity(self.in_flight.len() + 2);
        effects.extend(announcement(&committed).map(|batch| Effect::Announce(Arc::new(batch))));
        if std::mem::take(&mut self.asked_before) {
            effects.push(Effect::Suspect);
        }
        self.alone = self.alone.saturating_sub(self.in_flight.len());
        let in_flight = std::mem::take(&mut self.in_flight);
        debug_assert_eq!(in_flight.len(), committed.outcomes.len(), "one outcome for each command");
        let mut again = Vec::new();
        for (mut waiting, outcome) in in_flight.into_iter().zip(committed.outcomes) {
            // Whose author does not wait any more may send it again.
            let asked_for = waiting.to.is_some() && matches!(outcome, Outcome::Refused(Denied::AsksFirst));
            if let Some(deed) = waiting.command.act.asked_for().filter(|_| asked_for) {
                waiting.command.act = Act::Deed(deed);
                again.push(waiting);
            } else {
                effects.extend(waiting.to.map(|to| Effect::Answer(to, Ok(outcome))));
            }
        }
        // Before all that waits: what its sender has sent after it has to find it done.
        again.into_iter().rev().for_each(|waiting| self.queue.push_front(waiting));
        self.busy = false;
        effects.extend(self.go());
        effects
    }

    /// Puts the batch back to the front of the line: nothing of it is done.
    fn back_in_line(&mut self) {
        self.asked_before = false;
        for sent in std::mem::take(&mut self.in_flight).into_iter().rev() {
            if sent.to.is_some() {
                self.queue.push_front(sent);
            }
        }
    }

    /// The batch in flight holds a bad command: finds it. A command that is alone already is the bad one, and is answered so.
    fn one_at_a_time(&mut self, bad: NoOutcome) -> Vec<Effect<T>> {
        let mut effects = Vec::new();
        if self.in_flight.len() == 1 {
            self.alone = self.alone.saturating_sub(1);
            self.asked_before = false;
            let bad_one = self.in_flight.pop().and_then(|sent| sent.to);
            effects.extend(bad_one.map(|to| Effect::Answer(to, Err(bad))));
        } else {
            let others = self.queue.len();
            self.back_in_line();
            self.alone = self.queue.len() - others;
        }
        self.busy = false;
        effects.extend(self.go());
        effects
    }

    /// Sends the batch whose outcome is unknown once more, or what has gathered, if nothing is on its way.
    fn go(&mut self) -> Option<Effect<T>> {
        if self.busy {
            return None;
        }
        if self.in_flight.is_empty() {
            self.gather();
        }
        if self.in_flight.is_empty() {
            return None;
        }
        self.busy = true;
        let commands = self.in_flight.iter().map(|sent| sent.command.clone()).collect();
        Some(Effect::Commit(self.batch, commands))
    }

    /// Makes the next batch of what waits.
    fn gather(&mut self) {
        let most = if self.alone > 0 { 1 } else { limits::BATCH_COMMANDS };
        let mut touched = Touched::default();
        while self.in_flight.len() < most {
            let Some(next) = self.queue.front() else {
                break;
            };
            if !touched.take(&next.command) {
                break;
            }
            self.in_flight.extend(self.queue.pop_front());
        }
        self.batch.number += 1;
    }
}

/// The entries a commit wrote, as one contiguous batch. A block ends follows by entries of their own that no command is answered with: of
/// such a commit it is the end alone, and every tail, the peers' too, sees by that what it has to read.
fn announcement(committed: &Committed) -> Option<Batch> {
    let mut entries: Vec<_> = committed
        .outcomes
        .iter()
        .filter_map(|outcome| match outcome {
            Outcome::Done(entry) => Some(entry.clone()),
            Outcome::Duplicate(_) | Outcome::Refused(_) => None,
        })
        .chain(committed.brought.iter().cloned())
        .collect();
    assert!(entries.is_sorted_by(|a, b| a.seq < b.seq), "a commit's entries ascend (P1)");
    let after_gap = entries.windows(2).rposition(|pair| pair[0].seq.next() != pair[1].seq);
    entries.drain(..after_gap.map_or(0, |before| before + 1));
    let (first, last) = (entries.first()?.seq, entries.last()?.seq);
    Some(Batch { epoch: committed.epoch, first, last, entries })
}

/// An entity as far as one command can get in another's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Thing {
    One(Uuid),
    Pair(UserId, UserId),
    /// Comments by id alone: which post they belong to is not known here, so they keep out of the way of any post's deletion.
    Comments,
}

/// What a batch reads and writes. Within a batch no command may depend on another one's writing:
/// the deciding statements all see the state before the batch. Deeds are the exception: they are decided after all others, one after the
/// other, each of them seeing what came before; so nothing else may follow one.
#[derive(Debug, Default)]
struct Touched {
    read: FxHashSet<Thing>,
    written: FxHashSet<Thing>,
    /// Those who follow somebody from here on, or no longer: that says on what they may comment.
    turned: FxHashSet<UserId>,
    deeds: bool,
}

impl Touched {
    /// Adds a command, unless it has to wait for the next batch.
    fn take(&mut self, command: &Command) -> bool {
        if let Act::Deed(_) = command.act {
            self.deeds = true;
            return true;
        }
        if self.deeds {
            return false;
        }
        let (reads, writes) = things(command);
        let reads = reads.into_iter().flatten();
        let writes = writes.into_iter().flatten();
        let free = reads.clone().all(|thing| !self.written.contains(&thing))
            && writes.clone().all(|thing| !self.written.contains(&thing) && !self.read.contains(&thing))
            && !(matches!(command.act, Act::CommentCreate { .. }) && self.turned.contains(&command.actor));
        if free {
            if let Act::Follow { .. } | Act::Unfollow { .. } = command.act {
                self.turned.insert(command.actor);
            }
            self.read.extend(reads);
            self.written.extend(writes);
        }
        free
    }
}

/// What a command reads and writes.
fn things(command: &Command) -> ([Option<Thing>; 3], [Option<Thing>; 2]) {
    let actor = Some(Thing::One(command.actor.0));
    match &command.act {
        Act::UserCreate { .. } | Act::UserUpdate { .. } => ([None; 3], [actor, None]),
        Act::Follow { whom } | Act::Unfollow { whom } => {
            ([actor, Some(Thing::One(whom.0)), None], [Some(Thing::Pair(command.actor, *whom)), None])
        }
        Act::PostCreate { id, extra, .. } => {
            let of = extra.as_ref().and_then(|extra| extra.of).map(|of| Thing::One(of.0));
            ([actor, of, None], [Some(Thing::One(id.0)), None])
        }
        Act::PostUpdate { id, .. } => ([actor, None, None], [Some(Thing::One(id.0)), None]),
        Act::PostDelete { id } => ([actor, None, None], [Some(Thing::One(id.0)), Some(Thing::Comments)]),
        Act::CommentCreate { id, post, parent, .. } => (
            [actor, Some(Thing::One(post.0)), parent.map(|parent| Thing::One(parent.0))],
            [Some(Thing::One(id.0)), None],
        ),
        Act::CommentUpdate { id, .. } | Act::CommentDelete { id } => {
            ([actor, Some(Thing::Comments), None], [Some(Thing::One(id.0)), None])
        }
        // Never in the way of anything before it.
        Act::Deed(_) => ([None; 3], [None; 2]),
        Act::SessionRevoke { session } => match session {
            Some(session) => ([actor, None, None], [Some(Thing::One(session.0)), None]),
            None => ([None; 3], [actor, None]),
        },
    }
}

#[cfg(test)]
mod sim;
#[cfg(test)]
mod tests;
