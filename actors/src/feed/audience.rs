//! Who may hear something that is not in the journal (who is here, who is typing, how many are reading): asked of the table, which stays as it is.
//! Must never say that something may be sent to one who is behind, held, or whose log-in has ended (P5, P7).

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};

use super::Topic;
use super::sight::Eyes;
use super::table::{FeedTable, Held, Line, SlotId};

/// A connection that watches a post.
pub struct Reader<'a, L> {
    /// The way to it.
    pub line: &'a L,
    /// Whether anything may be sent to it now.
    pub may_be_told: bool,
    eyes: Option<Eyes<'a>>,
}

impl<L> Reader<'_, L> {
    /// Whether they are to hear of what somebody does: neither of what they do themselves nor of one who is hidden from them.
    #[must_use]
    pub fn hears_of(&self, somebody: UserId) -> bool {
        self.eyes.is_none_or(|eyes| {
            let has_muted = eyes.muted.binary_search(&somebody).is_ok();
            eyes.user != somebody && !has_muted && !eyes.is_apart_from(somebody)
        })
    }
}

impl<L: Line> FeedTable<L> {
    /// Whom somebody follows, sorted; nobody, if they have no connection here.
    pub fn follows_of(&self, user: UserId) -> &[UserId] {
        let viewer = self.viewer_of.get(&user).map(|&viewer| &self.viewers[viewer]);
        // What was looked up in the journal's life before may be lost.
        viewer.filter(|viewer| !viewer.of_old_epoch).map_or(&[], |viewer| viewer.context.eyes().follows)
    }

    /// Whether one of somebody's connections may be sent something now.
    pub fn may_be_told(&self, user: UserId, is_it: impl Fn(&L) -> bool) -> bool {
        let Some(&viewer) = self.viewer_of.get(&user) else {
            return false;
        };
        let mut slots = self.viewers[viewer].slots.iter().map(|&slot| &self.slots[slot]);
        slots.any(|slot| slot.behind.is_none() && is_it(&slot.line))
    }

    /// How many connections watch a post.
    pub fn readers_count(&self, post: PostId) -> usize {
        self.index.get(&Topic::Post(post)).map_or(0, Vec::len)
    }

    /// Those connections.
    pub fn readers_of(&self, post: PostId) -> impl Iterator<Item = Reader<'_, L>> {
        let slots = self.index.get(&Topic::Post(post)).into_iter().flatten();
        slots.map(|&id| {
            let slot = &self.slots[id];
            Reader { line: &slot.line, may_be_told: slot.behind.is_none(), eyes: self.eyes(id) }
        })
    }

    /// Whether a session watches a post, and may go on to.
    pub fn is_reader(&self, id: &SlotId, post: PostId) -> bool {
        let slot = &self.slots[id.0];
        let is_held = slot.behind.as_ref().is_some_and(|behind| behind.held != Held::No);
        !is_held && slot.feeds.contains(&FeedName::Post(post)) && !self.shut.contains(&(id.0, post))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use tidings_protocol::entity::{Role, User, UserExtra};
    use tidings_protocol::ids::SessionId;
    use tidings_protocol::position::{Epoch, Millis, Seq};
    use uuid::Uuid;

    use super::*;
    use crate::entry::{Change, Verb};
    use crate::feed::table::Told;
    use crate::frame::Framing;
    use crate::outbox::Pushed;
    use crate::ports::{Head, Viewer};
    use crate::testing::{EPOCH, batch, post, user};

    /// A line with a name, which takes everything.
    struct Named(u64);

    impl Line for Named {
        fn push(&self, _: Bytes, _: Seq) -> Pushed {
            Pushed::Queued
        }

        fn is_idle(&self) -> bool {
            true
        }

        fn send(&self, _: &Bytes, _: Seq) -> Pushed {
            Pushed::Queued
        }

        fn flush(&self) {}

        fn has_room(&self) -> bool {
            true
        }

        fn tell(&self, _: Told) {}
    }

    fn table() -> FeedTable<Named> {
        let framing = Framing { text: |_| Bytes::new(), ping: Bytes::new, close: |_| Bytes::new() };
        FeedTable::new(framing, Head { epoch: EPOCH, seq: Seq(0), floor: Seq(0) })
    }

    const fn log_in(n: u64) -> SessionId {
        SessionId(Uuid::from_u64_pair(3, n))
    }

    /// Somebody who follows user 9 and watches post 1.
    fn joins(table: &mut FeedTable<Named>, n: u64) -> SlotId {
        let created_at = Millis(0);
        let (id, rev, role) = (user(n), Seq(0), Role::User);
        let user = User {
            id,
            rev,
            handle: String::new(),
            name: String::new(),
            bio: String::new(),
            role,
            created_at,
            extra: UserExtra::default(),
        };
        let (follows, nobody) = (vec![super::tests::user(9)], Vec::new());
        let (blocks, blocked_by, muted) = (nobody.clone(), nobody.clone(), nobody);
        let viewer = Viewer {
            seq: table.applied(),
            user,
            follows,
            blocks,
            blocked_by,
            muted,
            lists: Vec::new(),
            hides: false,
            moderates: false,
            session_live: true,
        };
        let slot = table.join(Named(n), Some((viewer, log_in(n)))).expect("fresh");
        table.subscribe(&slot, FeedName::Post(post(1)));
        slot
    }

    fn happens(table: &mut FeedTable<Named>, change: Change) {
        let next = table.applied().next().0;
        if table.apply(&Arc::new(batch(next, [change])), || false) {
            while table.sweep() {}
        }
    }

    fn told(table: &FeedTable<Named>) -> Vec<u64> {
        let readers = table.readers_of(post(1)).filter(|reader| reader.may_be_told);
        readers.map(|reader| reader.line.0).collect()
    }

    #[test]
    fn p5_nothing_is_sent_to_whom_nothing_may_be_sent() {
        let mut table = table();
        let slots = [1, 2, 3].map(|n| joins(&mut table, n));
        assert_eq!((told(&table), table.readers_count(post(1))), (vec![1, 2, 3], 3));
        happens(&mut table, Change::SessionRevoked { user: user(1), session: Some(log_in(1)) });
        let may_be_told = |table: &FeedTable<Named>, n: u64| table.may_be_told(user(n), |line| line.0 == n);
        assert_eq!((told(&table), may_be_told(&table, 1), may_be_told(&table, 2)), (vec![2, 3], false, true));
        assert!(!table.is_reader(&slots[0], post(1)), "nor may they type");
        // Held until its feeds have been told afresh.
        happens(&mut table, Change::Follow { verb: Verb::Created, follower: user(2), followee: user(8) });
        assert_eq!(
            (told(&table), may_be_told(&table, 2), table.is_reader(&slots[1], post(1))),
            (vec![3], false, false)
        );
        assert_eq!(table.follows_of(user(2)), [user(8), user(9)]);
        // The post is shut to the third, who is still in the table.
        table.shut(slots[2].0, post(1));
        assert_eq!((told(&table), table.readers_count(post(1))), (vec![], 2));
        assert!(!table.is_reader(&slots[2], post(1)) && may_be_told(&table, 3));
        assert!(!table.is_reader(&slots[2], post(2)), "which they never watched");
        assert!(!table.may_be_told(user(7), |_| true), "nobody has such a connection");
        slots.into_iter().for_each(|slot| table.leave(slot));
        assert_eq!((table.readers_count(post(1)), table.follows_of(user(2))), (0, &[][..]));
    }

    #[test]
    fn p5_whom_one_followed_in_a_lost_life_of_the_journal_is_not_told_of() {
        let mut table = table();
        let slot = joins(&mut table, 1);
        assert_eq!(table.follows_of(user(1)), [user(9)]);
        table.begin_epoch(Head { epoch: Epoch(7), seq: Seq(0), floor: Seq(0) });
        assert_eq!(table.follows_of(user(1)), [], "it may be lost");
        assert!(!table.may_be_told(user(1), |_| true) && !table.is_reader(&slot, post(1)));
    }

    #[test]
    fn p5_nobody_hears_of_themselves_nor_of_those_who_are_hidden_from_them() {
        let mut table = table();
        joins(&mut table, 1);
        let anonymous = table.join(Named(0), None).expect("anybody");
        table.subscribe(&anonymous, FeedName::Post(post(1)));
        happens(&mut table, Change::Block { verb: Verb::Created, blocker: user(2), blocked: user(1) });
        happens(&mut table, Change::Block { verb: Verb::Created, blocker: user(1), blocked: user(3) });
        happens(&mut table, Change::Mute { verb: Verb::Created, muter: user(1), muted: user(4) });
        let hears_of = |name: u64| {
            let reader = table.readers_of(post(1)).find(|reader| reader.line.0 == name).expect("they watch it");
            (1..=5).filter(|&n| reader.hears_of(user(n))).collect::<Vec<u64>>()
        };
        assert_eq!(hears_of(1), [5]);
        assert_eq!(hears_of(0), [1, 2, 3, 4, 5], "an anonymous one hides nobody");
    }
}
