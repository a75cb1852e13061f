//! One life of the journal (one epoch) as it must have been, put together from everything that anybody saw of it.
//! Must never guess: where two observers differ, that is a violation (I4), and the first one counts.

use std::collections::HashMap;

use tidings_protocol::feed::FeedName;
use uuid::Uuid;

use super::circle::Circles;
use super::{Invariant, Verdict};
use crate::examine::history::{Seen, Thing};

/// A thing, by its number within a life.
pub(super) type Id = u32;

/// Everything known about one epoch.
#[derive(Default)]
pub(super) struct Life {
    /// Its name.
    pub epoch: u64,
    /// By number.
    pub stories: Vec<Story>,
    /// Who follows whom, when.
    pub circles: Circles,
    /// Posts by place.
    pub posts: Vec<(u64, Id)>,
    /// Posts and profile of a person; the posts by place.
    pub of_author: HashMap<Uuid, Vec<(u64, Id)>>,
    /// A post and its comments.
    pub of_post: HashMap<Uuid, Vec<Id>>,
    /// Whom somebody follows or followed.
    pub of_follower: HashMap<Uuid, Vec<Id>>,
    ids: HashMap<Thing, Id>,
    seqs: HashMap<u64, (Id, usize)>,
    /// The highest entry anybody had seen, by record; ascending.
    reached: Vec<(usize, u64)>,
}

/// One thing through its life.
#[derive(Clone, Debug)]
pub(super) struct Story {
    /// Which.
    pub thing: Thing,
    /// Where it stands in feeds.
    pub place: Option<u64>,
    /// Whose.
    pub author: Option<Uuid>,
    /// A comment's post.
    pub on: Option<Uuid>,
    /// Its states, by `rev`.
    pub states: Vec<State>,
}

/// One state of a thing.
#[derive(Clone, Copy, Debug)]
pub(super) struct State {
    /// Its number.
    pub rev: u64,
    /// Of its content.
    pub mark: u64,
    /// Removed, or not following.
    pub gone: bool,
    /// The record that showed it first.
    pub record: usize,
    /// An acknowledgement of the change itself.
    pub acknowledged: Option<usize>,
}

impl Story {
    /// The newest known state.
    pub fn latest(&self) -> Option<State> {
        self.states.last().copied()
    }

    /// The newest known state that is not newer than `seq`.
    pub fn as_of(&self, seq: u64) -> Option<State> {
        let place = self.states.partition_point(|state| state.rev <= seq);
        place.checked_sub(1).and_then(|place| self.states.get(place)).copied()
    }

    /// When it was removed for good.
    pub fn removed(&self) -> Option<State> {
        self.states.iter().find(|state| state.gone).copied()
    }

    /// Whether the state of this number is a removal.
    pub fn is_gone_at(&self, rev: u64) -> bool {
        self.as_of(rev).is_some_and(|state| state.rev == rev && state.gone)
    }

    fn state(&mut self, new: State) -> &mut State {
        let place = self.states.partition_point(|state| state.rev < new.rev);
        if self.states.get(place).is_none_or(|state| state.rev != new.rev) {
            self.states.insert(place, new);
        }
        &mut self.states[place]
    }
}

impl Life {
    /// One of which nothing is known yet.
    pub fn of(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// Somebody saw this.
    pub fn sight(&mut self, seen: &Seen, maker: Option<Uuid>, acknowledged: bool, index: usize, verdict: &mut Verdict) {
        let id = self.id(seen.thing, maker);
        let story = &mut self.stories[id as usize];
        let mut differs = |what: &str, record: usize| {
            let says = format!("{:?} rev {}: {what} differs between observers", seen.thing, seen.rev);
            verdict.accuse(Invariant::Bijection, says, [record, index]);
        };
        let new = State { rev: seen.rev, mark: seen.mark, gone: seen.gone, record: index, acknowledged: None };
        let known = story.state(new);
        let record = known.record;
        if (known.mark, known.gone) != (seen.mark, seen.gone) {
            differs("the content", record);
        }
        if acknowledged {
            known.acknowledged.get_or_insert(index);
        }
        if seen.place.is_some_and(|place| *story.place.get_or_insert(place) != place) {
            differs("the place", record);
        }
        if seen.author.is_some_and(|author| *story.author.get_or_insert(author) != author) {
            differs("the author", record);
        }
        if seen.on.is_some_and(|on| *story.on.get_or_insert(on) != on) {
            differs("the post", record);
        }
        self.reach(index, seen.rev);
    }

    fn reach(&mut self, record: usize, seq: u64) {
        if self.reached.last().is_none_or(|last| last.1 < seq) {
            self.reached.push((record, seq));
        }
    }

    /// The highest entry that anybody had seen by a record.
    pub fn reached(&self, record: usize) -> u64 {
        let place = self.reached.partition_point(|reached| reached.0 <= record);
        place.checked_sub(1).and_then(|place| self.reached.get(place)).map_or(0, |reached| reached.1)
    }

    /// An entry of the journal is about one thing.
    pub fn claim(&mut self, seq: u64, thing: Thing, index: usize, verdict: &mut Verdict) {
        let id = self.id(thing, None);
        let (owner, record) = *self.seqs.entry(seq).or_insert((id, index));
        if owner != id {
            let first = self.stories[owner as usize].thing;
            let says = format!("entry {seq} is {first:?} for one observer and {thing:?} for another");
            verdict.accuse(Invariant::Bijection, says, [record, index]);
        }
    }

    fn id(&mut self, thing: Thing, maker: Option<Uuid>) -> Id {
        let next = Id::try_from(self.stories.len()).unwrap_or(Id::MAX);
        let id = *self.ids.entry(thing).or_insert(next);
        if id == next {
            self.stories.push(Story { thing, place: None, author: maker, on: None, states: Vec::new() });
        }
        id
    }

    /// What is known of a thing.
    pub fn story(&self, thing: Thing) -> Option<&Story> {
        self.known(thing).map(|id| &self.stories[id as usize])
    }

    /// Its number, if it was ever seen.
    pub fn known(&self, thing: Thing) -> Option<Id> {
        self.ids.get(&thing).copied()
    }

    /// Sorts things by where they are shown; called once, when all has been read.
    pub fn arrange(&mut self) {
        for (id, story) in (0..).zip(&self.stories) {
            match story.thing {
                Thing::Post(post) => {
                    let place = story.place.unwrap_or_default();
                    self.posts.push((place, id));
                    self.of_post.entry(post).or_default().push(id);
                    if let Some(author) = story.author {
                        self.of_author.entry(author).or_default().push((place, id));
                    }
                }
                Thing::Comment(_) => {
                    if let Some(post) = story.on {
                        self.of_post.entry(post).or_default().push(id);
                    }
                }
                // A profile stands in no place: it is always in reach.
                Thing::User(user) => self.of_author.entry(user).or_default().push((u64::MAX, id)),
                Thing::Follow(follower, _) => self.of_follower.entry(follower).or_default().push(id),
            }
        }
        self.posts.sort_unstable();
        self.of_author.values_mut().for_each(|things| things.sort_unstable());
    }

    /// Whether a feed shows a thing at all; of `home`, whom one follows then is another question. What nobody knows may well be.
    pub fn may_show(feed: FeedName, viewer: Uuid, story: &Story) -> bool {
        let by = |user: Uuid| story.author.is_none_or(|author| author == user);
        match (feed, story.thing) {
            (FeedName::Global, Thing::Post(_)) | (FeedName::Home, Thing::Post(_) | Thing::User(_)) => true,
            (FeedName::User(whose), Thing::Post(_)) => by(whose.0),
            (FeedName::User(whose), Thing::User(id)) => whose.0 == id,
            (FeedName::Post(which), Thing::Post(id)) => which.0 == id,
            (FeedName::Post(which), Thing::Comment(_)) => story.on.is_none_or(|on| on == which.0),
            // The examiner's clients do not watch these.
            (
                FeedName::Tag(_) | FeedName::List(_) | FeedName::Notifications | FeedName::Mod | FeedName::Firehose,
                _,
            ) => true,
            (FeedName::Me, Thing::User(id)) => id == viewer,
            (FeedName::Me, Thing::Follow(follower, _)) => follower == viewer,
            (FeedName::Global | FeedName::Home | FeedName::User(_), Thing::Comment(_) | Thing::Follow(..))
            | (FeedName::Global | FeedName::Post(_), Thing::User(_))
            | (FeedName::Post(_), Thing::Follow(..))
            | (FeedName::Me, Thing::Post(_) | Thing::Comment(_)) => false,
        }
    }

    /// The removal of a thing or of the post that it stands on, whichever came first.
    pub fn end_of(&self, story: &Story) -> Option<State> {
        if matches!(story.thing, Thing::User(_) | Thing::Follow(..)) {
            return None;
        }
        let post = story.on.and_then(|post| self.story(Thing::Post(post)));
        let ends = [story.removed(), post.and_then(Story::removed)];
        ends.into_iter().flatten().min_by_key(|state| state.rev)
    }
}
