//! What the clients try: a stream of intentions that the seed decides, each made a request when its turn comes.
//! Must never depend on the clock or on what the server says, but for the ids of what is there to be changed.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::limits::points;
use tidings_protocol::request::{
    CommentCreate, CommentRef, CommentUpdate, Method, PostCreate, PostRef, PostUpdate, UserRef, UserUpdate,
};
use tidings_protocol::text::{BadText, Bio, CommentText, PostText};
use uuid::Uuid;

use super::world::World;
use crate::examine::history::{Op, Thing};
use crate::history::TextMark;

/// One request in so many goes for what is somebody else's, and must be refused.
const TRESPASS: u32 = 60;

/// A request, to be sent until it is answered.
#[derive(Clone, Debug)]
pub struct Task {
    /// As the history tells it.
    pub op: Op,
    /// As it goes over the wire.
    pub method: Method,
}

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `post.create`.
    Post,
    /// `post.update`.
    EditPost,
    /// `post.delete`.
    DeletePost,
    /// `comment.create`.
    Comment,
    /// `comment.update`.
    EditComment,
    /// `comment.delete`.
    DeleteComment,
    /// `user.follow`.
    Follow,
    /// `user.unfollow`.
    Unfollow,
    /// `user.update`.
    Profile,
    /// `post.get`.
    Read,
}

/// How often each is wanted, in per cent, and what it costs.
const MIX: [(Kind, u32, u32); 10] = [
    (Kind::Post, 38, points::CREATE),
    (Kind::EditPost, 13, points::EDIT),
    (Kind::DeletePost, 7, points::EDIT),
    (Kind::Comment, 16, points::CREATE),
    (Kind::EditComment, 6, points::EDIT),
    (Kind::DeleteComment, 5, points::EDIT),
    (Kind::Follow, 4, points::REACT),
    (Kind::Unfollow, 3, points::REACT),
    (Kind::Profile, 3, points::EDIT),
    (Kind::Read, 5, points::READ),
];

/// One intention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Of the examination.
    pub number: u64,
    /// Which client.
    pub client: u32,
    /// What.
    pub kind: Kind,
    /// Decides with what.
    pub pick: u32,
}

/// The stream of intentions.
pub struct Intents {
    rng: StdRng,
    clients: u32,
    number: u64,
}

impl Intents {
    /// Of a seed.
    #[must_use]
    pub fn of(seed: u64, clients: u32) -> Self {
        Self { rng: StdRng::seed_from_u64(seed ^ 0x696e_7465), clients, number: 0 }
    }
}

impl Iterator for Intents {
    type Item = Intent;

    fn next(&mut self) -> Option<Intent> {
        let client = self.rng.random_range(0..self.clients);
        let mut left = self.rng.random_range(0..MIX.iter().map(|(_, share, _)| share).sum());
        let kind = MIX.iter().find_map(|(kind, share, _)| {
            let hit = left < *share;
            left = left.saturating_sub(*share);
            hit.then_some(*kind)
        });
        self.number += 1;
        Some(Intent { number: self.number, client, kind: kind?, pick: self.rng.random() })
    }
}

/// Points that an intention costs on average.
#[must_use]
pub fn mean_cost() -> f64 {
    let (cost, shares) = MIX.iter().fold((0, 0), |sum, (_, share, cost)| (sum.0 + share * cost, sum.1 + share));
    f64::from(cost) / f64::from(shares)
}

impl Intent {
    /// Makes it a request of this person. Where there is nothing to be changed yet, a post is written instead.
    ///
    /// # Errors
    /// None in practice: the texts keep the limits.
    pub fn resolve(self, person: usize, world: &World) -> Result<Task, BadText> {
        let whose = (!self.pick.is_multiple_of(TRESPASS)).then_some(person);
        let task = match self.kind {
            Kind::Post => None,
            Kind::EditPost => {
                world.post(whose, self.pick).map(|post| self.edit_post(world.tag, post.id)).transpose()?
            }
            Kind::DeletePost => world.post(whose, self.pick).map(|post| {
                let (op, id) = (Op::Delete(Thing::Post(post.id)), PostId(post.id));
                Task { op, method: Method::PostDelete(PostRef { id }) }
            }),
            Kind::Comment => {
                self.thread(world).map(|(post, parent)| self.comment(world.tag, post, parent)).transpose()?
            }
            Kind::EditComment => {
                world.comment(whose, self.pick).map(|known| self.edit_comment(world.tag, known.id)).transpose()?
            }
            Kind::DeleteComment => world.comment(whose, self.pick).map(|known| {
                let (op, id) = (Op::Delete(Thing::Comment(known.id)), CommentId(known.id));
                Task { op, method: Method::CommentDelete(CommentRef { id }) }
            }),
            Kind::Follow => world.somebody(person, self.pick).map(|whom| follow(world, person, whom, true)),
            Kind::Unfollow => world.followed(person, self.pick).map(|whom| follow(world, person, whom, false)),
            Kind::Profile => Some(self.profile(world.tag, world.people[person])?),
            Kind::Read => world.post(None, self.pick).map(|post| {
                let (op, id) = (Op::Read(Thing::Post(post.id)), PostId(post.id));
                Task { op, method: Method::PostGet(PostRef { id }) }
            }),
        };
        task.map_or_else(|| self.post(world.tag), Ok)
    }

    fn post(self, tag: u64) -> Result<Task, BadText> {
        let (id, text) = (Uuid::now_v7(), self.text(tag, 4_000));
        let op = Op::Create(Thing::Post(id), TextMark::of(&text).0);
        Ok(Task { op, method: Method::PostCreate(PostCreate::public(PostId(id), PostText::parse(text)?)) })
    }

    fn edit_post(self, tag: u64, id: Uuid) -> Result<Task, BadText> {
        let text = self.text(tag, 4_000);
        let op = Op::Change(Thing::Post(id), TextMark::of(&text).0);
        let params = PostUpdate::words(PostId(id), PostText::parse(text)?, None);
        Ok(Task { op, method: Method::PostUpdate(params) })
    }

    /// Where to say something: on a post, or in answer to a comment.
    fn thread(self, world: &World) -> Option<(Uuid, Option<Uuid>)> {
        let answered = world.comment(None, self.pick).filter(|_| self.pick.is_multiple_of(3));
        let answer = answered.and_then(|known| Some((known.on?, Some(known.id))));
        answer.or_else(|| Some((world.post(None, self.pick)?.id, None)))
    }

    fn comment(self, tag: u64, post: Uuid, parent: Option<Uuid>) -> Result<Task, BadText> {
        let (id, text) = (Uuid::now_v7(), self.text(tag, 1_500));
        let op = Op::Create(Thing::Comment(id), TextMark::of(&text).0);
        let text = CommentText::parse(text)?;
        let params = CommentCreate { id: CommentId(id), post: PostId(post), parent: parent.map(CommentId), text };
        Ok(Task { op, method: Method::CommentCreate(params) })
    }

    fn edit_comment(self, tag: u64, id: Uuid) -> Result<Task, BadText> {
        let text = self.text(tag, 1_500);
        let op = Op::Change(Thing::Comment(id), TextMark::of(&text).0);
        let params = CommentUpdate { id: CommentId(id), text: CommentText::parse(text)?, if_rev: None };
        Ok(Task { op, method: Method::CommentUpdate(params) })
    }

    fn profile(self, tag: u64, user: Uuid) -> Result<Task, BadText> {
        let bio = self.text(tag, 300);
        let op = Op::Change(Thing::User(user), TextMark::of(&bio).0);
        let params = UserUpdate { bio: Some(Bio::parse(bio)?), ..UserUpdate::default() };
        Ok(Task { op, method: Method::UserUpdate(params) })
    }

    /// No two intentions have the same text; some are long, and all hold what must be escaped or takes several bytes.
    fn text(self, tag: u64, most: usize) -> String {
        let length = if self.pick.is_multiple_of(16) { most } else { self.pick as usize / 16 % most.min(120) };
        let mut text = format!("{} of {tag} \"{:x}\" \\ ü 🙂\n", self.number, self.pick);
        let filler = length.saturating_sub(text.chars().count());
        text.extend("lorem ipsum dolor ".chars().cycle().take(filler));
        text
    }
}

/// `user.follow`, `user.unfollow`.
#[must_use]
pub fn follow(world: &World, person: usize, whom: Uuid, active: bool) -> Task {
    let (op, id) = (Op::Follow(Thing::Follow(world.people[person], whom), active), UserId(whom));
    Task { op, method: if active { Method::UserFollow(UserRef { id }) } else { Method::UserUnfollow(UserRef { id }) } }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_seed_decides_what_is_tried() {
        let first: Vec<Intent> = Intents::of(7, 40).take(500).collect();
        assert_eq!(first, Intents::of(7, 40).take(500).collect::<Vec<_>>());
        assert_ne!(first, Intents::of(8, 40).take(500).collect::<Vec<_>>());
        assert!(MIX.iter().all(|(kind, ..)| first.iter().any(|intent| intent.kind == *kind)));
    }

    #[test]
    fn every_text_is_a_new_one_and_keeps_the_limits() {
        let world = World::of((1..=3).map(Uuid::from_u128).collect(), 9);
        let mut marks = HashSet::new();
        for intent in Intents::of(1, 4).take(2_000) {
            let task = intent.resolve(0, &world).unwrap();
            if let Op::Create(_, mark) | Op::Change(_, mark) = task.op {
                assert!(marks.insert(mark), "{intent:?}");
            } else {
                assert!(matches!(task.op, Op::Follow(..)), "{task:?} of what is not there");
            }
        }
    }
}
