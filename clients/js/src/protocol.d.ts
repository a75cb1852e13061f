// Made from the Rust types in protocol/src by `TIDINGS_UPDATE=1 cargo test -p tidings-protocol`; changes here are lost.
// What the frames mean: PROTOCOL.md.

/** What a client does after a close. */
export type AfterClose = "reconnect" | "reauthenticate" | "stop";

/** `auth.refresh`: a newer access token for the same user on the live connection. */
export type AuthRefresh = {
  /** The new access token. */
  token: string,
};

/** Result of `auth.refresh`. */
export type AuthRefreshed = {
  /** When the new token runs out. */
  expires_at: Millis,
};

/** An author as shown beside what they wrote, as of the moment the carrying frame was made.
 * It has a `rev` of its own: a `user.updated` with a higher one replaces it.
 */
export type Author = {
  /** Who. */
  id: UserId,
  /** The profile's last change. */
  rev: Seq,
  /** Unique name. */
  handle: string,
  /** Display name. */
  name: string,
};

/** A comment on a post, or an answer to a comment. */
export type Comment = {
  /** Which. */
  id: CommentId,
  /** Last change. */
  rev: Seq,
  /** Its place in the thread: the `seq` of its creation. Parents always come before their answers. */
  seq: Seq,
  /** The post it belongs to. */
  post: PostId,
  /** The comment it answers; absent for a comment on the post itself. */
  parent?: CommentId,
  /** 0 on the post itself, one more for each answer. */
  depth: number,
  /** True for a removed comment that still holds its answers in place; it has no `author` and no `text`. */
  removed?: boolean,
  /** Who wrote it. */
  author?: Author,
  /** The text. */
  text?: string,
  /** When it was created. */
  created_at: Millis,
  /** When its text was last changed. */
  edited_at?: Millis,
};

/** `comment.create`. */
export type CommentCreate = {
  /** Chosen by the client, like a post's. */
  id: CommentId,
  /** The post it belongs to. */
  post: PostId,
  /** The comment it answers. */
  parent?: CommentId,
  /** The text. */
  text: string,
};

/** A comment. Chosen by its author's client, like [`PostId`]. */
export type CommentId = string;

/** `comment.page`: older comments of a post. */
export type CommentPage = {
  /** The post. */
  post: PostId,
  /** `next` of the page or snapshot before; the newest comments if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `comment.delete`. */
export type CommentRef = {
  /** Which. */
  id: CommentId,
};

/** Result of `comment.create`, `comment.update`. */
export type CommentResult = {
  /** As it is now. */
  comment: Comment,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** `comment.update`. */
export type CommentUpdate = {
  /** Which. */
  id: CommentId,
  /** The new text. */
  text: string,
  /** Refuse with `stale` if it has changed since. */
  if_rev?: Seq,
};

/** Result of `comment.page`. */
export type CommentsPage = {
  /** Newest first, and after them older ones that these answer. */
  comments: Array<Comment>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** One WebSocket connection, for correlating with the server's logs. */
export type ConnectionId = string;

/** Why a request was refused. */
export type ErrorCode = "bad_request" | "unknown_method" | "invalid" | "unauthorized" | "bad_token" | "token_expired" | "bad_credentials" | "forbidden" | "not_found" | "conflict" | "stale" | "cursor_expired" | "limit_reached" | "rate_limited" | "overloaded" | "unavailable" | "internal";

/** The name of an event of a feed. `created` and `updated` carry the same thing and are applied the same way. */
export type EventName = "post.created" | "post.updated" | "post.removed" | "comment.created" | "comment.updated" | "comment.removed" | "user.updated" | "follow.created" | "follow.removed" | "feed.resync";

/** `feed.page`: older posts of `home`, `global` or `user:<id>`. */
export type FeedPage = {
  /** The feed. */
  feed: string,
  /** `next` of the page or snapshot before; the newest posts if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** An event of a feed. `seq` never goes back on one connection. */
export type FeedPush = {
  /** The subscription it belongs to. */
  feed: string,
  /** The journal entry. */
  seq: Seq, } & ({ "event": "post.created", "data": Post } | { "event": "post.updated", "data": Post } | { "event": "post.removed", "data": Removed } | { "event": "comment.created", "data": Comment } | { "event": "comment.updated", "data": Comment } | { "event": "comment.removed", "data": Removed } | { "event": "user.updated", "data": User } | { "event": "follow.created", "data": Follow } | { "event": "follow.removed", "data": Follow } | { "event": "feed.resync", "data": Snapshot });

/** How a feed starts. */
export type FeedStart = { "status": "live",
  /** Which. */
  feed: string, } | { "status": "snapshot",
  /** Which. */
  feed: string,
  /** As of this entry. */
  seq: Seq,
  /** The profile. */
  user?: User,
  /** The post. */
  post?: Post,
  /** Newest first. */
  posts?: Array<Post>,
  /** Newest first, and after them older ones that these answer. */
  comments?: Array<Comment>,
  /** Whom one follows. */
  follows?: Array<UserId>,
  /** For `before` of `feed.page` or `comment.page`; null where there is no more. */
  next: string | null, } | { "status": "refused",
  /** Which. */
  feed: string,
  /** Why. */
  error: Refusal,
};

/** `feed.subscribe`: a snapshot now, and everything after it. */
export type FeedSubscribe = {
  /** The feed. */
  feed: string,
  /** Entities in the snapshot, 1–100; 50 if absent. */
  limit?: number,
};

/** `feed.unsubscribe`. */
export type FeedUnsubscribe = {
  /** The feed. */
  feed: string,
};

/** "`follower` follows `followee`"; in a removed event, "no longer". */
export type Follow = {
  /** Last change. */
  rev: Seq,
  /** Who follows. */
  follower: UserId,
  /** Whom. */
  followee: UserId,
};

/** Result of `user.follow` and `user.unfollow`. */
export type FollowResult = {
  /** The pair, as of its last change. */
  follow: Follow,
  /** Whether one follows them now. */
  following: boolean,
  /** The change. */
  seq: Seq,
};

/** `hello`: the first request of every connection. */
export type Hello = {
  /** Access token; without one the connection is anonymous and may read public feeds. */
  token?: string,
  /** The client's name and version, for the server's logs: at most 64 bytes, no control characters. */
  client?: string,
  /** Feeds to watch from the start. */
  feeds?: Array<string>,
  /** Where to resume all of `feeds`; without one they start with a snapshot. */
  cursor?: string,
  /** Entities in each snapshot, 1–100; 50 if absent. */
  limit?: number,
};

/** What this server allows. */
export type Limits = {
  /** Bytes in a message. */
  message_bytes: number,
  /** Nesting of JSON. */
  json_depth: number,
  /** Requests waiting for their answer. */
  requests_in_flight: number,
  /** Feeds on this connection. */
  feeds: number,
  /** Connections of one user on one node. */
  connections: number,
  /** Characters in a post. */
  post_chars: number,
  /** Characters in a comment. */
  comment_chars: number,
  /** Deepest answer. */
  comment_depth: number,
  /** Entities in a page. */
  page: number,
  /** Budget; reading costs 1, following 2, changing 2, creating 3. */
  points_per_minute: number,
};

/** `POST /api/v1/auth/login`. */
export type Login = {
  /** Handle or e-mail address. */
  login: string,
  /** Password. */
  password: string,
};

/** Milliseconds since 1970-01-01 UTC. */
export type Millis = number;

/** A message about the connection. */
export type Notice = { "event": "heartbeat",
  /** Keep it for `hello`. */
  cursor: string, } | { "event": "going_away",
  /** Differs between connections, so that not all come at once. */
  reconnect_after_ms: number,
  /** Keep it for `hello`. */
  cursor: string, } | { "event": "resync",
  /** The new position. */
  cursor: string, } | { "event": "token_expiring",
  /** When. */
  expires_at: Millis,
};

/** A post. */
export type Post = {
  /** Which. */
  id: PostId,
  /** Last change. */
  rev: Seq,
  /** Its place in feeds: the `seq` of its creation. Feeds are sorted by it, newest first. */
  seq: Seq,
  /** Who wrote it. */
  author: Author,
  /** The text. */
  text: string,
  /** When it was created. */
  created_at: Millis,
  /** When its text was last changed. */
  edited_at?: Millis,
};

/** `post.create`. */
export type PostCreate = {
  /** Chosen by the client; the same id with the same text is answered again, not created again. */
  id: PostId,
  /** The text. */
  text: string,
};

/** Result of `post.get`. */
export type PostGot = {
  /** As it is now. */
  post: Post,
};

/** A post. Chosen by its author's client (UUIDv7 recommended), which makes retries safe. */
export type PostId = string;

/** `post.get`, `post.delete`. */
export type PostRef = {
  /** Which. */
  id: PostId,
};

/** Result of `post.create`, `post.update`. */
export type PostResult = {
  /** As it is now. */
  post: Post,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** `post.update`. */
export type PostUpdate = {
  /** Which. */
  id: PostId,
  /** The new text. */
  text: string,
  /** Refuse with `stale` if it has changed since. */
  if_rev?: Seq,
};

/** Result of `feed.page`. */
export type PostsPage = {
  /** Newest first. */
  posts: Array<Post>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** `POST /api/v1/auth/refresh` and `/api/v1/auth/logout`. */
export type RefreshToken = {
  /** The newest refresh token of the session. */
  refresh_token: string,
};

/** The `error` of a reply, over the socket and over REST alike. */
export type Refusal = {
  /** What kind of refusal. */
  code: ErrorCode,
  /** For people who write clients. */
  message: string,
  /** Whether the same request, sent again later, may succeed. */
  retry: boolean,
  /** When to send it again, if the server knows. */
  retry_after_ms?: number,
  /** The parameter that was wrong. */
  field?: string,
};

/** All that is told of something that is gone or may no longer be seen. */
export type Removed = {
  /** A post's or comment's id, by the event's name. */
  id: string,
  /** The removal. */
  rev: Seq,
};

/** Result of `post.delete`, `comment.delete`. */
export type RemovedResult = {
  /** What is gone. */
  removed: Removed,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** A request that was understood. */
export type Request = {
  /** Echoed in the reply. */
  id: RequestId, } & ({ "method": "hello", "params": Hello } | { "method": "auth.refresh", "params": AuthRefresh } | { "method": "user.get", "params": UserGet } | { "method": "user.update", "params": UserUpdate } | { "method": "user.follow", "params": UserRef } | { "method": "user.unfollow", "params": UserRef } | { "method": "post.create", "params": PostCreate } | { "method": "post.get", "params": PostRef } | { "method": "post.update", "params": PostUpdate } | { "method": "post.delete", "params": PostRef } | { "method": "comment.create", "params": CommentCreate } | { "method": "comment.update", "params": CommentUpdate } | { "method": "comment.delete", "params": CommentRef } | { "method": "comment.page", "params": CommentPage } | { "method": "feed.page", "params": FeedPage } | { "method": "feed.subscribe", "params": FeedSubscribe } | { "method": "feed.unsubscribe", "params": FeedUnsubscribe });

/** The client's number for a request, echoed in its reply. 0 … 2⁵³−1. */
export type RequestId = number;

/** Every REST refusal. */
export type RestError = {
  /** Why. */
  error: Refusal,
};

/** What a user may do beyond their own things. */
export type Role = "user" | "admin";

/** Number of a journal entry: contiguous from 1, in commit order, within one epoch (P1). 0 is "before the first". */
export type Seq = number;

/** `POST /api/v1/users`. */
export type SignUp = {
  /** Wished-for unique name. */
  handle: string,
  /** Display name; the handle if absent. */
  name?: string,
  /** Private, never shown. */
  email: string,
  /** 10 to 1,024 bytes of UTF-8. */
  password: string,
};

/** The state of a feed as of `seq`; every later change follows as an event. Which fields are there depends on the feed:
 * `home`, `global`: `posts`; `user:<id>`: `user`, `posts`; `post:<id>`: `post`, `comments`; `me`: `user`, `follows`.
 */
export type Snapshot = {
  /** Which. */
  feed: string,
  /** As of this entry. */
  seq: Seq,
  /** The profile. */
  user?: User,
  /** The post. */
  post?: Post,
  /** Newest first. */
  posts?: Array<Post>,
  /** Newest first, and after them older ones that these answer. */
  comments?: Array<Comment>,
  /** Whom one follows. */
  follows?: Array<UserId>,
  /** For `before` of `feed.page` or `comment.page`; null where there is no more. */
  next: string | null,
};

/** Answer to sign up, log in and refresh. */
export type Tokens = {
  /** The account's profile. */
  user: User,
  /** JWT for `hello`. */
  access_token: string,
  /** When the access token runs out. */
  access_expires_at: Millis,
  /** For `POST /api/v1/auth/refresh`, once. */
  refresh_token: string,
  /** When the refresh token runs out. */
  refresh_expires_at: Millis,
};

/** Result of `feed.unsubscribe`. */
export type Unsubscribed = {
  /** Which. */
  feed: string,
};

/** A public profile. */
export type User = {
  /** Who. */
  id: UserId,
  /** Last change. */
  rev: Seq,
  /** Unique name, lower case. */
  handle: string,
  /** Display name. */
  name: string,
  /** Profile text, may be empty. */
  bio: string,
  /** Role. */
  role: Role,
  /** When they signed up. */
  created_at: Millis,
};

/** `user.get`: by `id` or by `handle`; one's own profile if neither is given. */
export type UserGet = {
  /** By id. */
  id?: UserId,
  /** By unique name. */
  handle?: string,
};

/** A person or bot. */
export type UserId = string;

/** `user.follow`, `user.unfollow`: both may be repeated without harm. */
export type UserRef = {
  /** Whom. */
  id: UserId,
};

/** Result of `user.get`. */
export type UserResult = {
  /** The profile. */
  user: User,
  /** Whether one follows them. */
  following: boolean,
  /** Whether they follow one. */
  followed_by: boolean,
  /** How many follow them. */
  followers: number,
  /** How many they follow. */
  follows: number,
  /** How many posts they have. */
  posts: number,
};

/** `user.update`: what is absent stays. */
export type UserUpdate = {
  /** New display name. */
  name?: string,
  /** New profile text. */
  bio?: string,
  /** Refuse with `stale` if the profile has changed since. */
  if_rev?: Seq,
};

/** Result of `user.update`. */
export type UserUpdated = {
  /** As it is now. */
  user: User,
  /** The change. */
  seq: Seq,
};

/** Result of `hello`. */
export type Welcome = {
  /** This connection's name in the server's logs. */
  session: ConnectionId,
  /** Who one is; null for an anonymous connection. */
  user: User | null,
  /** When the token runs out. */
  expires_at?: Millis,
  /** One's position once this reply has been applied. Resumed feeds bring what is missing as events after it. */
  cursor: string,
  /** Whether every feed goes on from the given cursor. If false, those with a snapshot start afresh. */
  resumed: boolean,
  /** What this server allows. */
  limits: Limits,
  /** A `heartbeat` comes at least this often. */
  heartbeat_ms: number,
  /** One entry for each feed of the request, in its order. */
  feeds: Array<FeedStart>,
};

/** An answer to a request. `id` is null only where the request's could not be read. */
export type Reply<R = unknown> = { id: RequestId; result: R } | { id: RequestId | null; error: Refusal };

/** Anything the server sends. */
export type ServerFrame = Reply | FeedPush | Notice;

/** Names of all methods. */
export type MethodName = keyof Methods;

/** Parameters and result of each method. */
export interface Methods {
  "hello": { params: Hello; result: Welcome };
  "auth.refresh": { params: AuthRefresh; result: AuthRefreshed };
  "user.get": { params: UserGet; result: UserResult };
  "user.update": { params: UserUpdate; result: UserUpdated };
  "user.follow": { params: UserRef; result: FollowResult };
  "user.unfollow": { params: UserRef; result: FollowResult };
  "post.create": { params: PostCreate; result: PostResult };
  "post.get": { params: PostRef; result: PostGot };
  "post.update": { params: PostUpdate; result: PostResult };
  "post.delete": { params: PostRef; result: RemovedResult };
  "comment.create": { params: CommentCreate; result: CommentResult };
  "comment.update": { params: CommentUpdate; result: CommentResult };
  "comment.delete": { params: CommentRef; result: RemovedResult };
  "comment.page": { params: CommentPage; result: CommentsPage };
  "feed.page": { params: FeedPage; result: PostsPage };
  "feed.subscribe": { params: FeedSubscribe; result: Snapshot };
  "feed.unsubscribe": { params: FeedUnsubscribe; result: Unsubscribed };
}

/** What each event of a feed carries as `data`. */
export interface Events {
  "post.created": Post;
  "post.updated": Post;
  "post.removed": Removed;
  "comment.created": Comment;
  "comment.updated": Comment;
  "comment.removed": Removed;
  "user.updated": User;
  "follow.created": Follow;
  "follow.removed": Follow;
  "feed.resync": Snapshot;
}
