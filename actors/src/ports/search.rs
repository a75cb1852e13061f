//! The port for looking things up by words. Every answer is cut to what the viewer may see now (P5), and every look is bounded: nobody makes the
//! database go through all there is.

use async_trait::async_trait;
use tidings_protocol::ids::{PostId, UserId};
use tidings_protocol::listing::Span;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::PostsPage;
use tidings_protocol::search::{MentionsSuggested, PeopleFound, PostsFound, TagsFound};
use tidings_protocol::text::{Prefix, Query};

use super::StoreFault;

/// Why nothing could be looked for.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NotSearched {
    /// There is no word in the question, or too many, or none that has to be there.
    #[error("{0}")]
    Unclear(&'static str),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreFault),
}

/// Looking for people, posts and tags.
#[async_trait]
pub trait Search: Send + Sync + 'static {
    /// People, without those whom a block keeps apart from `viewer`; `before` is the place a page before ended at.
    async fn people(
        &self,
        viewer: Option<UserId>,
        query: &Query,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<PeopleFound, NotSearched>;

    /// Posts before a place that `viewer` may see and wants to, the newest first.
    async fn posts(
        &self,
        viewer: Option<UserId>,
        query: &Query,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<PostsFound, NotSearched>;

    /// A page of a ranked view; none if the ranking that `before` is of is not kept any more.
    async fn top(
        &self,
        viewer: Option<UserId>,
        span: Span,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<PostsPage>, StoreFault>;

    /// Hashtags of public posts.
    async fn tags(&self, prefix: &Prefix) -> Result<TagsFound, StoreFault>;

    /// Whom `viewer` may mean to mention under a post; none if they may not see it.
    async fn mentions(
        &self,
        viewer: UserId,
        prefix: &Prefix,
        post: Option<PostId>,
    ) -> Result<Option<MentionsSuggested>, StoreFault>;
}

/// Where nobody looks for anything, as in simulations.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSearch;

#[async_trait]
impl Search for NoSearch {
    async fn people(&self, _: Option<UserId>, _: &Query, _: Option<Seq>, _: u16) -> Result<PeopleFound, NotSearched> {
        Ok(PeopleFound { people: Vec::new(), next: None })
    }

    async fn posts(&self, _: Option<UserId>, _: &Query, _: Option<Seq>, _: u16) -> Result<PostsFound, NotSearched> {
        Ok(PostsFound { posts: Vec::new(), next: None })
    }

    async fn top(&self, _: Option<UserId>, _: Span, _: Option<Seq>, _: u16) -> Result<Option<PostsPage>, StoreFault> {
        Ok(Some(PostsPage { posts: Vec::new(), next: None }))
    }

    async fn tags(&self, _: &Prefix) -> Result<TagsFound, StoreFault> {
        Ok(TagsFound { tags: Vec::new() })
    }

    async fn mentions(
        &self,
        _: UserId,
        _: &Prefix,
        _: Option<PostId>,
    ) -> Result<Option<MentionsSuggested>, StoreFault> {
        Ok(None)
    }
}
