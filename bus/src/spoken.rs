//! Owns what tells the two kinds of message between nodes apart: rumours of what was committed, and whispers of what is true only for a moment.
//! Must never let one be taken for the other, or one kind fill what the other waits in.

use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tidings_actors::entry::Batch;
use tidings_actors::ports::Heard;
use tidings_actors::presence::whisper::Whisper;

use crate::limits::{MESSAGE_BYTES, WAITING_BYTES, WHISPER_BYTES, WHISPERS_WAITING_BYTES};
use crate::tally::{Names, RUMOURS, WHISPERS};

/// Whether peers can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Away,
    Back,
}

/// A kind of message.
pub trait Spoken: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What whoever listens is told.
    type Heard: Send + 'static;
    /// The first bytes of a message, which are sealed with it.
    const MAGIC: &'static [u8; 4];
    /// What the channel's name is made from, and what one that was given ends with.
    const CHANNEL: &'static str;
    /// The largest message.
    const MOST_BYTES: usize;
    /// Bytes that may wait in each of the queues.
    const WAITING_BYTES: usize;
    /// What operators read of it.
    const NAMES: &'static Names;

    /// Whether a node of ours can have said it.
    fn is_sound(&self) -> bool;
    /// About how many bytes it holds while it waits.
    fn bytes(&self) -> usize;
    /// As it is told.
    fn heard(self) -> Self::Heard;
    /// How it is told that the bus went away or came back; none where nobody needs to know.
    fn standing(standing: Standing) -> Option<Self::Heard>;
}

impl Spoken for Batch {
    type Heard = Heard;
    const MAGIC: &'static [u8; 4] = b"TDB1";
    const CHANNEL: &'static str = "";
    const MOST_BYTES: usize = MESSAGE_BYTES;
    const WAITING_BYTES: usize = WAITING_BYTES;
    const NAMES: &'static Names = &RUMOURS;

    /// A contiguous range whose entries lie in it, ascending. A peer of ours sends nothing else.
    fn is_sound(&self) -> bool {
        let ascending = self.entries.is_sorted_by(|a, b| a.seq < b.seq);
        let within = |seq| (self.first..=self.last).contains(&seq);
        self.first <= self.last && ascending && self.entries.iter().all(|entry| within(entry.seq))
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.body.get().len()).sum()
    }

    fn heard(self) -> Heard {
        Heard::Rumour(Arc::new(self))
    }

    fn standing(standing: Standing) -> Option<Heard> {
        Some(match standing {
            Standing::Away => Heard::Away,
            Standing::Back => Heard::Back,
        })
    }
}

impl Spoken for Whisper {
    type Heard = Self;
    const MAGIC: &'static [u8; 4] = b"TDW1";
    const CHANNEL: &'static str = ":whispers";
    const MOST_BYTES: usize = WHISPER_BYTES;
    const WAITING_BYTES: usize = WHISPERS_WAITING_BYTES;
    const NAMES: &'static Names = &WHISPERS;

    fn is_sound(&self) -> bool {
        Self::is_sound(self)
    }

    fn bytes(&self) -> usize {
        self.bytes()
    }

    fn heard(self) -> Self {
        self
    }

    fn standing(_: Standing) -> Option<Self> {
        None
    }
}
