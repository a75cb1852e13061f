//! What nodes tell each other of what is true only for a moment. Unlike a rumour it stands for nothing in the journal: what is lost is told
//! again soon, in another form. Must never hold anything that clients may not be told of each other.

use serde::{Deserialize, Serialize};
use tidings_protocol::entity::Author;
use tidings_protocol::ids::{PostId, UserId};
use uuid::Uuid;

use super::ledger::Part;
use super::{Standing, Thread};
use crate::limits::WHISPER_TYPED;

/// A message between the criers of two nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whisper {
    /// Which crier says it; another one after each start.
    pub node: Uuid,
    /// Which of its messages this is. One that does not come after the last is of no use any more.
    pub number: u64,
    /// It has met somebody it did not know: tell everything again.
    pub asks: bool,
    /// Who is on this node.
    pub people: Part<UserId, Standing>,
    /// How many connections of this node watch each post.
    pub readers: Part<PostId, u32>,
    /// Who has begun, or goes on, to type.
    pub typed: Vec<Typed>,
}

/// Somebody types.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typed {
    /// Where.
    pub thread: Thread,
    /// Who.
    pub who: Author,
}

impl Whisper {
    /// Whether a node of ours can have said it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.people.is_sound() && self.readers.is_sound() && self.typed.len() <= WHISPER_TYPED
    }

    /// About how many bytes it is when written down.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let stretched = |stretch: Option<usize>| stretch.unwrap_or_default();
        let people =
            self.people.changed.len() + stretched(self.people.stretch.as_ref().map(|stretch| stretch.items.len()));
        let posts =
            self.readers.changed.len() + stretched(self.readers.stretch.as_ref().map(|stretch| stretch.items.len()));
        let typed: usize = self.typed.iter().map(|typed| 200 + typed.who.handle.len() + typed.who.name.len()).sum();
        200 + 80 * people + 60 * posts + typed
    }
}
