//! The port for reading what people leave on posts: counts, one's own reactions and bookmarks, earlier versions.
//! Every answer is cut to what the viewer may see now (P5), but for [`Marks::counts`], whose askers have been let in already.

use async_trait::async_trait;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::marks::{BookmarksPage, PostCounts, PostHistory, PostStats};
use tidings_protocol::position::Seq;

use super::StoreFault;

/// Reading marks.
#[async_trait]
pub trait Marks: Send + Sync + 'static {
    /// Numbers of those of these posts that `viewer` may see, in the order asked, and what `viewer` has done to them.
    async fn stats(&self, viewer: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostStats>, StoreFault>;

    /// Numbers of those of these posts that are there, for the sessions that watch them. All as of one entry, at least the last one that
    /// anybody had heard of when this was asked.
    async fn counts(&self, posts: &[PostId]) -> Result<Vec<PostCounts>, StoreFault>;

    /// Posts that `user` has bookmarked and may see, newest bookmark first, from those before the one at `before`.
    async fn bookmarks_page(&self, user: UserId, before: Option<Seq>, limit: u16) -> Result<BookmarksPage, StoreFault>;

    /// What a post said before; none if `viewer` may not see it or it is not there.
    async fn history(&self, viewer: Option<UserId>, post: PostId) -> Result<Option<PostHistory>, StoreFault>;
}

/// Where nobody leaves any, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoMarks;

#[async_trait]
impl Marks for NoMarks {
    async fn stats(&self, _: Option<UserId>, _: &[PostId]) -> Result<Vec<PostStats>, StoreFault> {
        Ok(Vec::new())
    }

    async fn counts(&self, _: &[PostId]) -> Result<Vec<PostCounts>, StoreFault> {
        Ok(Vec::new())
    }

    async fn bookmarks_page(&self, _: UserId, _: Option<Seq>, _: u16) -> Result<BookmarksPage, StoreFault> {
        Ok(BookmarksPage { bookmarks: Vec::new(), next: None })
    }

    async fn history(&self, _: Option<UserId>, _: PostId) -> Result<Option<PostHistory>, StoreFault> {
        Ok(None)
    }
}
