//! What `commit_batch` answered, as outcomes: the bodies of entries are built here, from the command and the row together.
//! Must never decide: the verdict is the database's.

use tidings_actors::command::{Act, Command, Committed, Denied, Outcome};
use tidings_actors::entry::{Change, Entry, Verb};
use tidings_actors::ports::StoreFault;
use tidings_protocol::entity::{Author, Comment, Follow, Post, Removed};
use tidings_protocol::ids::{CommentId, PostId, UserId};
use tidings_protocol::position::Seq;
use uuid::Uuid;

use crate::deeds;
use crate::shape::{self, Entity, EntityRow, UserRow, body, millis, seq, unexpected};

/// A post's kind in the `…_states`.
const POST: i16 = 3;

/// One row of `commit_batch`; see there.
pub(super) struct Answer {
    pub(super) ord: Option<i64>,
    pub(super) verdict: i16,
    pub(super) rev: Option<i64>,
    pub(super) epoch: i64,
    pub(super) at_ms: i64,
    pub(super) actor_rev: Option<i64>,
    pub(super) actor_handle: Option<String>,
    pub(super) actor_name: Option<String>,
    pub(super) author: Option<Uuid>,
    pub(super) seq: Option<i64>,
    pub(super) created_ms: Option<i64>,
    pub(super) edited_ms: Option<i64>,
    pub(super) text: Option<String>,
    pub(super) post: Option<Uuid>,
    pub(super) parent: Option<Uuid>,
    pub(super) depth: Option<i16>,
    pub(super) bio: Option<String>,
    pub(super) role: Option<i16>,
    pub(super) extra: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) body: Option<String>,
    pub(super) removed: Option<bool>,
    pub(super) told: Option<i16>,
    pub(super) object: Option<Uuid>,
}

/// Puts the answers, which come in any order, beside their commands.
pub(super) fn committed(commands: &[Command], answers: Vec<Answer>) -> Result<Committed, StoreFault> {
    let first = answers.first().ok_or_else(|| unexpected("silence"))?;
    let epoch = shape::epoch(first.epoch);
    let mut outcomes: Vec<Option<Outcome>> = vec![None; commands.len()];
    let mut brought = Vec::new();
    for answer in answers {
        let Some(ord) = answer.ord else {
            brought.push(brings(answer)?);
            continue;
        };
        let at = usize::try_from(ord - 1).map_err(|_| unexpected("ord"))?;
        let (Some(place), Some(command)) = (outcomes.get_mut(at), commands.get(at)) else {
            return Err(unexpected("ord"));
        };
        *place = Some(outcome(command, answer)?);
    }
    let outcomes =
        outcomes.into_iter().collect::<Option<Vec<_>>>().ok_or_else(|| unexpected("silence about a command"))?;
    brought.sort_unstable_by_key(|entry| entry.seq);
    Ok(Committed { epoch, outcomes, brought })
}

/// An entry of no command's.
fn brings(answer: Answer) -> Result<Entry, StoreFault> {
    let (user, id) = (UserId(need(answer.author)?), need(answer.post)?);
    let change = deeds::change(deeds::NOTIFICATION, user, id, need(answer.removed)?)?;
    Ok(Entry { seq: seq(need(answer.rev)?)?, change, body: deeds::stored_body(need(answer.body)?)?, scope: None })
}

fn outcome(command: &Command, answer: Answer) -> Result<Outcome, StoreFault> {
    let denied = match answer.verdict {
        0 => return Ok(Outcome::Done(entry(command, answer)?)),
        // It was done, and what it was about is gone since, with all that was done to it.
        1 if answer.told == Some(POST) && answer.removed == Some(true) => Denied::NotFound,
        1 => return Ok(Outcome::Duplicate(entry(command, answer)?)),
        2 => Denied::NoAccount,
        3 => Denied::NotFound,
        4 => Denied::Forbidden,
        5 => Denied::IdTaken,
        6 => Denied::HandleTaken,
        7 => Denied::EmailTaken,
        8 => Denied::Stale,
        9 => Denied::TooDeep,
        10 => Denied::Oneself,
        11 => Denied::Blocked,
        12 => Denied::Suspended,
        13 => Denied::NotPublic,
        14 => Denied::TooManyPinned,
        16 => Denied::Closed,
        18 => {
            Denied::NoPicture { field: if matches!(command.act, Act::UserUpdate { .. }) { "avatar" } else { "media" } }
        }
        17 => Denied::TooSoon { after_ms: wait(&answer)? },
        15 => Denied::AsksFirst,
        19 => Denied::TooMany,
        20 => Denied::BeingPublished,
        25 => Denied::NoSuchTime,
        33 => Denied::NotModerator,
        26 => Denied::Claimed,
        27 => Denied::Protected,
        28 => Denied::NoAppeal,
        29 => Denied::Misplaced,
        30 => Denied::AlreadySo,
        31 => Denied::AppealOpen,
        32 => Denied::OwnDecision,
        35 => Denied::OtherPassword,
        _ => return Err(unexpected("verdict")),
    };
    Ok(Outcome::Refused(denied))
}

/// How long somebody has to wait in a slow thread.
fn wait(answer: &Answer) -> Result<u64, StoreFault> {
    // None: it is slow no longer.
    let until = answer.edited_ms.unwrap_or(answer.at_ms);
    u64::try_from((until - answer.at_ms).max(1)).map_err(|_| unexpected("wait"))
}

fn entry(command: &Command, answer: Answer) -> Result<Entry, StoreFault> {
    let at = seq(need(answer.rev)?)?;
    let scope = shape::scope(answer.scope.as_deref())?;
    let (change, body) = match &command.act {
        Act::UserCreate { .. } => profile(Verb::Created, command.actor, answer)?,
        Act::UserUpdate { .. } => profile(Verb::Updated, command.actor, answer)?,
        Act::Follow { whom } => pair(Verb::Created, command.actor, *whom, at)?,
        Act::Unfollow { whom } => pair(Verb::Removed, command.actor, *whom, at)?,
        Act::PostCreate { id, text, .. } => {
            post(Verb::Created, *id, text.as_ref().map_or("", |text| text.as_str()), command.actor, answer)?
        }
        Act::PostUpdate { id, text, .. } => post(Verb::Updated, *id, text.as_str(), command.actor, answer)?,
        Act::PostDelete { id } => (
            Change::Post { verb: Verb::Removed, id: *id, author: UserId(need(answer.author)?) },
            body(&Removed { id: id.0, rev: at })?,
        ),
        Act::CommentCreate { id, text, .. } => comment(Verb::Created, *id, text.as_str(), command.actor, answer)?,
        Act::CommentUpdate { id, text, .. } => comment(Verb::Updated, *id, text.as_str(), command.actor, answer)?,
        Act::CommentDelete { id } => (
            Change::Comment {
                verb: Verb::Removed,
                id: *id,
                post: PostId(need(answer.post)?),
                author: UserId(need(answer.author)?),
            },
            body(&Removed { id: id.0, rev: at })?,
        ),
        Act::Deed(deed) if answer.told.is_none() => {
            let thing = deed.thing().unwrap_or(command.actor.0);
            let change = deeds::change(deeds::number(deed), command.actor, thing, true)?;
            (change, deeds::never_was(deed, command.actor)?)
        }
        // Who knows what it was before the deed knows what came before its entry.
        Act::Deed(_) => return shape::entry(at, Verb::Updated, &answer.entity()?, at),
        Act::SessionRevoke { session } => {
            (Change::SessionRevoked { user: command.actor, session: *session }, body(&serde_json::Map::new())?)
        }
    };
    Ok(Entry { seq: at, change, body, scope })
}

type Told = (Change, std::sync::Arc<serde_json::value::RawValue>);

fn need<T>(field: Option<T>) -> Result<T, StoreFault> {
    field.ok_or_else(|| unexpected("null in an answer"))
}

fn pair(verb: Verb, follower: UserId, followee: UserId, rev: Seq) -> Result<Told, StoreFault> {
    let change = Change::Follow { verb, follower, followee };
    Ok((change, body(&Follow { rev, follower, followee })?))
}

fn profile(verb: Verb, id: UserId, answer: Answer) -> Result<Told, StoreFault> {
    let row = UserRow {
        id: id.0,
        rev: need(answer.rev)?,
        handle: need(answer.actor_handle)?,
        name: need(answer.actor_name)?,
        bio: need(answer.bio)?,
        role: need(answer.role)?,
        created_ms: need(answer.created_ms)?,
        extra: answer.extra,
    };
    let user = row.user()?;
    Ok((Change::User { verb, id }, body(&user)?))
}

impl Answer {
    /// What a deed was about.
    fn entity(self) -> Result<Entity, StoreFault> {
        let row = EntityRow {
            as_of: 0,
            epoch: self.epoch,
            kind: self.told,
            id: self.post,
            rev: self.rev,
            seq: self.seq,
            removed: self.removed,
            author: self.author,
            author_rev: self.actor_rev,
            handle: self.actor_handle,
            name: self.actor_name,
            text: self.text,
            created_ms: self.created_ms,
            edited_ms: self.edited_ms,
            object: self.object,
            parent: self.parent,
            depth: self.depth,
            bio: self.bio,
            role: self.role,
            extra: self.extra.or(self.body),
            scope: self.scope,
        };
        need(row.entity()?)
    }

    /// Whoever creates or changes something is its author.
    fn author(&mut self, id: UserId) -> Result<Author, StoreFault> {
        Ok(Author {
            id,
            rev: seq(need(self.actor_rev)?)?,
            handle: need(self.actor_handle.take())?,
            name: need(self.actor_name.take())?,
        })
    }

    /// The present text, where it is another than the command's: a create asked again after an edit.
    fn text(&mut self, wanted: &str) -> String {
        self.text.take().unwrap_or_else(|| wanted.to_owned())
    }
}

fn post(verb: Verb, id: PostId, text: &str, actor: UserId, mut answer: Answer) -> Result<Told, StoreFault> {
    let post = Post {
        id,
        rev: seq(need(answer.rev)?)?,
        seq: seq(need(answer.seq)?)?,
        author: answer.author(actor)?,
        text: answer.text(text),
        created_at: millis(answer.created_ms.unwrap_or(answer.at_ms)),
        edited_at: answer.edited_ms.map(millis),
        extra: shape::extra(answer.extra.as_deref())?,
    };
    let change = Change::Post { verb, id, author: actor };
    Ok((change, body(&post)?))
}

fn comment(verb: Verb, id: CommentId, text: &str, actor: UserId, mut answer: Answer) -> Result<Told, StoreFault> {
    let comment = Comment {
        id,
        rev: seq(need(answer.rev)?)?,
        seq: seq(need(answer.seq)?)?,
        post: PostId(need(answer.post)?),
        parent: answer.parent.map(CommentId),
        depth: u8::try_from(need(answer.depth)?).map_err(|_| unexpected("depth"))?,
        removed: false,
        author: Some(answer.author(actor)?),
        text: Some(answer.text(text)),
        created_at: millis(need(answer.created_ms)?),
        edited_at: answer.edited_ms.map(millis),
        extra: shape::comment_extra(answer.extra.as_deref())?,
    };
    let change = Change::Comment { verb, id, post: comment.post, author: actor };
    Ok((change, body(&comment)?))
}
