//! What everybody is to be told of what others did, worked out anew from all that was done: PROTOCOL.md's words about notifications. Must never ask the
//! server. Where a change of who sees whom was under way together with what it is about, it says "perhaps": which of the two a batch looks at
//! first is nobody's promise.

use std::collections::{BTreeMap, BTreeSet};

use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::notification::{Notification, NotificationKind as Kind};
use tidings_protocol::position::Seq;
use uuid::Uuid;

use super::deed::{Deed, Done};
use super::truth::Truth;

/// What a group is about, for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub user: UserId,
    kind: Kind,
    post: Option<PostId>,
    comment: Option<CommentId>,
}

impl Key {
    pub fn of(user: UserId, group: &Notification) -> Self {
        Self { user, kind: group.kind, post: group.post, comment: group.comment }
    }
}

/// Something somebody did, and by which comment or post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Note {
    actor: UserId,
    thing: Option<Uuid>,
}

#[derive(Debug, Default)]
struct Group {
    /// Whether it is certain, of each.
    notes: BTreeMap<Note, bool>,
    /// When somebody certainly came into it last.
    place: Seq,
    read: bool,
}

/// All groups of everybody.
#[derive(Debug, Default)]
pub struct Notes {
    groups: BTreeMap<Key, Group>,
}

/// What is told, and with what it was under way.
struct Telling<'a> {
    truth: &'a Truth,
    actor: UserId,
    beside: Vec<&'a Done>,
}

impl Notes {
    /// Takes in what the truth has just taken in; `volley`: all that was under way together.
    pub fn take(&mut self, truth: &Truth, done: &Done, volley: &[Done]) {
        let beside = volley.iter().filter(|other| other.volley == done.volley && other.who != done.who).collect();
        let telling = Telling { truth, actor: done.who, beside };
        match &done.deed {
            Deed::Post { id, .. } => self.tells_of_post(&telling, *id, true),
            Deed::Edit { id, .. } | Deed::Hide { id, .. } => {
                self.looks_again_at(truth, *id);
                self.tells_of_post(&telling, *id, false);
            }
            Deed::Delete { id } => {
                self.take_back(|key, note| key.post == Some(*id) || note.thing == Some(id.0));
                self.groups.retain(|key, _| key.post != Some(*id));
            }
            Deed::Comment { id, .. } => self.tells_of_comment(&telling, *id),
            Deed::DeleteComment { id } | Deed::HideComment { id, on: true } => {
                self.take_back(|_, note| note.thing == Some(id.0));
            }
            Deed::React { post, emoji: Some(_), .. } => {
                let key =
                    Key { user: truth.posts[post].author, kind: Kind::Reaction, post: Some(*post), comment: None };
                self.tells(&telling, key, None);
            }
            Deed::React { who, post, emoji: None } => {
                self.take_back(|key, note| key.kind == Kind::Reaction && key.post == Some(*post) && note.actor == *who)
            }
            Deed::Follow { whom, on: true, .. } => {
                let key = Key { user: *whom, kind: Kind::Follow, post: None, comment: None };
                self.tells(&telling, key, None);
            }
            Deed::Follow { who, whom, on: false } => self.unfollows(*who, *whom),
            Deed::Block { who, whom, on: true } => {
                self.unfollows(*who, *whom);
                self.unfollows(*whom, *who);
            }
            // Nobody is told again of a comment that is shown again.
            Deed::HideComment { on: false, .. }
            | Deed::Block { on: false, .. }
            | Deed::Mute { .. }
            | Deed::Enlist { .. }
            | Deed::Suspend { .. }
            | Deed::Role { .. } => {}
        }
    }

    fn tells(&mut self, telling: &Telling<'_>, key: Key, thing: Option<Uuid>) {
        let Telling { truth, actor, beside } = telling;
        if key.user == *actor {
            return;
        }
        let author = key.post.map_or(key.user, |post| truth.posts[&post].author);
        let people = [key.user, *actor, author];
        let thing_of = thing.map(PostId);
        let shaky = beside.iter().any(|other| other.shakes(people, key.post) || other.shakes(people, thing_of));
        if truth.hidden(key.user, *actor) && !shaky {
            return;
        }
        let group = self.groups.entry(key).or_default();
        if let std::collections::btree_map::Entry::Vacant(free) = group.notes.entry(Note { actor: *actor, thing }) {
            free.insert(!shaky);
            // Somebody who may not have come in may not have made it unread again.
            if !shaky {
                (group.place, group.read) = (truth.seq, false);
            }
        }
    }

    fn take_back(&mut self, gone: impl Fn(&Key, &Note) -> bool) {
        for (key, group) in &mut self.groups {
            group.notes.retain(|note, _| !gone(key, note));
        }
        self.groups.retain(|_, group| !group.notes.is_empty());
    }

    fn unfollows(&mut self, who: UserId, whom: UserId) {
        self.take_back(|key, note| key.kind == Kind::Follow && key.user == whom && note.actor == who);
    }

    /// After a post was edited, hidden or shown: who is no longer mentioned, or may not see it any more, hears nothing of it.
    fn looks_again_at(&mut self, truth: &Truth, id: PostId) {
        let post = &truth.posts[&id];
        let named = truth.named(&post.text);
        let narrow = post.hidden || !post.visibility.is_public();
        self.take_back(|key, note| {
            let of_this = note.thing == Some(id.0);
            of_this && key.kind == Kind::Mention && !named.contains(&key.user)
                || narrow && (of_this || key.post == Some(id)) && !truth.sees(key.user, post)
        });
    }

    fn tells_of_post(&mut self, telling: &Telling<'_>, id: PostId, is_new: bool) {
        let truth = telling.truth;
        let post = &truth.posts[&id];
        // A moderator who shows it again is not who mentions anybody.
        let telling = &Telling { actor: post.author, truth, beside: telling.beside.clone() };
        let original = post.of.map(|of| (of, truth.posts[&of].author));
        if let Some((of, author)) = original.filter(|(_, author)| is_new && truth.sees(*author, post)) {
            let kind = if post.text.is_empty() { Kind::Repost } else { Kind::Quote };
            self.tells(telling, Key { user: author, kind, post: Some(of), comment: None }, Some(id.0));
        }
        for user in truth.named(&post.text) {
            if original.is_none_or(|(_, author)| author != user) && truth.sees(user, post) {
                let key = Key { user, kind: Kind::Mention, post: Some(id), comment: None };
                self.tells(telling, key, Some(id.0));
            }
        }
    }

    fn tells_of_comment(&mut self, telling: &Telling<'_>, id: CommentId) {
        let truth = telling.truth;
        let comment = &truth.comments[&id];
        let (on, post) = (comment.post, &truth.posts[&comment.post]);
        let answered = comment.parent.and_then(|parent| Some((parent, truth.comments.get(&parent)?.author)));
        let told = answered.map(|(_, author)| author);
        if let Some((parent, user)) = answered.filter(|(_, author)| truth.sees(*author, post)) {
            let key = Key { user, kind: Kind::Reply, post: Some(on), comment: Some(parent) };
            self.tells(telling, key, Some(id.0));
        }
        if told != Some(post.author) {
            let key = Key { user: post.author, kind: Kind::Comment, post: Some(on), comment: None };
            self.tells(telling, key, Some(id.0));
        }
        for user in truth.named(&comment.text) {
            if user != post.author && told != Some(user) && truth.sees(user, post) {
                let key = Key { user, kind: Kind::Mention, post: Some(on), comment: Some(id) };
                self.tells(telling, key, Some(id.0));
            }
        }
    }

    /// They have read these.
    pub fn are_read(&mut self, user: UserId, these: &[Notification]) {
        for one in these {
            if let Some(group) = self.groups.get_mut(&Key::of(user, one)) {
                group.read = true;
            }
        }
    }

    /// What somebody holds, from the place `from` on, is what there is: none is missing, none too much, and each says who and how many.
    pub fn must_be(&self, truth: &Truth, user: UserId, told: &[Notification], from: Seq) {
        for one in told {
            let group = self.groups.get(&Key::of(user, one));
            let group = group.unwrap_or_else(|| panic!("{user} is told of what nobody did: {one:?}"));
            let (certain, perhaps) = seen(truth, user, group);
            let named: BTreeSet<UserId> = one.actors.iter().map(|actor| actor.id).collect();
            let count = usize::try_from(one.count).expect("few");
            let right = named.len() == one.actors.len()
                && named.len() == count.min(3)
                && named.is_subset(&perhaps)
                && (certain.len()..=perhaps.len()).contains(&count)
                && (count > 3 || certain.is_subset(&named))
                && one.last.is_none_or(|last| group.notes.keys().any(|note| note.thing == Some(last)));
            assert!(right, "{user} is told {one:?} of {group:?}, of whom they see {certain:?}, perhaps {perhaps:?}");
            let sure = group.notes.values().all(|certain| *certain);
            assert!(!sure || one.read == group.read, "{user} has read {one:?}? {group:?}");
        }
        let told: BTreeSet<Key> = told.iter().map(|one| Key::of(user, one)).collect();
        for (key, group) in self.groups.iter().filter(|(key, group)| key.user == user && group.place >= from) {
            let (certain, _) = seen(truth, user, group);
            assert!(certain.is_empty() || told.contains(key), "{user} is not told of {key:?}: {group:?}");
        }
    }
}

/// Whom somebody sees in a group for certain, and whom perhaps.
fn seen(truth: &Truth, user: UserId, group: &Group) -> (BTreeSet<UserId>, BTreeSet<UserId>) {
    let shown = group.notes.iter().filter(|(note, _)| !truth.hidden(user, note.actor));
    let all: Vec<(UserId, bool)> = shown.map(|(note, certain)| (note.actor, *certain)).collect();
    let certain = all.iter().filter(|(_, certain)| *certain).map(|(who, _)| *who).collect();
    (certain, all.into_iter().map(|(who, _)| who).collect())
}
