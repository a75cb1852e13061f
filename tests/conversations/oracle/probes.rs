//! What people ask for while nothing happens: pages, single posts, threads, profiles, searches, numbers, notifications, rankings; each answer is all there is and nothing else.
//! Must never change anything but what they have read.

use std::collections::BTreeSet;

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};
use tidings_protocol::entity::{Comment, Post};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::marks::{PostCounts, PostStats};
use tidings_protocol::notification::{Notification, NotificationReading};
use tidings_protocol::position::Seq;
use tidings_protocol::spans::Tag;

use super::judge::{must_be_all, must_be_sayable};
use super::truth::{self, Truth};
use super::{PEOPLE, Play};
use crate::line::PATIENCE;
use crate::person::Outcome;

/// Of a page.
const MOST: usize = 100;

impl Play {
    /// Three people ask for something each.
    pub(super) async fn asks_around(&mut self) {
        for _ in 0..3 {
            let nth = self.dice.random_range(0..PEOPLE);
            let (whom, _) = *self.things.people.choose(&mut self.dice).expect("people");
            let tag = FeedName::Tag("rain".parse().expect("a tag"));
            for feed in [FeedName::Home, FeedName::Global, FeedName::User(whom), tag] {
                self.asks_for_a_page(nth, feed).await;
            }
            self.asks_for_a_profile(nth, whom).await;
            self.searches(nth, "orchard").await;
            self.asks_for_numbers(nth).await;
            self.asks_for_notifications(nth).await;
            self.asks_for_a_ranking(nth).await;
            for _ in 0..4 {
                if let Some(&(id, _)) = self.things.posts.choose(&mut self.dice) {
                    self.asks_for_a_post(nth, id).await;
                    self.asks_for_a_thread(nth, id).await;
                }
            }
        }
    }

    async fn asks(&mut self, nth: usize, method: &str, params: Value) -> Option<Value> {
        match self.people[nth].tries(method, params).await {
            Outcome::Done(result) => Some(result),
            Outcome::Refused(_) => None,
            Outcome::Lost(number) => panic!("closed with {number} instead of answering {method}"),
        }
    }

    async fn asks_for_a_page(&mut self, nth: usize, feed: FeedName) {
        let page = self.asks(nth, "feed.page", json!({ "feed": feed, "limit": MOST })).await;
        let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
        let hidden = matches!(feed, FeedName::User(whom) if truth.apart(viewer, whom));
        assert_eq!(page.is_none(), hidden, "{feed} of {viewer}");
        let Some(page) = page else { return };
        let posts: Vec<Post> = serde_json::from_value(page["posts"].clone()).expect("posts");
        let there: Vec<(PostId, Seq)> = posts.iter().map(|post| (post.id, post.rev)).collect();
        must_be_all(truth, viewer, feed, &there, !page["next"].is_null());
        self.judge.deliveries += posts.len();
    }

    async fn asks_for_a_profile(&mut self, nth: usize, whom: UserId) {
        let found = self.asks(nth, "user.get", json!({ "id": whom })).await;
        let viewer = self.people[nth].id();
        assert_eq!(found.is_some(), self.judge.truth.shows_profile(viewer, whom), "{whom}, asked for by {viewer}");
    }

    async fn asks_for_a_post(&mut self, nth: usize, id: PostId) {
        let found = self.asks(nth, "post.get", json!({ "id": id })).await;
        let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
        let known = truth.posts.get(&id).filter(|post| truth.sees(viewer, post));
        let text = found.as_ref().map(|found| found["post"]["text"].as_str().expect("a text").to_owned());
        assert_eq!(text.as_deref(), known.map(|post| post.text.as_str()), "{id}, asked for by {viewer}");
    }

    async fn asks_for_a_thread(&mut self, nth: usize, id: PostId) {
        let page = self.asks(nth, "comment.page", json!({ "post": id, "limit": MOST })).await;
        let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
        let may = truth.posts.get(&id).is_some_and(|post| truth.sees(viewer, post));
        assert_eq!(page.is_some(), may, "the comments of {id}, asked for by {viewer}");
        let Some(page) = page else { return };
        let comments: Vec<Comment> = serde_json::from_value(page["comments"].clone()).expect("comments");
        comments.iter().for_each(|comment| must_be_sayable(truth, viewer, comment));
        let there = comments.iter().filter(|comment| !comment.removed).count();
        if comments.len() < MOST {
            assert_eq!(there, truth.thread(viewer, id).count(), "the comments of {id}, asked for by {viewer}");
        }
        self.judge.deliveries += comments.len();
    }
}

impl Play {
    /// What a search finds, from the newest to the oldest: nothing that the viewer may not see, or does not want to.
    async fn searches(&mut self, nth: usize, word: &str) -> BTreeSet<PostId> {
        let mut found = BTreeSet::new();
        let mut before = Value::Null;
        loop {
            let query = json!({ "query": word, "limit": MOST, "before": before });
            let page = self.asks(nth, "search.posts", query).await.expect("a search is answered");
            let posts: Vec<Post> = serde_json::from_value(page["posts"].clone()).expect("posts");
            let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
            for post in posts {
                let known = truth.posts.get(&post.id);
                assert!(
                    known.is_some_and(|known| is_found(truth, viewer, word, known) && known.rev == post.rev),
                    "{viewer} found {post:?} by {word}, of which is known {known:?}"
                );
                found.insert(post.id);
            }
            before = page["next"].clone();
            if before.is_null() {
                self.judge.deliveries += found.len();
                return found;
            }
        }
    }

    /// In the end everybody finds all there is for them.
    pub(super) async fn all_is_found(&mut self) {
        for nth in 0..PEOPLE {
            let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
            let all = truth.posts.iter().filter(|(_, post)| is_found(truth, viewer, "violin", post));
            let all: BTreeSet<PostId> = all.map(|(id, _)| *id).collect();
            let finding = async { while self.searches(nth, "violin").await != all {} };
            tokio::time::timeout(PATIENCE, finding)
                .await
                .unwrap_or_else(|_| panic!("{viewer} does not find all of {all:?}"));
        }
    }
}

fn is_found(truth: &Truth, viewer: UserId, word: &str, post: &truth::Post) -> bool {
    truth.sees(viewer, post) && !truth.hidden(viewer, post.author) && post.text.split(' ').any(|other| other == word)
}

impl Play {
    /// The numbers of some posts, and what one did to them oneself; nothing of those one may not see.
    async fn asks_for_numbers(&mut self, nth: usize) {
        let ids: Vec<PostId> = self.things.posts.sample(&mut self.dice, 8).map(|(id, _)| *id).collect();
        if ids.is_empty() {
            return;
        }
        let found = self.asks(nth, "post.stats", json!({ "ids": ids })).await.expect("whoever asks");
        let stats: Vec<PostStats> = serde_json::from_value(found["stats"].clone()).expect("numbers");
        let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
        let told: BTreeSet<PostId> = stats.iter().map(|one| one.counts.post).collect();
        let seen = ids.into_iter().filter(|id| truth.sees(viewer, &truth.posts[id]));
        assert_eq!(told, seen.collect(), "numbers for {viewer}");
        for PostStats { counts, mine } in stats {
            let expected = PostCounts { seq: counts.seq, ..truth.numbers(counts.post) };
            assert_eq!(counts, expected, "numbers for {viewer}");
            assert_eq!(mine.reaction, truth.reaction(viewer, counts.post), "{viewer} and {}", counts.post);
            self.judge.deliveries += 1;
            *self.judge.kinds.entry("numbers").or_default() += 1;
        }
    }

    /// All notifications, page by page; then some of them are read, and one is told how many are not.
    async fn asks_for_notifications(&mut self, nth: usize) {
        let (mut all, mut before): (Vec<Notification>, Value) = (Vec::new(), Value::Null);
        let reading: NotificationReading = loop {
            let query = json!({ "limit": MOST, "before": before });
            let page = self.asks(nth, "notification.page", query).await.expect("one's own");
            all.extend(serde_json::from_value::<Vec<Notification>>(page["notifications"].clone()).expect("groups"));
            before = page["next"].clone();
            if before.is_null() {
                break serde_json::from_value(page["reading"].clone()).expect("how far");
            }
        };
        let viewer = self.people[nth].id();
        self.judge.notes.must_be(&self.judge.truth, viewer, &all, Seq(0));
        let unread = |all: &[Notification]| u32::try_from(all.iter().filter(|one| !one.read).count()).expect("few");
        assert_eq!(reading.unread, unread(&all), "unread by {viewer}");
        self.judge.deliveries += all.len();
        *self.judge.kinds.entry("notifications").or_default() += all.len();
        let mut these: Vec<Notification> = all.iter().filter(|one| one.post.is_some()).cloned().collect();
        these.truncate(self.dice.random_range(0..20));
        if these.is_empty() {
            return;
        }
        let ids: Vec<_> = these.iter().map(|one| one.id).collect();
        let read = self.asks(nth, "notification.read", json!({ "ids": ids })).await.expect("one's own");
        self.judge.notes.are_read(viewer, &these);
        all.iter_mut().filter(|one| ids.contains(&one.id)).for_each(|one| one.read = true);
        assert_eq!(read["reading"]["unread"], json!(unread(&all)), "unread by {viewer}");
    }

    /// A ranking holds nothing that the viewer may not see, or does not want to; posts as they are.
    async fn asks_for_a_ranking(&mut self, nth: usize) {
        let page =
            self.asks(nth, "feed.page", json!({ "feed": "top:day", "limit": MOST })).await.expect("for everybody");
        let posts: Vec<Post> = serde_json::from_value(page["posts"].clone()).expect("posts");
        let (truth, viewer) = (&self.judge.truth, self.people[nth].id());
        for post in &posts {
            let known = &truth.posts[&post.id];
            let right = truth.shows(viewer, FeedName::Global, post.id, known) && known.rev == post.rev;
            assert!(right, "{viewer} found {post:?} ranked, of which is known {known:?}");
        }
        self.judge.deliveries += posts.len();
    }

    /// In the end each hashtag is in as many posts as have it and are for everybody.
    pub(super) async fn all_tags_are_counted(&mut self) {
        for name in ["rust", "größe", "rain"] {
            let tag: Tag = name.parse().expect("a tag");
            let there = self.judge.truth.tagged(tag);
            let counting = async {
                loop {
                    let found = self.asks(0, "search.tags", json!({ "prefix": name })).await.expect("for everybody");
                    let is_it = |one: &&Value| one["tag"] == json!(tag);
                    let told = found["tags"].as_array().and_then(|tags| tags.iter().find(is_it)?["posts"].as_u64());
                    if told.unwrap_or_default() == u64::try_from(there).expect("few") {
                        break;
                    }
                }
            };
            let counted = tokio::time::timeout(PATIENCE, counting).await;
            counted.unwrap_or_else(|_| panic!("#{name} is not said to be in {there} posts"));
        }
    }
}
