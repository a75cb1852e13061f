//! Client → server: the request envelope, the closed list of methods, and how bytes become one or a refusal.
//! Must never panic, whatever the bytes (P8), and must never read past what [`crate::limits`] allows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use ts_rs::TS;

use crate::error::{ErrorCode, Refusal};
use crate::feed::FeedName;
use crate::ids::{CommentId, PostId, RequestId, UserId};
use crate::limits;
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
    /// The client's name and version, for the server's logs.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(skip_serializing_if = "Option::is_none")]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub limit: Option<u16>,
}

/// `feed.subscribe`: a snapshot now, and everything after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, TS)]
pub struct FeedSubscribe {
    /// The feed.
    pub feed: FeedName,
    /// Entities in the snapshot, 1–100; 50 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

            fn read(name: &str, params: &str) -> Result<Self, Refusal> {
                match name {
                    $($name => params_of::<$params>(params).map(Self::$variant),)*
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

#[derive(Deserialize)]
struct Envelope<'a> {
    id: RequestId,
    #[serde(borrow)]
    method: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct IdOnly {
    id: RequestId,
}

impl Request {
    /// Reads one text message.
    ///
    /// # Errors
    /// The refusal to answer with; never panics (P8).
    pub fn decode(message: &str) -> Result<Self, Misread> {
        if depth(message) > limits::JSON_DEPTH {
            let text = format!("nested deeper than {}", limits::JSON_DEPTH);
            return Err(Misread {
                id: None,
                refusal: Refusal::new(ErrorCode::BadRequest, text),
            });
        }
        let envelope: Envelope<'_> = serde_json::from_str(message).map_err(|error| Misread {
            id: serde_json::from_str::<IdOnly>(message)
                .ok()
                .map(|only| only.id),
            refusal: Refusal::new(ErrorCode::BadRequest, misread(&error)),
        })?;
        let params = envelope.params.map_or("{}", RawValue::get);
        let method = Method::read(&envelope.method, params).map_err(|refusal| Misread {
            id: Some(envelope.id),
            refusal,
        })?;
        Ok(Self {
            id: envelope.id,
            method,
        })
    }
}

fn misread(error: &serde_json::Error) -> String {
    use serde_json::error::Category;
    match error.classify() {
        Category::Data => {
            "expected {\"id\": number, \"method\": string, \"params\": object}".to_owned()
        }
        Category::Io | Category::Syntax | Category::Eof => {
            format!(
                "not JSON (line {}, column {})",
                error.line(),
                error.column()
            )
        }
    }
}

/// Reads parameters; when that fails, reads them again to find the field that was wrong.
fn params_of<'a, P: Deserialize<'a>>(params: &'a str) -> Result<P, Refusal> {
    // A JSON `null` is what many libraries send for "no parameters".
    let params = if params == "null" { "{}" } else { params };
    // Serde would also read a struct from an array, by position; on this wire parameters are named.
    if !params.starts_with('{') {
        return Err(Refusal::new(ErrorCode::Invalid, "expected an object").field("params"));
    }
    serde_json::from_str(params).map_err(|_| {
        let mut json = serde_json::Deserializer::from_str(params);
        match serde_path_to_error::deserialize::<_, P>(&mut json) {
            Ok(_) => Refusal::new(
                ErrorCode::Invalid,
                "not an object of this method's parameters",
            ),
            Err(error) => {
                let field = error.path().to_string();
                let reason = without_position(&error.into_inner().to_string());
                let refusal = Refusal::new(ErrorCode::Invalid, reason);
                if field == "." {
                    refusal
                } else {
                    refusal.field(field)
                }
            }
        }
    })
}

/// Serde appends " at line 1 column 9", counted inside `params`: it would mislead.
fn without_position(message: &str) -> String {
    message
        .rfind(" at line ")
        .map_or(message, |at| &message[..at])
        .to_owned()
}

/// Deepest nesting of arrays and objects, found in one pass without parsing; quotes are respected.
fn depth(json: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => {
                now += 1;
                most = most.max(now);
            }
            b']' | b'}' if !quoted => now = now.saturating_sub(1),
            _ => {}
        }
    }
    most
}
