//! Holds what each viewer was told against the truth as of the entry it was told for. Must never forgive: one violation ends the conversation,
//! and says what it was.

use std::collections::BTreeMap;

use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::position::Seq;
use tidings_protocol::reply::Snapshot;

use super::truth::{Deed, Truth};
use crate::person::Person;
use crate::state::{Thing, Told};

/// Something that a viewer was told.
enum Word {
    /// By an event. Nobody may be told by it what they might not see at `as_of` any more.
    Event(Box<Told>),
    /// By a snapshot: all that the feed held.
    Fresh(Box<Snapshot>),
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
    /// Entities that were delivered, by events and in snapshots, each of them judged.
    pub deliveries: usize,
    /// Of these: words that something is gone.
    pub removals: usize,
    pub snapshots: usize,
    /// What was not right as of its entry, and may have been when it was told.
    doubtful: Vec<(UserId, Box<Told>)>,
}

impl Judge {
    /// Judges all that was told since the last time, while `deeds` were done. `floor`: for each connection the entry as of which it had begun at the
    /// earliest: what it was caught up with was decided after that.
    pub fn judge(&mut self, deeds: BTreeMap<Seq, Deed>, people: &mut [Person], floors: &[Seq]) {
        let mut heard: Vec<Heard> = Vec::new();
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
        }
        heard.sort_by_key(|heard| heard.as_of);
        let mut deeds = deeds.into_iter().peekable();
        for Heard { as_of, viewer, word } in heard {
            while let Some((seq, deed)) = deeds.next_if(|(seq, _)| *seq <= as_of) {
                self.takes(seq, deed);
            }
            match word {
                Word::Event(told) => self.judge_event(viewer, told),
                Word::Fresh(snapshot) => self.judge_fresh(viewer, &snapshot),
            }
        }
        deeds.for_each(|(seq, deed)| self.takes(seq, deed));
        if let Some((viewer, told)) = self.doubtful.first() {
            let complaint = self.complaint(*viewer, told).unwrap_or_default();
            panic!("{viewer} was told {complaint}, at no time when it was right: {told:?}");
        }
    }

    fn takes(&mut self, seq: Seq, deed: Deed) {
        self.truth.take(seq, deed);
        let doubtful = std::mem::take(&mut self.doubtful);
        let still = |(viewer, told): &(UserId, Box<Told>)| self.complaint(*viewer, told).is_some();
        self.doubtful = doubtful.into_iter().filter(still).collect();
    }

    fn judge_event(&mut self, viewer: UserId, told: Box<Told>) {
        self.deliveries += 1;
        self.removals += usize::from(matches!(told.thing, Thing::Gone));
        match self.complaint(viewer, &told) {
            // Told when a feed had begun afresh, of what lies before that: decided by what the viewer was by then.
            Some(_) if told.may_repeat => self.doubtful.push((viewer, told)),
            Some(complaint) => panic!("{viewer} was told {complaint}: {told:?}\nas of {}", self.truth.seq),
            None => {}
        }
    }

    /// What is wrong with telling this to the viewer now.
    fn complaint(&self, viewer: UserId, told: &Told) -> Option<&'static str> {
        let truth = &self.truth;
        match &told.thing {
            Thing::Post(post) => match truth.posts.get(&post.id) {
                None => Some("a post that there is not"),
                Some(known) if known.rev != post.rev => Some("a state that is no longer the post's"),
                Some(known) if known.text != post.text => Some("another text"),
                Some(known) if !truth.shows(viewer, told.feed, post.id, known) => Some("a post that is not for them"),
                Some(_) => None,
            },
            Thing::Comment(comment) => match truth.comments.get(&comment.id) {
                None => Some("a comment that there is not"),
                Some(known) if comment.text.is_none() => {
                    (!known.gone && !truth.hidden(viewer, known.author)).then_some("a placeholder for what is there")
                }
                Some(known) if known.gone || known.rev != comment.rev || comment.text.as_ref() != Some(&known.text) => {
                    Some("a state that is no longer the comment's")
                }
                Some(known) if truth.hidden(viewer, known.author) => Some("a comment by somebody hidden"),
                Some(known) if !truth.posts.get(&known.post).is_some_and(|post| truth.sees(viewer, post)) => {
                    Some("a comment on a post that is not for them")
                }
                Some(_) => None,
            },
            Thing::User(user) => truth.apart(viewer, user.id).then_some("a profile across a block"),
            Thing::Gone => removed_post(told).and_then(|id| {
                let known = truth.posts.get(&id)?;
                (!truth.may_have_shown(viewer, told.feed, id, known)).then_some("the end of a post that they never saw")
            }),
            Thing::Follow(_)
            | Thing::Block(_)
            | Thing::Mute(_)
            | Thing::Case(_)
            | Thing::Report(_)
            | Thing::Action(_)
            | Thing::Reaction(_)
            | Thing::Bookmark(_)
            | Thing::Notification(_)
            | Thing::Reading(_)
            | Thing::Marker(_)
            | Thing::Settings(_)
            | Thing::Draft(_)
            | Thing::Preferences(_)
            | Thing::Request(_)
            | Thing::List(_)
            | Thing::Member(_)
            | Thing::Filter(_) => (told.feed != FeedName::Me && told.feed != FeedName::Notifications)
                .then_some("something of one's own where others hear it"),
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
    }
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
pub fn must_be_sayable(truth: &Truth, viewer: UserId, comment: &tidings_protocol::entity::Comment) {
    let known = truth.comments.get(&comment.id);
    match known {
        Some(known) if comment.removed => {
            assert!(
                comment.text.is_none() && comment.author.is_none(),
                "a placeholder that says something: {comment:?}"
            );
            assert!(known.gone || truth.hidden(viewer, known.author), "a placeholder for what is there: {comment:?}");
        }
        Some(known) => {
            let same = known.rev == comment.rev && comment.text.as_ref() == Some(&known.text);
            let may = !known.gone && same && !truth.hidden(viewer, known.author);
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
