//! Viewers about to be served: whoever asks while a look-up is under way is looked up together with all others who do.
//! Must never answer from a statement that began before the question: a log-out in between would be missed (P5).

use tidings_actors::ports::{StoreFault, Viewer};
use tidings_protocol::ids::{ListId, SessionId, UserId};
use tidings_protocol::position::Seq;
use uuid::Uuid;

use crate::shape::{UserRow, seq};
use crate::store::Store;
use crate::{faults, line};

/// Somebody asked about, with the log-in they come by.
pub(crate) type Asked = (UserId, SessionId);
/// One answer: a row that cannot be read is the misfortune of the one it is about.
pub(crate) type Answer = Result<Option<Viewer>, StoreFault>;

struct ViewerRow {
    as_of: i64,
    nth: i64,
    id: Uuid,
    rev: i64,
    handle: String,
    name: String,
    bio: String,
    role: i16,
    created_ms: i64,
    extra: Option<String>,
    follows: Vec<Uuid>,
    blocks: Vec<Uuid>,
    blocked_by: Vec<Uuid>,
    muted: Vec<Uuid>,
    hides: bool,
    moderates: bool,
    lists: Vec<Uuid>,
    listed_in: Vec<Uuid>,
    listed: Vec<Uuid>,
    session_live: bool,
}

impl Store {
    pub(super) async fn read_viewer(&self, user: UserId, session: SessionId) -> Answer {
        self.viewers.ask((user, session), |asked| self.read_viewers(asked)).await
    }

    async fn read_viewers(&self, asked: Vec<Asked>) -> Vec<Answer> {
        let mut answers: Vec<Answer> = asked.iter().map(|_| Ok(None)).collect();
        match self.viewer_rows(&asked).await {
            Ok(rows) => {
                for row in rows {
                    let place = usize::try_from(row.nth).ok().and_then(|nth| answers.get_mut(nth.checked_sub(1)?));
                    if let Some(answer) = place {
                        *answer = row.viewer().map(Some);
                    }
                }
            }
            Err(fault) => answers.fill(Err(fault)),
        }
        answers
    }

    /// One statement for all, so that all of it belongs together.
    async fn viewer_rows(&self, asked: &[Asked]) -> Result<Vec<ViewerRow>, StoreFault> {
        let (users, sessions): (Vec<Uuid>, Vec<Uuid>) = asked.iter().map(|(user, session)| (user.0, session.0)).unzip();
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_as!(
            ViewerRow,
            r#"select h.seq as as_of, w.nth as "nth!", u.id, u.rev, u.handle, u.name, u.bio, u.role, u.created_ms, u.extra::text,
                      array(select f.followee from follows f where f.follower = u.id and f.active) as "follows!",
                      array(select k.blocked from blocks k where k.blocker = u.id and k.active) as "blocks!",
                      array(select k.blocker from blocks k where k.blocked = u.id and k.active) as "blocked_by!",
                      array(select m.muted from mutes m where m.muter = u.id and m.active) as "muted!",
                      exists(select from settings c
                              where c.user_id = u.id and c.choices ->> 'presence' = 'hidden') as "hides!",
                      u.role > 0 and u.standing = 0 as "moderates!",
                      array(select l.id from lists l where l.owner = u.id and not l.removed) as "lists!",
                      array(select m.list from list_members m
                             where m.owner = u.id and m.active order by m.list, m.member) as "listed_in!",
                      array(select m.member from list_members m
                             where m.owner = u.id and m.active order by m.list, m.member) as "listed!",
                      exists(select from sessions s
                              where s.id = w.session and s.user_id = u.id and s.revoked_ms is null) as "session_live!"
                 from journal_head h
                cross join unnest($1::uuid[], $2::uuid[]) with ordinality w (user_id, session, nth)
                 join users u on u.id = w.user_id"#,
            &users,
            &sessions
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}

impl Store {
    /// For so many at once.
    pub(super) async fn read_newest(&self, asked: usize) -> Vec<Result<Seq, StoreFault>> {
        vec![self.newest_row().await.and_then(seq); asked]
    }

    pub(super) async fn newest_row(&self) -> Result<i64, StoreFault> {
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query_scalar!("select seq from journal_head");
        let answer = line::timed(self.reads.patience(), question.fetch_one(line.open())).await;
        line.settle(answer).map_err(faults::store)
    }
}

impl ViewerRow {
    fn viewer(self) -> Result<Viewer, StoreFault> {
        let mut lists: Vec<_> = self.lists.into_iter().map(|list| (ListId(list), Vec::new())).collect();
        for (list, member) in self.listed_in.into_iter().zip(self.listed) {
            if let Some((_, members)) = lists.iter_mut().find(|(id, _)| id.0 == list) {
                members.push(UserId(member));
            }
        }
        let user = UserRow {
            id: self.id,
            rev: self.rev,
            handle: self.handle,
            name: self.name,
            bio: self.bio,
            role: self.role,
            created_ms: self.created_ms,
            extra: self.extra,
        };
        Ok(Viewer {
            seq: seq(self.as_of)?,
            user: user.user()?,
            follows: people(self.follows),
            blocks: people(self.blocks),
            blocked_by: people(self.blocked_by),
            muted: people(self.muted),
            hides: self.hides,
            moderates: self.moderates,
            lists,
            session_live: self.session_live,
        })
    }
}

fn people(ids: Vec<Uuid>) -> Vec<UserId> {
    ids.into_iter().map(UserId).collect()
}
