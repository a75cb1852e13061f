//! The present state of a feed, with the `seq` it is as of.
//! Must never be put together from two statements: what is between them would be told twice or never.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use tidings_actors::entry::Change;
use tidings_actors::ports::StoreFault;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::UserId;
use tidings_protocol::push::EventName;
use tidings_protocol::reply::Snapshot;

use crate::shape::{self, Entity, EntityRow, unexpected};
use crate::store::Store;
use crate::{faults, line};

impl Store {
    pub(super) async fn read_snapshot(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        limit: u16,
    ) -> Result<Option<Snapshot>, StoreFault> {
        match feed {
            FeedName::Home | FeedName::Global | FeedName::User(_) | FeedName::Tag(_) | FeedName::List(_) => {
                let list = self.list(viewer, feed, None, limit).await?;
                Ok(list.map(|list| Snapshot {
                    user: list.user,
                    posts: Some(list.posts),
                    pinned: matches!(feed, FeedName::User(_)).then_some(list.pinned),
                    next: list.next,
                    ..Snapshot::empty(feed, list.as_of)
                }))
            }
            FeedName::Post(post) => {
                let thread = self.thread(viewer, post, None, limit).await?;
                Ok(thread.map(|thread| Snapshot {
                    post: Some(thread.post),
                    comments: Some(thread.comments),
                    answers: Some(thread.answers),
                    next: thread.next,
                    ..Snapshot::empty(feed, thread.as_of)
                }))
            }
            FeedName::Notifications => match viewer {
                Some(viewer) => {
                    let notes = self.notes(viewer, None, limit).await?;
                    Ok(Some(Snapshot {
                        notifications: Some(notes.notifications),
                        reading: Some(notes.reading),
                        next: notes.next,
                        ..Snapshot::empty(feed, notes.as_of)
                    }))
                }
                None => Ok(None),
            },
            FeedName::Mod => match viewer {
                Some(viewer) => {
                    let cases = self.cases(viewer, false, None, limit).await?;
                    Ok(cases.map(|part| Snapshot {
                        cases: Some(part.entities),
                        next: part.next,
                        ..Snapshot::empty(feed, part.as_of)
                    }))
                }
                None => Ok(None),
            },
            // A stream: it begins here.
            FeedName::Firehose => Ok(Some(Snapshot::empty(feed, shape::seq(self.newest_row().await?)?))),
            FeedName::Me => match viewer {
                Some(viewer) => self.me(viewer).await,
                None => Ok(None),
            },
        }
    }

    async fn me(&self, viewer: UserId) -> Result<Option<Snapshot>, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            EntityRow,
            r#"select h.seq as as_of, (select journal_epoch()) as "epoch!",
                      s.kind, s.id, s.rev, s.seq, s.removed, s.author, s.author_rev, s.handle, s.name,
                      s.text, s.created_ms, s.edited_ms, s.object, s.parent, s.depth, s.bio, s.role,
                      s.extra, s.scope
                 from journal_head h
                 join lateral (
                      select * from user_states u where u.id = $1
                      union all
                      select * from follow_states f where f.id = $1 and not f.removed
                      union all
                      select * from own_changes($1, -1) o where not o.removed
                      ) s on true
                order by s.kind, case when s.kind < 46 then s.rev else s.seq end"#,
            viewer.0
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        let Some(place) = rows.first() else {
            return Ok(None);
        };
        let mut snapshot = Snapshot::empty(FeedName::Me, shape::seq(place.as_of)?);
        let (mut follows, mut blocks, mut mutes) = (Vec::with_capacity(rows.len()), Vec::new(), Vec::new());
        let mut markers = Vec::new();
        let (mut requests, mut lists, mut filters) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match row.entity()? {
                Some(Entity::User(user)) => snapshot.user = Some(user),
                Some(Entity::Follow { follow, .. }) => follows.push(follow.followee),
                Some(Entity::Own { change: Change::Block { .. }, body }) => blocks.push(read(&body)?),
                Some(Entity::Own { change: Change::Mute { .. }, body }) => mutes.push(read(&body)?),
                Some(Entity::Own { change: Change::Own { event: EventName::MarkerUpdated, .. }, body }) => {
                    markers.push(read(&body)?);
                }
                Some(Entity::Own { change: Change::Own { event: EventName::PreferencesUpdated, .. }, body }) => {
                    snapshot.preferences = Some(read(&body)?);
                }
                Some(Entity::Own { change: Change::Own { event: EventName::SettingsUpdated, .. }, body }) => {
                    snapshot.settings = Some(read(&body)?);
                }
                Some(Entity::Own { change: Change::Request { .. }, body }) => requests.push(read(&body)?),
                Some(Entity::Own { change: Change::List { .. }, body }) => lists.push(read(&body)?),
                Some(Entity::Own { change: Change::Own { event: EventName::FilterUpdated, .. }, body }) => {
                    filters.push(read(&body)?);
                }
                _ => return Err(unexpected("entity in `me`")),
            }
        }
        snapshot.follows = Some(follows);
        snapshot.blocks = Some(blocks);
        snapshot.mutes = Some(mutes);
        snapshot.markers = Some(markers);
        snapshot.requests = Some(requests);
        snapshot.lists = Some(lists);
        snapshot.filters = Some(filters);
        Ok(Some(snapshot))
    }
}

fn read<E: DeserializeOwned>(body: &RawValue) -> Result<E, StoreFault> {
    serde_json::from_str(body.get()).map_err(|_| unexpected("body in `me`"))
}
