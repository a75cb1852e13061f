//! P4: the state reached by catching up is the state fetched, and both are what a dumb list says. By seeded random scripts; the seed
//! is the bug report.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tidings_actors::command::{Act, Command, Outcome};
use tidings_actors::entry::{Change, Entry, Subject, Tie, Verb};
use tidings_actors::feed::sight::{Eyes, Listing, Sight, sight};
use tidings_actors::ports::Reads;
use tidings_protocol::entity::{Comment, CommentExtra, List, Post, Removed, User, Visibility};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use crate::dumb::{Dumb, Verdict, Written};
use crate::world::{
    World, block, body, comment, done, edit_comment, edit_for, enlist, hand_on, make_list, mute, post_for, rename,
    sign_up, unblock, unmute,
};

const PEOPLE: usize = 6;
const OPS: usize = 2_000;
/// More than there is of anything.
const ALL: u16 = 60_000;

#[tokio::test]
async fn p4_catching_up_reaches_the_state_fetched() {
    for seed in [1, 2] {
        Script::new(seed).await.run().await;
    }
}

/// A reader of one feed that only ever catches up.
struct Reader {
    viewer: UserId,
    feed: FeedName,
    cursor: Seq,
    state: State,
}

/// What a reader has on the screen.
#[derive(Default)]
struct State {
    user: Option<User>,
    posts: BTreeMap<PostId, Post>,
    comments: BTreeMap<CommentId, Comment>,
    follows: BTreeSet<UserId>,
    blocks: BTreeSet<UserId>,
    mutes: BTreeSet<UserId>,
    lists: BTreeMap<ListId, List>,
    gone: bool,
}

/// A viewer's context, out of the dumb lists; sorted, as they are.
struct Seen {
    user: UserId,
    follows: Vec<UserId>,
    blocks: Vec<UserId>,
    blocked_by: Vec<UserId>,
    muted: Vec<UserId>,
    lists: Vec<Listing>,
}

impl Seen {
    fn of(dumb: &Dumb, user: UserId) -> Self {
        let of = |pairs: &BTreeSet<(UserId, UserId)>| {
            pairs.iter().filter(|(who, _)| *who == user).map(|(_, whom)| *whom).collect::<Vec<_>>()
        };
        let mut blocked_by: Vec<UserId> =
            dumb.blocks.iter().filter(|(_, whom)| *whom == user).map(|(who, _)| *who).collect();
        blocked_by.sort_unstable();
        let members = |id: ListId| dumb.listed.iter().filter(move |(list, _)| *list == id).map(|(_, member)| *member);
        let mine = dumb.lists.iter().filter(|(_, owner)| **owner == user);
        let lists = mine.map(|(id, _)| Listing { id: *id, members: members(*id).collect() }).collect();
        Self { user, follows: of(&dumb.follows), blocks: of(&dumb.blocks), blocked_by, muted: of(&dumb.mutes), lists }
    }

    fn eyes(&self) -> Eyes<'_> {
        Eyes {
            user: self.user,
            follows: &self.follows,
            blocks: &self.blocks,
            blocked_by: &self.blocked_by,
            muted: &self.muted,
            moderates: false,
            lists: &self.lists,
        }
    }
}

fn keep(set: &mut BTreeSet<UserId>, user: UserId, verb: Verb) {
    if verb == Verb::Removed {
        set.remove(&user);
    } else {
        set.insert(user);
    }
}

struct Script {
    seed: u64,
    random: StdRng,
    world: World,
    dumb: Dumb,
    people: Vec<UserId>,
    posts: Vec<PostId>,
    comments: Vec<(CommentId, PostId)>,
    readers: Vec<Reader>,
}

impl Script {
    async fn new(seed: u64) -> Self {
        let (world, mut dumb, mut people) = (World::new().await, Dumb::default(), Vec::new());
        for nth in 0..PEOPLE {
            let id = UserId(Uuid::from_u128(nth as u128 + 1));
            done(world.does(id, sign_up(&format!("person{nth}"))).await);
            dumb.head += 1;
            dumb.names.insert(id, (format!("The person{nth}"), dumb.head));
            people.push(id);
        }
        for (nth, owner) in people.iter().enumerate() {
            let list = ListId(Uuid::from_u128(nth as u128 + 100));
            done(world.does(*owner, make_list(list, "chosen")).await);
            dumb.head += 1;
            dumb.lists.insert(list, *owner);
        }
        Self {
            seed,
            random: StdRng::seed_from_u64(seed),
            world,
            dumb,
            people,
            posts: Vec::new(),
            comments: Vec::new(),
            readers: Vec::new(),
        }
    }

    async fn run(&mut self) {
        let mut ops = 0;
        while ops < OPS {
            let batch = self.batch();
            ops += batch.len();
            self.carry_out(&batch).await;
            if self.random.random_ratio(1, 6) {
                self.somebody_reads().await;
            }
        }
        for nth in 0..self.readers.len() {
            self.catch_up(nth).await;
        }
        self.check_counts().await;
        assert!(self.readers.len() > 10, "the script has watched too little");
    }

    /// Up to eight commands of which none touches what another one writes, as the journal's caller sees to it.
    fn batch(&mut self) -> Vec<Command> {
        let mut batch: Vec<Command> = Vec::new();
        let mut written = HashSet::new();
        for _ in 0..self.random.random_range(1..=8) {
            let command = self.command();
            let touched = touches(&command, &self.dumb);
            if touched.iter().all(|subject| !written.contains(subject)) {
                written.extend(touched);
                batch.push(command);
            }
        }
        // As the journal's caller sees to it: deeds come last.
        batch.sort_by_key(|command| matches!(command.act, Act::Deed(_)));
        batch
    }

    fn text(&mut self) -> String {
        let number = self.random.random_range(0..4);
        let whom = self.random.random_range(0..PEOPLE);
        match self.random.random_range(0..6) {
            0 => format!("text {number} #red"),
            1 => format!("text {number} #Red #blue @person{whom}"),
            2 => format!("text {number} @person{whom} @nobody"),
            _ => format!("text {number}"),
        }
    }

    /// None: as it was, or for everybody.
    fn visibility(&mut self) -> Option<Visibility> {
        let chosen = [Visibility::Public, Visibility::Followers, Visibility::Mentioned, Visibility::Private];
        self.random.random_bool(0.5).then(|| *chosen.choose(&mut self.random).unwrap())
    }

    fn command(&mut self) -> Command {
        let actor = *self.people.choose(&mut self.random).unwrap();
        let text = self.text();
        let some_post = *self.posts.choose(&mut self.random).unwrap_or(&PostId(Uuid::nil()));
        let (some_comment, on) =
            *self.comments.choose(&mut self.random).unwrap_or(&(CommentId(Uuid::nil()), some_post));
        let if_rev = self
            .random
            .random_ratio(1, 4)
            .then(|| Seq(self.random.random_range(self.dumb.head.saturating_sub(50)..=self.dumb.head)));
        let new = Uuid::from_u128(self.random.random());
        let whom = *self.people.choose(&mut self.random).unwrap();
        let visibility = self.visibility();
        // Half of the changes are tried by the author, who may.
        let by_author = self.random.random_bool(0.6);
        let author_of = |of: Option<UserId>| of.filter(|_| by_author).unwrap_or(actor);
        let of_post = author_of(self.dumb.posts.get(&some_post).map(|post| post.author));
        let of_comment = author_of(self.dumb.comments.get(&some_comment).map(|one| one.author));
        let own = self.random.random_bool(0.9);
        let list_of = |who: UserId| ListId(Uuid::from_u128(who.0.as_u128() + 99));
        let there = self.random.random_bool(0.6);
        let (actor, act) = match self.random.random_range(0..118) {
            112..118 => (actor, enlist(list_of(if own { actor } else { whom }), whom, there)),
            0..21 => {
                self.posts.push(PostId(new));
                (actor, post_for(PostId(new), &text, visibility.unwrap_or_default()))
            }
            21..25 => {
                self.posts.push(PostId(new));
                let words = self.random.random_bool(0.5).then_some(text.as_str());
                (actor, hand_on(PostId(new), some_post, words))
            }
            25..30 => (of_post, post_for(some_post, &text, visibility.unwrap_or_default())),
            30..40 => (of_post, edit_for(some_post, &text, visibility, if_rev)),
            100..102 => (actor, block(whom)),
            102..106 => (actor, unblock(whom)),
            106..109 => (actor, mute(whom)),
            109..112 => (actor, unmute(whom)),
            40..46 => (of_post, Act::PostDelete { id: some_post }),
            46..66 => {
                let parent = self.random.random_bool(0.7).then_some(some_comment);
                let on = if parent.is_some() && self.random.random_bool(0.9) { on } else { some_post };
                self.comments.push((CommentId(new), on));
                (actor, comment(CommentId(new), on, parent, &text))
            }
            66..69 => (of_comment, comment(some_comment, on, None, &text)),
            69..76 => (of_comment, edit_comment(some_comment, &text, if_rev)),
            76..84 => (of_comment, Act::CommentDelete { id: some_comment }),
            84..90 => (actor, Act::Follow { whom }),
            90..95 => (actor, Act::Unfollow { whom }),
            95..=99 if !self.random.random_ratio(1, 5) => (actor, rename(&text)),
            _ => (UserId(Uuid::max()), post_for(PostId(new), &text, Visibility::Public)),
        };
        Command { actor, act }
    }

    async fn carry_out(&mut self, batch: &[Command]) {
        let outcomes = self.world.commit(batch).await;
        for (command, outcome) in batch.iter().zip(outcomes) {
            let (told, at) = match &outcome {
                Outcome::Done(entry) => (Verdict::Done, entry.seq.0),
                Outcome::Duplicate(_) => (Verdict::Duplicate, 0),
                Outcome::Refused(why) => (Verdict::Refused(*why), 0),
            };
            let expected = self.dumb.does(command, at);
            assert_eq!(told, expected, "seed {}: {command:?}", self.seed);
        }
        // Blocks and notifications bring entries of their own.
        self.dumb.head = self.world.head().await.0;
    }

    async fn somebody_reads(&mut self) {
        if self.readers.len() < 40 && self.random.random_ratio(1, 3) {
            let user = *self.people.choose(&mut self.random).unwrap();
            let on = self.posts.choose(&mut self.random).copied();
            let feed = match self.random.random_range(0..11) {
                9 | 10 => FeedName::List(ListId(Uuid::from_u128(user.0.as_u128() + 99))),
                7 => FeedName::Tag("red".parse().unwrap()),
                8 => FeedName::Tag("blue".parse().unwrap()),
                0 => FeedName::Home,
                1 => FeedName::Global,
                2 => FeedName::Me,
                3 => FeedName::User(user),
                _ => FeedName::Post(on.unwrap_or(PostId(Uuid::nil()))),
            };
            let foreign = self.random.random_ratio(1, 10) || !matches!(feed, FeedName::List(_));
            let viewer = if foreign { *self.people.choose(&mut self.random).unwrap() } else { user };
            self.readers.push(Reader { viewer, feed, cursor: Seq(0), state: State::default() });
        } else if !self.readers.is_empty() {
            let nth = self.random.random_range(0..self.readers.len());
            self.catch_up(nth).await;
        }
    }

    async fn catch_up(&mut self, nth: usize) {
        // A small limit now and then, so that some of them must start afresh.
        let limit = if self.random.random_ratio(1, 5) { 20 } else { 100_000 };
        let seen = Seen::of(&self.dumb, self.readers[nth].viewer);
        let reader = &mut self.readers[nth];
        let (viewer, feed) = (Some(reader.viewer), reader.feed);
        let store = &self.world.store;
        if let FeedName::Post(post) = feed {
            let hidden = store.hidden(viewer, &[post]).await.unwrap();
            let may =
                self.dumb.posts.get(&post).is_some_and(|post| post.text.is_none() || self.dumb.sees(viewer, post));
            assert_eq!(hidden.is_empty(), may, "seed {}, {feed}", self.seed);
        }
        let missed = store.missed(viewer, &[feed], reader.cursor, limit).await.unwrap();
        assert!(missed.entries.windows(2).all(|two| two[0].seq < two[1].seq));
        assert_eq!(missed.seq, Seq(self.dumb.head));
        let fetched = store.snapshot(viewer, feed, ALL).await.unwrap();
        // A feed that has ended is asked for again.
        if missed.too_much || missed.restart.contains(&feed) || reader.state.gone {
            reader.state = fetched.clone().map_or_else(State::gone, State::from);
        } else {
            for entry in &missed.entries {
                match sight(feed, entry, Some(seen.eyes())) {
                    Sight::Whole => reader.state.hear(feed, entry),
                    Sight::Short => reader.state.hear_short(feed, entry),
                    Sight::Nothing => {}
                }
            }
        }
        reader.cursor = missed.seq;
        let reached = reader.state.shown(feed);
        let fetched = fetched.map_or_else(State::gone, State::from).shown(feed);
        let differs = reached.symmetric_difference(&fetched).next();
        assert_eq!(differs, None, "seed {}, {feed}", self.seed);
        self.check(nth);
    }

    /// Against the list that forgets nothing.
    fn check(&self, nth: usize) {
        let Reader { viewer, feed, state, .. } = &self.readers[nth];
        match feed {
            FeedName::User(user) if self.dumb.are_apart(*viewer, *user) => assert!(state.gone, "seed {}", self.seed),
            FeedName::List(list) if self.dumb.lists.get(list) != Some(viewer) => {
                assert!(state.gone, "seed {}", self.seed);
            }
            FeedName::Home | FeedName::Global | FeedName::User(_) | FeedName::Tag(_) | FeedName::List(_) => {
                let mut posts: Vec<&Post> = state.posts.values().collect();
                posts.sort_by_key(|post| std::cmp::Reverse(post.seq));
                let posts: Vec<_> = posts.iter().map(|post| (post.id, post.rev.0, post.text.clone())).collect();
                assert_eq!(posts, self.dumb.posts_of(*viewer, *feed), "seed {}", self.seed);
            }
            FeedName::Post(on) => {
                let alive = self
                    .dumb
                    .posts
                    .get(on)
                    .is_some_and(|post| post.text.is_some() && self.dumb.sees(Some(*viewer), post));
                assert_eq!(!state.gone && state.posts.contains_key(on), alive, "seed {}", self.seed);
                if alive {
                    let shown = state.comments_shown();
                    let shown: BTreeMap<_, _> =
                        shown.into_iter().map(|(id, comment)| (id, (comment.rev.0, comment.text))).collect();
                    assert_eq!(shown, self.dumb.comments_of(*viewer, *on), "seed {}", self.seed);
                }
            }
            FeedName::Notifications | FeedName::Mod | FeedName::Firehose => {
                unreachable!("looked at in a script of its own")
            }
            FeedName::Me => {
                let follows: BTreeSet<UserId> = self
                    .dumb
                    .follows
                    .iter()
                    .filter(|(follower, _)| follower == viewer)
                    .map(|(_, followee)| *followee)
                    .collect();
                assert_eq!(state.follows, follows, "seed {}", self.seed);
                let seen = Seen::of(&self.dumb, *viewer);
                assert_eq!(state.blocks.iter().copied().collect::<Vec<_>>(), seen.blocks, "seed {}", self.seed);
                assert_eq!(state.mutes.iter().copied().collect::<Vec<_>>(), seen.muted, "seed {}", self.seed);
                let sizes: Vec<(ListId, u32)> = state.lists.values().map(|list| (list.id, list.members)).collect();
                let size = |listing: &Listing| (listing.id, u32::try_from(listing.members.len()).unwrap());
                assert_eq!(sizes, seen.lists.iter().map(size).collect::<Vec<_>>(), "seed {}", self.seed);
                let user = state.user.as_ref().unwrap();
                assert_eq!((user.name.clone(), user.rev.0), self.dumb.names[viewer]);
            }
        }
    }

    async fn check_counts(&self) {
        for person in &self.people {
            let who = tidings_actors::ports::Who::Id(*person);
            let told = self.world.store.user(None, &who).await.unwrap().unwrap();
            let followers = self.dumb.follows.iter().filter(|(_, whom)| whom == person).count();
            let follows = self.dumb.follows.iter().filter(|(who, _)| who == person).count();
            let counts = |post: &&Written| post.author == *person && post.text.is_some() && post.audience.is_public();
            let posts = self.dumb.posts.values().filter(counts).count();
            let expected = (followers as u64, follows as u64, posts as u64);
            assert_eq!((told.followers, told.follows, told.posts), expected);
        }
        let seqs = self.world.stored_seqs();
        assert_eq!(seqs, (1..=self.dumb.head).collect::<Vec<u64>>());
    }
}

/// Every entity a command reads or writes.
fn touches(command: &Command, dumb: &Dumb) -> Vec<Subject> {
    // Whom one follows, and so what one may comment on.
    let circle = Subject::Pair(Tie::Follows, command.actor, command.actor);
    let post_of = |id: &CommentId| dumb.comments.get(id).and_then(|comment| comment.on);
    let mut touched = match &command.act {
        Act::UserUpdate { .. } => vec![command.actor.0],
        Act::PostCreate { id, extra, .. } => {
            let of = extra.as_ref().and_then(|extra| extra.of);
            [Some(id.0), of.map(|of| of.0)].into_iter().flatten().collect()
        }
        // They come last, one after the other.
        Act::Deed(_) => vec![],
        Act::PostUpdate { id, .. } | Act::PostDelete { id } => {
            vec![id.0]
        }
        Act::CommentCreate { id, post, parent, .. } => {
            let mut touched = vec![id.0, post.0];
            touched.extend(parent.map(|parent| parent.0));
            touched
        }
        Act::CommentUpdate { id, .. } | Act::CommentDelete { id } => {
            let mut touched = vec![id.0];
            touched.extend(post_of(id).map(|post| post.0));
            touched
        }
        Act::Follow { whom } | Act::Unfollow { whom } => {
            return vec![circle, Subject::Pair(Tie::Follows, command.actor, *whom)];
        }
        Act::UserCreate { .. } | Act::SessionRevoke { .. } => vec![],
    };
    touched.sort_unstable();
    touched.dedup();
    let comments = matches!(command.act, Act::CommentCreate { .. });
    touched.into_iter().map(Subject::One).chain(comments.then_some(circle)).collect()
}

impl State {
    fn gone() -> Self {
        Self { gone: true, ..Self::default() }
    }

    /// Keep what is newer: the client's whole rule.
    fn hear(&mut self, feed: FeedName, entry: &Entry) {
        match entry.change {
            Change::Post { verb: Verb::Removed, id, .. } => {
                assert_eq!(body::<Removed>(entry).id, id.0);
                self.posts.remove(&id);
                self.gone |= feed == FeedName::Post(id);
            }
            Change::Post { id, .. } => {
                let post: Post = body(entry);
                assert_eq!((post.id, post.rev), (id, entry.seq));
                self.posts.insert(id, post);
            }
            Change::Comment { verb: Verb::Removed, id, .. } => {
                let removed: Removed = body(entry);
                if let Some(comment) = self.comments.get_mut(&id) {
                    (comment.removed, comment.rev) = (true, removed.rev);
                    (comment.author, comment.text, comment.edited_at) = (None, None, None);
                }
            }
            Change::Comment { id, .. } => {
                self.comments.insert(id, body(entry));
            }
            Change::User { id, .. } => {
                let user: User = body(entry);
                for post in self.posts.values_mut().filter(|post| post.author.id == id) {
                    (post.author.rev, post.author.name) = (user.rev, user.name.clone());
                }
                self.user = Some(user);
            }
            Change::Follow { verb, followee, .. } => {
                if verb == Verb::Removed {
                    self.follows.remove(&followee);
                } else {
                    self.follows.insert(followee);
                }
            }
            Change::Block { verb, blocked, .. } => keep(&mut self.blocks, blocked, verb),
            Change::Mute { verb, muted, .. } => keep(&mut self.mutes, muted, verb),
            Change::List { id, .. } => drop(self.lists.insert(id, body(entry))),
            // The list's own entry follows.
            Change::Listed { .. } => {}
            Change::SessionRevoked { .. }
            | Change::Case { .. }
            | Change::Rights { .. }
            | Change::Request { .. }
            | Change::Own { .. } => {
                panic!("no client's business")
            }
        }
    }

    /// What is not for this viewer (any more).
    fn hear_short(&mut self, feed: FeedName, entry: &Entry) {
        match entry.change {
            Change::Post { id, .. } => {
                self.posts.remove(&id);
                self.gone |= feed == FeedName::Post(id);
            }
            Change::Comment { id, .. } => {
                let comment: Comment = body(entry);
                let placeholder = Comment {
                    removed: true,
                    author: None,
                    text: None,
                    edited_at: None,
                    extra: CommentExtra::default(),
                    ..comment
                };
                self.comments.insert(id, placeholder);
            }
            other => panic!("nothing short is told of {other:?}"),
        }
    }

    /// The live comments, and the removed ones they stand under.
    fn comments_shown(&self) -> BTreeMap<CommentId, Comment> {
        let mut shown = BTreeMap::new();
        for comment in self.comments.values().filter(|comment| !comment.removed) {
            let mut next = Some(comment.id);
            while let Some(id) = next {
                let comment = &self.comments[&id];
                shown.insert(id, comment.clone());
                next = comment.parent;
            }
        }
        shown
    }

    /// What the feed shows, in lines that can be compared. Names beside posts belong to feeds that hear of profiles.
    fn shown(&self, feed: FeedName) -> BTreeSet<String> {
        if self.gone {
            return BTreeSet::from(["gone".to_owned()]);
        }
        let hears_of_people = matches!(feed, FeedName::Home | FeedName::User(_) | FeedName::List(_));
        let user = self.user.as_ref().filter(|_| !matches!(feed, FeedName::Home | FeedName::List(_)));
        let mut lines = BTreeSet::from([format!("{user:?} {:?} {:?} {:?}", self.follows, self.blocks, self.mutes)]);
        lines.extend(self.lists.values().map(|list| format!("{list:?}")));
        for post in self.posts.values() {
            let mut post = post.clone();
            if !hears_of_people {
                (post.author.rev, post.author.name) = (Seq(0), String::new());
            }
            lines.insert(format!("{post:?}"));
        }
        for mut comment in self.comments_shown().into_values() {
            if let Some(author) = &mut comment.author {
                (author.rev, author.name) = (Seq(0), String::new());
            }
            lines.insert(format!("{comment:?}"));
        }
        lines
    }
}

impl From<Snapshot> for State {
    fn from(snapshot: Snapshot) -> Self {
        let mut state = Self { user: snapshot.user, ..Self::default() };
        let posts = snapshot.posts.into_iter().flatten().chain(snapshot.post);
        state.posts.extend(posts.map(|post| (post.id, post)));
        let comments = snapshot.comments.into_iter().flatten();
        state.comments.extend(comments.map(|comment| (comment.id, comment)));
        state.follows.extend(snapshot.follows.into_iter().flatten());
        state.blocks.extend(snapshot.blocks.into_iter().flatten().map(|block| block.blocked));
        state.lists.extend(snapshot.lists.into_iter().flatten().map(|list| (list.id, list)));
        state.mutes.extend(snapshot.mutes.into_iter().flatten().map(|mute| mute.muted));
        state
    }
}
