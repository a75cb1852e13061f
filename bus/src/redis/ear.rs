//! Owns what the tail is told: how the bus stands, and rumours. Must never wait for the tail, and never lose that the bus
//! went away or came back, however full the queue is.

use std::sync::Arc;

use tidings_actors::ports::Heard;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::sealed::{Opened, Seal};
use crate::tally::{Dropped, Tally};

/// Whether peers can be heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Away,
    Back,
}

/// The sending end of the listen queue.
#[derive(Debug)]
pub struct Ear {
    to_tail: mpsc::Sender<Heard>,
    pub seal: Seal,
    pub tally: Tally,
    now: Option<Standing>,
    /// The latest standing, while the queue has had no room for it. No rumour overtakes it.
    unsaid: Option<Standing>,
}

impl Ear {
    pub const fn new(to_tail: mpsc::Sender<Heard>, seal: Seal, tally: Tally) -> Self {
        Self { to_tail, seal, tally, now: None, unsaid: None }
    }

    /// Tells how the bus stands, if that is news.
    pub fn stands(&mut self, standing: Standing) {
        if self.now != Some(standing) {
            if self.now.is_some() && standing == Standing::Back {
                self.tally.reconnected();
            }
            self.tally.up(standing == Standing::Back);
            self.now = Some(standing);
            self.unsaid = Some(standing);
        }
        self.say_standing();
    }

    /// Tries again to tell what the queue had no room for. True when nothing is left to tell.
    pub fn say_standing(&mut self) -> bool {
        let heard = match self.unsaid {
            None => return true,
            Some(Standing::Away) => Heard::Away,
            Some(Standing::Back) => Heard::Back,
        };
        let said = !matches!(self.to_tail.try_send(heard), Err(TrySendError::Full(_)));
        if said {
            self.unsaid = None;
        }
        said
    }

    /// Checks a message, and passes it on if a peer sent it.
    pub fn take(&mut self, message: &[u8]) {
        let batch = match self.seal.open(message) {
            Opened::Peer(batch) => Arc::new(batch),
            Opened::Forged => return self.tally.forged(),
        };
        if self.say_standing() && self.to_tail.try_send(Heard::Rumour(batch)).is_ok() {
            self.tally.heard();
        } else {
            self.tally.dropped(Dropped::ListenQueue, 1);
        }
    }

    /// Whether nobody will ever read what is told.
    pub fn is_deaf(&self) -> bool {
        self.to_tail.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_queue_delays_the_standing_but_never_loses_it() {
        let (to_tail, mut heard) = mpsc::channel(1);
        let mut ear = Ear::new(to_tail, Seal::new(&[0; 32]), Tally::new());
        ear.stands(Standing::Back);
        ear.stands(Standing::Away);
        ear.stands(Standing::Back);
        assert!(!ear.say_standing(), "the queue is full");
        assert!(matches!(heard.recv().await, Some(Heard::Back)));
        assert!(ear.say_standing());
        // It came back since, so it is told so again: what was missed between must be looked for.
        assert!(matches!(heard.recv().await, Some(Heard::Back)));
        ear.stands(Standing::Back);
        assert!(heard.try_recv().is_err(), "no news");
        assert_eq!(ear.tally.counts().reconnects, 1);
    }
}
