//! What happened in an examination, as the clients saw it: every request and its outcome, every frame, every end, every fault.
//! Must never judge (that is `judge`), and must never leave out anything that was on the wire.
//!
//! Written and read as JSON lines, one record each, in the order in which they happened: the harness has one thread, so
//! the place in the file is a total order, and `at` is one monotonic clock.

mod recorder;

use serde::{Deserialize, Serialize};
use tidings_protocol::entity::{Comment, Follow, Post, Removed, User};
use tidings_protocol::error::ErrorCode;
use tidings_protocol::feed::FeedName;
use tidings_protocol::position::Cursor;
use tidings_protocol::push::EventName;
use uuid::Uuid;

pub use recorder::{Recorder, read};

use crate::history::TextMark;

/// One line of a history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Microseconds since the examination began.
    pub at: u64,
    /// Which client; absent for what concerns all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<u32>,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What may happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// The first record.
    Began {
        /// Decides what the clients try.
        seed: u64,
        /// The accounts.
        people: Vec<Uuid>,
        /// Whose each client is, by its place in `people`.
        owners: Vec<u32>,
        /// The journal before the first request. What is older is none of our business.
        position: Cursor,
    },
    /// A request was sent. Requests are numbered over all clients; one sent again has a new number.
    Invoke {
        /// Its number.
        request: u64,
        /// Over which connection; absent for REST.
        connection: Option<u64>,
        /// What it wants.
        op: Op,
    },
    /// It was done.
    Ok {
        /// Which.
        request: u64,
        /// The journal entry; absent for reads.
        seq: Option<u64>,
        /// It had been done before.
        duplicate: bool,
        /// The state that the answer shows.
        seen: Option<Seen>,
    },
    /// It was refused, and must leave nothing behind.
    Fail {
        /// Which.
        request: u64,
        /// Why.
        code: ErrorCode,
    },
    /// Nobody knows: the line was lost before the answer, or the answer was `unavailable`.
    Unknown {
        /// Which.
        request: u64,
        /// Why nobody knows.
        why: String,
    },
    /// `hello` was answered. Snapshots of feeds that start afresh follow as records of their own.
    Connected {
        /// Its number, over all clients.
        connection: u64,
        /// The number of the log-in whose token was used.
        login: u64,
        /// Which of the URLs.
        node: u32,
        /// What was given to resume.
        cursor: Option<Cursor>,
        /// Where the server says one stands.
        position: Cursor,
        /// The server's own word for it.
        resumed: bool,
        /// Feeds that go on from the cursor.
        live: Vec<FeedName>,
        /// Feeds that may not be watched.
        refused: Vec<FeedName>,
    },
    /// The present state of a feed.
    Snapshot {
        /// Over which connection.
        connection: u64,
        /// The request it answers (`hello`, `feed.subscribe`); absent for a `feed.resync`.
        request: Option<u64>,
        /// Which.
        feed: FeedName,
        /// As of.
        seq: u64,
        /// What it shows.
        members: Vec<Seen>,
        /// There is no more.
        complete: bool,
    },
    /// An event of a feed, but for `feed.resync`.
    Event {
        /// Over which connection.
        connection: u64,
        /// The journal's life it belongs to, as the connection was told.
        epoch: u64,
        /// The subscription.
        feed: FeedName,
        /// The journal entry.
        seq: u64,
        /// Its name.
        event: EventName,
        /// The state it shows.
        seen: Seen,
    },
    /// `heartbeat`, `resync` or `going_away`: the position of everything that is watched.
    Position {
        /// Over which connection.
        connection: u64,
        /// The notice.
        notice: String,
        /// The position.
        cursor: Cursor,
    },
    /// The client reads nothing for a while, on purpose.
    Stalled {
        /// Over which connection.
        connection: u64,
        /// For how long, in microseconds.
        length: u64,
    },
    /// The end of a connection.
    Closed {
        /// Which.
        connection: u64,
        /// The close number, if one came.
        code: Option<u16>,
        /// We hung up.
        ours: bool,
    },
    /// A fault was ordered, took hold, or is over.
    Fault {
        /// Its number in the schedule.
        number: u32,
        /// In words.
        name: String,
        /// Where it stands.
        phase: Phase,
    },
    /// All faults are over and nothing new is asked.
    Healed,
    /// The time to recover is over: from here on everybody must have everything.
    Settled,
    /// The state that a fresh client fetched afterwards: all that is alive, of the people of this examination.
    Final(Final),
    /// What a server process uses.
    Resources {
        /// Which.
        pid: u32,
        /// Warm, before the faults; or at the end.
        warm: bool,
        /// Resident memory.
        resident_bytes: u64,
        /// Open descriptors.
        files: u64,
    },
}

/// Where a fault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Its time has come.
    Ordered,
    /// It was seen to have its effect.
    Fired,
    /// What it broke is back.
    Healed,
}

/// What a request wants. Texts are unique, and stand here as their marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// `hello`.
    Hello,
    /// `post.create`, `comment.create`.
    Create(Thing, u64),
    /// `post.update`, `comment.update`, `user.update`.
    Change(Thing, u64),
    /// `post.delete`, `comment.delete`.
    Delete(Thing),
    /// `user.follow` (true), `user.unfollow` (false).
    Follow(Thing, bool),
    /// `post.get`.
    Read(Thing),
    /// `feed.subscribe`.
    Watch(FeedName),
    /// `feed.unsubscribe`.
    Unwatch(FeedName),
    /// Log-out of a log-in, over REST.
    LogOut(u64),
}

impl Op {
    /// What it changes, if it changes anything.
    #[must_use]
    pub fn changes(self) -> Option<Thing> {
        match self {
            Self::Create(thing, _) | Self::Change(thing, _) | Self::Delete(thing) | Self::Follow(thing, _) => {
                Some(thing)
            }
            Self::Hello | Self::Read(_) | Self::Watch(_) | Self::Unwatch(_) | Self::LogOut(_) => None,
        }
    }
}

/// Anything that has a `rev`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// By id.
    Post(Uuid),
    /// By id.
    Comment(Uuid),
    /// By id.
    User(Uuid),
    /// Follower and followee.
    Follow(Uuid, Uuid),
}

/// A state of a thing, as somebody saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Which.
    pub thing: Thing,
    /// Its last change.
    pub rev: u64,
    /// The `seq` of its creation, for posts and comments that are alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<u64>,
    /// Whose; absent where the frame does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Uuid>,
    /// A comment's post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Uuid>,
    /// Stands for its content; 0 where there is none.
    pub mark: u64,
    /// Removed; of a follow: not following.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// What a fresh client found at the end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Final {
    /// The journal had reached at least this.
    pub seq: u64,
    /// Everything that is alive.
    pub things: Vec<Seen>,
    /// Derived counters, by user.
    pub counts: Vec<Counts>,
}

/// What `user.get` counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Whose.
    pub user: Uuid,
    /// How many follow them.
    pub followers: u64,
    /// How many they follow.
    pub follows: u64,
    /// How many posts they have.
    pub posts: u64,
}

impl Seen {
    /// A post that is alive.
    #[must_use]
    pub fn post(post: &Post) -> Self {
        Self {
            thing: Thing::Post(post.id.0),
            rev: post.rev.0,
            place: Some(post.seq.0),
            author: Some(post.author.id.0),
            on: None,
            mark: TextMark::of(&post.text).0,
            gone: false,
        }
    }

    /// A comment, or the placeholder of one.
    #[must_use]
    pub fn comment(comment: &Comment) -> Self {
        Self {
            thing: Thing::Comment(comment.id.0),
            rev: comment.rev.0,
            place: Some(comment.seq.0),
            author: comment.author.as_ref().map(|author| author.id.0),
            on: Some(comment.post.0),
            mark: comment.text.as_deref().map_or(0, |text| TextMark::of(text).0),
            gone: comment.removed,
        }
    }

    /// A profile.
    #[must_use]
    pub fn user(user: &User) -> Self {
        Self {
            thing: Thing::User(user.id.0),
            rev: user.rev.0,
            place: None,
            author: Some(user.id.0),
            on: None,
            mark: TextMark::of(&user.bio).0,
            gone: false,
        }
    }

    /// A pair of people.
    #[must_use]
    pub fn follow(follow: &Follow, active: bool) -> Self {
        let (follower, followee) = (follow.follower.0, follow.followee.0);
        Self { author: Some(follower), ..Self::bare(Thing::Follow(follower, followee), follow.rev.0, !active) }
    }

    /// A removed post or comment.
    #[must_use]
    pub fn removed(thing: fn(Uuid) -> Thing, removed: &Removed) -> Self {
        Self::bare(thing(removed.id), removed.rev.0, true)
    }

    fn bare(thing: Thing, rev: u64, gone: bool) -> Self {
        Self { thing, rev, place: None, author: None, on: None, mark: 0, gone }
    }
}
