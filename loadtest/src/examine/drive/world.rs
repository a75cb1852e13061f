//! What the clients know of each other: posts and comments that are there, and who follows whom.
//! Must never know what the server has not acknowledged. It serves to find something to do, not to judge.

use std::collections::{BTreeSet, VecDeque};

use uuid::Uuid;

use crate::examine::history::{Op, Seen, Thing};

/// Posts, and comments, that are remembered: changes meet each other more often on few than on many.
const REMEMBERED: usize = 400;

/// Something written.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// Its id.
    pub id: Uuid,
    /// Whose, by place.
    pub author: usize,
    /// A comment's post.
    pub on: Option<Uuid>,
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct World {
    /// By place.
    pub people: Vec<Uuid>,
    /// Stands in every text: where the journal was before, so that no two examinations of one deployment write the same.
    pub tag: u64,
    posts: VecDeque<Known>,
    comments: VecDeque<Known>,
    follows: BTreeSet<(usize, usize)>,
}

impl World {
    /// Nothing but people.
    #[must_use]
    pub fn of(people: Vec<Uuid>, tag: u64) -> Self {
        Self { people, tag, ..Self::default() }
    }

    /// A change was acknowledged.
    pub fn note(&mut self, person: usize, op: Op, seen: &Seen) {
        match op {
            Op::Create(Thing::Post(id), _) => remember(&mut self.posts, Known { id, author: person, on: None }),
            Op::Create(Thing::Comment(id), _) => {
                remember(&mut self.comments, Known { id, author: person, on: seen.on });
            }
            Op::Delete(thing) => self.forget(thing),
            Op::Follow(Thing::Follow(_, followee), active) => self.pair(person, followee, active),
            Op::Create(..)
            | Op::Follow(..)
            | Op::Change(..)
            | Op::Hello
            | Op::Read(_)
            | Op::Watch(_)
            | Op::Unwatch(_)
            | Op::LogOut(_) => {}
        }
    }

    /// It is gone, or will be: nobody begins anything new with it.
    pub fn forget(&mut self, thing: Thing) {
        match thing {
            Thing::Post(id) => {
                self.posts.retain(|known| known.id != id);
                self.comments.retain(|known| known.on != Some(id));
            }
            Thing::Comment(id) => self.comments.retain(|known| known.id != id),
            Thing::User(_) | Thing::Follow(..) => {}
        }
    }

    fn pair(&mut self, follower: usize, followee: Uuid, active: bool) {
        let Some(whom) = self.people.iter().position(|id| *id == followee) else { return };
        if active {
            self.follows.insert((follower, whom));
        } else {
            self.follows.remove(&(follower, whom));
        }
    }

    /// A post, of this person or of anybody.
    #[must_use]
    pub fn post(&self, author: Option<usize>, pick: u32) -> Option<Known> {
        choose(&self.posts, author, pick)
    }

    /// A comment, of this person or of anybody.
    #[must_use]
    pub fn comment(&self, author: Option<usize>, pick: u32) -> Option<Known> {
        choose(&self.comments, author, pick)
    }

    /// Somebody else.
    #[must_use]
    pub fn somebody(&self, but: usize, pick: u32) -> Option<Uuid> {
        let others = self.people.len().checked_sub(1).filter(|others| *others > 0)?;
        let place = pick as usize % others;
        self.people.get(if place >= but { place + 1 } else { place }).copied()
    }

    /// Somebody whom this person follows.
    #[must_use]
    pub fn followed(&self, by: usize, pick: u32) -> Option<Uuid> {
        let whom: Vec<usize> = self.follows.iter().filter(|(follower, _)| *follower == by).map(|pair| pair.1).collect();
        let place = whom.get((pick as usize).checked_rem(whom.len())?)?;
        self.people.get(*place).copied()
    }
}

fn remember(known: &mut VecDeque<Known>, new: Known) {
    if known.iter().any(|old| old.id == new.id) {
        return;
    }
    if known.len() >= REMEMBERED {
        known.pop_front();
    }
    known.push_back(new);
}

/// Newer ones more often than older ones, as people do.
fn choose(known: &VecDeque<Known>, author: Option<usize>, pick: u32) -> Option<Known> {
    let fits: Vec<Known> =
        known.iter().rev().filter(|known| author.is_none_or(|who| known.author == who)).copied().collect();
    let nearby = if pick.is_multiple_of(2) { fits.len().min(20) } else { fits.len() };
    fits.get((pick as usize / 2).checked_rem(nearby)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> World {
        World::of((1..=3).map(Uuid::from_u128).collect(), 9)
    }

    fn seen(thing: Thing, on: Option<Uuid>) -> Seen {
        Seen { thing, rev: 1, place: None, author: None, on, mark: 0, gone: false }
    }

    #[test]
    fn a_removed_post_takes_its_comments_along() {
        let (mut world, post, comment) = (world(), Uuid::from_u128(10), Uuid::from_u128(11));
        world.note(0, Op::Create(Thing::Post(post), 1), &seen(Thing::Post(post), None));
        world.note(1, Op::Create(Thing::Comment(comment), 2), &seen(Thing::Comment(comment), Some(post)));
        assert_eq!(world.comment(Some(1), 7).unwrap().on, Some(post));
        assert!(world.comment(Some(0), 7).is_none());
        world.forget(Thing::Post(post));
        assert!(world.post(None, 3).is_none() && world.comment(None, 3).is_none());
    }

    #[test]
    fn nobody_follows_themselves_and_only_the_followed_are_unfollowed() {
        let mut world = world();
        for pick in 0..10 {
            assert_ne!(world.somebody(1, pick), Some(Uuid::from_u128(2)));
        }
        assert_eq!(world.followed(0, 5), None);
        let pair = Thing::Follow(Uuid::from_u128(1), Uuid::from_u128(3));
        world.note(0, Op::Follow(pair, true), &seen(pair, None));
        assert_eq!(world.followed(0, 5), Some(Uuid::from_u128(3)));
        world.note(0, Op::Follow(pair, false), &seen(pair, None));
        assert_eq!(world.followed(0, 5), None);
    }
}
