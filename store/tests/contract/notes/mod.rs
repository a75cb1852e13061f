//! Notifications: groups, counts and what is unread are what a dumb list says, whatever people do; who reads along ends where a snapshot
//! is (P4); the hidden and the hiding are never told of (P5). By seeded random scripts; the seed is the bug report.

mod cases;
mod dumb;
mod ear;

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use tidings_actors::command::{Act, Command, Deed, Outcome};
use tidings_actors::entry::{Change, Entry};
use tidings_actors::ports::{JournalStore as _, Reads as _};
use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::marks::Emoji;
use tidings_protocol::notification::{HeardFrom, Notification, NotifyPreferences};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::Snapshot;
use tidings_protocol::spans;
use uuid::Uuid;

use self::dumb::{Dumb, Shown};
use self::ear::Ear;
use crate::world::{
    World, block, comment, done, edit_comment, edit_for, hand_on, mute, once, post_for, sign_up, unblock, unmute,
};

const PEOPLE: usize = 7;
/// For each seed.
const COMMANDS: usize = 3_400;

#[tokio::test]
async fn p4_groups_counts_and_unread_are_what_a_plain_list_says() {
    let mut done = 0;
    for seed in [1, 2, 3] {
        let mut script = Script::new(seed).await;
        script.run().await;
        done += script.done;
    }
    assert!(done >= 10_000, "{done} commands were done");
}

struct Script {
    seed: u64,
    random: StdRng,
    world: World,
    dumb: Dumb,
    /// One for each person who hears all, and one who only catches up.
    live: BTreeMap<UserId, Ear>,
    late: BTreeMap<UserId, (Seq, Ear)>,
    done: usize,
}

impl Script {
    async fn new(seed: u64) -> Self {
        let (world, mut dumb) = (World::new().await, Dumb::default());
        for nth in 0..PEOPLE {
            let (id, handle) = (UserId(Uuid::from_u128(nth as u128 + 1)), format!("person{nth}"));
            done(world.does(id, sign_up(&handle)).await);
            dumb.people.push((id, handle));
        }
        let (live, late) = (BTreeMap::new(), BTreeMap::new());
        let mut script = Self { seed, random: StdRng::seed_from_u64(seed), world, dumb, live, late, done: 0 };
        for (id, _) in script.dumb.people.clone() {
            let snapshot = script.snapshot(id).await;
            script.late.insert(id, (snapshot.seq, Ear::of(snapshot.clone())));
            script.live.insert(id, Ear::of(snapshot));
        }
        script
    }

    async fn run(&mut self) {
        let mut tried = 0;
        while tried < 3 * COMMANDS && self.done < COMMANDS {
            let batch = self.batch();
            tried += batch.len();
            self.carry_out(&batch).await;
            if self.random.random_ratio(1, 12) {
                self.somebody_reads().await;
            }
            if self.random.random_ratio(1, 8) {
                let person = self.somebody();
                self.check(person).await;
            }
        }
        for (person, _) in self.dumb.people.clone() {
            self.check(person).await;
        }
    }

    fn somebody(&mut self) -> UserId {
        self.dumb.people.choose(&mut self.random).unwrap().0
    }

    fn new_id(&mut self) -> Uuid {
        Uuid::from_u128(self.random.random())
    }

    fn text(&mut self) -> String {
        let number = self.random.random_range(0..9);
        let named: Vec<String> = (0..self.random.random_range(0..3))
            .map(|_| format!("@person{}", self.random.random_range(0..PEOPLE)))
            .collect();
        format!("text {number} {}", named.join(" "))
    }

    fn visibility(&mut self) -> Visibility {
        let chosen = [Visibility::Followers, Visibility::Mentioned, Visibility::Private];
        if self.random.random_bool(0.75) { Visibility::Public } else { *chosen.choose(&mut self.random).unwrap() }
    }

    /// Commands of which none touches what another one writes: of one sort, by different people about different things; or a single one.
    fn batch(&mut self) -> Vec<Command> {
        let mut batch: Vec<Command> = Vec::new();
        let sort = self.random.random_range(0..100);
        for _ in 0..self.random.random_range(1..=6) {
            let Some(command) = self.command(sort) else { continue };
            let twice = |other: &Command| other.actor == command.actor || touches(other) == touches(&command);
            if !batch.iter().any(twice) {
                batch.push(command);
            }
        }
        batch
    }

    fn command(&mut self, sort: u32) -> Option<Command> {
        let (actor, whom, text) = (self.somebody(), self.somebody(), self.text());
        let posts: Vec<PostId> = self.dumb.posts.keys().copied().collect();
        let some_post = posts.choose(&mut self.random).copied();
        let alive: Vec<CommentId> =
            self.dumb.comments.iter().filter(|(_, one)| !one.removed).map(|(id, _)| *id).collect();
        let some_comment = alive.choose(&mut self.random).copied();
        let by = |post: PostId, dumb: &Dumb| dumb.posts[&post].author;
        Some(match sort {
            0..16 => Command { actor, act: Act::Follow { whom } },
            16..22 => Command { actor, act: Act::Unfollow { whom } },
            22..30 => {
                let (id, visibility) = (PostId(self.new_id()), self.visibility());
                Command { actor, act: post_for(id, &text, visibility) }
            }
            30..36 => {
                let words = self.random.random_bool(0.5).then_some(text.as_str());
                Command { actor, act: handing_on(PostId(self.new_id()), some_post?, words) }
            }
            36..41 => {
                let post = some_post.filter(|post| !self.dumb.posts[post].is_repost)?;
                let visibility = self.random.random_bool(0.4).then(|| self.visibility());
                Command { actor: by(post, &self.dumb), act: edit_for(post, &text, visibility, None) }
            }
            41..43 => {
                let post = some_post.filter(|_| posts.len() > 12)?;
                Command { actor: by(post, &self.dumb), act: Act::PostDelete { id: post } }
            }
            43..60 => {
                let (id, on) = (CommentId(self.new_id()), some_post?);
                let parent = some_comment.filter(|_| self.random.random_bool(0.6));
                let on = parent.map_or(on, |parent| self.dumb.comments[&parent].on);
                Command { actor, act: comment(id, on, parent, &text) }
            }
            60..65 => {
                let comment = some_comment?;
                Command { actor: self.dumb.comments[&comment].author, act: edit_comment(comment, &text, None) }
            }
            65..70 => {
                let comment = some_comment?;
                Command { actor: self.dumb.comments[&comment].author, act: Act::CommentDelete { id: comment } }
            }
            70..82 => {
                let emoji = *Emoji::ALL.choose(&mut self.random).unwrap();
                Command { actor, act: Act::Deed(Deed::React { post: some_post?, emoji }) }
            }
            82..88 => Command { actor, act: Act::Deed(Deed::Unreact { post: some_post? }) },
            88..90 => Command { actor, act: block(whom) },
            90..93 => Command { actor, act: unblock(whom) },
            93..95 => Command { actor, act: mute(whom) },
            95..98 => Command { actor, act: unmute(whom) },
            _ => {
                let said =
                    *[HeardFrom::Everyone, HeardFrom::Followed, HeardFrom::Nobody].choose(&mut self.random).unwrap();
                let mut change = NotifyPreferences::default();
                let slots = [&mut change.follow, &mut change.mention, &mut change.comment, &mut change.reaction];
                // Mostly everybody, so that something happens.
                let said = if self.random.random_bool(0.5) { HeardFrom::Everyone } else { said };
                for slot in slots {
                    *slot = self.random.random_bool(0.5).then_some(said);
                }
                change.reply = Some(said);
                Command { actor, act: Act::Deed(Deed::PreferNotifications(change)) }
            }
        })
    }

    async fn carry_out(&mut self, batch: &[Command]) {
        if batch.is_empty() {
            return;
        }
        let committed = self.world.store.commit(once(), batch).await.unwrap();
        let mut afresh: Vec<UserId> = Vec::new();
        for (command, outcome) in batch.iter().zip(&committed.outcomes) {
            if let Outcome::Done(_) = outcome {
                self.done += 1;
                self.dumb.does(command);
                match &command.act {
                    Act::Deed(Deed::Block { whom } | Deed::Unblock { whom }) => afresh.extend([command.actor, *whom]),
                    Act::Deed(Deed::Mute { .. } | Deed::Unmute { .. }) => afresh.push(command.actor),
                    _ => {}
                }
            }
        }
        self.hear(committed.brought).await;
        for user in afresh {
            let ear = Ear::of(self.snapshot(user).await);
            self.live.insert(user, ear);
        }
    }

    /// What came out of a commit reaches those it concerns; and it is what the journal says to nodes that read it there.
    async fn hear(&mut self, brought: Vec<Entry>) {
        let Some((first, last)) = brought.first().zip(brought.last()).map(|(first, last)| (first.seq, last.seq)) else {
            return;
        };
        let read = self.world.store.read(first, last).await.unwrap().entries;
        let plain = |entry: &Entry| (entry.seq, entry.change, entry.body.get().to_owned());
        let (read, told): (Vec<_>, Vec<_>) = (read.iter().map(plain).collect(), brought.iter().map(plain).collect());
        assert_eq!(read, told, "seed {}", self.seed);
        for entry in brought {
            if let Change::Own { user, .. } = entry.change {
                self.live.get_mut(&user).unwrap().hear(&entry);
            }
        }
    }

    /// Somebody marks everything as read, or some of it.
    async fn somebody_reads(&mut self) {
        let user = self.somebody();
        let shown: Vec<Notification> = self.snapshot(user).await.notifications.unwrap();
        let deed = if self.random.random_bool(0.5) {
            self.dumb.reads(user, None);
            Deed::ReadNotifications { ids: None, up_to: Some(Seq(u64::MAX >> 1)) }
        } else {
            let some: Vec<&Notification> = shown.iter().filter(|_| self.random.random_bool(0.4)).take(5).collect();
            if some.is_empty() {
                return;
            }
            let places: Vec<usize> = some.iter().map(|one| self.place_of(user, one)).collect();
            self.dumb.reads(user, Some(&places));
            Deed::ReadNotifications { ids: Some(some.iter().map(|one| one.id).collect()), up_to: None }
        };
        let commands = [Command { actor: user, act: Act::Deed(deed) }];
        let committed = self.world.store.commit(once(), &commands).await.unwrap();
        if let [Outcome::Done(entry)] = committed.outcomes.as_slice() {
            self.live.get_mut(&user).unwrap().hear(entry);
        }
        self.hear(committed.brought).await;
    }

    /// Which of the dumb groups this is: what it is about tells, and of several groups of followers who is in it.
    fn place_of(&self, user: UserId, one: &Notification) -> usize {
        let (all, _) = self.dumb.shown(user);
        let (place, _) = all.iter().find(|(_, shown)| *shown == Shown::from(one)).unwrap();
        self.dumb
            .groups
            .iter()
            .position(|group| {
                group.user == user && group.place == *place && {
                    let about = one.comment.map(|id| id.0).or(one.post.map(|id| id.0)).unwrap_or(user.0);
                    group.subject == about && group.kind == one.kind
                }
            })
            .unwrap()
    }

    async fn snapshot(&self, user: UserId) -> Snapshot {
        let snapshot = self.world.store.snapshot(Some(user), FeedName::Notifications, 10_000).await.unwrap().unwrap();
        assert_eq!(snapshot.next, None);
        snapshot
    }

    async fn check(&mut self, user: UserId) {
        let seed = self.seed;
        let snapshot = self.snapshot(user).await;
        let reading = snapshot.reading.unwrap();
        let told = snapshot.notifications.clone().unwrap();
        let (expected, unread) = self.dumb.shown(user);
        // Of what came at once the order is the database's affair; of what came one after the other it is not.
        let mut shown: Vec<Shown> = told.iter().map(Shown::from).collect();
        let mut dumb: Vec<Shown> = expected.into_iter().map(|(_, shown)| shown).collect();
        shown.sort();
        dumb.sort();
        assert_eq!(shown, dumb, "seed {seed}, {user}");
        assert_eq!(reading.unread, unread, "seed {seed}, {user}");
        assert!(told.windows(2).all(|two| two[0].seq > two[1].seq), "seed {seed}: newest first");
        self.check_order(user, &told);

        let (heard, heard_reading) = self.live[&user].shown();
        let fetched: Vec<(Seq, &Notification)> = told.iter().map(|one| (one.seq, one)).collect();
        assert_eq!(heard, fetched, "seed {seed}, {user}: heard live");
        assert_eq!(heard_reading, reading, "seed {seed}, {user}: heard live");
        self.check_late(user, &snapshot).await;
        self.check_pages(user, &told).await;
    }

    fn check_order(&self, user: UserId, told: &[Notification]) {
        let places: Vec<u64> = told.iter().map(|one| self.dumb.groups[self.place_of(user, one)].place).collect();
        // Commands of one batch are counted one after the other here, and come at once there: at most six.
        assert!(places.windows(2).all(|two| two[0] + 6 > two[1]), "seed {}: {places:?}", self.seed);
    }

    /// Who was away hears what they missed, each group once.
    async fn check_late(&mut self, user: UserId, snapshot: &Snapshot) {
        let (cursor, mut ear) = self.late.remove(&user).unwrap();
        let feeds = [FeedName::Notifications];
        let missed = self.world.store.missed(Some(user), &feeds, cursor, 100_000).await.unwrap();
        if missed.restart.is_empty() {
            missed.entries.iter().for_each(|entry| ear.hear(entry));
        } else {
            ear = Ear::of(snapshot.clone());
        }
        let told = snapshot.notifications.as_ref().unwrap();
        let fetched: Vec<(Seq, &Notification)> = told.iter().map(|one| (one.seq, one)).collect();
        let (heard, reading) = ear.shown();
        assert_eq!(heard, fetched, "seed {}, {user}: missed since {cursor}", self.seed);
        assert_eq!(Some(reading), snapshot.reading, "seed {}, {user}: missed since {cursor}", self.seed);
        self.late.insert(user, (missed.seq, ear));
    }

    async fn check_pages(&self, user: UserId, all: &[Notification]) {
        let (mut read, mut before) = (Vec::new(), None);
        loop {
            let page = self.world.store.notifications_page(user, before, 7).await.unwrap();
            read.extend(page.notifications);
            let Some(next) = page.next else { break };
            before = Some(next.seq);
        }
        assert_eq!(read, all, "seed {}, {user}: by pages", self.seed);
    }
}

/// As a session makes it: with the mentions of its words.
fn handing_on(id: PostId, of: PostId, words: Option<&str>) -> Act {
    let mut act = hand_on(id, of, words);
    if let (Act::PostCreate { extra: Some(extra), .. }, Some(words)) = (&mut act, words) {
        extra.mentions = spans::find(words).mentions;
    }
    act
}

/// What a command is about, as far as another one of its batch must not be about it.
fn touches(command: &Command) -> Vec<Uuid> {
    match &command.act {
        Act::PostUpdate { id, .. } | Act::PostDelete { id } => vec![id.0],
        Act::CommentCreate { id, .. } | Act::CommentUpdate { id, .. } | Act::CommentDelete { id } => vec![id.0],
        Act::PostCreate { id, .. } => vec![id.0],
        _ => vec![command.actor.0],
    }
}
