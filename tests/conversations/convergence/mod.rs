//! A random community on two nodes: what each device was told makes the state that another device, on the other node, is given when it asks (P4);
//! and nobody ever hears a word they were never allowed to (P5), as a dumb list of who was allowed what says. The seed is the bug report.

mod methods;

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};
use tidings_protocol::entity::Visibility;
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::feed::FeedName::{Global, Home, Me, User};
use tidings_protocol::ids::ListId;
use tidings_protocol::reply::Snapshot;
use uuid::Uuid;

use crate::person::Person;
use crate::state::Thing;
use crate::world::World;

const PEOPLE: usize = 5;
/// Fewer posts come of it than a fresh snapshot holds.
const DEEDS: usize = 150;

/// A post as a dumb list keeps it.
struct Written {
    id: Uuid,
    by: usize,
    visibility: Visibility,
    /// While it was for fewer than everybody.
    mentioned: BTreeSet<usize>,
    gone: bool,
}

/// Who stands how to whom, who wrote what, and who was ever allowed which text.
#[derive(Default)]
struct List {
    follows: BTreeSet<(usize, usize)>,
    blocks: BTreeSet<(usize, usize)>,
    posts: Vec<Written>,
    /// The post of each text, and who has been allowed to see it while it said so.
    texts: BTreeMap<String, (usize, BTreeSet<usize>)>,
    /// What each post says now.
    says: BTreeMap<usize, String>,
}

impl List {
    fn sees(&self, viewer: usize, post: &Written) -> bool {
        let apart = self.blocks.contains(&(viewer, post.by)) || self.blocks.contains(&(post.by, viewer));
        let named = post.mentioned.contains(&viewer);
        viewer == post.by
            || !apart
                && match post.visibility {
                    Visibility::Public => true,
                    Visibility::Followers => named || self.follows.contains(&(viewer, post.by)),
                    Visibility::Mentioned => named,
                    Visibility::Private => false,
                }
    }

    /// After each deed: who may see what now may have heard it.
    fn note(&mut self) {
        for (nth, says) in self.says.clone() {
            for viewer in 0..PEOPLE {
                let post = &self.posts[nth];
                if !post.gone && self.sees(viewer, post) {
                    self.texts.entry(says.clone()).or_insert_with(|| (nth, BTreeSet::new())).1.insert(viewer);
                }
            }
        }
    }
}

struct Community {
    world: World,
    /// Two devices of each, one on each node.
    devices: Vec<[Person; 2]>,
    list: List,
    /// One of each.
    lists: Vec<ListId>,
    random: StdRng,
    seed: u64,
}

impl Community {
    async fn gathers(seed: u64) -> Self {
        let world = World::two_nodes().await;
        let mut devices = Vec::new();
        for nth in 0..PEOPLE {
            let first = Person::signs_up(world.a(), &format!("person{nth}")).await;
            let second = Person::logs_in(world.b(), &format!("person{nth}")).await;
            devices.push([first, second]);
        }
        let red = FeedName::Tag("red".parse().expect("a tag"));
        let feeds = [Home, Global, Me, red, User(devices[0][0].id()), User(devices[1][0].id())];
        let mut lists = Vec::new();
        for [first, second] in &mut devices {
            first.connects(world.a(), &feeds).await;
            let id = ListId(Uuid::now_v7());
            lists.push(id);
            first.request::<Value>("list.create", json!({ "id": id, "name": "close" })).await.expect("made");
            let feeds: Vec<FeedName> = feeds.iter().copied().chain([FeedName::List(id)]).collect();
            first.connects(world.a(), &feeds).await;
            second.connects(world.b(), &feeds).await;
        }
        Self { world, devices, list: List::default(), lists, random: StdRng::seed_from_u64(seed), seed }
    }

    fn somebody(&mut self) -> usize {
        self.random.random_range(0..PEOPLE)
    }

    fn text(&mut self, number: usize) -> (String, BTreeSet<usize>) {
        let whom = self.somebody();
        match self.random.random_range(0..4) {
            0 => (format!("words {number} #red"), BTreeSet::new()),
            1 => (format!("words {number} @person{whom} #Red"), BTreeSet::from([whom])),
            _ => (format!("words {number}"), BTreeSet::new()),
        }
    }

    fn visibility(&mut self) -> Visibility {
        let all =
            [Visibility::Public, Visibility::Public, Visibility::Followers, Visibility::Mentioned, Visibility::Private];
        *all.choose(&mut self.random).expect("some")
    }

    /// Asks by one of their devices, whichever.
    async fn asks(&mut self, who: usize, method: &str, params: Value) -> Result<Value, Refusal> {
        let device = self.random.random_range(0..2);
        self.devices[who][device].request(method, params).await
    }

    /// By its author: it is told as the post it is about.
    async fn something_is_said_about_a_thread(&mut self) {
        let nth = self.random.random_range(0..self.list.posts.len());
        let (by, id, gone) = (self.list.posts[nth].by, self.list.posts[nth].id, self.list.posts[nth].gone);
        let (method, params) = match self.random.random_range(0..4) {
            0 => ("post.lock", json!({ "id": id })),
            1 => ("post.unlock", json!({ "id": id })),
            2 => ("post.slow", json!({ "id": id, "seconds": self.random.random_range(0..3) })),
            _ => ("post.comments", json!({ "id": id, "comments": "followers" })),
        };
        let said = self.asks(by, method, params).await;
        assert_eq!(said.is_ok(), !gone, "{method}");
    }

    #[expect(clippy::too_many_lines, reason = "a table: a line or two for each thing that may happen")]
    async fn something_happens(&mut self, number: usize) {
        let (who, whom) = (self.somebody(), self.somebody());
        let other = self.devices[whom][0].id();
        match self.random.random_range(0..120) {
            0..28 => {
                let ((text, named), visibility, id) = (self.text(number), self.visibility(), Uuid::now_v7());
                let params = json!({ "id": id, "text": text, "visibility": visibility });
                self.asks(who, "post.create", params).await.expect("posted");
                let mentioned = if visibility.is_public() { BTreeSet::new() } else { named };
                self.list.says.insert(self.list.posts.len(), text);
                self.list.posts.push(Written { id, by: who, visibility, mentioned, gone: false });
            }
            28..36 if !self.list.posts.is_empty() => self.something_is_said_about_a_thread().await,
            36..60 if !self.list.posts.is_empty() => {
                let nth = self.random.random_range(0..self.list.posts.len());
                let ((text, named), visibility) = (self.text(number), self.visibility());
                let (by, id, gone) = (self.list.posts[nth].by, self.list.posts[nth].id, self.list.posts[nth].gone);
                if !gone {
                    let params = json!({ "id": id, "text": text, "visibility": visibility });
                    self.asks(by, "post.update", params).await.expect("edited");
                    let post = &mut self.list.posts[nth];
                    if !visibility.is_public() || !post.mentioned.is_empty() {
                        post.mentioned.extend(named);
                    }
                    post.visibility = visibility;
                    self.list.says.insert(nth, text);
                }
            }
            60..65 if !self.list.posts.is_empty() => {
                let nth = self.random.random_range(0..self.list.posts.len());
                let (by, id) = (self.list.posts[nth].by, self.list.posts[nth].id);
                self.asks(by, "post.delete", json!({ "id": id })).await.expect("deleted");
                self.list.posts[nth].gone = true;
            }
            65..80 if who != whom => {
                // Refused where a block is between them, and only asked for where they approve their followers.
                let followed = self.asks(who, "user.follow", json!({ "id": other })).await;
                if followed.is_ok_and(|answer| answer["following"] == true) {
                    self.list.follows.insert((who, whom));
                }
            }
            80..85 if who != whom => {
                self.asks(who, "user.unfollow", json!({ "id": other })).await.expect("unfollowed");
                self.list.follows.remove(&(who, whom));
            }
            85..89 if who != whom => {
                self.asks(who, "user.block", json!({ "id": other })).await.expect("blocked");
                self.list.follows.remove(&(who, whom));
                self.list.follows.remove(&(whom, who));
                self.list.blocks.insert((who, whom));
            }
            89..94 if who != whom => {
                self.asks(who, "user.unblock", json!({ "id": other })).await.expect("unblocked");
                self.list.blocks.remove(&(who, whom));
            }
            94..97 if who != whom => drop(self.asks(who, "user.mute", json!({ "id": other })).await.expect("muted")),
            97..100 if who != whom => drop(self.asks(who, "user.unmute", json!({ "id": other })).await.expect("heard")),
            100..110 => {
                let method = if self.random.random_bool(0.7) { "list.add" } else { "list.remove" };
                // Refused where a block is between them.
                drop(self.asks(who, method, json!({ "id": self.lists[who], "user": other })).await);
            }
            110..113 => {
                let asks = self.random.random_bool(0.6);
                self.asks(who, "user.update", json!({ "asks": asks })).await.expect("changed");
            }
            // Refused where they have not asked.
            113..117 if who != whom => {
                let accepted = self.asks(who, "request.accept", json!({ "id": other })).await;
                self.list.follows.extend(accepted.is_ok().then_some((whom, who)));
            }
            117 if who != whom => {
                self.asks(who, "user.remove_follower", json!({ "id": other })).await.expect("taken off");
                self.list.follows.remove(&(whom, who));
            }
            118 if who != whom => {
                self.asks(who, "request.reject", json!({ "id": other })).await.expect("rejected");
            }
            119 => {
                let params = json!({ "id": self.lists[who], "phrase": format!("phrase {number}") });
                self.asks(who, "filter.put", params).await.expect("filtered");
            }
            _ => {}
        }
        self.list.note();
    }

    /// What a device holds of each feed is what another one is given, sooner or later; then, that nobody has heard what was not for them.
    async fn agrees(&mut self) {
        for who in 0..PEOPLE {
            for device in 0..2 {
                let other = 1 - device;
                for feed in self.devices[who][device].feeds.clone() {
                    let mut tries = 0;
                    loop {
                        let fetched: Result<Snapshot, Refusal> = self.devices[who][other]
                            .request("feed.subscribe", json!({ "feed": feed, "limit": 100 }))
                            .await;
                        // Whatever the node had to tell by then is told before the answer.
                        self.devices[who][device].is_answered().await;
                        let told = held(&self.devices[who][device], feed);
                        // A feed that ended is no longer told.
                        let Some(told) = told else { break };
                        let given = fetched.map_or_else(|_| BTreeSet::new(), |snapshot| lines(&snapshot));
                        if told == given {
                            break;
                        }
                        tries += 1;
                        let differs: Vec<_> = told.symmetric_difference(&given).collect();
                        assert!(tries < 200, "seed {}: person{who}, device {device}, {feed}: {differs:#?}", self.seed);
                    }
                }
            }
        }
        let mut deliveries = 0;
        for (who, devices) in self.devices.iter().enumerate() {
            for device in devices {
                deliveries += device.state.told.len();
                for text in &device.state.heard {
                    let (post, allowed) = &self.list.texts[text];
                    assert!(
                        allowed.contains(&who),
                        "seed {}: person{who} has heard {text:?} of person{}",
                        self.seed,
                        self.list.posts[*post].by
                    );
                }
            }
        }
        assert!(deliveries > 500, "the script has told too little: {deliveries}");
    }
}

/// What a device holds of a feed, in lines that can be compared; none of a feed that has ended for it.
fn held(person: &Person, feed: FeedName) -> Option<BTreeSet<String>> {
    let things: Vec<&Thing> = person.state.things(feed).collect();
    if let User(_) = feed
        && !things.iter().any(|thing| matches!(thing, Thing::User(_)))
    {
        return None;
    }
    let line = |thing: &&Thing| match thing {
        Thing::Post(post) => Some(format!("post {} {} {:?} {:?}", post.id, post.rev, post.text, post.extra)),
        Thing::Follow(follow) => Some(format!("follows {}", follow.followee)),
        Thing::Block(block) => Some(format!("blocks {} {}", block.blocked, block.rev)),
        Thing::Mute(mute) => Some(format!("mutes {} {}", mute.muted, mute.rev)),
        Thing::Request(request) if request.asker == person.id() => {
            Some(format!("asks {} {}", request.asked, request.rev))
        }
        Thing::List(list) => Some(format!("list {} {} {}", list.id, list.rev, list.members)),
        Thing::Filter(filter) => Some(format!("filter {} {} {}", filter.id, filter.rev, filter.phrase)),
        // Of another feed than those compared here, or told apart from the snapshot.
        Thing::Comment(_)
        | Thing::User(_)
        | Thing::Reaction(_)
        | Thing::Bookmark(_)
        | Thing::Case(_)
        | Thing::Report(_)
        | Thing::Action(_)
        | Thing::Notification(_)
        | Thing::Reading(_)
        | Thing::Marker(_)
        | Thing::Preferences(_)
        | Thing::Settings(_)
        | Thing::Draft(_)
        | Thing::Request(_)
        | Thing::Member(_)
        | Thing::Changed(_)
        | Thing::Gone => None,
    };
    Some(things.iter().filter_map(line).collect())
}

fn lines(snapshot: &Snapshot) -> BTreeSet<String> {
    let posts = snapshot.posts.iter().flatten();
    let posts = posts.map(|post| format!("post {} {} {:?} {:?}", post.id, post.rev, post.text, post.extra));
    let follows = snapshot.follows.iter().flatten().map(|id| format!("follows {id}"));
    let blocks = snapshot.blocks.iter().flatten().map(|block| format!("blocks {} {}", block.blocked, block.rev));
    let mutes = snapshot.mutes.iter().flatten().map(|mute| format!("mutes {} {}", mute.muted, mute.rev));
    let requests = snapshot.requests.iter().flatten().map(|request| format!("asks {} {}", request.asked, request.rev));
    let lists = snapshot.lists.iter().flatten().map(|list| format!("list {} {} {}", list.id, list.rev, list.members));
    let filters = snapshot.filters.iter().flatten();
    let filters = filters.map(|filter| format!("filter {} {} {}", filter.id, filter.rev, filter.phrase));
    posts.chain(follows).chain(blocks).chain(mutes).chain(requests).chain(lists).chain(filters).collect()
}

#[tokio::test]
async fn p4_p5_two_devices_on_two_nodes_agree_and_nobody_hears_what_is_not_for_them() {
    for seed in [1, 2, 3] {
        let mut community = Community::gathers(seed).await;
        for number in 0..DEEDS {
            community.something_happens(number).await;
            if number % 100 == 50 {
                // Somebody loses the line and comes back on the other node.
                let who = community.somebody();
                community.devices[who][0].loses_the_line();
                let node = community.world.b();
                community.devices[who][0].resumes(node).await;
            }
        }
        community.agrees().await;
    }
}
