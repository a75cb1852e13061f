//! The port for reading state: snapshots, pages, catch-up. Every answer is cut to what the viewer may see now (P5).

use async_trait::async_trait;
use tidings_protocol::entity::{Post, User};
use tidings_protocol::feed::FeedName;
use tidings_protocol::ids::{CommentId, ListId, PostId, SessionId, UserId};
use tidings_protocol::notification::NotificationsPage;
use tidings_protocol::position::Seq;
use tidings_protocol::reply::{CommentsPage, PostsPage, Snapshot, UserResult};
use tidings_protocol::text::Handle;

use super::StoreFault;
use crate::entry::Entry;

/// A user about to be served, as of `seq`: one statement, so that all of it belongs together.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// As of this entry.
    pub seq: Seq,
    /// Their profile.
    pub user: User,
    /// Whom they follow.
    pub follows: Vec<UserId>,
    /// Whom they block.
    pub blocks: Vec<UserId>,
    /// Who blocks them.
    pub blocked_by: Vec<UserId>,
    /// Whom they have muted.
    pub muted: Vec<UserId>,
    /// Whether they are never to be shown to be here.
    pub hides: bool,
    /// Whether they look after what others write: moderators and admins who are not suspended.
    pub moderates: bool,
    /// Their lists, each with who is in it.
    pub lists: Vec<(ListId, Vec<UserId>)>,
    /// Whether the log-in asked about is still good.
    pub session_live: bool,
}

/// A user by either name.
#[derive(Clone, Debug)]
pub enum Who {
    /// By id.
    Id(UserId),
    /// By handle.
    Handle(Handle),
}

/// Part of a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Under which post.
    pub post: PostId,
    /// The direct answers to this comment; everything if none.
    pub parent: Option<CommentId>,
}

/// What somebody has missed.
#[derive(Clone, Debug)]
pub struct Missed {
    /// As of this entry.
    pub seq: Seq,
    /// The present state of every entity of the feeds with `rev` ≥ the cursor's, as entries in `rev` order, each entity once. Created
    /// since (its own `seq` ≥ the cursor's) → `Created`, else `Updated`; tombstones → `Removed` with a `Removed` body.
    /// A comment created and removed since comes as `Created` with a placeholder for a body, so that its answers have a parent.
    pub entries: Vec<Entry>,
    /// Feeds for which a diff cannot be given: their viewer's context has changed since (after a follow or unfollow `home`, profiles,
    /// posts and lists; after a change of who is in a list, lists; after a block or a mute, or the end of one, all but `me`), or they may not be read by this viewer.
    pub restart: Vec<FeedName>,
    /// More than `limit` entries, or the cursor is below the floor: all feeds need a fresh snapshot, `entries` is empty.
    pub too_much: bool,
}

/// Reading state.
#[async_trait]
pub trait Reads: Send + Sync + 'static {
    /// A user with their log-in `session`; none if there is no such account.
    async fn viewer(&self, user: UserId, session: SessionId) -> Result<Option<Viewer>, StoreFault>;

    /// The journal's last entry: everything that anybody was answered before this was asked is there or before. Those who ask at the same
    /// time share a statement.
    async fn newest(&self) -> Result<Seq, StoreFault>;

    /// The present state of a feed with its `seq`, from one statement; `limit` entities. None if its user or post does not
    /// exist. `viewer` is required for `home` and `me` (`None` there gives `None`).
    async fn snapshot(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        limit: u16,
    ) -> Result<Option<Snapshot>, StoreFault>;

    /// What `viewer` has missed of `feeds` since the cursor at `since`, inclusive: the entry at `since` itself comes again, because a
    /// client may have heard it on one feed and not yet on another.
    async fn missed(
        &self,
        viewer: Option<UserId>,
        feeds: &[FeedName],
        since: Seq,
        limit: usize,
    ) -> Result<Missed, StoreFault>;

    /// Posts of `home`, `global`, `tag:<name>`, `list:<id>` or `user:<id>` older than the one at `before`. None if the feed's user does not exist, the list is not the viewer's, or the feed
    /// has no posts to page (`me`, `post:<id>`).
    async fn posts_page(
        &self,
        viewer: Option<UserId>,
        feed: FeedName,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<PostsPage>, StoreFault>;

    /// Comments of a post older than the one at `before`, and after them older ones that these answer; or of a branch, the direct answers alone.
    /// Each with how many direct answers it has, up to a bound. None if there is no such post or no such comment on it.
    async fn comments_page(
        &self,
        viewer: Option<UserId>,
        branch: Branch,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<Option<CommentsPage>, StoreFault>;

    /// A profile, its counts and how `viewer` stands to it.
    async fn user(&self, viewer: Option<UserId>, who: &Who) -> Result<Option<UserResult>, StoreFault>;

    /// Which of these posts `viewer` may not see (any more), or which are not there. Those who ask at the same time share a statement.
    async fn hidden(&self, viewer: Option<UserId>, posts: &[PostId]) -> Result<Vec<PostId>, StoreFault>;

    /// Notifications of somebody that stand before a place, the newest first, and how far they have looked through them.
    async fn notifications_page(
        &self,
        user: UserId,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<NotificationsPage, StoreFault>;

    /// One post.
    async fn post(&self, viewer: Option<UserId>, id: PostId) -> Result<Option<Post>, StoreFault>;
}
