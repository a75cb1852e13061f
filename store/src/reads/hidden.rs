//! Which posts somebody may not see: asked before a reader goes on where it says it was, which the reader could make up.
//! Must never tell why: a post that is not there and one that is not for them look the same.

use tidings_actors::ports::StoreFault;
use tidings_protocol::ids::{PostId, UserId};
use uuid::Uuid;

use crate::store::Store;
use crate::{faults, line};

/// Somebody's question: which of these may they see?
pub(crate) type Shown = (Option<UserId>, Vec<PostId>);
/// Those they may not.
pub(crate) type Hidden = Result<Vec<PostId>, StoreFault>;

impl Store {
    pub(super) async fn read_hidden(&self, asked: Vec<Shown>) -> Vec<Hidden> {
        let mut answers: Vec<Hidden> = asked.iter().map(|_| Ok(Vec::new())).collect();
        match self.hidden_rows(&asked).await {
            Ok(rows) => {
                for (nth, post) in rows {
                    let place = usize::try_from(nth).ok().and_then(|nth| answers.get_mut(nth));
                    if let Some(Ok(hidden)) = place {
                        hidden.push(PostId(post));
                    }
                }
            }
            Err(fault) => answers.fill(Err(fault)),
        }
        answers
    }

    async fn hidden_rows(&self, asked: &[Shown]) -> Result<Vec<(i64, Uuid)>, StoreFault> {
        let (mut nths, mut viewers, mut posts) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, (viewer, wanted)) in (0_i64..).zip(asked) {
            for post in wanted {
                nths.push(nth);
                viewers.push(viewer.map(|viewer| viewer.0));
                posts.push(post.0);
            }
        }
        let mut line = self.reads.line().await.map_err(faults::store)?;
        let question = sqlx::query!(
            r#"select w.nth as "nth!", w.post as "post!"
                 from unnest($1::bigint[], $2::uuid[], $3::uuid[]) w (nth, viewer, post)
                 left join posts p on p.id = w.post
                where p.id is null or not p.removed and not sees(w.viewer, p.author, p.audience, p.mentioned)"#,
            &nths,
            &viewers as _,
            &posts
        );
        let answer = line::timed(self.reads.patience(), question.fetch_all(line.open())).await;
        let rows = line.settle(answer).map_err(faults::store)?;
        Ok(rows.into_iter().map(|row| (row.nth, row.post)).collect())
    }
}
