//! Owns what whoever listens is told: how the bus stands, where they need to know, and messages. Must never wait for them, and never lose that
//! the bus went away or came back, however full the queue is.

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::sealed::{Opened, Seal};
use crate::spoken::{Spoken, Standing};
use crate::tally::{Dropped, Tally};

/// The sending end of the listen queue.
#[derive(Debug)]
pub struct Ear<T: Spoken> {
    to_listener: mpsc::Sender<T::Heard>,
    pub seal: Seal,
    pub tally: Tally,
    now: Option<Standing>,
    /// The latest standing, while the queue has had no room for it. No message overtakes it.
    unsaid: Option<Standing>,
}

impl<T: Spoken> Ear<T> {
    pub const fn new(to_listener: mpsc::Sender<T::Heard>, seal: Seal, tally: Tally) -> Self {
        Self { to_listener, seal, tally, now: None, unsaid: None }
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
        let Some(heard) = self.unsaid.and_then(T::standing) else {
            return true;
        };
        let said = !matches!(self.to_listener.try_send(heard), Err(TrySendError::Full(_)));
        if said {
            self.unsaid = None;
        }
        said
    }

    /// Checks a message, and passes it on if a peer sent it.
    pub fn take(&mut self, message: &[u8]) {
        let what = match self.seal.open::<T>(message) {
            Opened::Peer(what) => what,
            Opened::Forged => return self.tally.forged(),
        };
        if self.say_standing() && self.to_listener.try_send(what.heard()).is_ok() {
            self.tally.heard();
        } else {
            self.tally.dropped(Dropped::ListenQueue, 1);
        }
    }

    /// Whether nobody will ever read what is told.
    pub fn is_deaf(&self) -> bool {
        self.to_listener.is_closed()
    }
}

#[cfg(test)]
mod tests {
    use tidings_actors::entry::Batch;
    use tidings_actors::ports::Heard;

    use super::*;
    use crate::tally::RUMOURS;

    #[tokio::test]
    async fn a_full_queue_delays_the_standing_but_never_loses_it() {
        let (to_tail, mut heard) = mpsc::channel(1);
        let mut ear = Ear::<Batch>::new(to_tail, Seal::new(&[0; 32]), Tally::of(&RUMOURS));
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
