//! The model of Postgres: the whole journal as a plain list, decided one command at a time, that may die, stand still, be slow, or be
//! promoted and lose its tail. It must never forget what it has ever committed, in whichever life: that is what answers are checked with.

use std::collections::BTreeMap;

use tidings_protocol::entity::Visibility;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, PostId, SessionId, UserId};
use tidings_protocol::position::{Epoch, Seq};
use tidings_protocol::reply::Snapshot;
use tidings_protocol::spans::{MentionSpan, TagSpan};
use tidings_protocol::text::PostText;
use uuid::Uuid;

use super::audience::Wording;
use super::list::List;
use crate::command::{Act, Command, Committed, Deed, Denied, Outcome};
use crate::entry::{Batch, Change, Entry, Verb};
use crate::limits;
use crate::ports::{BatchId, Head, Missed, Viewer};
use crate::testing::user;

/// A log-in.
#[derive(Clone, Copy)]
struct LogIn {
    user: UserId,
    /// The journal's head when it began: what ended log-ins before does not end this one.
    since: u64,
}

pub(super) struct Database {
    pub(super) list: List,
    pub(super) floor: u64,
    /// It cannot be reached.
    pub(super) down: bool,
    /// It answers nothing before then.
    pub(super) stands_still_until: u64,
    /// Counts its deaths: whoever waited then hears nothing.
    pub(super) deaths: u64,
    /// What promotions have lost.
    lost: Vec<(Epoch, Vec<Entry>)>,
    /// When each entry was committed, by the world's clock.
    times: Vec<u64>,
    pub(super) now: u64,
    texts: BTreeMap<Uuid, String>,
    log_ins: BTreeMap<SessionId, LogIn>,
    /// By writer: its last batch, and what came of it.
    writers: BTreeMap<Uuid, (u64, Vec<Outcome>)>,
}

impl Database {
    pub(super) fn of(users: impl IntoIterator<Item = UserId>) -> Self {
        let mut list = List::default();
        for id in users {
            list.write(Change::User { verb: Verb::Created, id }, None);
        }
        let (lost, texts, log_ins, writers) = (Vec::new(), BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let times = vec![0; list.entries.len()];
        let (floor, down, stands_still_until, deaths, now) = (0, false, 0, 0, 0);
        Self { list, floor, down, stands_still_until, deaths, lost, times, now, texts, log_ins, writers }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.list.present.epoch
    }

    pub(super) fn log_in(&mut self, user: UserId, session: SessionId) {
        self.log_ins.insert(session, LogIn { user, since: self.list.head() });
    }

    /// The entry that has ended a log-in, and when.
    pub(super) fn ended_at(&self, session: SessionId) -> Option<(u64, u64)> {
        let log_in = self.log_ins.get(&session)?;
        let later = &self.list.entries[usize::try_from(log_in.since).expect("small")..];
        let ends = |entry: &&Entry| {
            matches!(entry.change, Change::SessionRevoked { user, session: which }
                if user == log_in.user && which.is_none_or(|which| which == session))
        };
        let ended = later.iter().find(ends)?.seq.0;
        Some((ended, self.times[usize::try_from(ended).expect("small") - 1]))
    }

    /// A standby takes over that had not heard of the last entries. What was answered before may still arrive.
    pub(super) fn is_promoted(&mut self, lose: u64, in_flight: bool) {
        let users = self.list.present.users.len() as u64;
        let keep = self.list.head().saturating_sub(lose).max(users).max(self.floor);
        let epoch = self.epoch();
        let lost = self.list.begins_again(Epoch(epoch.0 + 1), keep);
        for log_in in self.log_ins.values_mut() {
            log_in.since = log_in.since.min(keep);
        }
        self.times.truncate(self.list.entries.len());
        let lost_with_it = |outcome: &Outcome| matches!(outcome, Outcome::Done(entry) if entry.seq.0 > keep);
        self.writers.retain(|_, (_, outcomes)| !outcomes.iter().any(lost_with_it));
        self.lost.push((epoch, lost));
        self.deaths += u64::from(!in_flight);
    }

    /// Whether the journal, in some life, has an entry about `thing` at `seq`.
    pub(super) fn has_committed(&self, seq: u64, thing: Uuid) -> bool {
        let about = |entry: &&Entry| entry.seq.0 == seq && is_about(&entry.change, thing);
        let here = usize::try_from(seq).ok().and_then(|seq| self.list.entries.get(seq.checked_sub(1)?));
        here.iter().any(&about) || self.lost.iter().any(|(_, lost)| lost.iter().any(|entry| about(&entry)))
    }

    pub(super) fn head(&self) -> Head {
        Head { epoch: self.epoch(), seq: Seq(self.list.head()), floor: Seq(self.floor) }
    }

    /// None: it is forgotten.
    pub(super) fn read(&self, from: Seq, to: Seq) -> Option<Batch> {
        if from.0 < self.floor {
            return None;
        }
        let most = from.0 + limits::TAIL_READ_ENTRIES - 1;
        let last = to.0.min(self.list.head()).min(most);
        if last < from.0 {
            let last = Seq(last.min(from.0 - 1));
            return Some(Batch { epoch: self.epoch(), first: from, last, entries: Vec::new() });
        }
        Some(self.list.batch(from.0, last, true))
    }

    pub(super) fn viewer(&self, id: UserId, session: SessionId) -> Option<Viewer> {
        let state = &self.list.present;
        state.users.get(&id)?;
        let session_live = self.log_ins.contains_key(&session) && self.ended_at(session).is_none();
        Some(state.viewer(self.list.head(), id, session_live))
    }

    pub(super) fn hidden(&self, viewer: Option<UserId>, posts: &[PostId]) -> Vec<PostId> {
        let is_open = |post: &PostId| self.list.present.is_open(FeedName::Post(*post), viewer);
        posts.iter().copied().filter(|post| !is_open(post)).collect()
    }

    pub(super) fn snapshot(&self, viewer: Option<UserId>, feed: FeedName, limit: u16) -> Option<Snapshot> {
        self.list.present.snapshot(self.list.head(), viewer, feed, usize::from(limit))
    }

    pub(super) fn missed(&self, viewer: Option<UserId>, feeds: &[FeedName], since: Seq, limit: usize) -> Missed {
        let head = self.list.head();
        let (entries, restart) = self.list.missed(viewer, feeds, since.0, head);
        let mut missed = Missed { seq: Seq(head), entries, restart, too_much: false };
        if since.0 < self.floor || missed.entries.len() > limit {
            missed = Missed { seq: Seq(head), entries: Vec::new(), restart: Vec::new(), too_much: true };
        }
        missed
    }

    /// None: its writer has gone on.
    pub(super) fn commit(&mut self, batch: BatchId, commands: &[Command]) -> Option<Committed> {
        let outcomes = match self.writers.get(&batch.writer) {
            Some((last, _)) if *last > batch.number => return None,
            Some((last, decided)) if *last == batch.number => decided.iter().cloned().map(already).collect(),
            _ => {
                let outcomes: Vec<_> = commands.iter().map(|command| self.decide(command)).collect();
                self.writers.insert(batch.writer, (batch.number, outcomes.clone()));
                outcomes
            }
        };
        assert_eq!(outcomes.len(), commands.len(), "asked again as it was");
        Some(Committed { epoch: self.epoch(), outcomes, brought: Vec::new() })
    }

    fn decide(&mut self, command: &Command) -> Outcome {
        let actor = command.actor;
        if !self.list.present.users.contains_key(&actor) {
            return Outcome::Refused(Denied::NoAccount);
        }
        match &command.act {
            Act::UserCreate { .. } => Outcome::Refused(Denied::HandleTaken),
            Act::UserUpdate { .. } => self.write(Change::User { verb: Verb::Updated, id: actor }, None),
            Act::Follow { whom } => self.follow(actor, *whom, true),
            Act::Unfollow { whom } => self.follow(actor, *whom, false),
            Act::PostCreate { id, text, extra, .. } => {
                let said = format!("{} {extra:?}", text.as_ref().map_or("", PostText::as_str));
                let extra = extra.as_deref().cloned().unwrap_or_default();
                self.post(actor, *id, &said, wording(Some(extra.visibility), &extra.tags, &extra.mentions))
            }
            Act::PostUpdate { id, if_rev, change, .. } => {
                let wording = wording(change.visibility, &change.tags, &change.mentions);
                self.change_post(actor, *id, Verb::Updated, *if_rev, wording)
            }
            Act::PostDelete { id } => self.change_post(actor, *id, Verb::Removed, None, Wording::default()),
            Act::CommentCreate { id, post, parent, text } => self.comment(actor, *id, *post, *parent, text.as_str()),
            Act::CommentUpdate { id, if_rev, .. } => self.change_comment(actor, *id, Verb::Updated, *if_rev),
            Act::CommentDelete { id } => self.change_comment(actor, *id, Verb::Removed, None),
            Act::Deed(Deed::Block { whom }) => self.block(actor, *whom, true),
            Act::Deed(Deed::Unblock { whom }) => self.block(actor, *whom, false),
            Act::Deed(Deed::Mute { whom, .. }) => self.mute(actor, *whom, true),
            Act::Deed(Deed::Unmute { whom }) => self.mute(actor, *whom, false),
            Act::Deed(other) => unreachable!("nobody in this world does that: {other:?}"),
            Act::SessionRevoke { session } => {
                self.write(Change::SessionRevoked { user: actor, session: *session }, None)
            }
        }
    }

    /// By another program at the same database.
    pub(super) fn writes(&mut self, change: Change) {
        drop(self.write(change, None));
    }

    fn write(&mut self, change: Change, parent: Option<CommentId>) -> Outcome {
        self.list.write(change, parent);
        self.written()
    }

    fn written(&mut self) -> Outcome {
        self.times.push(self.now);
        Outcome::Done(self.list.entries.last().expect("just written").clone())
    }

    fn duplicate(&self, change: Change, rev: u64) -> Outcome {
        let body = crate::testing::body(&self.list.present.body(&change, rev));
        Outcome::Duplicate(Entry { seq: Seq(rev), change, body, scope: None })
    }

    fn follow(&mut self, follower: UserId, followee: UserId, follows: bool) -> Outcome {
        if follower == followee {
            return Outcome::Refused(Denied::Oneself);
        }
        let verb = if follows { Verb::Created } else { Verb::Removed };
        let change = Change::Follow { verb, follower, followee };
        if follows && self.list.present.apart(Some(follower), followee) {
            return Outcome::Refused(Denied::NotFound);
        }
        match self.list.present.follows.get(&(follower, followee)) {
            Some((rev, on)) if *on == follows => self.duplicate(change, *rev),
            None if !follows => Outcome::Refused(Denied::NotFound),
            _ => self.write(change, None),
        }
    }

    /// A block ends follows both ways, by entries of their own before it.
    fn block(&mut self, blocker: UserId, blocked: UserId, blocks: bool) -> Outcome {
        if blocker == blocked {
            return Outcome::Refused(Denied::Oneself);
        }
        let verb = if blocks { Verb::Created } else { Verb::Removed };
        let change = Change::Block { verb, blocker, blocked };
        match self.list.present.blocks.get(&(blocker, blocked)) {
            Some((rev, on)) if *on == blocks => return self.duplicate(change, *rev),
            None if !blocks => return Outcome::Refused(Denied::NotFound),
            _ => {}
        }
        for (follower, followee) in [(blocker, blocked), (blocked, blocker)] {
            if blocks && self.list.present.follows(follower, followee) {
                self.writes(Change::Follow { verb: Verb::Removed, follower, followee });
            }
        }
        self.write(change, None)
    }

    fn mute(&mut self, muter: UserId, muted: UserId, mutes: bool) -> Outcome {
        let verb = if mutes { Verb::Created } else { Verb::Removed };
        let change = Change::Mute { verb, muter, muted };
        match self.list.present.mutes.get(&(muter, muted)) {
            _ if muter == muted => Outcome::Refused(Denied::Oneself),
            Some((rev, on)) if *on == mutes => self.duplicate(change, *rev),
            None if !mutes => Outcome::Refused(Denied::NotFound),
            _ => self.write(change, None),
        }
    }

    fn post(&mut self, author: UserId, id: PostId, text: &str, wording: Wording) -> Outcome {
        let change = Change::Post { verb: Verb::Created, id, author };
        match self.list.present.posts.get(&id) {
            Some(row) if row.author != author || self.texts[&id.0] != text => Outcome::Refused(Denied::IdTaken),
            Some(row) if row.removed => Outcome::Refused(Denied::NotFound),
            Some(row) => self.duplicate(change, row.rev),
            None => {
                self.texts.insert(id.0, text.to_owned());
                self.list.write_post(change, wording);
                self.written()
            }
        }
    }

    fn change_post(&mut self, actor: UserId, id: PostId, verb: Verb, if_rev: Option<Seq>, wording: Wording) -> Outcome {
        let change = Change::Post { verb, id, author: actor };
        match self.list.present.posts.get(&id) {
            None => Outcome::Refused(Denied::NotFound),
            Some(row) if row.author != actor => Outcome::Refused(Denied::Forbidden),
            Some(row) if row.removed && verb == Verb::Removed => self.duplicate(change, row.rev),
            Some(row) if row.removed => Outcome::Refused(Denied::NotFound),
            Some(row) if if_rev.is_some_and(|rev| rev.0 != row.rev) => Outcome::Refused(Denied::Stale),
            Some(_) => {
                self.list.write_post(change, wording);
                self.written()
            }
        }
    }

    fn comment(
        &mut self,
        author: UserId,
        id: CommentId,
        post: PostId,
        parent: Option<CommentId>,
        text: &str,
    ) -> Outcome {
        let change = Change::Comment { verb: Verb::Created, id, post, author };
        let state = &self.list.present;
        match state.comments.get(&id) {
            Some(row) if row.author != author || self.texts[&id.0] != text => Outcome::Refused(Denied::IdTaken),
            Some(row) if row.removed => Outcome::Refused(Denied::NotFound),
            Some(row) => self.duplicate(change, row.rev),
            None => {
                let there = state.is_open(FeedName::Post(post), Some(author));
                let answers = |parent: CommentId| {
                    state.comments.get(&parent).is_some_and(|row| row.post == Some(post) && !row.removed)
                };
                if !there || parent.is_some_and(|parent| !answers(parent)) {
                    return Outcome::Refused(Denied::NotFound);
                }
                self.texts.insert(id.0, text.to_owned());
                self.write(change, parent)
            }
        }
    }

    fn change_comment(&mut self, actor: UserId, id: CommentId, verb: Verb, if_rev: Option<Seq>) -> Outcome {
        let Some(row) = self.list.present.comments.get(&id).cloned() else {
            return Outcome::Refused(Denied::NotFound);
        };
        let change = Change::Comment { verb, id, post: row.post.expect("of a comment"), author: row.author };
        match row {
            row if row.author != actor => Outcome::Refused(Denied::Forbidden),
            row if row.removed && verb == Verb::Removed => self.duplicate(change, row.rev),
            row if row.removed => Outcome::Refused(Denied::NotFound),
            row if if_rev.is_some_and(|rev| rev.0 != row.rev) => Outcome::Refused(Denied::Stale),
            _ => self.write(change, None),
        }
    }
}

/// Mentions are found by handle: everybody's is made of their number.
fn wording(visibility: Option<Visibility>, tags: &[TagSpan], mentions: &[MentionSpan]) -> Wording {
    let number = |mention: &MentionSpan| mention.handle.strip_prefix("user")?.parse().ok();
    let mentions = mentions.iter().filter_map(number).map(user).collect();
    Wording { visibility, mentions, tags: tags.iter().map(|span| span.tag).collect() }
}

fn already(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Done(entry) => Outcome::Duplicate(entry),
        Outcome::Duplicate(_) | Outcome::Refused(_) => outcome,
    }
}

fn is_about(change: &Change, thing: Uuid) -> bool {
    match *change {
        Change::Post { id, .. } => id.0 == thing,
        Change::Comment { id, .. } => id.0 == thing,
        Change::User { id, .. } => id.0 == thing,
        Change::Follow { followee, .. } => followee.0 == thing,
        Change::Block { blocked, .. } => blocked.0 == thing,
        Change::Mute { muted, .. } => muted.0 == thing,
        Change::Request { asked, .. } => asked.0 == thing,
        Change::List { id, .. } => id.0 == thing,
        Change::Listed { list, .. } => list.0 == thing,
        Change::Own { id, .. } => id == thing,
        Change::Case { id } => id.0 == thing,
        Change::Rights { user, .. } => user.0 == thing,
        Change::SessionRevoked { user, .. } => user.0 == thing,
    }
}
