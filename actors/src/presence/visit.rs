//! One connection of a user as far as who is here goes: what it shows, whom it watches, what it types. Lives in its session.
//! Must leave nothing behind: whichever way its session ends, dropping it tells that the connection is gone.

use std::rc::Rc;

use tidings_protocol::entity::Author;
use tidings_protocol::ids::UserId;
use tidings_protocol::presence::{Presence, Showing};

use super::Thread;
use crate::limits::CARD_MS;
use crate::link::Link;
use crate::worker::Worker;

/// A visit.
pub struct Visit {
    worker: Rc<Worker>,
    link: Rc<Link>,
    user: UserId,
    /// Its place at the stand.
    number: usize,
    wish: Showing,
    /// Its user wants never to be shown.
    opted_out: bool,
    watch: Option<usize>,
    /// Who they are to others, and when that was looked up. Few type, so it lies apart.
    card: Option<Box<(u64, Author)>>,
}

impl Visit {
    /// A connection of `user` begins, on this worker thread.
    #[must_use]
    pub fn begins(worker: Rc<Worker>, link: Rc<Link>, user: UserId, wish: Showing) -> Self {
        let number = worker.stand().arrives(user, wish);
        Self { worker, link, user, number, wish, opted_out: false, watch: None, card: None }
    }

    /// The connection wants to show this from now on.
    pub fn wishes(&mut self, wish: Showing) {
        self.wish = wish;
        self.tell();
    }

    /// Whether the user wants never to be shown, whatever a connection wishes: for a setting of theirs. Every one of their connections has
    /// to be told. Who is not seen does not see either: what the connection watched is over.
    pub fn opts_out(&mut self, opted_out: bool) {
        if opted_out == self.opted_out {
            return;
        }
        self.opted_out = opted_out;
        self.tell();
        if opted_out {
            self.watches(Vec::new());
        }
    }

    /// What is shown of it.
    #[must_use]
    pub const fn shows(&self) -> Showing {
        if self.opted_out { Showing::Invisible } else { self.wish }
    }

    fn tell(&self) {
        self.worker.stand().shows(self.number, self.user, self.shows());
    }

    /// The connection watches these people instead of those before; how those are whom its user follows. Nobody, for a user who hides.
    pub fn watches(&mut self, ids: Vec<UserId>) -> Vec<Presence> {
        let ids = if self.opted_out { Vec::new() } else { ids };
        let stand = self.worker.stand();
        let (watch, told) = stand.watches(&self.worker, &self.link, self.user, ids, self.watch.take());
        self.watch = watch;
        told
    }

    /// What others are shown when they type, if it has been looked up lately.
    #[must_use]
    pub fn card(&self) -> Option<Author> {
        let now = self.worker.node.now();
        let card = self.card.as_deref().filter(|(since, _)| now < since + CARD_MS);
        card.map(|(_, who)| who.clone())
    }

    /// It has been looked up.
    pub fn keeps_card(&mut self, who: Author) {
        self.card = Some(Box::new((self.worker.node.now(), who)));
    }

    /// They type; told to nobody while nothing of the connection is shown.
    pub fn types(&self, thread: Thread, who: Author) {
        if self.shows() != Showing::Invisible {
            self.worker.stand().types(thread, who);
        }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.worker.stand().goes(self.number, self.watch, &self.link);
    }
}
