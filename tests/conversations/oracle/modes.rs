//! Feeds that are told by ids or by a number for a while, and in full again. Must never make anybody miss the fence: `global` is told in full.

use rand::RngExt as _;
use rand::seq::IndexedRandom as _;
use serde_json::json;
use tidings_protocol::delivery::{DeliveryMode, FeedModeSet};
use tidings_protocol::error::Refusal;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::limits::NEWS_COUNTED;
use tidings_protocol::marks::PostCounts;
use tidings_protocol::position::Seq;
use tidings_protocol::push::Notice;

use super::Play;
use super::truth::Truth;
use crate::person::Person;
use crate::state::{Thing, changed_key};

/// How a feed is told that is not told in full.
#[derive(Clone, Copy, Debug)]
pub enum Less {
    ByIds {
        /// What changed after that is named.
        since: Seq,
    },
    ByNumber {
        /// From here on it is counted, unless a notice says otherwise.
        since: Seq,
    },
    NotAtAll,
}

impl Play {
    /// One of their feeds is told otherwise from now on.
    pub(super) async fn looks_otherwise(&mut self, nth: usize) {
        let may = |feed: &FeedName| {
            matches!(feed, FeedName::Home | FeedName::User(_) | FeedName::Tag(_) | FeedName::List(_))
                && !self.ended.contains(&(nth, *feed))
        };
        let these: Vec<FeedName> = self.people[nth].feeds.iter().copied().filter(may).collect();
        let Some(feed) = these.choose(&mut self.dice).copied() else { return };
        let all = [DeliveryMode::Full, DeliveryMode::Ids, DeliveryMode::Ids, DeliveryMode::Count, DeliveryMode::Off];
        let mode = *all.choose(&mut self.dice).expect("some");
        let limit = self.dice.random_range(1..=100);
        let person = &mut self.people[nth];
        let wish = json!({ "feed": feed, "mode": mode, "limit": limit });
        // Refused where a feed has ended meanwhile.
        let set: Result<FeedModeSet, Refusal> = person.request("feed.mode", wish).await;
        let Ok(FeedModeSet { cursor, snapshot, .. }) = set else { return };
        person.notices.retain(|notice| !matches!(notice, Notice::News { feed: of, .. } if *of == feed));
        person.modes.insert(feed, mode);
        let had = self.less.remove(&(nth, feed));
        let told_less = matches!(had, Some(Less::ByNumber { .. } | Less::NotAtAll));
        let must_be_fresh = match mode {
            DeliveryMode::Full => had.is_some(),
            DeliveryMode::Ids => told_less,
            DeliveryMode::Count | DeliveryMode::Off => false,
        };
        assert_eq!(snapshot.is_some(), must_be_fresh, "{feed} from {had:?} to {mode:?}");
        let since = match (mode, had) {
            // Once more, nothing is told anew.
            (DeliveryMode::Ids, Some(Less::ByIds { since })) => since,
            _ => cursor.seq,
        };
        if let Some(snapshot) = snapshot {
            person.state.starts_afresh(*snapshot);
        }
        match mode {
            DeliveryMode::Full => drop(person.modes.remove(&feed)),
            DeliveryMode::Ids => drop(self.less.insert((nth, feed), Less::ByIds { since })),
            DeliveryMode::Count => drop(self.less.insert((nth, feed), Less::ByNumber { since })),
            DeliveryMode::Off => drop(self.less.insert((nth, feed), Less::NotAtAll)),
        }
    }

    /// At rest, all who count hear how much is new, and all who look at a post hear its numbers.
    pub(super) async fn all_numbers_come(&mut self) {
        let truth = &self.judge.truth;
        for (nth, person) in self.people.iter_mut().enumerate() {
            for feed in person.feeds.clone().into_iter().filter(|feed| !self.ended.contains(&(nth, *feed))) {
                if let Some(Less::ByNumber { since }) = self.less.get(&(nth, feed)) {
                    let what = format!("how much is new in {feed} of {} since {since} or later", person.id());
                    person.hears_until(&what, |me| is_counted(truth, me, feed, *since)).await;
                    *self.judge.kinds.entry("news").or_default() += 1;
                }
                if let FeedName::Post(id) = feed {
                    let what = format!("the numbers of {id} for {}: {:?}", person.id(), truth.numbers(id));
                    person.hears_until(&what, |me| has_numbers(truth, me, id)).await;
                }
            }
        }
    }
}

fn has_numbers(truth: &Truth, person: &Person, id: PostId) -> bool {
    let counts = |notice: &Notice| if let Notice::Counts(counts) = notice { Some(counts.clone()) } else { None };
    let told = person.notices.iter().filter_map(counts).filter(|counts| counts.post == id);
    let last = told.max_by_key(|counts| counts.seq);
    // Nobody is told of nothing but once.
    last.is_some_and(|last| last == PostCounts { seq: last.seq, ..truth.numbers(id) })
}

/// Whether the last number is that of the posts by others that are there, and were not at the time it is counted from.
fn is_counted(truth: &Truth, person: &Person, feed: FeedName, since: Seq) -> bool {
    let news = |notice: &Notice| {
        if let Notice::News { feed: of, count, since } = notice { Some((*of, since.seq, *count)) } else { None }
    };
    let told = person.notices.iter().filter_map(news).rfind(|(of, ..)| *of == feed);
    let (since, count) = told.map_or((since, 0), |(_, since, count)| (since, count));
    let all = truth.feed(person.id(), feed);
    let new = all.iter().filter(|(_, post)| post.seq > since && post.author != person.id()).count();
    // Where there were more than are counted, some may have gone since.
    new >= NEWS_COUNTED / 2 || usize::try_from(count).expect("few") == new
}

/// At rest: who is told by ids knows of every change of what the feed shows them.
pub fn must_know_all(truth: &Truth, person: &Person, feed: FeedName, less: Less) {
    let Less::ByIds { since } = less else { return };
    let known = &person.state.feeds[&feed].things;
    for (id, post) in truth.feed(person.id(), feed).into_iter().filter(|(_, post)| post.rev > since) {
        let told = known.get(&changed_key(id.0));
        let right = told.is_some_and(|(rev, thing)| *rev == post.rev && matches!(thing, Thing::Changed(_)));
        assert!(right, "{} knows {told:?} of {id} on {feed} since {since}: {post:?}", person.id());
    }
}
