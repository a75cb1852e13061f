//! The port for reading state. Each answer comes from one statement, with the `seq` it is as of.
//! Must never show a viewer more than they may see now (P5), nor answer part of the question.

mod catch_up;
mod circle;
mod drafts;
mod export;
mod hidden;
mod lists;
mod marks;
mod moderation;
mod notes;
mod profile;
mod snapshot;
mod thread;
mod viewers;

pub(crate) use hidden::{Hidden, Shown};
pub(crate) use moderation::hex;
pub(crate) use viewers::{Answer, Asked};

use async_trait::async_trait;
use tidings_actors::ports::{Branch, Missed, Reads, StoreFault, Viewer, Who};
use tidings_protocol::entity::Post;
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{PostId, SessionId, UserId};
use tidings_protocol::notification::NotificationsPage;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::{CommentsPage, PostsPage, Snapshot, UserResult};

use self::thread::Thread;
use crate::store::Store;

#[async_trait]
impl Reads for Store {
    async fn viewer(&self, user: UserId, session: SessionId) -> Result<Option<Viewer>, StoreFault> {
        self.read_viewer(user, session).await
    }

    async fn newest(&self) -> Result<Seq, StoreFault> {
        self.newest.ask((), |asked| self.read_newest(asked.len())).await
    }

    async fn snapshot(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        limit: u16,
    ) -> Result<Option<Snapshot>, StoreFault> {
        self.read_snapshot(viewer, feed, limit).await
    }

    async fn missed(
        &self,
        viewer: Option<UserId>,
        feeds: &[FeedName],
        since: Seq,
        limit: usize,
    ) -> Result<Missed, StoreFault> {
        self.read_missed(viewer, feeds, since, limit).await
    }

    async fn posts_page(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<PostsPage>, StoreFault> {
        let Some(posts) = self.list(viewer, feed, before, limit).await? else {
            return Ok(None);
        };
        Ok(Some(PostsPage { posts: posts.posts, next: posts.next }))
    }

    async fn comments_page(
        &self,
        viewer: Option<UserId>,
        branch: Branch,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<CommentsPage>, StoreFault> {
        let thread = match branch.parent {
            None => self.thread(viewer, branch.post, before, limit).await?,
            Some(parent) => self.branch(viewer, branch.post, parent, before, limit).await?,
        };
        Ok(thread.map(|Thread { comments, answers, next, .. }| CommentsPage { comments, answers, next }))
    }

    async fn user(&self, viewer: Option<UserId>, who: &Who) -> Result<Option<UserResult>, StoreFault> {
        self.read_user(viewer, who).await
    }

    async fn hidden(&self, viewer: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostId>, StoreFault> {
        self.hidden.ask((viewer, posts.to_vec()), |asked| self.read_hidden(asked)).await
    }

    async fn notifications_page(
        &self,
        user: UserId,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<NotificationsPage, StoreFault> {
        let notes = self.notes(user, before, limit).await?;
        Ok(NotificationsPage { notifications: notes.notifications, reading: notes.reading, next: notes.next })
    }

    async fn post(&self, viewer: Option<UserId>, id: PostId) -> Result<Option<Post>, StoreFault> {
        self.read_post(viewer, id).await
    }
}
