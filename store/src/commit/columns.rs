//! The arrays that `commit_batch` takes: one element for each command in each, or nothing where no command needs them.
//! Must never decide anything; the numbers of the acts are those of the migration.

use secrecy::ExposeSecret;
use serde::Serialize;
use tidings_actors::command::{Act, Command};
use tidings_protocol::entity::PostExtra;
use tidings_protocol::media::PictureRef;
use tidings_protocol::position::Seq;
use tidings_protocol::spans;
use uuid::Uuid;

use crate::{deeds, shape};

/// Parallel arrays. Those after `actors` are cut behind the last command that needs them: `unnest` pads with nulls.
#[derive(Default)]
pub(super) struct Columns<'c> {
    pub(super) acts: Vec<i16>,
    pub(super) actors: Vec<Uuid>,
    pub(super) ids: Vec<Option<Uuid>>,
    pub(super) texts: Vec<Option<&'c str>>,
    pub(super) if_revs: Vec<Option<i64>>,
    pub(super) on_posts: Vec<Option<Uuid>>,
    pub(super) parents: Vec<Option<Uuid>>,
    pub(super) bios: Vec<Option<&'c str>>,
    pub(super) handles: Vec<Option<&'c str>>,
    pub(super) emails: Vec<Option<&'c str>>,
    pub(super) hashes: Vec<Option<&'c str>>,
    /// As JSON: what not every post has, whom a comment mentions, or a deed's arguments.
    pub(super) args: Vec<Option<String>>,
}

/// Sets the element at `at`, padding what is before it.
fn put<T>(column: &mut Vec<Option<T>>, at: usize, element: Option<T>) {
    if let Some(element) = element {
        column.resize_with(at, || None);
        column.push(Some(element));
    }
}

impl<'c> Columns<'c> {
    pub(super) fn of(commands: &'c [Command]) -> Self {
        let mut columns = Self {
            acts: Vec::with_capacity(commands.len()),
            actors: Vec::with_capacity(commands.len()),
            ids: Vec::with_capacity(commands.len()),
            texts: Vec::with_capacity(commands.len()),
            ..Self::default()
        };
        for (at, command) in commands.iter().enumerate() {
            columns.acts.push(number(&command.act));
            columns.actors.push(command.actor.0);
            columns.put(at, &command.act);
        }
        columns
    }

    fn put(&mut self, at: usize, act: &'c Act) {
        match act {
            Act::UserCreate { handle, name, email, password_hash } => {
                put(&mut self.handles, at, Some(handle.as_str()));
                put(&mut self.texts, at, Some(name.as_str()));
                put(&mut self.emails, at, Some(email.expose_secret()));
                put(&mut self.hashes, at, Some(password_hash.expose_secret()));
            }
            Act::UserUpdate { name, bio, change, if_rev } => {
                put(&mut self.texts, at, name.as_ref().map(|name| name.as_str()));
                put(&mut self.bios, at, bio.as_ref().map(|bio| bio.as_str()));
                self.put_rev(at, *if_rev);
                put(&mut self.args, at, Some(json(change)).filter(|change| change != "{}"));
            }
            Act::Follow { whom } | Act::Unfollow { whom } => {
                put(&mut self.ids, at, Some(whom.0));
            }
            Act::PostCreate { id, text, extra, pictures } => {
                put(&mut self.ids, at, Some(id.0));
                put(&mut self.texts, at, text.as_ref().map(|text| text.as_str()));
                put(&mut self.args, at, asked(extra.as_deref(), pictures));
            }
            Act::PostUpdate { id, text, change, if_rev } => {
                self.put_text(at, id.0, text.as_str());
                self.put_rev(at, *if_rev);
                put(&mut self.args, at, Some(json(change)).filter(|change| change != "{}"));
            }
            Act::Deed(deed) => {
                put(&mut self.ids, at, deed.thing());
                put(&mut self.args, at, Some(json(deed)));
            }
            Act::PostDelete { id } => put(&mut self.ids, at, Some(id.0)),
            Act::CommentCreate { id, post, parent, text } => {
                self.put_text(at, id.0, text.as_str());
                put(&mut self.on_posts, at, Some(post.0));
                put(&mut self.parents, at, parent.map(|parent| parent.0));
                put(&mut self.args, at, mentions(text.as_str()));
            }
            Act::CommentUpdate { id, text, if_rev } => {
                self.put_text(at, id.0, text.as_str());
                self.put_rev(at, *if_rev);
                put(&mut self.args, at, mentions(text.as_str()));
            }
            Act::CommentDelete { id } => put(&mut self.ids, at, Some(id.0)),
            Act::SessionRevoke { session } => {
                put(&mut self.ids, at, session.map(|session| session.0));
            }
        }
    }

    fn put_text(&mut self, at: usize, id: Uuid, text: &'c str) {
        put(&mut self.ids, at, Some(id));
        put(&mut self.texts, at, Some(text));
    }

    fn put_rev(&mut self, at: usize, if_rev: Option<Seq>) {
        put(&mut self.if_revs, at, if_rev.map(shape::stored));
    }
}

/// What a new post is to have besides its text; none if nothing.
fn asked(extra: Option<&PostExtra>, media: &[PictureRef]) -> Option<String> {
    #[derive(Serialize)]
    struct Asked<'a> {
        #[serde(flatten)]
        extra: Option<&'a PostExtra>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        media: &'a [PictureRef],
    }
    (extra.is_some() || !media.is_empty()).then(|| json(&Asked { extra, media }))
}

/// Whom a comment mentions, as posts say it; none if nobody.
fn mentions(text: &str) -> Option<String> {
    let extra = PostExtra { mentions: spans::find(text).mentions, ..PostExtra::default() };
    (!extra.mentions.is_empty()).then(|| json(&extra))
}

/// What the wire's own types encode to.
fn json(args: &impl Serialize) -> String {
    serde_json::to_string(args).expect("commands have string keys and cannot fail to encode")
}

/// The act's number in the migration and in `journal.kind`.
const fn number(act: &Act) -> i16 {
    match act {
        Act::UserCreate { .. } => 1,
        Act::UserUpdate { .. } => 2,
        Act::Follow { .. } => 3,
        Act::Unfollow { .. } => 4,
        Act::PostCreate { .. } => 5,
        Act::PostUpdate { .. } => 6,
        Act::PostDelete { .. } => 7,
        Act::CommentCreate { .. } => 8,
        Act::CommentUpdate { .. } => 9,
        Act::CommentDelete { .. } => 10,
        Act::SessionRevoke { .. } => 11,
        Act::Deed(deed) => deeds::number(deed),
    }
}
