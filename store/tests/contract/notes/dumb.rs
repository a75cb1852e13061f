//! Who has done what that concerns whom: plain lists, looked through from the start for each answer. The dumber side of [`super`].

use std::collections::{BTreeMap, BTreeSet};

use tidings_actors::command::{Act, Command, Deed};
use tidings_protocol::entity::Visibility;
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::notification::{HeardFrom, Notification, NotificationKind as Kind, NotifyPreferences};
use tidings_protocol::spans;
use uuid::Uuid;

#[derive(Clone)]
pub struct APost {
    pub author: UserId,
    pub visibility: Visibility,
    /// Whom it mentions.
    people: BTreeSet<UserId>,
    /// Who may see it for having been mentioned.
    admitted: Option<BTreeSet<UserId>>,
    of: Option<PostId>,
    pub is_repost: bool,
}

#[derive(Clone)]
pub struct AComment {
    pub author: UserId,
    pub on: PostId,
    parent_author: Option<UserId>,
    pub removed: bool,
}

/// Something somebody did.
struct Note {
    actor: UserId,
    /// The comment or post.
    thing: Option<Uuid>,
}

pub struct Group {
    pub user: UserId,
    pub kind: Kind,
    pub subject: Uuid,
    post: Option<PostId>,
    notes: Vec<Note>,
    /// Who came when, last.
    came: BTreeMap<UserId, u64>,
    pub place: u64,
    last: Option<Uuid>,
    read: bool,
    /// By a place up to which all are.
    covered: bool,
    closed: bool,
}

/// What is to be seen of a group.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    kind: Kind,
    post: Option<PostId>,
    comment: Option<CommentId>,
    last: Option<Uuid>,
    actors: Vec<UserId>,
    count: u32,
    read: bool,
}

impl From<&Notification> for Shown {
    fn from(one: &Notification) -> Self {
        Self {
            kind: one.kind,
            post: one.post,
            comment: one.comment,
            last: one.last,
            actors: one.actors.iter().map(|actor| actor.id).collect(),
            count: one.count,
            read: one.read,
        }
    }
}

#[derive(Default)]
pub struct Dumb {
    pub people: Vec<(UserId, String)>,
    pub follows: BTreeSet<(UserId, UserId)>,
    pub blocks: BTreeSet<(UserId, UserId)>,
    pub mutes: BTreeSet<(UserId, UserId)>,
    pub posts: BTreeMap<PostId, APost>,
    pub comments: BTreeMap<CommentId, AComment>,
    pub reactions: BTreeSet<(UserId, PostId)>,
    pub preferences: BTreeMap<UserId, NotifyPreferences>,
    pub groups: Vec<Group>,
    /// Counts what is done.
    now: u64,
}

impl Dumb {
    fn named(&self, text: &str) -> BTreeSet<UserId> {
        let found = spans::find(text).mentions;
        let who = |handle: &str| self.people.iter().find(|(_, name)| name == handle).map(|(id, _)| *id);
        found.iter().filter_map(|mention| who(&mention.handle)).collect()
    }

    fn are_apart(&self, one: UserId, other: UserId) -> bool {
        self.blocks.contains(&(one, other)) || self.blocks.contains(&(other, one))
    }

    fn hides(&self, viewer: UserId, other: UserId) -> bool {
        self.are_apart(viewer, other) || self.mutes.contains(&(viewer, other))
    }

    pub fn sees(&self, viewer: UserId, post: &APost) -> bool {
        let admitted = post.admitted.as_ref().is_some_and(|people| people.contains(&viewer));
        viewer == post.author
            || !self.are_apart(viewer, post.author)
                && match post.visibility {
                    Visibility::Public => true,
                    Visibility::Followers => admitted || self.follows.contains(&(viewer, post.author)),
                    Visibility::Mentioned => admitted,
                    Visibility::Private => false,
                }
    }

    fn hears_of(&self, user: UserId, kind: Kind, actor: UserId) -> bool {
        let said = self.preferences.get(&user).copied().unwrap_or_default();
        let said = match kind {
            Kind::Follow => said.follow,
            Kind::Request => said.request,
            Kind::Mention => said.mention,
            Kind::Comment => said.comment,
            Kind::Reply => said.reply,
            Kind::Reaction => said.reaction,
            Kind::Repost => said.repost,
            Kind::Quote => said.quote,
        };
        user != actor
            && !self.hides(user, actor)
            && match said.unwrap_or_default() {
                HeardFrom::Everyone => true,
                HeardFrom::Followed => self.follows.contains(&(user, actor)),
                HeardFrom::Nobody => false,
            }
    }

    fn notify(&mut self, user: UserId, kind: Kind, about: (Uuid, Option<PostId>), actor: UserId, thing: Option<Uuid>) {
        if !self.hears_of(user, kind, actor) {
            return;
        }
        let (subject, post) = about;
        let there = |group: &Group| group.notes.iter().any(|note| note.actor == actor && note.thing == thing);
        let same = |group: &&mut Group| group.user == user && group.kind == kind && group.subject == subject;
        if self.groups.iter_mut().filter(same).any(|group| there(group)) {
            return;
        }
        let open = self.groups.iter_mut().filter(same).find(|group| !group.closed);
        let group = match open {
            Some(group) => group,
            None => {
                let (notes, came) = (Vec::new(), BTreeMap::new());
                self.groups.push(Group {
                    user,
                    kind,
                    subject,
                    post,
                    notes,
                    came,
                    place: 0,
                    last: None,
                    read: false,
                    covered: false,
                    closed: false,
                });
                self.groups.last_mut().expect("just put there")
            }
        };
        group.notes.push(Note { actor, thing });
        group.came.insert(actor, self.now);
        (group.place, group.last, group.read, group.covered) = (self.now, thing, false, false);
    }

    /// Takes back what answers this.
    fn take_back(&mut self, gone: impl Fn(&Group, &Note) -> bool) {
        for group in &mut self.groups {
            let mut notes = std::mem::take(&mut group.notes);
            notes.retain(|note| {
                let goes = gone(group, note);
                if goes && note.thing.is_some() && group.last == note.thing {
                    group.last = None;
                }
                !goes
            });
            group.came.retain(|actor, _| notes.iter().any(|note| note.actor == *actor));
            group.notes = notes;
        }
    }

    /// What somebody sees, newest first, and how many are unread.
    pub fn shown(&self, user: UserId) -> (Vec<(u64, Shown)>, u32) {
        let (mut all, mut unread) = (Vec::new(), 0);
        for group in self.groups.iter().filter(|group| group.user == user) {
            let mut actors: Vec<(u64, UserId)> = group
                .came
                .iter()
                .filter(|(actor, _)| !self.hides(user, **actor))
                .map(|(who, at)| (*at, *who))
                .collect();
            actors.sort_unstable_by(|one, other| other.cmp(one));
            if actors.is_empty() {
                continue;
            }
            unread += u32::from(!group.read && !group.covered);
            let on_comment = group.post.is_some_and(|post| post.0 != group.subject);
            all.push((
                group.place,
                Shown {
                    kind: group.kind,
                    post: group.post,
                    comment: on_comment.then_some(CommentId(group.subject)),
                    last: group.last,
                    count: u32::try_from(actors.len()).expect("few"),
                    actors: actors.into_iter().take(3).map(|(_, who)| who).collect(),
                    read: group.read,
                },
            ));
        }
        all.sort_by(|one, other| other.cmp(one));
        (all, unread)
    }

    /// Somebody has read what they see of these groups, or everything.
    pub fn reads(&mut self, user: UserId, these: Option<&[usize]>) {
        let hidden: BTreeSet<UserId> =
            self.people.iter().map(|(id, _)| *id).filter(|other| self.hides(user, *other)).collect();
        for (nth, group) in self.groups.iter_mut().enumerate().filter(|(_, group)| group.user == user) {
            let seen = group.came.keys().any(|actor| !hidden.contains(actor));
            match these {
                None => {
                    group.covered = true;
                    group.closed |= group.kind == Kind::Follow && !group.notes.is_empty();
                }
                Some(these) if these.contains(&nth) && seen && !group.read && !group.covered => {
                    group.read = true;
                    group.closed |= group.kind == Kind::Follow;
                }
                Some(_) => {}
            }
        }
    }

    /// A command that was done.
    pub fn does(&mut self, command: &Command) {
        self.now += 1;
        let actor = command.actor;
        match &command.act {
            Act::Follow { whom } => {
                self.follows.insert((actor, *whom));
                self.notify(*whom, Kind::Follow, (whom.0, None), actor, None);
            }
            Act::Unfollow { whom } => self.unfollows(actor, *whom),
            Act::PostCreate { id, text, extra, .. } => {
                let text = text.as_ref().map_or("", |text| text.as_str());
                let extra = extra.as_deref().cloned().unwrap_or_default();
                let people = self.named(text);
                let admitted = (extra.visibility != Visibility::Public && !people.is_empty()).then(|| people.clone());
                let is_repost = text.is_empty();
                let visibility = extra.visibility;
                self.posts.insert(*id, APost { author: actor, visibility, people, admitted, of: extra.of, is_repost });
                self.tells_of_post(*id, true);
            }
            Act::PostUpdate { id, text, change, .. } => self.edits(*id, text.as_str(), change.visibility),
            Act::PostDelete { id } => {
                self.take_back(|group, note| group.post == Some(*id) || note.thing == Some(id.0));
                self.groups.retain(|group| group.post != Some(*id));
                self.posts.remove(id);
                self.comments.retain(|_, comment| comment.on != *id);
            }
            Act::CommentCreate { id, post, parent, text } => {
                let parent_author = parent.and_then(|parent| self.comments.get(&parent)).map(|one| one.author);
                self.comments.insert(*id, AComment { author: actor, on: *post, parent_author, removed: false });
                self.tells_of_comment(*id, *parent, text.as_str());
            }
            Act::CommentUpdate { id, text, .. } => {
                let people = self.named(text.as_str());
                self.take_back(|group, note| {
                    note.thing == Some(id.0) && group.kind == Kind::Mention && !people.contains(&group.user)
                });
                self.mentions_in(*id, text.as_str());
            }
            Act::CommentDelete { id } => {
                self.comments.get_mut(id).expect("it was done").removed = true;
                self.take_back(|_, note| note.thing == Some(id.0));
            }
            Act::Deed(deed) => self.does_deed(actor, deed),
            other => panic!("not in the script: {other:?}"),
        }
    }

    fn does_deed(&mut self, actor: UserId, deed: &Deed) {
        match deed {
            Deed::Block { whom } => {
                self.blocks.insert((actor, *whom));
                self.unfollows(actor, *whom);
                self.unfollows(*whom, actor);
            }
            Deed::Unblock { whom } => drop(self.blocks.remove(&(actor, *whom))),
            Deed::Mute { whom, .. } => drop(self.mutes.insert((actor, *whom))),
            Deed::Unmute { whom } => drop(self.mutes.remove(&(actor, *whom))),
            Deed::React { post, .. } => {
                self.reactions.insert((actor, *post));
                let author = self.posts[post].author;
                self.notify(author, Kind::Reaction, (post.0, Some(*post)), actor, None);
            }
            Deed::Unreact { post } => {
                self.reactions.remove(&(actor, *post));
                self.take_back(|group, note| {
                    group.kind == Kind::Reaction && group.subject == post.0 && note.actor == actor
                });
            }
            Deed::PreferNotifications(change) => {
                let said = self.preferences.entry(actor).or_default();
                for (was, is) in [
                    (&mut said.follow, change.follow),
                    (&mut said.mention, change.mention),
                    (&mut said.comment, change.comment),
                    (&mut said.reply, change.reply),
                    (&mut said.reaction, change.reaction),
                    (&mut said.repost, change.repost),
                    (&mut said.quote, change.quote),
                ] {
                    *was = is.or(*was);
                }
            }
            other => panic!("not in the script: {other:?}"),
        }
    }

    fn unfollows(&mut self, follower: UserId, followee: UserId) {
        self.follows.remove(&(follower, followee));
        self.take_back(|group, note| group.kind == Kind::Follow && group.user == followee && note.actor == follower);
    }

    fn tells_of_post(&mut self, id: PostId, is_new: bool) {
        let post = self.posts[&id].clone();
        let original = post.of.and_then(|of| Some((of, self.posts.get(&of)?.author)));
        if let Some((of, author)) = original.filter(|(_, author)| is_new && self.sees(*author, &post)) {
            let kind = if post.is_repost { Kind::Repost } else { Kind::Quote };
            self.notify(author, kind, (of.0, Some(of)), post.author, Some(id.0));
        }
        for user in post.people.iter().copied() {
            if original.is_none_or(|(_, author)| author != user) && self.sees(user, &post) {
                self.notify(user, Kind::Mention, (id.0, Some(id)), post.author, Some(id.0));
            }
        }
    }

    fn edits(&mut self, id: PostId, text: &str, visibility: Option<Visibility>) {
        let people = self.named(text);
        let post = self.posts.get_mut(&id).expect("it was done");
        post.people.clone_from(&people);
        post.visibility = visibility.unwrap_or(post.visibility);
        if (post.visibility != Visibility::Public || post.admitted.is_some()) && !people.is_empty() {
            post.admitted.get_or_insert_default().extend(people.iter().copied());
        }
        let post = post.clone();
        let blind: BTreeSet<UserId> =
            self.people.iter().map(|(who, _)| *who).filter(|who| !self.sees(*who, &post)).collect();
        let restricted = post.visibility != Visibility::Public;
        self.take_back(|group, note| {
            let of_this = note.thing == Some(id.0);
            of_this && group.kind == Kind::Mention && !people.contains(&group.user)
                || restricted && (of_this || group.post == Some(id)) && blind.contains(&group.user)
        });
        self.tells_of_post(id, false);
    }

    fn tells_of_comment(&mut self, id: CommentId, parent: Option<CommentId>, text: &str) {
        let comment = self.comments[&id].clone();
        let post = self.posts[&comment.on].clone();
        let thing = Some(id.0);
        if let Some((parent, author)) = parent.zip(comment.parent_author)
            && self.sees(author, &post)
        {
            self.notify(author, Kind::Reply, (parent.0, Some(comment.on)), comment.author, thing);
        }
        if comment.parent_author != Some(post.author) {
            let about = (comment.on.0, Some(comment.on));
            self.notify(post.author, Kind::Comment, about, comment.author, thing);
        }
        self.mentions_in(id, text);
    }

    fn mentions_in(&mut self, id: CommentId, text: &str) {
        let comment = self.comments[&id].clone();
        let post = self.posts[&comment.on].clone();
        for user in self.named(text) {
            if user != post.author && Some(user) != comment.parent_author && self.sees(user, &post) {
                self.notify(user, Kind::Mention, (id.0, Some(comment.on)), comment.author, Some(id.0));
            }
        }
    }
}
