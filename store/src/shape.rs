//! Gives rows the wire's shape: the one place where a stored entity becomes what a client sees.
//! Must never let anything of a tombstone through but its id, its `rev` and, for a comment, its place in the thread.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::value::RawValue;
use tidings_actors::entry::{Change, Entry, Scope, Verb};
use tidings_actors::ports::StoreFault;
use tidings_protocol::entity::{
    Author, Comment, CommentExtra, Follow, Post, PostExtra, Removed, Role, User, UserExtra,
};
use tidings_protocol::ids::{CommentId, ListId, PostId, UserId};
use tidings_protocol::media::Picture;
use tidings_protocol::position::{Epoch, Millis, Seq};
use uuid::Uuid;

use crate::deeds;

/// Between two words about rows that cannot be read.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// A row of the `…_states` views (migration 5) beside the state of the journal it was read at. All but the first two are null in a row
/// that only tells where the journal stands.
#[derive(Debug, Default)]
pub(crate) struct EntityRow {
    pub(crate) as_of: i64,
    pub(crate) epoch: i64,
    pub(crate) kind: Option<i16>,
    pub(crate) id: Option<Uuid>,
    pub(crate) rev: Option<i64>,
    pub(crate) seq: Option<i64>,
    pub(crate) removed: Option<bool>,
    pub(crate) author: Option<Uuid>,
    pub(crate) author_rev: Option<i64>,
    pub(crate) handle: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) text: Option<String>,
    pub(crate) created_ms: Option<i64>,
    pub(crate) edited_ms: Option<i64>,
    pub(crate) object: Option<Uuid>,
    pub(crate) parent: Option<Uuid>,
    pub(crate) depth: Option<i16>,
    pub(crate) bio: Option<String>,
    pub(crate) role: Option<i16>,
    pub(crate) extra: Option<String>,
    pub(crate) scope: Option<String>,
}

/// The [`EntityRow`] within a wider row.
macro_rules! entity_row {
    ($row:expr) => {
        $crate::shape::EntityRow {
            as_of: $row.as_of,
            epoch: $row.epoch,
            kind: $row.kind,
            id: $row.id,
            rev: $row.rev,
            seq: $row.seq,
            removed: $row.removed,
            author: $row.author,
            author_rev: $row.author_rev,
            handle: $row.handle,
            name: $row.name,
            text: $row.text,
            created_ms: $row.created_ms,
            edited_ms: $row.edited_ms,
            object: $row.object,
            parent: $row.parent,
            depth: $row.depth,
            bio: $row.bio,
            role: $row.role,
            extra: $row.extra,
            scope: $row.scope,
        }
    };
}
pub(crate) use entity_row;

/// An entity, alive or gone.
pub(crate) enum Entity {
    User(User),
    Follow {
        follow: Follow,
        active: bool,
    },
    Post {
        post: Post,
        scope: Option<Arc<Scope>>,
    },
    PostGone {
        gone: Removed,
        author: UserId,
        scope: Option<Arc<Scope>>,
    },
    /// What deeds are about: blocks, mutes and other things of one's own.
    Own {
        change: Change,
        body: Arc<RawValue>,
    },
    /// `removed` in it tells whether it is gone.
    Comment {
        comment: Comment,
        author: UserId,
        /// Of its post, where that is not for everybody.
        scope: Option<Arc<Scope>>,
    },
}

/// A number the database should never hold.
pub(crate) fn unexpected(what: &str) -> StoreFault {
    StoreFault::Broken(format!("unexpected {what}"))
}

/// A `seq` from its column.
pub(crate) fn seq(stored: i64) -> Result<Seq, StoreFault> {
    u64::try_from(stored).map(Seq).map_err(|_| unexpected("negative seq"))
}

/// A `seq` for its column. What is larger than any stored one stays so.
pub(crate) fn stored(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// Milliseconds from their column; a clock before 1970 reads as 1970.
pub(crate) fn millis(stored: i64) -> Millis {
    Millis(u64::try_from(stored).unwrap_or(0))
}

/// An epoch from its column: the same 64 bits.
pub(crate) fn epoch(stored: i64) -> Epoch {
    Epoch(stored.cast_unsigned())
}

/// A role from its column.
pub(crate) fn role(stored: i16) -> Result<Role, StoreFault> {
    match stored {
        0 => Ok(Role::User),
        1 => Ok(Role::Admin),
        2 => Ok(Role::Moderator),
        _ => Err(unexpected("role")),
    }
}

/// The columns of a profile.
pub(crate) struct UserRow {
    pub(crate) id: Uuid,
    pub(crate) rev: i64,
    pub(crate) handle: String,
    pub(crate) name: String,
    pub(crate) bio: String,
    pub(crate) role: i16,
    pub(crate) created_ms: i64,
    pub(crate) extra: Option<String>,
}

impl UserRow {
    /// The profile.
    pub(crate) fn user(self) -> Result<User, StoreFault> {
        let (id, rev, role) = (UserId(self.id), seq(self.rev)?, role(self.role)?);
        let extra = user_extra(self.extra.as_deref())?;
        let Self { handle, name, bio, .. } = self;
        Ok(User { id, rev, handle, name, bio, role, created_at: millis(self.created_ms), extra })
    }
}

/// The bytes of an entity, encoded once.
pub(crate) fn body(entity: &impl Serialize) -> Result<Arc<RawValue>, StoreFault> {
    serde_json::value::to_raw_value(entity).map(Arc::from).map_err(|_| unexpected("entity that JSON cannot hold"))
}

/// What not every profile has, from its column.
fn user_extra(stored: Option<&str>) -> Result<UserExtra, StoreFault> {
    stored.map_or_else(|| Ok(UserExtra::default()), |json| serde_json::from_str(json).map_err(|_| unexpected("extra")))
}

/// What not every post has, from its column.
pub(crate) fn extra(stored: Option<&str>) -> Result<PostExtra, StoreFault> {
    let Some(json) = stored else {
        return Ok(PostExtra::default());
    };
    let mut extra: PostExtra = serde_json::from_str(json).map_err(|_| unexpected("extra"))?;
    // Stored without their addresses, which are the server's and not the post's.
    extra.media = std::mem::take(&mut extra.media).into_iter().map(Picture::with_addresses).collect();
    Ok(extra)
}

/// What not every comment has, from its column.
pub(crate) fn comment_extra(stored: Option<&str>) -> Result<CommentExtra, StoreFault> {
    stored
        .map_or_else(|| Ok(CommentExtra::default()), |json| serde_json::from_str(json).map_err(|_| unexpected("extra")))
}

/// Who may see a post, from its column.
pub(crate) fn scope(stored: Option<&str>) -> Result<Option<Arc<Scope>>, StoreFault> {
    stored.map(|json| serde_json::from_str(json).map(Arc::new).map_err(|_| unexpected("scope"))).transpose()
}

/// A row that cannot be read: counted each time, told once in a while, since it may stand in a page that everybody asks for.
pub(crate) fn illegible(fault: &StoreFault, kind: Option<i16>, id: Option<Uuid>, rev: Option<i64>) {
    static TOLD: Mutex<Option<Instant>> = Mutex::new(None);
    metrics::counter!("tidings_illegible_rows_total").increment(1);
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
        *told = Some(Instant::now());
        tracing::error!(%fault, kind, ?id, rev, "a stored row cannot be read and is left out");
    }
}

fn need<T>(field: Option<T>) -> Result<T, StoreFault> {
    field.ok_or_else(|| unexpected("null"))
}

impl EntityRow {
    /// The entity of the row; none if the row only tells where the journal stands.
    pub(crate) fn entity(self) -> Result<Option<Entity>, StoreFault> {
        let Some(kind) = self.kind else {
            return Ok(None);
        };
        match kind {
            1 => self.user().map(Entity::User),
            2 => self.follow(),
            3 => self.post(),
            4 => self.comment(),
            act if act >= deeds::FIRST => self.own(act),
            _ => Err(unexpected("kind of entity")),
        }
        .map(Some)
    }

    /// As [`Self::entity`], for one row among others. One that cannot be read (damaged, or changed by hand) is left out, loudly: it must not
    /// take along the list, the thread or the stretch of journal that it stands in.
    pub(crate) fn legible(self) -> Option<Entity> {
        let (kind, id, rev) = (self.kind, self.id, self.rev);
        self.entity().unwrap_or_else(|fault| {
            illegible(&fault, kind, id, rev);
            None
        })
    }

    fn author(&mut self) -> Result<Author, StoreFault> {
        Ok(Author {
            id: UserId(need(self.author)?),
            rev: seq(need(self.author_rev)?)?,
            handle: need(self.handle.take())?,
            name: need(self.name.take())?,
        })
    }

    fn user(self) -> Result<User, StoreFault> {
        let row = UserRow {
            id: need(self.id)?,
            rev: need(self.rev)?,
            handle: need(self.handle)?,
            name: need(self.name)?,
            bio: need(self.bio)?,
            role: need(self.role)?,
            created_ms: need(self.created_ms)?,
            extra: self.extra,
        };
        row.user()
    }

    fn follow(self) -> Result<Entity, StoreFault> {
        Ok(Entity::Follow {
            follow: Follow {
                rev: seq(need(self.rev)?)?,
                follower: UserId(need(self.id)?),
                followee: UserId(need(self.object)?),
            },
            active: !need(self.removed)?,
        })
    }

    fn post(mut self) -> Result<Entity, StoreFault> {
        let (id, rev) = (need(self.id)?, seq(need(self.rev)?)?);
        let scope = scope(self.scope.as_deref())?;
        if need(self.removed)? {
            return Ok(Entity::PostGone { gone: Removed { id, rev }, author: UserId(need(self.author)?), scope });
        }
        let extra = extra(self.extra.as_deref())?;
        let post = Post {
            id: PostId(id),
            rev,
            seq: seq(need(self.seq)?)?,
            author: self.author()?,
            text: need(self.text)?,
            created_at: millis(need(self.created_ms)?),
            edited_at: self.edited_ms.map(millis),
            extra,
        };
        Ok(Entity::Post { post, scope })
    }

    fn own(self, act: i16) -> Result<Entity, StoreFault> {
        let actor = UserId(need(self.author)?);
        let (id, removed) = (need(self.id)?, need(self.removed)?);
        let change = if act == deeds::MEMBER {
            let verb = if removed { Verb::Removed } else { Verb::Created };
            Change::Listed { verb, owner: actor, list: ListId(need(self.object)?), member: UserId(id) }
        } else {
            deeds::change(act, actor, id, removed)?
        };
        Ok(Entity::Own { change, body: deeds::stored_body(need(self.extra)?)? })
    }

    fn comment(mut self) -> Result<Entity, StoreFault> {
        let scope = scope(self.scope.as_deref())?;
        let removed = need(self.removed)?;
        let author = self.author()?;
        let by = author.id;
        let comment = Comment {
            id: CommentId(need(self.id)?),
            rev: seq(need(self.rev)?)?,
            seq: seq(need(self.seq)?)?,
            post: PostId(need(self.object)?),
            parent: self.parent.map(CommentId),
            depth: u8::try_from(need(self.depth)?).map_err(|_| unexpected("depth"))?,
            removed,
            author: (!removed).then_some(author),
            text: if removed { None } else { Some(need(self.text)?) },
            created_at: millis(need(self.created_ms)?),
            edited_at: if removed { None } else { self.edited_ms.map(millis) },
            extra: if removed { CommentExtra::default() } else { comment_extra(self.extra.as_deref())? },
        };
        Ok(Entity::Comment { comment, author: by, scope })
    }
}

/// The entry numbered `seq` about an entity, for somebody who has heard nothing from `unheard` on. `verb` is what became of it if it is
/// alive; what is gone is `Removed`, but for a comment that came and went unheard: it is told as the placeholder that may still hold
/// answers in place, which are not unheard of (P4).
pub(crate) fn entry(seq: Seq, verb: Verb, entity: &Entity, unheard: Seq) -> Result<Entry, StoreFault> {
    let scope = match entity {
        Entity::Post { scope, .. } | Entity::PostGone { scope, .. } | Entity::Comment { scope, .. } => scope.clone(),
        Entity::User(_) | Entity::Follow { .. } | Entity::Own { .. } => None,
    };
    let (change, body) = match entity {
        Entity::User(user) => (Change::User { verb, id: user.id }, body(user)?),
        Entity::Follow { follow, active } => (
            Change::Follow {
                verb: if *active { Verb::Created } else { Verb::Removed },
                follower: follow.follower,
                followee: follow.followee,
            },
            body(follow)?,
        ),
        Entity::Own { change, body } => (*change, Arc::clone(body)),
        Entity::Post { post, .. } => (Change::Post { verb, id: post.id, author: post.author.id }, body(post)?),
        Entity::PostGone { gone, author, .. } => {
            (Change::Post { verb: Verb::Removed, id: PostId(gone.id), author: *author }, body(gone)?)
        }
        Entity::Comment { comment, author, .. } => {
            let (verb, body) = if comment.removed && comment.seq >= unheard {
                (Verb::Created, body(comment)?)
            } else if comment.removed {
                (Verb::Removed, body(&Removed { id: comment.id.0, rev: comment.rev })?)
            } else {
                (verb, body(comment)?)
            };
            let change = Change::Comment { verb, id: comment.id, post: comment.post, author: *author };
            (change, body)
        }
    };
    Ok(Entry { seq, change, body, scope })
}
