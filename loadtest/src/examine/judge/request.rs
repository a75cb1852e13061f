//! Requests and what became of them.
//! Must never know the journal: what a request did is told by `life`.

use crate::examine::history::{Op, Thing};

/// A request and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Who asked.
    pub client: u32,
    /// Over which connection.
    pub connection: Option<u64>,
    /// What.
    pub op: Op,
    /// The record of the request.
    pub asked: usize,
    /// The record of the outcome.
    pub ended: Option<usize>,
    /// What became of it.
    pub outcome: Outcome,
    /// In which life of the journal it was done; none where that is not certain.
    pub life: Option<usize>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Done.
    Done { seq: Option<u64>, duplicate: bool },
    /// Refused.
    Refused,
    /// Refused, as there is no such thing.
    NotFound,
    /// Nobody knows.
    Unknown,
    /// Nothing came.
    Pending,
}

impl Outcome {
    /// It may have been done, or not.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Unknown | Self::Pending)
    }

    /// It has certainly not been done.
    pub const fn is_refusal(self) -> bool {
        matches!(self, Self::Refused | Self::NotFound)
    }
}

impl Request {
    /// The entry that an answer names, and the record of the answer.
    pub fn entry(&self) -> Option<(u64, usize)> {
        match (self.outcome, self.ended) {
            (Outcome::Done { seq: Some(seq), .. }, Some(ended)) => Some((seq, ended)),
            (Outcome::Done { .. } | Outcome::Refused | Outcome::NotFound | Outcome::Unknown | Outcome::Pending, _) => {
                None
            }
        }
    }

    /// It was answered as done now, and not before.
    pub const fn is_new(&self) -> bool {
        matches!(self.outcome, Outcome::Done { duplicate: false, seq: Some(_) })
    }
}

/// What a request wants of a thing; its repetitions want the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Want {
    /// This content.
    Content(Thing, u64),
    /// To be gone (of a follow: not to be).
    Gone(Thing),
    /// A follow, to be.
    Active(Thing),
}

impl Want {
    /// What this operation wants, if it changes anything.
    pub const fn of(op: Op) -> Option<Self> {
        match op {
            Op::Create(thing, mark) | Op::Change(thing, mark) => Some(Self::Content(thing, mark)),
            Op::Delete(thing) | Op::Follow(thing, false) => Some(Self::Gone(thing)),
            Op::Follow(thing, true) => Some(Self::Active(thing)),
            Op::Hello | Op::Read(_) | Op::Watch(_) | Op::Unwatch(_) | Op::LogOut(_) => None,
        }
    }

    /// What must have been asked for this state to come about.
    pub const fn behind(thing: Thing, mark: u64, gone: bool) -> Self {
        match (thing, gone) {
            (_, true) => Self::Gone(thing),
            (Thing::Follow(..), false) => Self::Active(thing),
            (_, false) => Self::Content(thing, mark),
        }
    }
}
