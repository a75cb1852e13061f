//! Numbers of posts, against something dumber that counts everything afresh each time.

use std::collections::{BTreeMap, BTreeSet};

use tidings_actors::command::{Act, Command, Deed, Outcome};
use tidings_actors::ports::Marks;
use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::marks::{Emoji, MyMarks};
use uuid::Uuid;

use super::{bookmark, react, unbookmark, unreact};
use crate::world::{World, block, comment, done, edit_for, hand_on, post_for, unblock};

/// What the store is checked against: lists, and counting.
#[derive(Default)]
struct Plain {
    posts: BTreeMap<PostId, PlainPost>,
    comments: BTreeMap<CommentId, (PostId, UserId)>,
    reactions: BTreeMap<(UserId, PostId), Emoji>,
    bookmarks: BTreeSet<(UserId, PostId)>,
    follows: BTreeSet<(UserId, UserId)>,
    blocks: BTreeSet<(UserId, UserId)>,
}

/// Comments, reposts, quotes, reactions, and what one has done oneself.
type Numbers = (u64, u64, u64, BTreeMap<Emoji, u64>, MyMarks);

struct PlainPost {
    author: UserId,
    audience: Visibility,
    text: String,
    of: Option<PostId>,
}

impl Plain {
    fn apart(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }

    fn sees(&self, who: UserId, post: PostId) -> bool {
        self.posts.get(&post).is_some_and(|post| {
            let follows = self.follows.contains(&(who, post.author));
            post.author == who
                || !self.apart(who, post.author)
                    && match post.audience {
                        Visibility::Public => true,
                        Visibility::Followers => follows,
                        Visibility::Mentioned | Visibility::Private => false,
                    }
        })
    }

    /// Everything that `post.stats` says of a post; none if it may not be seen.
    fn stats(&self, who: UserId, post: PostId) -> Option<Numbers> {
        self.sees(who, post).then(|| {
            let hands_on = |words: bool| {
                let all = self.posts.values().filter(|other| other.of == Some(post) && other.audience.is_public());
                all.filter(|other| other.text.is_empty() != words).count() as u64
            };
            let mut reactions = BTreeMap::new();
            for ((_, of), emoji) in &self.reactions {
                if *of == post {
                    *reactions.entry(*emoji).or_insert(0) += 1;
                }
            }
            let own = |(_, other): &(&PostId, &PlainPost)| {
                other.author == who && other.of == Some(post) && other.text.is_empty()
            };
            let mine = MyMarks {
                reaction: self.reactions.get(&(who, post)).copied(),
                bookmarked: self.bookmarks.contains(&(who, post)),
                repost: self.posts.iter().find(own).map(|(id, _)| *id),
            };
            let comments = self.comments.values().filter(|(on, _)| *on == post).count() as u64;
            (comments, hands_on(false), hands_on(true), reactions, mine)
        })
    }

    fn removes(&mut self, post: PostId) {
        self.posts.remove(&post);
        self.comments.retain(|_, (on, _)| *on != post);
        self.reactions.retain(|(_, on), _| *on != post);
        self.bookmarks.retain(|(_, on)| *on != post);
    }
}

/// A linear congruential generator: the same story for the same seed, on any machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

const AUDIENCES: [Visibility; 3] = [Visibility::Public, Visibility::Followers, Visibility::Private];

/// One step of somebody; applied to the plain lists if the store has done it.
async fn step(world: &World, plain: &mut Plain, people: &[UserId], dice: &mut Dice, nth: usize) {
    let who = people[dice.below(people.len())];
    let whom = people[dice.below(people.len())];
    let post = plain.posts.keys().nth(dice.below(plain.posts.len().max(1))).copied();
    let new = PostId(Uuid::now_v7());
    let act = match (dice.below(40), post) {
        (0..3, _) | (_, None) => {
            let audience = AUDIENCES[dice.below(3).min(dice.below(3))];
            post_for(new, &format!("post {nth}"), audience)
        }
        (3..7, Some(post)) => hand_on(new, post, (dice.below(2) == 0).then_some("my words")),
        (7..10, Some(post)) => edit_for(post, &format!("edit {}", dice.below(3)), Some(AUDIENCES[dice.below(3)]), None),
        (10, Some(id)) => Act::PostDelete { id },
        (11..16, Some(post)) => comment(CommentId(Uuid::now_v7()), post, None, "words"),
        (16..19, Some(_)) => {
            let id = plain.comments.keys().nth(dice.below(plain.comments.len().max(1)));
            Act::CommentDelete { id: id.copied().unwrap_or(CommentId(new.0)) }
        }
        (19..29, Some(post)) => react(post, Emoji::ALL[dice.below(3)]),
        (29..32, Some(post)) => unreact(post),
        (32..35, Some(post)) => bookmark(post),
        (35, Some(post)) => unbookmark(post),
        (36, _) => Act::Follow { whom },
        (37, _) => Act::Unfollow { whom },
        (38, _) => block(whom),
        (_, _) => unblock(whom),
    };
    let may_see = post.is_some_and(|post| plain.sees(who, post));
    let outcome = world.commit(&[Command { actor: who, act: act.clone() }]).await.remove(0);
    let is_done = matches!(outcome, Outcome::Done(_));
    match act {
        Act::Deed(Deed::React { post, emoji }) => {
            assert_eq!(is_done, may_see && plain.reactions.get(&(who, post)) != Some(&emoji));
            is_done.then(|| plain.reactions.insert((who, post), emoji));
        }
        Act::Deed(Deed::Unreact { post }) => assert_eq!(is_done, plain.reactions.remove(&(who, post)).is_some()),
        Act::Deed(Deed::Bookmark { post }) => {
            assert_eq!(is_done, may_see && !plain.bookmarks.contains(&(who, post)));
            is_done.then(|| plain.bookmarks.insert((who, post)));
        }
        Act::Deed(Deed::Unbookmark { post }) => assert_eq!(is_done, plain.bookmarks.remove(&(who, post))),
        Act::Deed(Deed::Block { .. }) if is_done => {
            plain.blocks.insert((who, whom));
            plain.follows.retain(|pair| *pair != (who, whom) && *pair != (whom, who));
        }
        Act::Deed(Deed::Unblock { .. }) if is_done => drop(plain.blocks.remove(&(who, whom))),
        Act::Follow { .. } if is_done => drop(plain.follows.insert((who, whom))),
        Act::Unfollow { .. } if is_done => drop(plain.follows.remove(&(who, whom))),
        Act::PostCreate { id, text, extra, .. } if is_done => {
            let extra = extra.map(|extra| *extra).unwrap_or_default();
            let text = text.map(|text| text.as_str().to_owned()).unwrap_or_default();
            plain.posts.insert(id, PlainPost { author: who, audience: extra.visibility, text, of: extra.of });
        }
        Act::PostUpdate { id, text, change, .. } if is_done => {
            let post = plain.posts.get_mut(&id).unwrap();
            post.text = text.as_str().to_owned();
            post.audience = change.visibility.unwrap_or(post.audience);
        }
        Act::PostDelete { id } if is_done => plain.removes(id),
        Act::CommentCreate { id, post, .. } if is_done => drop(plain.comments.insert(id, (post, who))),
        Act::CommentDelete { id } if is_done => drop(plain.comments.remove(&id)),
        _ => {}
    }
}

async fn agrees(world: &World, plain: &Plain, people: &[UserId]) -> usize {
    let posts: Vec<PostId> = plain.posts.keys().copied().collect();
    for who in people {
        let mut found = BTreeMap::new();
        for part in posts.chunks(100) {
            for stats in world.store.stats(Some(*who), part).await.unwrap() {
                let counts = stats.counts;
                let told = (counts.comments, counts.reposts, counts.quotes, counts.reactions, stats.mine);
                found.insert(counts.post, told);
            }
        }
        for post in &posts {
            assert_eq!(found.get(post), plain.stats(*who, *post).as_ref(), "{post} for {who}");
        }
    }
    people.len() * posts.len()
}

#[tokio::test]
async fn p4_numbers_are_what_counting_everything_gives() {
    let world = World::new().await;
    let mut people = Vec::new();
    for handle in ["ann", "bob", "cara", "dan", "eve"] {
        people.push(world.sign_up(handle).await);
    }
    let (mut plain, mut dice, mut checked) = (Plain::default(), Dice(7), 0);
    for nth in 0..1_500 {
        step(&world, &mut plain, &people, &mut dice, nth).await;
        if nth % 50 == 0 {
            checked += agrees(&world, &plain, &people).await;
        }
    }
    checked += agrees(&world, &plain, &people).await;
    assert!(checked > 4_000 && plain.posts.len() > 40, "{checked} of {} posts", plain.posts.len());
    let alive = "select count(*) from post_counts k where not exists
                 (select from posts p where p.id = k.post and not p.removed)";
    assert_eq!(world.database.psql(alive).unwrap(), "0", "nothing is kept of posts that are gone");
}

/// Several in one batch: as if one after the other.
#[tokio::test]
async fn numbers_hold_when_many_come_in_one_batch() {
    let world = World::new().await;
    let mut people = Vec::new();
    for nth in 0..8 {
        people.push(world.sign_up(&format!("user{nth}")).await);
    }
    let post = world.post(people[0], "hot").await;
    let mut commands: Vec<Command> = Vec::new();
    for (nth, actor) in people.iter().enumerate() {
        let id = CommentId(Uuid::now_v7());
        commands.push(Command { actor: *actor, act: comment(id, post, None, &nth.to_string()) });
        commands.push(Command { actor: *actor, act: hand_on(PostId(Uuid::now_v7()), post, Some("look")) });
    }
    for actor in &people {
        for emoji in [Emoji::Like, Emoji::Love, Emoji::Like, Emoji::Laugh] {
            commands.push(Command { actor: *actor, act: react(post, emoji) });
        }
    }
    commands.push(Command { actor: people[0], act: unreact(post) });
    world.commit(&commands).await.into_iter().for_each(|outcome| drop(done(outcome)));
    let counts = world.store.counts(&[post]).await.unwrap().remove(0);
    assert_eq!((counts.comments, counts.quotes, counts.reposts), (8, 8, 0));
    assert_eq!(counts.reactions, BTreeMap::from([(Emoji::Laugh, 7)]));
}
