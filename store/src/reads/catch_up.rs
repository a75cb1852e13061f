//! Catch-up: what somebody has missed of their feeds, as a diff of state.
//! Must never replay history: an entity comes once, as it is now and as the viewer may see it now (P5).

use tidings_actors::entry::Verb;
use tidings_actors::ports::{Missed, StoreFault};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::position::Seq;
use uuid::Uuid;

use crate::shape::{self, Entity, EntityRow, entity_row, seq, stored, unexpected};
use crate::store::Store;
use crate::{faults, line};

/// The feeds asked for, as the statement takes them.
#[derive(Default)]
struct Wanted {
    /// Whose `home`.
    home: Option<Uuid>,
    /// Whose `me`.
    me: Option<Uuid>,
    /// Whose `notifications`.
    notifications: Option<Uuid>,
    /// For whom the moderators' feed.
    moderator: Option<Uuid>,
    global: bool,
    users: Vec<Uuid>,
    posts: Vec<Uuid>,
    tags: Vec<String>,
    firehose: bool,
    lists: Vec<Uuid>,
}

impl Wanted {
    fn of(viewer: Option<UserId>, feeds: &[FeedName]) -> Self {
        let viewer = viewer.map(|viewer| viewer.0);
        let mut wanted = Self::default();
        for feed in feeds {
            match feed {
                FeedName::Home => wanted.home = viewer,
                FeedName::Me => wanted.me = viewer,
                FeedName::Notifications => wanted.notifications = viewer,
                FeedName::Mod => wanted.moderator = viewer,
                FeedName::Global => wanted.global = true,
                FeedName::User(user) => wanted.users.push(user.0),
                FeedName::Post(post) => wanted.posts.push(post.0),
                FeedName::Firehose => wanted.firehose = true,
                FeedName::Tag(tag) => wanted.tags.push(tag.to_string()),
                FeedName::List(list) => wanted.lists.push(list.0),
            }
        }
        wanted
    }
}

struct MissedRow {
    floor: i64,
    /// Whom the viewer follows has changed.
    restart_circle: bool,
    /// Who is hidden from the viewer has changed.
    restart_all: bool,
    /// Whether the viewer looks after what others write has changed, or they do not.
    restart_mod: bool,
    /// Who is in the viewer's lists has changed.
    restart_lists: bool,
    /// Lists of those asked for that are the viewer's.
    lists: Vec<Uuid>,
    entity: EntityRow,
}

impl MissedRow {
    fn restarts(&self, feed: FeedName) -> bool {
        match feed {
            FeedName::Home | FeedName::User(_) | FeedName::Post(_) => self.restart_circle || self.restart_all,
            FeedName::List(list) => {
                self.restart_lists || self.restart_circle || self.restart_all || !self.lists.contains(&list.0)
            }
            FeedName::Global | FeedName::Tag(_) | FeedName::Notifications => self.restart_all,
            FeedName::Mod => self.restart_mod || self.restart_all,
            FeedName::Me | FeedName::Firehose => false,
        }
    }
}

impl Store {
    pub(super) async fn read_missed(
        &self,
        viewer: Option<UserId>,
        feeds: &[FeedName],
        since: Seq,
        limit: usize,
    ) -> Result<Missed, StoreFault> {
        let wanted = Wanted::of(viewer, feeds);
        let most = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
        let rows = self.missed_rows(viewer, &wanted, stored(since), most).await?;
        let place = rows.first().ok_or_else(|| unexpected("silence"))?;
        let mut missed = Missed {
            seq: seq(place.entity.as_of)?,
            entries: Vec::new(),
            restart: Vec::new(),
            too_much: since < seq(place.floor)?,
        };
        missed.restart.extend(feeds.iter().copied().filter(|&feed| place.restarts(feed)));
        for row in rows {
            missed.entries.extend(entry(row.entity, since)?);
        }
        if missed.too_much || missed.entries.len() > limit {
            missed.too_much = true;
            missed.entries.clear();
            missed.restart.clear();
        }
        Ok(missed)
    }

    async fn missed_rows(
        &self,
        viewer: Option<UserId>,
        wanted: &Wanted,
        since: i64,
        most: i64,
    ) -> Result<Vec<MissedRow>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_file!(
            "src/reads/catch_up.sql",
            wanted.home,
            wanted.me,
            wanted.global || wanted.firehose,
            &wanted.users,
            &wanted.posts,
            since,
            most,
            viewer.map(|viewer| viewer.0),
            &wanted.tags,
            wanted.notifications,
            wanted.moderator,
            wanted.firehose,
            &wanted.lists
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        Ok(rows
            .into_iter()
            .map(|row| MissedRow {
                floor: row.floor,
                restart_circle: row.restart_circle,
                restart_all: row.restart_all,
                restart_mod: row.restart_mod,
                restart_lists: row.restart_lists,
                lists: row.lists,
                entity: entity_row!(row),
            })
            .collect())
    }
}

fn entry(row: EntityRow, since: Seq) -> Result<Option<tidings_actors::entry::Entry>, StoreFault> {
    let (Some(rev), Some(created)) = (row.rev, row.seq) else {
        return Ok(None);
    };
    let verb = if seq(created)? >= since { Verb::Created } else { Verb::Updated };
    let at = seq(rev)?;
    row.legible().map(|entity: Entity| shape::entry(at, verb, &entity, since)).transpose()
}
