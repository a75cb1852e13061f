//! What a client knows: the state of each feed, kept by the rev rule of PROTOCOL.md, and a list of all it was ever told.
//! Must never be clever: it is the dumb thing that the server is checked against (P3, P4).

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::delivery::Changed;
use tidings_protocol::drafts::Draft;
use tidings_protocol::entity::{
    Action, Block, Bookmark, Case, Comment, Filter, Follow, FollowRequest, List, ListMember, Mute, Post, Reaction,
    Report, User,
};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::PostId;
use tidings_protocol::notification::{
    Notification, NotificationReading, NotificationRemoved, NotificationTold, Preferences, ReadMarker,
};
use tidings_protocol::position::Seq;
use tidings_protocol::push::{Event, FeedPush};
use tidings_protocol::reply::Snapshot;
use tidings_protocol::settings::Settings;

/// The latest state of one thing. `Gone` leaves its rev behind, so that an older state cannot raise it from the dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Thing {
    Post(Post),
    Comment(Comment),
    User(User),
    Follow(Follow),
    Block(Block),
    Mute(Mute),
    Reaction(Reaction),
    Bookmark(Bookmark),
    Notification(NotificationTold),
    Reading(NotificationReading),
    Marker(ReadMarker),
    Preferences(Preferences),
    Settings(Settings),
    Draft(Draft),
    Case(Box<Case>),
    Report(Report),
    Action(Box<Action>),
    Request(FollowRequest),
    List(List),
    Member(ListMember),
    Filter(Filter),
    /// Of a feed that is told by ids.
    Changed(Changed),
    Gone,
}

/// One event as it came over the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub feed: FeedName,
    pub seq: Seq,
    pub key: String,
    pub rev: Seq,
    /// What it told of it.
    pub thing: Thing,
    /// The rev rule made it a no-op.
    pub repeat: bool,
    /// It lies where the server may repeat itself, as at the cursor: it cannot know on which feeds that entry was heard.
    pub may_repeat: bool,
}

/// One feed.
#[derive(Clone, Debug, Default)]
pub struct FeedState {
    /// Every event from here on has a higher `seq`.
    pub since: Seq,
    /// Up to here events may tell again what is known: the cursor it was resumed from, or the snapshot it was given beside others.
    pub overlap_to: Seq,
    pub things: BTreeMap<String, (Seq, Thing)>,
    /// How often it began afresh.
    pub snapshots: usize,
}

/// All feeds of one person.
#[derive(Clone, Debug, Default)]
pub struct State {
    pub feeds: BTreeMap<FeedName, FeedState>,
    pub told: Vec<Told>,
    /// Every snapshot that a feed began with.
    pub fresh: Vec<Snapshot>,
    /// Every text of a post or a comment that was ever heard.
    pub heard: BTreeSet<String>,
    /// Notifications that are unread, as the last event or snapshot of theirs has it.
    pub unread: u32,
}

impl State {
    /// A feed goes on from a cursor, whose entry may be repeated.
    pub fn goes_on(&mut self, feed: FeedName, cursor: Seq) {
        let state = self.feeds.entry(feed).or_default();
        state.since = cursor.before();
        state.overlap_to = cursor;
    }

    /// A feed starts afresh beside others that go on from a cursor: what they catch up with may overlap with it.
    pub fn starts_afresh_beside(&mut self, snapshot: Snapshot, cursor: Seq) {
        let feed = snapshot.feed;
        self.starts_afresh(snapshot);
        let state = self.feeds.entry(feed).or_default();
        state.overlap_to = state.since;
        state.since = state.since.min(cursor.before());
    }

    /// All positions and revs are void; a fresh start of each feed follows.
    pub fn begins_a_new_life(&mut self) {
        for state in self.feeds.values_mut() {
            (state.since, state.overlap_to) = (Seq(0), Seq(0));
            state.things.clear();
        }
    }

    /// A feed starts afresh.
    pub fn starts_afresh(&mut self, snapshot: Snapshot) {
        self.fresh.push(snapshot.clone());
        let state = self.feeds.entry(snapshot.feed).or_default();
        state.since = snapshot.seq;
        state.overlap_to = Seq(0);
        state.snapshots += 1;
        state.things.clear();
        self.unread = snapshot.reading.map_or(self.unread, |reading| reading.unread);
        let unread = self.unread;
        let group = |notification| Thing::Notification(NotificationTold { notification, unread });
        let posts = snapshot.posts.into_iter().flatten().chain(snapshot.post);
        let things = posts
            .map(Thing::Post)
            .chain(snapshot.comments.into_iter().flatten().map(Thing::Comment))
            .chain(snapshot.user.map(Thing::User))
            .chain(snapshot.notifications.into_iter().flatten().map(group))
            .chain(snapshot.reading.map(Thing::Reading))
            .chain(snapshot.markers.into_iter().flatten().map(Thing::Marker))
            .chain(snapshot.settings.map(Thing::Settings))
            .chain(snapshot.cases.into_iter().flatten().map(|case| Thing::Case(Box::new(case))))
            .chain(snapshot.preferences.map(Thing::Preferences))
            .chain(snapshot.requests.into_iter().flatten().map(Thing::Request))
            .chain(snapshot.lists.into_iter().flatten().map(Thing::List))
            .chain(snapshot.filters.into_iter().flatten().map(Thing::Filter));
        for thing in things {
            let (key, rev) = thing.key_and_rev();
            assert!(rev <= snapshot.seq, "{key} is younger than its snapshot");
            self.heard.extend(thing.text());
            state.things.insert(key, (rev, thing));
        }
    }

    /// Applies a push by the rev rule.
    #[expect(clippy::too_many_lines, reason = "a table: a line or two for each event")]
    pub fn apply(&mut self, push: FeedPush) {
        let Some(state) = self.feeds.get_mut(&push.feed) else {
            panic!("an event of {}, which is not watched", push.feed);
        };
        let fresh = matches!(push.event, Event::FeedResync(_));
        assert!(fresh || push.seq > state.since, "event {} of {}, which stood at {}", push.seq, push.feed, state.since);
        if let Event::NotificationUpdated(NotificationTold { unread, .. })
        | Event::NotificationRemoved(NotificationRemoved { unread, .. })
        | Event::NotificationRead(NotificationReading { unread, .. }) = &push.event
        {
            self.unread = *unread;
        }
        let (key, rev, thing) = match push.event {
            Event::FeedResync(snapshot) => {
                assert_eq!(snapshot.feed, push.feed);
                // The reader stands at the push's `seq`, which may be before the snapshot's: what lies between may come again.
                return self.starts_afresh_beside(*snapshot, push.seq);
            }
            Event::FeedChanged(changed) => (changed_key(changed.id), changed.rev, Thing::Changed(changed)),
            Event::PostCreated(post) | Event::PostUpdated(post) => {
                (post_key(&post.id.to_string()), post.rev, Thing::Post(post))
            }
            Event::CommentCreated(comment) | Event::CommentUpdated(comment) => {
                let key = comment_key(&comment.id.to_string());
                (key, comment.rev, Thing::Comment(comment))
            }
            Event::UserUpdated(user) => (format!("user {}", user.id), user.rev, Thing::User(user)),
            Event::FollowCreated(follow) => (follow_key(&follow), follow.rev, Thing::Follow(follow)),
            Event::FollowRemoved(follow) => (follow_key(&follow), follow.rev, Thing::Gone),
            Event::BlockCreated(block) => (format!("block {}", block.blocked), block.rev, Thing::Block(block)),
            Event::BlockRemoved(block) => (format!("block {}", block.blocked), block.rev, Thing::Gone),
            Event::MuteCreated(mute) => (format!("mute {}", mute.muted), mute.rev, Thing::Mute(mute)),
            Event::MuteRemoved(mute) => (format!("mute {}", mute.muted), mute.rev, Thing::Gone),
            Event::ReactionUpdated(reaction) => (reaction_key(reaction.post), reaction.rev, Thing::Reaction(reaction)),
            Event::ReactionRemoved(reaction) => (reaction_key(reaction.post), reaction.rev, Thing::Gone),
            Event::BookmarkCreated(kept) => (format!("bookmark {}", kept.post), kept.rev, Thing::Bookmark(kept)),
            Event::BookmarkRemoved(kept) => (format!("bookmark {}", kept.post), kept.rev, Thing::Gone),
            Event::NotificationUpdated(told) => {
                (notification_key(&told.notification), told.notification.rev, Thing::Notification(told))
            }
            Event::NotificationRemoved(gone) => (format!("notification {}", gone.id), gone.rev, Thing::Gone),
            Event::NotificationRead(reading) => ("reading".to_owned(), reading.rev, Thing::Reading(reading)),
            Event::MarkerUpdated(marker) => (marker_key(&marker), marker.rev, Thing::Marker(marker)),
            Event::MarkerRemoved(marker) => (marker_key(&marker), marker.rev, Thing::Gone),
            Event::PreferencesUpdated(chosen) => ("preferences".to_owned(), chosen.rev, Thing::Preferences(chosen)),
            Event::SettingsUpdated(chosen) => ("settings".to_owned(), chosen.rev, Thing::Settings(chosen)),
            Event::DraftUpdated(draft) => (draft_key(&draft.id.to_string()), draft.rev, Thing::Draft(draft)),
            Event::DraftRemoved(gone) => (draft_key(&gone.id.to_string()), gone.rev, Thing::Gone),
            Event::CaseUpdated(case) => (format!("case {}", case.id), case.rev, Thing::Case(case)),
            Event::ReportUpdated(report) => (format!("report {}", report.id), report.rev, Thing::Report(report)),
            Event::ActionUpdated(action) => (format!("action {}", action.id), action.rev, Thing::Action(action)),
            Event::RequestCreated(request) => (request_key(&request), request.rev, Thing::Request(request)),
            Event::RequestRemoved(request) => (request_key(&request), request.rev, Thing::Gone),
            Event::ListUpdated(list) => (format!("list {}", list.id), list.rev, Thing::List(list)),
            Event::ListRemoved(gone) => (format!("list {}", gone.id), gone.rev, Thing::Gone),
            Event::MemberCreated(member) => (member_key(&member), member.rev, Thing::Member(member)),
            Event::MemberRemoved(member) => (member_key(&member), member.rev, Thing::Gone),
            Event::FilterUpdated(filter) => (format!("filter {}", filter.id), filter.rev, Thing::Filter(filter)),
            Event::FilterRemoved(gone) => (format!("filter {}", gone.id), gone.rev, Thing::Gone),
            Event::PostRemoved(gone) => (post_key(&gone.id.to_string()), gone.rev, Thing::Gone),
            Event::CommentRemoved(gone) => (comment_key(&gone.id.to_string()), gone.rev, Thing::Gone),
        };
        self.heard.extend(thing.text());
        let repeat = state.things.get(&key).is_some_and(|(known, _)| *known >= rev);
        let may_repeat = push.seq <= state.overlap_to;
        self.told.push(Told {
            feed: push.feed,
            seq: push.seq,
            key: key.clone(),
            rev,
            thing: thing.clone(),
            repeat,
            may_repeat,
        });
        if !repeat {
            state.things.insert(key, (rev, thing));
        }
    }

    /// Events that told nothing new: none are expected while the client follows the cursor rule.
    pub fn repeats(&self) -> Vec<&Told> {
        let unexpected = |told: &&Told| told.repeat && !told.may_repeat;
        self.told.iter().filter(unexpected).collect()
    }

    /// The posts of a feed that are there, oldest first.
    pub fn posts(&self, feed: FeedName) -> Vec<Post> {
        let mut posts: Vec<Post> = self
            .things(feed)
            .filter_map(|thing| if let Thing::Post(post) = thing { Some(post.clone()) } else { None })
            .collect();
        posts.sort_by_key(|post| post.seq);
        posts
    }

    /// The comments of a feed that are there, oldest first.
    pub fn comments(&self, feed: FeedName) -> Vec<Comment> {
        let mut comments: Vec<Comment> = self
            .things(feed)
            .filter_map(|thing| if let Thing::Comment(comment) = thing { Some(comment.clone()) } else { None })
            .collect();
        comments.sort_by_key(|comment| comment.seq);
        comments
    }

    /// The texts of a feed's posts, oldest first.
    pub fn texts(&self, feed: FeedName) -> Vec<String> {
        self.posts(feed).into_iter().map(|post| post.text).collect()
    }

    /// The first post with this text, in any feed.
    pub fn post(&self, text: &str) -> Option<Post> {
        let mut posts = self.feeds.keys().flat_map(|feed| self.posts(*feed));
        posts.find(|post| post.text == text)
    }

    /// Whether the thing of this key was there in `feed` and is gone.
    pub fn is_gone(&self, feed: FeedName, key: &str) -> bool {
        let known = self.feeds.get(&feed).and_then(|state| state.things.get(key));
        matches!(known, Some((_, Thing::Gone)))
    }

    /// Everything known of a feed.
    pub fn things(&self, feed: FeedName) -> impl Iterator<Item = &Thing> {
        let state = self.feeds.get(&feed).into_iter();
        state.flat_map(|state| state.things.values().map(|(_, thing)| thing))
    }
}

impl Thing {
    fn text(&self) -> Option<String> {
        match self {
            Self::Post(post) => Some(post.text.clone()),
            Self::Comment(comment) => comment.text.clone(),
            Self::User(_)
            | Self::Follow(_)
            | Self::Block(_)
            | Self::Mute(_)
            | Self::Reaction(_)
            | Self::Bookmark(_)
            | Self::Notification(_)
            | Self::Reading(_)
            | Self::Marker(_)
            | Self::Preferences(_)
            | Self::Settings(_)
            | Self::Draft(_)
            | Self::Report(_)
            | Self::Action(_)
            | Self::Case(_)
            | Self::Request(_)
            | Self::List(_)
            | Self::Member(_)
            | Self::Filter(_)
            | Self::Changed(_)
            | Self::Gone => None,
        }
    }

    fn key_and_rev(&self) -> (String, Seq) {
        match self {
            Self::Post(post) => (post_key(&post.id.to_string()), post.rev),
            Self::Comment(comment) => (comment_key(&comment.id.to_string()), comment.rev),
            Self::User(user) => (format!("user {}", user.id), user.rev),
            Self::Follow(follow) => (follow_key(follow), follow.rev),
            Self::Notification(told) => (notification_key(&told.notification), told.notification.rev),
            Self::Reading(reading) => ("reading".to_owned(), reading.rev),
            Self::Marker(marker) => (marker_key(marker), marker.rev),
            Self::Preferences(chosen) => ("preferences".to_owned(), chosen.rev),
            Self::Settings(chosen) => ("settings".to_owned(), chosen.rev),
            Self::Draft(draft) => (draft_key(&draft.id.to_string()), draft.rev),
            Self::Request(request) => (request_key(request), request.rev),
            Self::List(list) => (format!("list {}", list.id), list.rev),
            Self::Member(member) => (member_key(member), member.rev),
            Self::Filter(filter) => (format!("filter {}", filter.id), filter.rev),
            Self::Case(case) => (format!("case {}", case.id), case.rev),
            Self::Report(_)
            | Self::Action(_)
            | Self::Block(_)
            | Self::Mute(_)
            | Self::Reaction(_)
            | Self::Bookmark(_)
            | Self::Changed(_)
            | Self::Gone => {
                unreachable!("not taken out of snapshots here")
            }
        }
    }
}

/// What is known to have changed of a feed that is told by ids.
pub fn changed_key(id: uuid::Uuid) -> String {
    format!("changed {id}")
}

/// How a post is known.
pub fn post_key(id: &str) -> String {
    format!("post {id}")
}

fn notification_key(group: &Notification) -> String {
    format!("notification {}", group.id)
}

fn marker_key(marker: &ReadMarker) -> String {
    format!("marker {}", marker.feed)
}

/// How a draft is known.
pub fn draft_key(id: &str) -> String {
    format!("draft {id}")
}

fn request_key(request: &FollowRequest) -> String {
    format!("request {} {}", request.asker, request.asked)
}

fn member_key(member: &ListMember) -> String {
    format!("member {} {}", member.list, member.user)
}

/// How a comment is known.
pub fn comment_key(id: &str) -> String {
    format!("comment {id}")
}

/// How one's reaction to a post is known.
pub fn reaction_key(post: PostId) -> String {
    format!("reaction {post}")
}

fn follow_key(follow: &Follow) -> String {
    format!("follow {} {}", follow.follower, follow.followee)
}
