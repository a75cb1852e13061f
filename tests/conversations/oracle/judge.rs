//! Holds what each viewer was told against the truth as of the entry it was told for. Must never forgive: one violation ends the conversation,
//! and says what it was.

use std::collections::BTreeMap;

use tidings_protocol::bots::FirehoseKind;
use tidings_protocol::delivery::Changed;
use tidings_protocol::entity::Comment;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::marks::PostCounts;
use tidings_protocol::notification::Notification;
use tidings_protocol::position::Seq;
use tidings_protocol::push::{EventName, Notice};
use tidings_protocol::reply::Snapshot;

use super::deed::Done;
use super::notes::Notes;
use super::truth::Truth;
use crate::person::Person;
use crate::state::{Thing, Told};

/// Something that a viewer was told.
enum Word {
    /// By an event. Nobody may be told by it what they might not see at `as_of` any more.
    Event(Box<Told>),
    /// By a snapshot: all that the feed held.
    Fresh(Box<Snapshot>),
    /// By numbers.
    Counts(PostCounts),
}

struct Heard {
    as_of: Seq,
    viewer: UserId,
    word: Word,
}

/// The truth so far, and what has been counted.
#[derive(Default)]
pub struct Judge {
    pub truth: Truth,
    pub notes: Notes,
    /// Entities that were delivered, by events and in snapshots, each of them judged.
    pub deliveries: usize,
    /// Of these: words that something is gone.
    pub removals: usize,
    pub snapshots: usize,
    /// Of deliveries: numbers of a post, notifications, what came by ids, what programs heard.
    pub kinds: BTreeMap<&'static str, usize>,
    /// What was not right as of its entry, and may have been when it was told.
    doubtful: Vec<(UserId, Box<Told>)>,
}

impl Judge {
    /// Judges all that was told since the last time, while `deeds` were done. `floor`: for each connection the entry as of which it had begun at the
    /// earliest: what it was caught up with was decided after that.
    pub fn judge(&mut self, deeds: BTreeMap<Seq, Done>, people: &mut [Person], floors: &[Seq]) {
        let mut heard: Vec<Heard> = Vec::new();
        let before = self.truth.clone();
        let since = before.seq;
        for (person, floor) in people.iter_mut().zip(floors) {
            let viewer = person.id();
            let told = std::mem::take(&mut person.state.told);
            heard.extend(told.into_iter().map(|told| {
                let as_of = told.seq.max(*floor);
                Heard { as_of, viewer, word: Word::Event(Box::new(told)) }
            }));
            let fresh = std::mem::take(&mut person.state.fresh);
            heard.extend(fresh.into_iter().map(|fresh| Heard {
                as_of: fresh.seq,
                viewer,
                word: Word::Fresh(Box::new(fresh)),
            }));
            let counts = person.notices.iter().filter_map(counts_of).filter(|counts| counts.seq >= since);
            heard.extend(counts.map(|counts| Heard { as_of: counts.seq, viewer, word: Word::Counts(counts.clone()) }));
        }
        heard.sort_by_key(|heard| heard.as_of);
        let all: Vec<Done> = deeds.values().cloned().collect();
        let mut deeds = deeds.into_iter().peekable();
        for Heard { as_of, viewer, word } in heard {
            while let Some((seq, deed)) = deeds.next_if(|(seq, _)| *seq <= as_of) {
                self.takes(seq, &deed, &all);
            }
            match word {
                Word::Event(told) => self.judge_event(viewer, told),
                Word::Fresh(snapshot) => self.judge_fresh(viewer, &snapshot),
                Word::Counts(counts) => self.judge_counts(viewer, &counts, &before),
            }
        }
        deeds.for_each(|(seq, deed)| self.takes(seq, &deed, &all));
        if let Some((viewer, told)) = self.doubtful.first() {
            let complaint = self.complaint(*viewer, told).unwrap_or_default();
            panic!("{viewer} was told {complaint}, at no time when it was right: {told:?}");
        }
    }

    fn takes(&mut self, seq: Seq, done: &Done, all: &[Done]) {
        self.truth.take(seq, done);
        self.notes.take(&self.truth, done, all);
        let doubtful = std::mem::take(&mut self.doubtful);
        let still = |(viewer, told): &(UserId, Box<Told>)| self.complaint(*viewer, told).is_some();
        self.doubtful = doubtful.into_iter().filter(still).collect();
    }

    fn judge_event(&mut self, viewer: UserId, told: Box<Told>) {
        self.deliveries += 1;
        self.removals += usize::from(is_gone(&told.thing));
        match (&told.thing, told.feed) {
            (Thing::Changed(_), _) => self.counts_one("by ids"),
            (_, FeedName::Notifications) => self.counts_one("notifications"),
            (_, FeedName::Firehose) => self.counts_one("by the firehose"),
            (_, FeedName::Mod) => self.counts_one("to moderators"),
            _ => {}
        }
        match self.complaint(viewer, &told) {
            // Told when a feed had begun afresh, of what lies before that: decided by what the viewer was by then.
            Some(_) if told.may_repeat => self.doubtful.push((viewer, told)),
            Some(complaint) => {
                let known = told.key.split(' ').nth(1).and_then(|id| self.truth.posts.get(&id.parse().ok()?));
                panic!("{viewer} was told {complaint}: {told:?}\nas of {}; {known:?}", self.truth.seq)
            }
            None => {}
        }
    }

    pub fn counts_one(&mut self, kind: &'static str) {
        *self.kinds.entry(kind).or_default() += 1;
    }

    /// At rest, somebody's notifications are what there is to tell them, from the oldest place on that they were told of everything; and as many are
    /// unread as they hold, if they hold all.
    pub fn must_hold_all_notes(&mut self, person: &Person, from: Seq) {
        let group =
            |thing: &Thing| if let Thing::Notification(told) = thing { Some(told.notification.clone()) } else { None };
        let held: Vec<Notification> = person.state.things(FeedName::Notifications).filter_map(group).collect();
        self.notes.must_be(&self.truth, person.id(), &held, from);
        if from == Seq(0) {
            let unread = held.iter().filter(|one| !one.read).count();
            assert_eq!(usize::try_from(person.state.unread).expect("few"), unread, "{}", person.id());
        }
    }

    /// Numbers are as of an entry that their reader may hear of only after them: a block since the last rest may not have come to where they are told.
    fn judge_counts(&mut self, viewer: UserId, counts: &PostCounts, before: &Truth) {
        self.deliveries += 1;
        self.counts_one("numbers");
        let expected = PostCounts { seq: counts.seq, ..self.truth.numbers(counts.post) };
        assert_eq!(*counts, expected, "told to {viewer}");
        let known = &self.truth.posts[&counts.post];
        let saw = before.posts.get(&counts.post).is_none_or(|post| before.sees(viewer, post));
        let may = saw || self.truth.sees(viewer, known);
        assert!(may, "{viewer} was told numbers of {known:?} as of {}", self.truth.seq);
    }

    /// What is wrong with telling this to the viewer now.
    fn complaint(&self, viewer: UserId, told: &Told) -> Option<&'static str> {
        let (truth, feed) = (&self.truth, told.feed);
        match &told.thing {
            Thing::Post(post) => self.wrong_with_post(viewer, feed, post.id, post.rev).or_else(|| {
                let known = &truth.posts[&post.id];
                if known.text != post.text {
                    Some("another text")
                } else {
                    (known.hidden != post.extra.hidden.is_some()).then_some("the wrong word about what moderators did")
                }
            }),
            Thing::Comment(comment) => self.wrong_with_comment(viewer, feed, comment),
            Thing::Changed(changed) => self.wrong_with_change(viewer, feed, changed),
            Thing::User(user) => truth.apart(viewer, user.id).then_some("a profile across a block"),
            Thing::Gone => removed_post(told).and_then(|id| self.wrong_with_end(viewer, feed, id)),
            Thing::Notification(told) => {
                let hidden = told.notification.actors.iter().any(|actor| truth.hidden(viewer, actor.id));
                hidden.then_some("what somebody hidden did")
            }
            Thing::Case(_) => (feed != FeedName::Mod || !truth.moderates(viewer)).then_some("a case"),
            Thing::Follow(_)
            | Thing::Block(_)
            | Thing::Mute(_)
            | Thing::Report(_)
            | Thing::Action(_)
            | Thing::Reaction(_)
            | Thing::Bookmark(_)
            | Thing::Reading(_)
            | Thing::Marker(_)
            | Thing::Settings(_)
            | Thing::Draft(_)
            | Thing::Preferences(_)
            | Thing::Request(_)
            | Thing::List(_)
            | Thing::Member(_)
            | Thing::Filter(_) => (feed != FeedName::Me && feed != FeedName::Notifications)
                .then_some("something of one's own where others hear it"),
        }
    }

    fn wrong_with_post(&self, viewer: UserId, feed: FeedName, id: PostId, rev: Seq) -> Option<&'static str> {
        match self.truth.posts.get(&id) {
            None => Some("a post that there is not"),
            Some(known) if known.rev != rev => Some("a state that is no longer the post's"),
            Some(known) if !self.truth.shows(viewer, feed, id, known) => Some("a post that is not for them"),
            Some(_) => None,
        }
    }

    fn wrong_with_end(&self, viewer: UserId, feed: FeedName, id: PostId) -> Option<&'static str> {
        let known = self.truth.posts.get(&id)?;
        (!self.truth.may_have_shown(viewer, feed, id, known)).then_some("the end of a post that they never saw")
    }

    fn wrong_with_comment(&self, viewer: UserId, feed: FeedName, comment: &Comment) -> Option<&'static str> {
        let truth = &self.truth;
        let Some(known) = truth.comments.get(&comment.id) else { return Some("a comment that there is not") };
        if comment.text.is_none() {
            return (!known.is_away() && !truth.hidden(viewer, known.author))
                .then_some("a placeholder for what is there");
        }
        if known.is_away() || known.rev != comment.rev || comment.text.as_ref() != Some(&known.text) {
            return Some("a state that is no longer the comment's");
        }
        self.wrong_with_comment_on(viewer, feed, known)
    }

    fn wrong_with_comment_on(
        &self,
        viewer: UserId,
        feed: FeedName,
        known: &super::truth::Comment,
    ) -> Option<&'static str> {
        let truth = &self.truth;
        let post = truth.posts.get(&known.post).filter(|post| truth.hears_about(viewer, feed, post));
        if truth.hidden(viewer, known.author) {
            Some("a comment by somebody hidden")
        } else if post.is_none() {
            Some("a comment on a post that is not for them")
        } else if feed == FeedName::Firehose && !truth.is_asked_for(viewer, FirehoseKind::Comment, known.author, None) {
            Some("a comment that they did not ask for")
        } else {
            None
        }
    }

    /// Named by its id alone, it is nothing else than told in full.
    fn wrong_with_change(&self, viewer: UserId, feed: FeedName, changed: &Changed) -> Option<&'static str> {
        let truth = &self.truth;
        #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is or will be is not told so")]
        match changed.event {
            EventName::PostCreated | EventName::PostUpdated => {
                self.wrong_with_post(viewer, feed, PostId(changed.id), changed.rev)
            }
            EventName::PostRemoved => self.wrong_with_end(viewer, feed, PostId(changed.id)),
            EventName::CommentCreated | EventName::CommentUpdated => {
                let known = truth.comments.get(&CommentId(changed.id));
                let known = known.filter(|known| !known.is_away() && known.rev == changed.rev);
                known.map_or(Some("a change of a comment that is not so"), |known| {
                    self.wrong_with_comment_on(viewer, feed, known)
                })
            }
            EventName::CommentRemoved => None,
            EventName::UserUpdated => {
                truth.apart(viewer, UserId(changed.id)).then_some("a change of a profile across a block")
            }
            _ => Some("a change that no feed is told by ids"),
        }
    }

    /// A snapshot is all there is, as far as it reaches.
    fn judge_fresh(&mut self, viewer: UserId, snapshot: &Snapshot) {
        self.snapshots += 1;
        let truth = &self.truth;
        if let Some(posts) = &snapshot.posts {
            self.deliveries += posts.len();
            let there: Vec<(PostId, Seq)> = posts.iter().map(|post| (post.id, post.rev)).collect();
            must_be_all(truth, viewer, snapshot.feed, &there, snapshot.next.is_some());
        }
        if let Some(post) = &snapshot.post {
            self.deliveries += 1;
            let known = truth.posts.get(&post.id);
            assert!(
                known.is_some_and(|known| known.rev == post.rev && truth.sees(viewer, known)),
                "{viewer} was shown {post:?}, of which is known {known:?}"
            );
        }
        for comment in snapshot.comments.iter().flatten() {
            self.deliveries += 1;
            must_be_sayable(truth, viewer, comment);
        }
        for group in snapshot.notifications.iter().flatten() {
            self.deliveries += 1;
            let hidden = group.actors.iter().any(|actor| truth.hidden(viewer, actor.id));
            assert!(!hidden, "{viewer} was told what somebody hidden did: {group:?}");
        }
        if snapshot.cases.is_some() {
            assert!(truth.moderates(viewer), "{viewer} was shown cases as of {}", truth.seq);
        }
    }
}

fn counts_of(notice: &Notice) -> Option<&PostCounts> {
    if let Notice::Counts(counts) = notice { Some(counts) } else { None }
}

fn is_gone(thing: &Thing) -> bool {
    matches!(thing, Thing::Gone | Thing::Changed(Changed { event: EventName::PostRemoved, .. }))
}

fn removed_post(told: &Told) -> Option<PostId> {
    told.key.strip_prefix("post ").map(|id| id.parse().expect("made of an id"))
}

/// These are the newest posts of the feed, and none is missing; where nothing is said to lie behind them, they are all.
pub fn must_be_all(truth: &Truth, viewer: UserId, feed: FeedName, there: &[(PostId, Seq)], more: bool) {
    let all = truth.feed(viewer, feed);
    let most = if more { there.len() } else { all.len() };
    let expected: Vec<(PostId, Seq)> = all.iter().take(most).map(|(id, post)| (*id, post.rev)).collect();
    must_be(truth, &format!("{feed} of {viewer}"), there, &expected);
}

fn must_be(truth: &Truth, what: &str, there: &[(PostId, Seq)], expected: &[(PostId, Seq)]) {
    let amiss = |these: &[(PostId, Seq)], those: &[(PostId, Seq)]| -> Vec<String> {
        let lone = these.iter().filter(|one| !those.contains(one));
        lone.map(|(id, rev)| format!("{id} at {rev}: {:?}", truth.posts.get(id))).collect()
    };
    let (too_much, missing) = (amiss(there, expected), amiss(expected, there));
    assert!(there == expected, "{what} as of {}:\ntoo much: {too_much:#?}\nmissing: {missing:#?}", truth.seq);
}

/// A comment that is there may be; a placeholder says nothing.
pub fn must_be_sayable(truth: &Truth, viewer: UserId, comment: &Comment) {
    let known = truth.comments.get(&comment.id);
    match known {
        Some(known) if comment.removed => {
            assert!(
                comment.text.is_none() && comment.author.is_none(),
                "a placeholder that says something: {comment:?}"
            );
            assert!(
                known.is_away() || truth.hidden(viewer, known.author),
                "a placeholder for what is there: {comment:?}"
            );
        }
        Some(known) => {
            let same = known.rev == comment.rev && comment.text.as_ref() == Some(&known.text);
            let may = !known.is_away() && same && !truth.hidden(viewer, known.author);
            assert!(may, "{viewer} was shown {comment:?}, of which is known {known:?} as of {}", truth.seq);
        }
        None => panic!("{viewer} was shown a comment that there is not: {comment:?}"),
    }
}

/// At rest, what a viewer holds of a feed is what there is of it (P4), from the oldest place on that they were told of everything.
pub fn must_hold_all(truth: &Truth, person: &Person, feed: FeedName, from: Seq) {
    let viewer = person.id();
    let mut held: Vec<(PostId, Seq)> = person
        .state
        .posts(feed)
        .into_iter()
        .filter(|post| post.seq >= from && !matches!(feed, FeedName::Post(_)))
        .map(|post| (post.id, post.rev))
        .collect();
    held.reverse();
    let all: Vec<(PostId, Seq)> = truth
        .feed(viewer, feed)
        .into_iter()
        .filter(|(_, post)| post.seq >= from)
        .map(|(id, post)| (id, post.rev))
        .collect();
    if let FeedName::Post(id) = feed {
        let Some(post) = truth.posts.get(&id).filter(|post| truth.sees(viewer, post)) else {
            return;
        };
        let known = person.state.posts(feed);
        assert_eq!(known.iter().map(|post| post.rev).collect::<Vec<_>>(), [post.rev], "{viewer} and {feed}");
        let here: Vec<CommentId> = person
            .state
            .comments(feed)
            .iter()
            .filter(|comment| !comment.removed && comment.seq >= from)
            .map(|comment| comment.id)
            .collect();
        let mut there: Vec<(Seq, CommentId)> = truth
            .thread(viewer, id)
            .filter(|(_, comment)| comment.seq >= from)
            .map(|(id, comment)| (comment.seq, *id))
            .collect();
        there.sort_unstable();
        let there: Vec<CommentId> = there.into_iter().map(|(_, id)| id).collect();
        assert_eq!(here, there, "{viewer} and the comments of {feed} from {from} on, as of {}", truth.seq);
        return;
    }
    must_be(truth, &format!("{feed} that {viewer} holds from {from} on"), &held, &all);
}
