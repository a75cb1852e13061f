//! Client → server: the request envelope, the closed list of methods and their parameters.
//! Must never read bytes itself: that is [`crate::decode`], which also keeps what [`crate::limits`] says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::decode;
use crate::error::{ErrorCode, Refusal};
use crate::feed::FeedName;
use crate::ids::{CommentId, PostId, RequestId, UserId};
use crate::position::{Cursor, Seq};
use crate::text::{Bio, CommentText, DisplayName, Handle, PostText};

/// `hello`: the first request of every connection.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
#[serde(default)]
pub struct Hello {
    /// Access token; without one the connection is anonymous and may read public feeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub token: Option<String>,
    /// The client's name and version, for the server's logs: at most 64 bytes, no control characters.
    #[serde(deserialize_with = "decode::client_name", skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// Feeds to watch from the start.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[ts(as = "Option<Vec<FeedName>>", optional)]
    pub feeds: Vec<FeedName>,
    /// Where to resume all of `feeds`; without one they start with a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cursor: Option<Cursor>,
    /// Entities in each snapshot, 1–100; 50 if absent.
    #[serde(deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// Never shows the token (P9).
impl std::fmt::Debug for Hello {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hello")
            .field("token", &self.token.as_ref().map(|_| "…"))
            .field("client", &self.client)
            .field("feeds", &self.feeds)
            .field("cursor", &self.cursor)
            .field("limit", &self.limit)
            .finish()
    }
}

/// `auth.refresh`: a newer access token for the same user on the live connection.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct AuthRefresh {
    /// The new access token.
    pub token: String,
}

/// Never shows the token (P9).
impl std::fmt::Debug for AuthRefresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AuthRefresh")
    }
}

/// `user.get`: by `id` or by `handle`; one's own profile if neither is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserGet {
    /// By id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub id: Option<UserId>,
    /// By unique name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub handle: Option<Handle>,
}

/// `user.update`: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserUpdate {
    /// New display name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<DisplayName>,
    /// New profile text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub bio: Option<Bio>,
    /// Refuse with `stale` if the profile has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `user.follow`, `user.unfollow`: both may be repeated without harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct UserRef {
    /// Whom.
    pub id: UserId,
}

/// `post.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostCreate {
    /// Chosen by the client; the same id with the same text is answered again, not created again.
    pub id: PostId,
    /// The text.
    pub text: PostText,
}

/// `post.get`, `post.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostRef {
    /// Which.
    pub id: PostId,
}

/// `post.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct PostUpdate {
    /// Which.
    pub id: PostId,
    /// The new text.
    pub text: PostText,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `comment.create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentCreate {
    /// Chosen by the client, like a post's.
    pub id: CommentId,
    /// The post it belongs to.
    pub post: PostId,
    /// The comment it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub parent: Option<CommentId>,
    /// The text.
    pub text: CommentText,
}

/// `comment.update`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentUpdate {
    /// Which.
    pub id: CommentId,
    /// The new text.
    pub text: CommentText,
    /// Refuse with `stale` if it has changed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub if_rev: Option<Seq>,
}

/// `comment.delete`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentRef {
    /// Which.
    pub id: CommentId,
}

/// `comment.page`: older comments of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct CommentPage {
    /// The post.
    pub post: PostId,
    /// `next` of the page or snapshot before; the newest comments if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.page`: older posts of `home`, `global` or `user:<id>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedPage {
    /// The feed.
    pub feed: FeedName,
    /// `next` of the page or snapshot before; the newest posts if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub before: Option<Cursor>,
    /// 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.subscribe`: a snapshot now, and everything after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedSubscribe {
    /// The feed.
    pub feed: FeedName,
    /// Entities in the snapshot, 1–100; 50 if absent.
    #[serde(default, deserialize_with = "decode::page_limit", skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.unsubscribe`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedUnsubscribe {
    /// The feed.
    pub feed: FeedName,
}

macro_rules! methods {
    ($($(#[$doc:meta])* $variant:ident($params:ty) = $name:literal,)*) => {
        /// Every request a client can make.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
        #[serde(tag = "method", content = "params")]
        pub enum Method {
            $($(#[$doc])* #[serde(rename = $name)] $variant($params),)*
        }

        impl Method {
            /// Names of all methods, for documents and tests.
            pub const NAMES: &[&str] = &[$($name,)*];

            /// The method's name on the wire.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $name,)* }
            }

            /// Reads a method's parameters.
            pub(crate) fn read(name: &str, params: &str) -> Result<Self, Refusal> {
                match name {
                    $($name => decode::object::<$params>(params).map(Self::$variant),)*
                    _ => Err(Refusal::new(ErrorCode::UnknownMethod, "no such method")),
                }
            }
        }
    };
}

methods! {
    /// First request of a connection.
    Hello(Hello) = "hello",
    /// A newer token for the live connection.
    AuthRefresh(AuthRefresh) = "auth.refresh",
    /// A profile, its counts and how one stands to it.
    UserGet(UserGet) = "user.get",
    /// Changes one's profile.
    UserUpdate(UserUpdate) = "user.update",
    /// Follows somebody.
    UserFollow(UserRef) = "user.follow",
    /// Stops following somebody.
    UserUnfollow(UserRef) = "user.unfollow",
    /// Creates a post.
    PostCreate(PostCreate) = "post.create",
    /// One post.
    PostGet(PostRef) = "post.get",
    /// Changes a post of one's own.
    PostUpdate(PostUpdate) = "post.update",
    /// Deletes a post of one's own; an admin any.
    PostDelete(PostRef) = "post.delete",
    /// Creates a comment.
    CommentCreate(CommentCreate) = "comment.create",
    /// Changes a comment of one's own.
    CommentUpdate(CommentUpdate) = "comment.update",
    /// Deletes a comment of one's own; an admin any.
    CommentDelete(CommentRef) = "comment.delete",
    /// Older comments of a post.
    CommentPage(CommentPage) = "comment.page",
    /// Older posts of a feed.
    FeedPage(FeedPage) = "feed.page",
    /// Watches a feed.
    FeedSubscribe(FeedSubscribe) = "feed.subscribe",
    /// Stops watching a feed.
    FeedUnsubscribe(FeedUnsubscribe) = "feed.unsubscribe",
}

/// A request that was understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema, TS)]
pub struct Request {
    /// Echoed in the reply.
    pub id: RequestId,
    /// What is asked.
    #[serde(flatten)]
    pub method: Method,
}

/// A request that was not understood: the refusal, and the id to answer to where one could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// `null` on the wire where absent.
    pub id: Option<RequestId>,
    /// What to answer.
    pub refusal: Refusal,
}
