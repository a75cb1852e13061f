//! What happened in a run, as the clients saw it: what was posted, what was answered, what each connection was sent.
//! Must never judge (that is `check`), and must never leave anything out that was on the wire.

use std::hash::{DefaultHasher, Hash, Hasher};

use uuid::Uuid;

use crate::graph::Follows;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Whom each person follows; everybody also hears themselves.
    pub follows: Follows,
    /// Everything that was posted, by number.
    pub posts: Vec<Posted>,
    /// Everything that was heard, by connection.
    pub readers: Vec<Reader>,
}

/// One post or comment, as its author knows it.
#[derive(Clone, Debug)]
pub struct Posted {
    /// Chosen by the client.
    pub id: Uuid,
    /// Which person.
    pub author: usize,
    /// On which thread it is a comment; none for a post.
    pub thread: Option<usize>,
    /// Of its text.
    pub text: TextMark,
    /// What the server said.
    pub outcome: Outcome,
}

/// What the server said to a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Acknowledged {
        /// Its place in the journal.
        seq: u64,
    },
    /// Not done, and must leave nothing behind.
    Refused,
    /// Nothing, or "unavailable": done once or not at all.
    Unknown,
}

/// One connection's place in the story; a connection that is dropped and resumed goes on in a new life.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    /// Whose it is.
    pub person: usize,
    /// Which thread it watches besides `home`.
    pub thread: Option<usize>,
    /// Everything it heard is here; of the others only the order was looked at, when it came.
    pub kept: bool,
    /// What was there before the run, up to this `seq`, is none of our business.
    pub before: u64,
    /// From connect to loss.
    pub lives: Vec<Life>,
}

/// From one `hello` to the loss of the socket.
#[derive(Clone, Debug, Default)]
pub struct Life {
    /// The `seq` of the cursor it resumed from, if any.
    pub resumed_at: Option<u64>,
    /// In the order it arrived.
    pub heard: Vec<Heard>,
}

/// One thing that the server sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A post or a comment, as an event.
    Post(SeenPost),
    /// The whole feed, at the start or in between.
    Snapshot {
        /// Of the thread, not of `home`.
        thread: bool,
        /// As of.
        seq: u64,
        /// What it showed.
        posts: Vec<SeenPost>,
        /// It showed all there is; otherwise older ones were left out.
        complete: bool,
    },
    /// Another event, of which only the order matters.
    Other {
        /// Of the push.
        seq: u64,
    },
}

impl Heard {
    /// The posts in it.
    #[must_use]
    pub fn posts(&self) -> &[SeenPost] {
        match self {
            Self::Post(seen) => std::slice::from_ref(seen),
            Self::Snapshot { posts, .. } => posts,
            Self::Other { .. } => &[],
        }
    }
}

/// A post or comment as a reader saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenPost {
    /// Which.
    pub id: Uuid,
    /// Of the push, or of the post in a snapshot.
    pub seq: u64,
    /// Of its text.
    pub text: TextMark,
}

/// Stands for a text, so that a history of millions of deliveries fits in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextMark(pub u64);

impl TextMark {
    /// Of this text.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self(hasher.finish())
    }
}
