//! What people do in the world of the table: whatever can be done, at random.

use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use tidings_protocol::spans::Tag;
use uuid::Uuid;

use super::world::World;
use crate::entry::{Change, Verb};
use crate::sim::audience::Wording;
use crate::sim::model::session_id;
use crate::testing::post;

fn comment_id(n: u64) -> CommentId {
    CommentId(Uuid::from_u64_pair(3, n))
}

pub(super) fn tag(n: u64) -> Tag {
    format!("tag{n}").parse().expect("a tag")
}

impl World {
    /// Somebody does something that can be done.
    pub(super) fn write(&mut self) {
        let (who, whom) = (self.anybody(), self.anybody());
        let state = &self.list.present;
        let posts: Vec<_> =
            state.posts.iter().filter(|(_, row)| !row.removed).map(|(id, row)| (*id, row.author)).collect();
        let comments = state.comments.iter().filter(|(_, row)| !row.removed);
        let comments: Vec<_> = comments.map(|(id, row)| (*id, row.author, row.post.expect("of a comment"))).collect();
        self.posts += 1;
        match self.dice.below(24) {
            0 => self.list.write(Change::User { verb: Verb::Updated, id: who }, None),
            1..3 if who != whom && self.dice.percent(60) => self.follows_or_not(who, whom),
            3 if who != whom && self.dice.percent(40) => self.blocks_or_not(who, whom),
            4 if who != whom && self.dice.percent(50) => self.mutes_or_not(who, whom),
            5..11 if !posts.is_empty() => {
                let (id, author) = self.one_of(&posts);
                let verb = if self.dice.percent(25) { Verb::Removed } else { Verb::Updated };
                self.write_post(verb, id, author);
            }
            11..15 if !posts.is_empty() => {
                let (on, _) = self.one_of(&posts);
                let candidates: Vec<_> = comments.iter().filter(|(_, _, post)| *post == on).collect();
                let parent = (!candidates.is_empty() && self.dice.percent(60))
                    .then(|| candidates[self.dice.index(candidates.len())].0);
                let change = Change::Comment { verb: Verb::Created, id: comment_id(self.posts), post: on, author: who };
                self.list.write(change, parent);
            }
            15..19 if !comments.is_empty() => {
                let (id, author, post) = comments[self.dice.index(comments.len())];
                let verb = if self.dice.percent(40) { Verb::Removed } else { Verb::Updated };
                self.list.write(Change::Comment { verb, id, post, author }, None);
            }
            20 if self.dice.percent(60) => self.chooses(who, whom),
            19 if self.dice.percent(10) => {
                let session = self.dice.percent(60).then(|| session_id(self.dice.below(self.numbers + 1)));
                self.list.write(Change::SessionRevoked { user: who, session }, None);
            }
            _ => self.write_post(Verb::Created, post(self.posts), who),
        }
    }

    /// Of things in the order of their making: mostly of the newest, where people are.
    pub(super) fn one_of<T: Copy>(&mut self, things: &[T]) -> T {
        let newest = if self.dice.percent(70) { 5 } else { usize::MAX };
        things[things.len() - 1 - self.dice.index(things.len().min(newest))]
    }

    /// A post for somebody or other, about this and that.
    fn write_post(&mut self, verb: Verb, id: PostId, author: UserId) {
        let all = [Visibility::Public, Visibility::Followers, Visibility::Mentioned, Visibility::Private];
        // Most are for everybody, and stay so.
        let restricts = self.dice.percent(if verb == Verb::Created { 30 } else { 50 });
        let visibility = restricts.then(|| self.dice.one_of(&all));
        let mut wording = Wording { visibility, ..Wording::default() };
        while self.dice.percent(30) {
            wording.tags.push(tag(self.dice.below(3)));
            wording.mentions.push(self.anybody());
        }
        self.list.write_post(Change::Post { verb, id, author }, wording);
    }

    fn follows_or_not(&mut self, follower: UserId, followee: UserId) {
        let state = &self.list.present;
        let verb = if state.follows(follower, followee) { Verb::Removed } else { Verb::Created };
        if verb == Verb::Removed || !state.apart(Some(follower), followee) {
            self.list.write(Change::Follow { verb, follower, followee }, None);
        }
    }

    /// Somebody makes, changes or deletes a list of theirs. Each has two places for them.
    fn chooses(&mut self, owner: UserId, member: UserId) {
        let number = owner.0.as_u64_pair().1;
        let id = ListId(Uuid::from_u64_pair(5 + self.dice.below(2), number));
        let state = &self.list.present;
        if !state.has_list(id, Some(owner)) {
            // One that was deleted does not come back.
            if !state.lists.contains_key(&id) {
                self.list.write(Change::List { verb: Verb::Created, owner, id }, None);
            }
        } else if self.dice.percent(5) {
            self.list.write(Change::List { verb: Verb::Removed, owner, id }, None);
        } else if self.dice.percent(10) {
            self.list.write(Change::List { verb: Verb::Updated, owner, id }, None);
        } else {
            let verb = if state.lists(id, Some(owner), member) { Verb::Removed } else { Verb::Created };
            self.list.write(Change::Listed { verb, owner, list: id, member }, None);
            self.list.write(Change::List { verb: Verb::Updated, owner, id }, None);
        }
    }

    /// A block ends follows both ways, by entries of their own before it.
    fn blocks_or_not(&mut self, blocker: UserId, blocked: UserId) {
        let verb = if self.list.present.blocks(blocker, blocked) { Verb::Removed } else { Verb::Created };
        for (follower, followee) in [(blocker, blocked), (blocked, blocker)] {
            if verb == Verb::Created && self.list.present.follows(follower, followee) {
                self.list.write(Change::Follow { verb: Verb::Removed, follower, followee }, None);
            }
        }
        self.list.write(Change::Block { verb, blocker, blocked }, None);
    }

    fn mutes_or_not(&mut self, muter: UserId, muted: UserId) {
        let verb = if self.list.present.mutes(muter, muted) { Verb::Removed } else { Verb::Created };
        self.list.write(Change::Mute { verb, muter, muted }, None);
    }
}
