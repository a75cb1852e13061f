// Made from the Rust types in protocol/src by `TIDINGS_UPDATE=1 cargo test -p tidings-protocol`; changes here are lost.
// What the frames mean: PROTOCOL.md.

/** `account.delete`: for good, and at once. */
export type AccountDelete = {
  /** One's password. */
  password: string,
};

/** Result of `account.delete`; the connection ends with it. */
export type AccountDeleted = {
  /** The change. */
  seq: Seq,
};

/** `account.email`: another address to log in with. */
export type AccountEmail = {
  /** One's password. */
  password: string,
  /** The new address; upper case is folded to lower. */
  email: string,
};

/** Result of `account.export`. */
export type AccountExported = {
  /** Where to get the file, on any node; the address itself is the permission. */
  url: string,
  /** Until when one may begin to. */
  expires_at: Millis,
};

/** Result of `account.get`. */
export type AccountGot = {
  /** The address, as it is kept. */
  email: string,
  /** When one signed up. */
  created_at: Millis,
  /** Log-ins that are good. */
  sessions: number,
  /** Role. */
  role: Role,
  /** What one may do at all. */
  standing: AccountStanding,
};

/** `account.password`: one's password, for a new one. Ends all one's other log-ins. */
export type AccountPassword = {
  /** The password until now. */
  current: string,
  /** The password from now on: 10 to 1,024 bytes of UTF-8. */
  new: string,
};

/** What an account may do at all. */
export type AccountStanding = "good" | "suspended" | "banned";

/** What was done to somebody, or to what they wrote. Told on their `me`; it never says by whom. */
export type Action = {
  /** Which. */
  id: ActionId,
  /** Last change. */
  rev: Seq,
  /** What was done. */
  action: ActionKind,
  /** Why. */
  reason: Reason,
  /** What the moderator wrote to them. */
  note?: string,
  /** Of a hidden comment, what it says: in its thread it is a placeholder even for its author. */
  text?: string,
  /** Of a suspension, when it ends by itself. */
  until?: Millis,
  /** When it was done. */
  at: Millis,
  /** Whether it is over: taken back, or its time has come. */
  ended?: boolean,
  /** What one has said against it. Absent: one may, once, if it hides, deletes, warns, suspends or bans. */
  appeal?: Appeal,
  /** Somebody. */
  user?: UserId,
  /** A post, or the one that the comment is on. */
  post?: PostId,
  /** A comment. */
  comment?: CommentId,
};

/** What a moderator did. Chosen by the moderator's client, like [`PostId`]. */
export type ActionId = string;

/** What moderators do. */
export type ActionKind = "hide" | "unhide" | "delete" | "warn" | "suspend" | "ban" | "reinstate";

/** Result of `appeal.create`. */
export type ActionResult = {
  /** As it is now. */
  action: Action,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** Result of `account.actions`. */
export type ActionsPage = {
  /** What one may do. */
  standing: AccountStanding,
  /** When that ends by itself. */
  until?: Millis,
  /** Last changed first. */
  actions: Array<Action>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** What a client does after a close. */
export type AfterClose = "reconnect" | "reauthenticate" | "stop";

/** What somebody has to say against an action. */
export type Appeal = {
  /** How far it is. */
  state: AppealState,
  /** What they say. */
  text: string,
  /** When. */
  at: Millis,
  /** What the moderator who decided wrote back. */
  reply?: string,
};

/** `appeal.create`: once against each action. */
export type AppealCreate = {
  /** Against which. */
  action: ActionId,
  /** What one has to say. */
  text: string,
};

/** `appeal.settle`: by another moderator than the one who acted. */
export type AppealSettle = {
  /** Against which action. */
  action: ActionId,
  /** Takes the action back, as far as that can be done: what was deleted stays so. */
  accept: boolean,
  /** For the person. */
  note?: string,
};

/** How far an appeal is. */
export type AppealState = "open" | "accepted" | "rejected";

/** Somebody who would like to follow one. */
export type Asking = {
  /** The request's last change: its place among the others. */
  rev: Seq,
  /** Who. */
  user: Author,
};

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

/** "`blocker` blocks `blocked`"; in a removed event, "no longer". */
export type Block = {
  /** Last change. */
  rev: Seq,
  /** Who blocks. */
  blocker: UserId,
  /** Whom. */
  blocked: UserId,
};

/** Result of `user.block` and `user.unblock`. */
export type BlockResult = {
  /** The pair, as of its last change. */
  block: Block,
  /** Whether one blocks them now. */
  blocking: boolean,
  /** The change. */
  seq: Seq,
};

/** "One has bookmarked `post`"; in a removed event, "no longer". */
export type Bookmark = {
  /** Last change. Bookmarks are sorted by it, newest first. */
  rev: Seq,
  /** Which post. */
  post: PostId,
};

/** `bookmark.page`. */
export type BookmarkPage = {
  /** `next` of the page before; the newest bookmarks if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** Result of `post.bookmark` and `post.unbookmark`. */
export type BookmarkResult = {
  /** As of its last change. */
  bookmark: Bookmark,
  /** Whether one has bookmarked it now. */
  bookmarked: boolean,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** A bookmarked post. */
export type Bookmarked = {
  /** The bookmark's last change: its place among the others. */
  rev: Seq,
  /** The post, as it is now. */
  post: Post,
};

/** Result of `bookmark.page`. */
export type BookmarksPage = {
  /** Newest bookmark first, without posts that one may see no longer. */
  bookmarks: Array<Bookmarked>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** `bot.create`. */
export type BotCreate = {
  /** Chosen by the client, like a post's. */
  id: UserId,
  /** Unique name, among people's; never changes. */
  handle: string,
  /** Display name. */
  name: string,
};

/** What the profile of a bot says besides. */
export type BotOf = {
  /** Whose it is. */
  owner: UserId,
  /** Whether it has been stopped for good. */
  stopped?: boolean,
};

/** `bot.delete`: may be repeated without harm. */
export type BotRef = {
  /** Which. */
  id: UserId,
};

/** Result of `bot.all`. */
export type BotsAll = {
  /** One's bots that have not been stopped, the oldest first. */
  bots: Array<User>,
};

/** All reports about one thing, and what was done about it. An entity of the feed `mod`. */
export type Case = {
  /** Which. */
  id: CaseId,
  /** Last change. */
  rev: Seq,
  /** Its place: when it was opened. Sort by it, newest first. */
  seq: Seq,
  /** Who that is, or who wrote it. */
  author: Author,
  /** What was reported, as it was then. Absent some time after the case was settled. */
  copy?: Copied,
  /** How many have reported it. */
  count: number,
  /** How many for each reason; what is absent is 0. */
  reasons: { [key in Reason]?: number },
  /** How far it is. */
  state: CaseState,
  /** Who sees to it, or settled it. */
  by?: Author,
  /** What came of it. */
  outcome?: SettledAs,
  /** When it was opened. */
  at: Millis,
  /** When it was settled. */
  settled_at?: Millis,
  /** What was done, the newest first, at most 20. One with an open appeal wants an answer by another moderator. */
  actions?: Array<CaseAction>,
  /** Somebody. */
  user?: UserId,
  /** A post, or the one that the comment is on. */
  post?: PostId,
  /** A comment. */
  comment?: CommentId,
};

/** What was done in a case, as moderators see it. */
export type CaseAction = {
  /** Which. */
  id: ActionId,
  /** What was done. */
  action: ActionKind,
  /** By whom; absent: by an operator. */
  by?: Author,
  /** Why. */
  reason: Reason,
  /** What was written to the person. */
  note?: string,
  /** When a suspension ends by itself. */
  until?: Millis,
  /** When. */
  at: Millis,
  /** Whether it is over. */
  ended?: boolean,
  /** What they said against it. */
  appeal?: Appeal,
};

/** `mod.claim`: tells the other moderators that one sees to it. It keeps nobody from acting. */
export type CaseClaim = {
  /** Which. */
  id: CaseId,
  /** Gives it back instead. */
  release?: boolean,
};

/** Result of `mod.get`. */
export type CaseGot = {
  /** The case. */
  case: Case,
  /** What it is about, as it is now; absent if it is gone. */
  now?: Copied,
  /** The newest first, at most 100. Empty for whom the case is about. */
  reports: Array<CaseReport>,
};

/** All reports about one thing; made by the server. */
export type CaseId = string;

/** `mod.page`. */
export type CasePage = {
  /** Settled cases instead of open and claimed ones. */
  settled?: boolean,
  /** `next` of the page or snapshot before; the newest if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `mod.get`, `mod.settle`. */
export type CaseRef = {
  /** Which. */
  id: CaseId,
};

/** A report as moderators see it. */
export type CaseReport = {
  /** By whom. */
  by: Author,
  /** What is wrong. */
  reason: Reason,
  /** What they wrote. */
  note?: string,
  /** When. */
  at: Millis,
};

/** Result of `mod.claim`, `mod.settle`, `mod.act`, `appeal.settle`. */
export type CaseResult = {
  /** As it is now. */
  case: Case,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** How far a case is. */
export type CaseState = "open" | "claimed" | "settled";

/** Result of `mod.page`. */
export type CasesPage = {
  /** Newest first. */
  cases: Array<Case>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** That something has changed, without what it is now. */
export type Changed = {
  /** The event that `full` would have told. */
  event: EventName,
  /** The entity's id. */
  id: string,
  /** The change. */
  rev: Seq,
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
  /** Whether the post's author has folded it away: shown closed, for whoever wants to read it to open. */
  hidden?: boolean,
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

/** `comment.page`: older comments of a post, or direct answers to one of them. */
export type CommentPage = {
  /** The post. */
  post: PostId,
  /** The comment whose direct answers are asked for; all comments of the post if absent. */
  parent?: CommentId,
  /** `next` of the page or snapshot before; the newest comments if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `comment.delete`, `comment.hide`, `comment.unhide`. */
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

/** Who may comment on a post, besides its author. Whom the post mentions may as well, but for `nobody`. */
export type Commenters = "everyone" | "followers" | "followed" | "nobody";

/** Result of `comment.page`. */
export type CommentsPage = {
  /** Newest first; where all of a post's were asked for, after them older ones that these answer. */
  comments: Array<Comment>,
  /** How many direct answers those of them have that have any: as many as their own pages would hold, at most 100. */
  answers: { [key in CommentId]: number },
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** One WebSocket connection, for correlating with the server's logs. */
export type ConnectionId = string;

/** What was reported, as it was then: an edit or a deletion does not hide it. */
export type Copied = {
  /** Of a post or a comment, what it says. */
  text?: string,
  /** Of a post, its content warning. */
  warning?: string,
  /** Of a user, the display name. */
  name?: string,
  /** Of a user, the profile text. */
  bio?: string,
  /** When it was created. */
  created_at: Millis,
  /** Whether it is hidden by a moderator. */
  hidden?: boolean,
};

/** How much one is told of a feed. */
export type DeliveryMode = "full" | "ids" | "count" | "off";

/** A draft. */
export type Draft = {
  /** Which; the post that it becomes has the same. */
  id: PostId,
  /** Last change. */
  rev: Seq,
  /** When its owner last changed it. */
  changed_at: Millis,
  /** When it is published by itself; never if absent. */
  publish_at?: Millis,
  /** It is being published and can no longer be changed: in a moment it is gone, and the post is there. */
  publishing?: boolean,
  /** Its time came, and it could not be published: as `post.create` would have been refused. It is not tried again; changing it begins anew. */
  failed?: ErrorCode,
  /** The text so far. */
  text?: string,
  /** Who is to see it; not chosen yet if absent, and then everybody when it is published by itself. */
  visibility?: Visibility,
  /** What the text is about. */
  warning?: string,
  /** The post it hands on. */
  of?: PostId,
  /** Who may comment on it; as one's settings say if absent. */
  comments?: Commenters,
};

/** `draft.page`: one's drafts. */
export type DraftPage = {
  /** `next` of the page before; those changed last if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `draft.put`: puts a draft in whole, in place of what it said before. */
export type DraftPut = {
  /** Chosen by the client, as a post's: the post that it becomes has the same. */
  id: PostId,
  /** The text so far; with `publish_at` it must be a post's. */
  text?: string,
  /** Who is to see it. */
  visibility?: Visibility,
  /** What the text is about. */
  warning?: string,
  /** A public post to hand on. */
  of?: PostId,
  /** Who may comment on it; as one's settings say if absent. */
  comments?: Commenters,
  /** When it is to be published by itself, by the server's clock: in the next 366 days. */
  publish_at?: Millis,
  /** Refuse with `stale` if it has changed since. */
  if_rev?: Seq,
};

/** `draft.delete`: may be repeated without harm. */
export type DraftRef = {
  /** Which. */
  id: PostId,
};

/** Result of `draft.put`. */
export type DraftResult = {
  /** As it is now. */
  draft: Draft,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** Result of `draft.page`. */
export type DraftsPage = {
  /** Those changed last first. */
  drafts: Array<Draft>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** Result of `account.email`. */
export type EmailChanged = {
  /** The address from now on, as it is kept. */
  email: string,
};

/** The reactions there are. Named by words: how one looks is the client's affair. */
export type Emoji = "like" | "love" | "laugh" | "wow" | "sad" | "angry" | "thanks" | "party";

/** Why a request was refused. */
export type ErrorCode = "bad_request" | "unknown_method" | "invalid" | "unauthorized" | "bad_token" | "token_expired" | "bad_credentials" | "forbidden" | "not_found" | "conflict" | "stale" | "cursor_expired" | "limit_reached" | "rate_limited" | "overloaded" | "unavailable" | "internal";

/** The name of an event of a feed. `created` and `updated` carry the same thing and are applied the same way. */
export type EventName = "post.created" | "post.updated" | "post.removed" | "comment.created" | "comment.updated" | "comment.removed" | "user.updated" | "follow.created" | "follow.removed" | "block.created" | "block.removed" | "mute.created" | "mute.removed" | "reaction.updated" | "reaction.removed" | "bookmark.created" | "bookmark.removed" | "notification.updated" | "notification.removed" | "notification.read" | "marker.updated" | "marker.removed" | "preferences.updated" | "settings.updated" | "draft.updated" | "draft.removed" | "case.updated" | "report.updated" | "action.updated" | "feed.changed" | "request.created" | "request.removed" | "list.updated" | "list.removed" | "member.created" | "member.removed" | "filter.updated" | "filter.removed" | "feed.resync";

/** `feed.mode`: may be repeated; for `count` it begins to count again. */
export type FeedMode = {
  /** A feed one watches. */
  feed: string,
  /** How much one wants to be told of it from now on. */
  mode: DeliveryMode,
  /** Entities in the snapshot, if there is one: 1–100; 50 if absent. */
  limit?: number,
};

/** Result of `feed.mode`. */
export type FeedModeSet = {
  /** Which feed. */
  feed: string,
  /** How much one is told of it now. */
  mode: DeliveryMode,
  /** From where it goes on, or is counted. */
  cursor: string,
  /** The feed as it is now, if one was told less than its events before: forget what you had of it. */
  snapshot?: Snapshot,
};

/** `feed.page`: older posts of `home`, `global`, `tag:<name>` or `user:<id>`; or of a ranked view, `top:day` or `top:week`. */
export type FeedPage = {
  /** The feed or the view. */
  feed: string,
  /** `next` of the page or snapshot before; the newest posts, or the first of the view as it is ranked now, if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** An event of a feed. `seq` never goes back on one connection. */
export type FeedPush = {
  /** The subscription it belongs to. */
  feed: string,
  /** The journal entry. */
  seq: Seq, } & ({ "event": "post.created", "data": Post } | { "event": "post.updated", "data": Post } | { "event": "post.removed", "data": Removed } | { "event": "comment.created", "data": Comment } | { "event": "comment.updated", "data": Comment } | { "event": "comment.removed", "data": Removed } | { "event": "user.updated", "data": User } | { "event": "follow.created", "data": Follow } | { "event": "follow.removed", "data": Follow } | { "event": "block.created", "data": Block } | { "event": "block.removed", "data": Block } | { "event": "mute.created", "data": Mute } | { "event": "mute.removed", "data": Mute } | { "event": "reaction.updated", "data": Reaction } | { "event": "reaction.removed", "data": Reaction } | { "event": "bookmark.created", "data": Bookmark } | { "event": "bookmark.removed", "data": Bookmark } | { "event": "notification.updated", "data": NotificationTold } | { "event": "notification.removed", "data": NotificationRemoved } | { "event": "notification.read", "data": NotificationReading } | { "event": "marker.updated", "data": ReadMarker } | { "event": "marker.removed", "data": ReadMarker } | { "event": "preferences.updated", "data": Preferences } | { "event": "settings.updated", "data": Settings } | { "event": "draft.updated", "data": Draft } | { "event": "draft.removed", "data": Removed } | { "event": "case.updated", "data": Case } | { "event": "report.updated", "data": Report } | { "event": "action.updated", "data": Action } | { "event": "feed.changed", "data": Changed } | { "event": "request.created", "data": FollowRequest } | { "event": "request.removed", "data": FollowRequest } | { "event": "list.updated", "data": List } | { "event": "list.removed", "data": Removed } | { "event": "member.created", "data": ListMember } | { "event": "member.removed", "data": ListMember } | { "event": "filter.updated", "data": Filter } | { "event": "filter.removed", "data": Removed } | { "event": "feed.resync", "data": Snapshot });

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
  /** Those that the user shows before all others, wherever they stand among the posts; newest first. */
  pinned?: Array<Post>,
  /** Newest first, and after them older ones that these answer. */
  comments?: Array<Comment>,
  /** How many direct answers to comments there are, by comment, as of a moment before the snapshot; absent for those without: 0. 100 means at least so many. */
  answers?: { [key in CommentId]: number },
  /** Whom one follows. */
  follows?: Array<UserId>,
  /** Whom one blocks. */
  blocks?: Array<Block>,
  /** Whom one has muted. */
  mutes?: Array<Mute>,
  /** How far one has read one's feeds. */
  markers?: Array<ReadMarker>,
  /** Of whom one wants to hear; absent where one never said so. */
  preferences?: Preferences,
  /** What one has chosen; absent where one never did. */
  settings?: Settings,
  /** Requests of one's own to follow somebody; those of others to oneself come by `request.page`. */
  requests?: Array<FollowRequest>,
  /** One's lists. */
  lists?: Array<List>,
  /** One's keyword filters. */
  filters?: Array<Filter>,
  /** Newest first. */
  notifications?: Array<Notification>,
  /** How far one has looked through them, and how many are unread. */
  reading?: NotificationReading,
  /** Those that are not settled, newest first. */
  cases?: Array<Case>,
  /** For `before` of `feed.page`, `comment.page`, `notification.page` or `mod.page`; null where there is no more. */
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
  /** How much one wants to be told after it. */
  mode?: DeliveryMode,
  /** Of `firehose`: what is wanted of it; all if absent. */
  filter?: FirehoseFilter,
};

/** `feed.unsubscribe`. */
export type FeedUnsubscribe = {
  /** The feed. */
  feed: string,
};

/** A filter of one's own. */
export type Filter = {
  /** Which. */
  id: FilterId,
  /** Last change. */
  rev: Seq,
  /** What is not to be read. */
  phrase: string,
  /** Whether it counts only where it is no part of a longer word. */
  whole_word?: boolean,
  /** From when on it matches nothing; it stays until it is deleted. */
  until?: Millis,
};

/** A keyword filter; chosen by its owner's client, like [`PostId`]. */
export type FilterId = string;

/** `filter.put`: makes a filter, or replaces all of one. May be repeated. */
export type FilterPut = {
  /** Chosen by the client (UUIDv7 recommended). */
  id: FilterId,
  /** What is not to be read. */
  phrase: string,
  /** Whether it counts only where it is no part of a longer word. */
  whole_word?: boolean,
  /** From when on it matches nothing; for good if absent. */
  until?: Millis,
};

/** `filter.delete`. */
export type FilterRef = {
  /** Which. */
  id: FilterId,
};

/** Result of `filter.put`. */
export type FilterResult = {
  /** As it is now. */
  filter: Filter,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** Result of `filter.all`. */
export type Filters = {
  /** All of one's own, in the order of their making. */
  filters: Array<Filter>,
};

/** What of the feed `firehose` is wanted: what is in all of the lists that are not empty. */
export type FirehoseFilter = {
  /** Of these kinds. */
  kinds?: Array<FirehoseKind>,
  /** By these people; at most 100. */
  authors?: Array<UserId>,
  /** Posts that have, or had, one of these hashtags; at most 100. */
  tags?: Array<string>,
};

/** Kinds of things on the feed `firehose`. */
export type FirehoseKind = "post" | "comment" | "user";

/** "`follower` follows `followee`"; in a removed event, "no longer". */
export type Follow = {
  /** Last change. */
  rev: Seq,
  /** Who follows. */
  follower: UserId,
  /** Whom. */
  followee: UserId,
};

/** "`asker` would like to follow `asked`"; in a removed event, "no longer": granted, refused or taken back. Told to both. */
export type FollowRequest = {
  /** Last change. Requests are sorted by it, newest first. */
  rev: Seq,
  /** Who asks. */
  asker: UserId,
  /** Whom. */
  asked: UserId,
};

/** Result of `user.follow` and `user.unfollow`. */
export type FollowResult = {
  /** The pair, as of its last change. */
  follow: Follow,
  /** Whether one follows them now. */
  following: boolean,
  /** Whether one has asked them to be allowed to: they approve their followers first. */
  requested?: boolean,
  /** The change. */
  seq: Seq,
};

/** Result of `user.remove_follower`. */
export type FollowerRemoved = {
  /** The pair, as of its end. */
  follow: Follow,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** Somebody who was looked for. */
export type FoundPerson = {
  /** Their profile. */
  user: User,
  /** Whether one follows them. */
  following: boolean,
};

/** A tag that was looked for. */
export type FoundTag = {
  /** Its name. */
  tag: string,
  /** How many public posts have it. */
  posts: number,
};

/** Of whom one wants to hear. */
export type HeardFrom = "everyone" | "followed" | "nobody";

/** `hello`: the first request of every connection. */
export type Hello = {
  /** Access token; without one the connection is anonymous and may read public feeds. */
  token?: string,
  /** The client's name and version, for the server's logs: at most 64 bytes, no control characters. */
  client?: string,
  /** Feeds to watch from the start. */
  feeds?: Array<string>,
  /** How much one wants to be told of some of them: by their names. What is absent is told in full. */
  modes?: { [key in string]: DeliveryMode },
  /** Where to resume all of `feeds`; without one they start with a snapshot. */
  cursor?: string,
  /** Entities in each snapshot, 1–100; 50 if absent. */
  limit?: number,
  /** What this connection shows of its user from the start; `online` if absent. Nothing for an anonymous one. */
  presence?: Showing,
  /** What is wanted of `firehose`, where it is among the feeds; all if absent. */
  filter?: FirehoseFilter,
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

/** A list of one's own. */
export type List = {
  /** Which. */
  id: ListId,
  /** Last change, also of who is in it. */
  rev: Seq,
  /** What one calls it. */
  name: string,
  /** How many people are in it. */
  members: number,
};

/** `list.create`: may be repeated. */
export type ListCreate = {
  /** Chosen by the client (UUIDv7 recommended). */
  id: ListId,
  /** What one calls it. */
  name: string,
};

/** A list of people; chosen by its owner's client, like [`PostId`]. */
export type ListId = string;

/** "`user` is in `list`"; in a removed event, "no longer". A list that is removed takes its members along. */
export type ListMember = {
  /** Last change. */
  rev: Seq,
  /** Which list. */
  list: ListId,
  /** Who. */
  user: UserId,
};

/** Result of `list.members`. */
export type ListMembers = {
  /** All of them, who was added last first; without those who block one. */
  members: Array<Author>,
};

/** `list.add`, `list.remove`: may be repeated. */
export type ListPerson = {
  /** Which list. */
  id: ListId,
  /** Who. */
  user: UserId,
};

/** `list.delete`, `list.members`. */
export type ListRef = {
  /** Which. */
  id: ListId,
};

/** Result of `list.create`, `list.update`, `list.add` and `list.remove`. */
export type ListResult = {
  /** As it is now. */
  list: List,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** `list.update`: another name. */
export type ListUpdate = {
  /** Which. */
  id: ListId,
  /** What one calls it from now on. */
  name: string,
  /** Refuse as `stale` if it has changed since. */
  if_rev?: Seq,
};

/** Result of `list.all`. */
export type Lists = {
  /** All of one's own, in the order of their making. */
  lists: Array<List>,
};

/** Who has locked a thread: only they, or somebody with more to say, unlock it. */
export type LockedBy = "author" | "moderator";

/** A log-in of one's own: what `session.list` tells of it. */
export type LogIn = {
  /** Which. */
  id: SessionId,
  /** What the program that logged in called itself (its `User-Agent`), as far as it did. */
  device?: string,
  /** What its last connection called itself (`client` of `hello`), as far as it did. */
  client?: string,
  /** When it began. */
  created_at: Millis,
  /** When it was last connected, to some minutes. */
  seen_at: Millis,
  /** Whether it is the one that asks. */
  current: boolean,
};

/** Result of `session.list`. */
export type LogIns = {
  /** Those that are good, the last seen first. */
  sessions: Array<LogIn>,
};

/** A line of the log. Each holds the hash of the one before, so that none can be changed or taken out unnoticed. */
export type LogLine = {
  /** Its number, from 1, without holes. */
  n: number,
  /** When. */
  at: Millis,
  /** By whom; absent: by an operator, or by itself. */
  actor?: UserId,
  /** What was done, in a word or two. */
  act: string,
  /** To what kind of thing: `user`, `post`, `comment`, `case`, `action`. */
  kind: string,
  /** To which. */
  subject: string,
  /** Why. */
  reason?: Reason,
  /** SHA-256 of the hash before and of this line, in hexadecimal digits. */
  hash: string,
};

/** Result of `mod.log`. */
export type LogLines = {
  /** Newest first. */
  lines: Array<LogLine>,
  /** For the next `before`; null at the end. */
  next: number | null,
};

/** `mod.log`: for admins. */
export type LogPage = {
  /** Lines before the one with this number; the newest if absent. */
  before?: number,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `POST /api/v1/auth/login`. */
export type Login = {
  /** Handle or e-mail address. */
  login: string,
  /** Password. */
  password: string,
};

/** Result of `marker.set`. */
export type MarkerResult = {
  /** As it is now; further on than asked if another device was there before. */
  marker: ReadMarker,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** `marker.set`: may be repeated; never goes back. */
export type MarkerSet = {
  /** Which feed. */
  feed: string,
  /** The `seq` of the newest that was read. */
  seq: Seq,
};

/** A picture that has been sent and may be shown. It never changes under its id. */
export type Media = {
  /** Which. */
  id: MediaId,
  /** What it is for. */
  kind: MediaKind,
  /** As it is kept, which need not be as it was sent. */
  type: MediaType,
  /** Pixels, as it is to be seen (turned upright). */
  width: number,
  /** Pixels. */
  height: number,
  /** Size as it is kept. */
  bytes: number,
  /** Path of the whole picture on any node. It may be kept for ever. */
  url: string,
  /** Path of a small one: of an image at most 320 pixels wide and high, of an avatar 96. */
  thumb_url: string,
};

/** Result of `media.delete`. */
export type MediaDeleted = {
  /** What is gone. */
  id: MediaId,
};

/** Result of `media.get`, and the answer to a `PUT`. */
export type MediaGot = {
  /** As it is. */
  media: Media,
};

/** A picture. Chosen by its owner's client, like [`PostId`]. */
export type MediaId = string;

/** What a picture is for. */
export type MediaKind = "avatar" | "image";

/** `media.get`, `media.delete`. */
export type MediaRef = {
  /** Which. */
  id: MediaId,
};

/** `media.ticket`: leave to send a picture. */
export type MediaTicket = {
  /** Chosen by the client; the same id with the same wish is given a ticket again. */
  id: MediaId,
  /** What it is for. */
  kind: MediaKind,
  /** What it is thought to be. What counts is what it turns out to be: names of files are often wrong. */
  type: MediaType,
  /** How many bytes will be sent, at most. */
  bytes: number,
};

/** Result of `media.ticket`. */
export type MediaTicketed = {
  /** Path to `PUT` the bytes to, on any node. Whoever has it may: keep it to yourself. */
  upload: string,
  /** When it runs out. */
  expires_at: Millis,
  /** The most bytes it is good for. */
  max_bytes: number,
  /** The picture, if it has been sent already. */
  media?: Media,
};

/** A type of picture. */
export type MediaType = "image/png" | "image/jpeg" | "image/webp" | "image/gif";

/** Where somebody is mentioned in a text. */
export type MentionSpan = {
  /** Of its `@`, counted in Unicode scalar values. */
  start: number,
  /** Behind its last character. */
  end: number,
  /** In lower case. Whether somebody bears it is not known here. */
  handle: string,
};

/** `mention.suggest`. */
export type MentionSuggest = {
  /** The beginning of a handle or of a word of a name, with or without its `@`; empty: people who are near. */
  prefix: string,
  /** The post under which one writes: those who have written there come first. */
  post?: PostId,
};

/** Result of `mention.suggest`. */
export type MentionsSuggested = {
  /** Those who have written under the post, then those one follows, then the others; at most 10. */
  people: Array<Author>,
};

/** Milliseconds since 1970-01-01 UTC. */
export type Millis = number;

/** `mod.act`: in a `case`, or about exactly one of `user`, `post` and `comment`, which makes a case of it. Settles the case. */
export type ModAct = {
  /** The action's; chosen by the client. The same id with the same content is answered again. */
  id: ActionId,
  /** In which case. */
  case?: CaseId,
  /** Somebody. */
  user?: UserId,
  /** A post. */
  post?: PostId,
  /** A comment. */
  comment?: CommentId,
  /** What to do. Warnings, suspensions, bans and their ends are of whom the case is about, or whose post or comment it is. */
  action: ActionKind,
  /** Why: told to the person. */
  reason: Reason,
  /** For the person. */
  note?: string,
  /** Of a suspension, when it ends by itself; if absent, when somebody ends it. */
  until?: Millis,
};

/** `mod.role`: for admins. Neither oneself nor another admin: that is for operators. */
export type ModRole = {
  /** Whose. */
  id: UserId,
  /** From now on. */
  role: Role,
};

/** "`muter` does not want to read `muted`"; in a removed event, "no longer". */
export type Mute = {
  /** Last change. */
  rev: Seq,
  /** Who mutes. */
  muter: UserId,
  /** Whom. */
  muted: UserId,
  /** When it ends by itself. */
  until?: Millis,
};

/** Result of `user.mute` and `user.unmute`. */
export type MuteResult = {
  /** The pair, as of its last change. */
  mute: Mute,
  /** Whether one has muted them now. */
  muting: boolean,
  /** The change. */
  seq: Seq,
};

/** What one has done to a post oneself; all absent for who is not logged in. */
export type MyMarks = {
  /** One's reaction. */
  reaction?: Emoji,
  /** Whether one has bookmarked it. */
  bookmarked?: boolean,
  /** One's repost of it without words: what to delete to take it back. */
  repost?: PostId,
};

/** `session.list`, `session.revoke_others`: nothing needs to be said. */
export type Nothing = Record<symbol, never>;

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
  expires_at: Millis, } | { "event": "counts" } & PostCounts | { "event": "presence",
  /** How they are now. */
  users: Array<Presence>, } | { "event": "typing",
  /** The post. */
  post: PostId,
  /** The comment that is being answered; absent: they comment on the post itself. */
  parent?: CommentId,
  /** Those who write there now, the latest first; at most ten. */
  users: Array<Author>, } | { "event": "readers",
  /** The post. */
  post: PostId,
  /** So many. */
  count: number, } | { "event": "news",
  /** Which feed. */
  feed: string,
  /** Posts, or comments, by others since `since` that are still there for one; 100 means at least so many. */
  count: number,
  /** From where it is counted. */
  since: string, } | { "event": "sampled",
  /** Which feed. */
  feed: string,
  /** One in so many is told, a power of two; 1: all are again. */
  one_in: number,
};

/** One kind of thing that others did about one thing of one's own: "12 people reacted to your post". New followers come in one group until it
 * has been read; the next one begins another.
 */
export type Notification = {
  /** Which. */
  id: NotificationId,
  /** Last change. */
  rev: Seq,
  /** Its place: when somebody came into it last. Sort by it, newest first. Unlike a post's it grows. */
  seq: Seq,
  /** What they did. */
  kind: NotificationKind,
  /** About which post, or on which. */
  post?: PostId,
  /** About which comment on it. */
  comment?: CommentId,
  /** The comment or post that came last, as far as it is still there. Absent for follows and reactions. */
  last?: string,
  /** Who did, the newest first, at most three. */
  actors: Array<Author>,
  /** How many different people did. */
  count: number,
  /** When somebody came into it last. */
  at: Millis,
  /** Whether it was read by itself; what has a `seq` up to `read` of [`NotificationReading`] is read, too. */
  read?: boolean,
};

/** A group of notifications; made by the server. */
export type NotificationId = string;

/** What others did. */
export type NotificationKind = "follow" | "request" | "mention" | "comment" | "reply" | "reaction" | "repost" | "quote";

/** `notification.page`: older notifications. */
export type NotificationPage = {
  /** `next` of the page or snapshot before; the newest if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `notification.read`: may be repeated; never goes back. One of both, or both: then those of `ids` that have not changed their place since. */
export type NotificationRead = {
  /** These; all if absent. 1 to 100. */
  ids?: Array<NotificationId>,
  /** As far as their `seq` is not above this. */
  up_to?: Seq,
};

/** How far one has looked through one's notifications, on whichever device. Never goes back. */
export type NotificationReading = {
  /** Last change; 0 if there never was one. */
  rev: Seq,
  /** Notifications with a `seq` up to this have been seen. */
  seen: Seq,
  /** Notifications with a `seq` up to this have been read. */
  read: Seq,
  /** How many are unread now. */
  unread: number,
};

/** A notification that is no more: everybody in it has taken back what they did. */
export type NotificationRemoved = {
  /** Which. */
  id: NotificationId,
  /** The removal. */
  rev: Seq,
  /** How many are unread now. */
  unread: number,
};

/** `notification.seen`: may be repeated; never goes back. */
export type NotificationSeen = {
  /** The `seq` of the newest that was seen. */
  up_to: Seq,
};

/** A notification as an event tells it. */
export type NotificationTold = {
  /** How many are unread now. Of several such numbers the one of the last event counts. */
  unread: number,
  /** Which. */
  id: NotificationId,
  /** Last change. */
  rev: Seq,
  /** Its place: when somebody came into it last. Sort by it, newest first. Unlike a post's it grows. */
  seq: Seq,
  /** What they did. */
  kind: NotificationKind,
  /** About which post, or on which. */
  post?: PostId,
  /** About which comment on it. */
  comment?: CommentId,
  /** The comment or post that came last, as far as it is still there. Absent for follows and reactions. */
  last?: string,
  /** Who did, the newest first, at most three. */
  actors: Array<Author>,
  /** How many different people did. */
  count: number,
  /** When somebody came into it last. */
  at: Millis,
  /** Whether it was read by itself; what has a `seq` up to `read` of [`NotificationReading`] is read, too. */
  read?: boolean,
};

/** Result of `notification.page`. */
export type NotificationsPage = {
  /** Newest first. */
  notifications: Array<Notification>,
  /** How far one has looked through them. */
  reading: NotificationReading,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** Of whom one wants to hear, by what they did; what is absent stays as it is, and is `everyone` at first. */
export type NotifyPreferences = {
  /** Follows. */
  follow?: HeardFrom,
  /** Requests to follow. */
  request?: HeardFrom,
  /** Mentions. */
  mention?: HeardFrom,
  /** Comments. */
  comment?: HeardFrom,
  /** Answers to comments. */
  reply?: HeardFrom,
  /** Reactions. */
  reaction?: HeardFrom,
  /** Posts handed on. */
  repost?: HeardFrom,
  /** Posts handed on with words. */
  quote?: HeardFrom,
};

/** Result of `account.password` and `session.revoke_others`. */
export type OthersEnded = {
  /** How many other log-ins were ended. */
  ended: number,
};

/** `report.page`, `account.actions`: one's own, newest first. */
export type OwnPage = {
  /** `next` of the page before; the newest if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** Result of `search.people`. */
export type PeopleFound = {
  /** Whose handle it is, then those one follows, then the others; in each, those whose handle begins so first, then the most followed. */
  people: Array<FoundPerson>,
  /** For the next `before`; null at the end, and after the first 200: say more of the name then. */
  next: string | null,
};

/** A picture that a post shows. */
export type Picture = {
  /** Which. */
  id: MediaId,
  /** What it shows, as its author says. */
  alt?: string,
  /** As it is kept. */
  type: MediaType,
  /** Pixels. */
  width: number,
  /** Pixels. */
  height: number,
  /** Path of the whole picture on any node. It may be kept for ever. */
  url: string,
  /** Path of a small one, at most 320 pixels wide and high. */
  thumb_url: string,
};

/** A picture for a post: one's own, sent as an `image`, and shown by nothing yet. */
export type PictureRef = {
  /** Which. */
  id: MediaId,
  /** What it shows, for who does not see it; nothing if absent. */
  alt?: string,
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
  /** The text; empty in a repost without words of its own, and in a post of pictures alone. */
  text: string,
  /** When it was created. */
  created_at: Millis,
  /** When its text was last changed. */
  edited_at?: Millis,
  /** Who may see it; `public` if absent. */
  visibility?: Visibility,
  /** What the text is about, for readers to decide whether they want to see it. */
  warning?: string,
  /** The post it hands on: with a text of its own a quote, without one a repost. Fetch it with `post.get`: what it says, and whether one may
   * see it, is its own affair.
   */
  of?: PostId,
  /** Why a moderator has hidden it: nobody but its author sees it now. */
  hidden?: Reason,
  /** Whether its author shows it before all others. */
  pinned?: boolean,
  /** Hashtags in the text. */
  tags?: Array<TagSpan>,
  /** People mentioned in the text. */
  mentions?: Array<MentionSpan>,
  /** Who may comment on it; as its author's settings say at the time, if absent. */
  comments?: Commenters,
  /** Nobody comments on it any more; by whose will. */
  locked?: LockedBy,
  /** Each person comments on it once in so many seconds, but for its author and moderators. */
  slow?: number,
  /** Pictures it shows, in their order. */
  media?: Array<Picture>,
};

/** `post.comments`: who may comment from now on. May be repeated; the last one counts. */
export type PostComments = {
  /** On which post. */
  id: PostId,
  /** Who. */
  comments: Commenters,
};

/** How many there are of what others add to a post. Absolute: keep what has the higher `seq`. */
export type PostCounts = {
  /** Which post. */
  post: PostId,
  /** As of this entry. */
  seq: Seq,
  /** Comments that are not removed. */
  comments: number,
  /** Public posts that hand it on without words. */
  reposts: number,
  /** Public posts that hand it on with words. */
  quotes: number,
  /** Reactions of each kind; what is absent is 0. */
  reactions: { [key in Emoji]?: number },
};

/** `post.create`. */
export type PostCreate = {
  /** Chosen by the client; the same id with the same content is answered again, not created again. */
  id: PostId,
  /** The text; may be absent only from a repost and from a post with pictures. */
  text?: string,
  /** Who may see it; everybody if absent. */
  visibility?: Visibility,
  /** What the text is about, for readers to decide whether they want to see it. */
  warning?: string,
  /** A public post to hand on: with `text` a quote, without it a repost. */
  of?: PostId,
  /** Who may comment on it; as its author's settings say at the time, if absent. */
  comments?: Commenters,
  /** Up to 4 pictures of one's own, in the order to be shown. A post that has some needs no text, unless it hands another on. */
  media?: Array<PictureRef>,
};

/** Result of `post.get`. */
export type PostGot = {
  /** As it is now. */
  post: Post,
};

/** Result of `post.history`. */
export type PostHistory = {
  /** The newest first, at most 100, without the present text; those that were written for fewer than may see the post now are only for these. */
  versions: Array<PostVersion>,
};

/** A post. Chosen by its author's client (UUIDv7 recommended), which makes retries safe. */
export type PostId = string;

/** `post.react`: may be repeated; one's last reaction to a post is the one that counts. */
export type PostReact = {
  /** To which post. */
  id: PostId,
  /** How. */
  emoji: Emoji,
};

/** `post.get`, `post.delete`, `post.history`, `post.unreact`, `post.bookmark`, `post.unbookmark`, `post.pin`, `post.unpin`, `post.lock`,
 * `post.unlock`.
 */
export type PostRef = {
  /** Which. */
  id: PostId,
};

/** Result of `post.create`, `post.update`, `post.pin`, `post.unpin`. */
export type PostResult = {
  /** As it is now. */
  post: Post,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** `post.slow`: one comment by each person in so much time. May be repeated; the last one counts. */
export type PostSlow = {
  /** Under which post. */
  id: PostId,
  /** 0 to 3,600 seconds; 0 for as fast as anybody likes. */
  seconds: number,
};

/** A post in numbers. */
export type PostStats = {
  /** For who asks. */
  mine: MyMarks,
  /** Which post. */
  post: PostId,
  /** As of this entry. */
  seq: Seq,
  /** Comments that are not removed. */
  comments: number,
  /** Public posts that hand it on without words. */
  reposts: number,
  /** Public posts that hand it on with words. */
  quotes: number,
  /** Reactions of each kind; what is absent is 0. */
  reactions: { [key in Emoji]?: number },
};

/** `post.stats`: numbers for many posts at once. */
export type PostStatsGet = {
  /** 1 to 100. */
  ids: Array<PostId>,
};

/** `post.update`. */
export type PostUpdate = {
  /** Which. */
  id: PostId,
  /** The new text. */
  text: string,
  /** Who may see it from now on; stays if absent. */
  visibility?: Visibility,
  /** What the text is about; stays if absent, `""` takes it away. */
  warning?: string,
  /** Who may comment on it from now on; stays if absent. */
  comments?: Commenters,
  /** Refuse with `stale` if it has changed since. */
  if_rev?: Seq,
};

/** What a post said before it was edited. */
export type PostVersion = {
  /** The post's `rev` when it last said so. */
  rev: Seq,
  /** The text. */
  text: string,
  /** Since when it said so. */
  at: Millis,
};

/** Result of `search.posts`. */
export type PostsFound = {
  /** Newest first. */
  posts: Array<Post>,
  /** For the next `before`; null at the end. A page may hold fewer than asked for, even none, while there is a `next`: so far was looked. */
  next: string | null,
};

/** Result of `feed.page`. */
export type PostsPage = {
  /** Newest first. */
  posts: Array<Post>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** Result of `post.stats`. */
export type PostsStats = {
  /** Of those of the posts that are there and that one may see, in the order asked. */
  stats: Array<PostStats>,
};

/** One's preferences as of their last change. */
export type Preferences = {
  /** Last change. */
  rev: Seq,
  /** Follows. */
  follow?: HeardFrom,
  /** Requests to follow. */
  request?: HeardFrom,
  /** Mentions. */
  mention?: HeardFrom,
  /** Comments. */
  comment?: HeardFrom,
  /** Answers to comments. */
  reply?: HeardFrom,
  /** Reactions. */
  reaction?: HeardFrom,
  /** Posts handed on. */
  repost?: HeardFrom,
  /** Posts handed on with words. */
  quote?: HeardFrom,
};

/** Result of `notify.preferences`. */
export type PreferencesResult = {
  /** As they are now. */
  preferences: Preferences,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** Somebody's status. */
export type Presence = {
  /** Who. */
  id: UserId,
  /** How they are. */
  status: Status,
  /** When they were last here, if they are not and the server still knows. */
  last_seen?: Millis,
};

/** Whether one is ever shown to be here. */
export type PresenceChoice = "shown" | "hidden";

/** `presence.set`: what this connection shows from now on. */
export type PresenceSet = {
  /** What. */
  status: Showing,
};

/** Result of `presence.set`. */
export type PresenceShown = {
  /** What this connection shows from now on. */
  status: Showing,
};

/** `presence.watch`: whose status one wants to hear. Replaces what was watched before. */
export type PresenceWatch = {
  /** At most 500. Whoever among them one does not follow is left out in silence. Empty: nobody any more. */
  ids: Array<UserId>,
};

/** Result of `presence.watch`. */
export type PresenceWatched = {
  /** How those are now whom one follows. */
  users: Array<Presence>,
};

/** One's reaction to a post. */
export type Reaction = {
  /** Last change. */
  rev: Seq,
  /** To which post. */
  post: PostId,
  /** Which; absent if it was taken back. */
  emoji?: Emoji,
};

/** Result of `post.react` and `post.unreact`. */
export type ReactionResult = {
  /** As of its last change. */
  reaction: Reaction,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** How far one has read a feed, on whichever device. Never goes back. */
export type ReadMarker = {
  /** Last change. */
  rev: Seq,
  /** Which feed. */
  feed: string,
  /** Read up to this place. */
  seq: Seq,
};

/** Result of `notification.seen` and `notification.read`. */
export type ReadingResult = {
  /** As it is now. */
  reading: NotificationReading,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** What is wrong with something, or with somebody. */
export type Reason = "spam" | "harassment" | "hate" | "violence" | "sexual" | "self_harm" | "impersonation" | "privacy" | "illegal" | "other";

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

/** Result of `post.delete`, `comment.delete`, `draft.delete`. */
export type RemovedResult = {
  /** What is gone. */
  removed: Removed,
  /** The change. */
  seq: Seq,
  /** It had been done before; nothing was done now. */
  duplicate?: boolean,
};

/** A report of one's own. Told on one's `me`. */
export type Report = {
  /** Which. */
  id: ReportId,
  /** Last change. */
  rev: Seq,
  /** What is wrong with it. */
  reason: Reason,
  /** What one wrote to the moderators. */
  note?: string,
  /** When. */
  at: Millis,
  /** What came of it; absent while nobody has decided. */
  outcome?: SettledAs,
  /** Somebody. */
  user?: UserId,
  /** A post, or the one that the comment is on. */
  post?: PostId,
  /** A comment. */
  comment?: CommentId,
};

/** `report.create`: exactly one of `user`, `post` and `comment`. Whoever may see it may report it, once. */
export type ReportCreate = {
  /** Chosen by the client; the same id with the same content is answered again. */
  id: ReportId,
  /** Somebody. */
  user?: UserId,
  /** A post. */
  post?: PostId,
  /** A comment. */
  comment?: CommentId,
  /** What is wrong with it. */
  reason: Reason,
  /** For moderators. */
  note?: string,
};

/** A report. Chosen by its author's client, like [`PostId`]. */
export type ReportId = string;

/** Result of `report.create`. */
export type ReportResult = {
  /** As it is now. */
  report: Report,
  /** The change. */
  seq: Seq,
  /** One has reported it before; nothing was done now. */
  duplicate?: boolean,
};

/** Result of `report.page`. */
export type ReportsPage = {
  /** Last changed first. */
  reports: Array<Report>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** A request that was understood. */
export type Request = {
  /** Echoed in the reply. */
  id: RequestId, } & ({ "method": "hello", "params": Hello } | { "method": "auth.refresh", "params": AuthRefresh } | { "method": "account.get", "params": Nothing } | { "method": "account.export", "params": Nothing } | { "method": "account.delete", "params": AccountDelete } | { "method": "account.password", "params": AccountPassword } | { "method": "account.email", "params": AccountEmail } | { "method": "session.list", "params": Nothing } | { "method": "session.revoke", "params": SessionRef } | { "method": "session.revoke_others", "params": Nothing } | { "method": "bot.create", "params": BotCreate } | { "method": "bot.all", "params": Nothing } | { "method": "bot.delete", "params": BotRef } | { "method": "token.create", "params": TokenCreate } | { "method": "token.all", "params": TokenAll } | { "method": "token.revoke", "params": TokenRef } | { "method": "settings.update", "params": SettingsUpdate } | { "method": "user.get", "params": UserGet } | { "method": "user.update", "params": UserUpdate } | { "method": "user.follow", "params": UserRef } | { "method": "user.unfollow", "params": UserRef } | { "method": "user.remove_follower", "params": UserRef } | { "method": "user.block", "params": UserRef } | { "method": "user.unblock", "params": UserRef } | { "method": "user.mute", "params": UserMute } | { "method": "user.unmute", "params": UserRef } | { "method": "request.page", "params": RequestPage } | { "method": "request.accept", "params": UserRef } | { "method": "request.reject", "params": UserRef } | { "method": "list.create", "params": ListCreate } | { "method": "list.update", "params": ListUpdate } | { "method": "list.delete", "params": ListRef } | { "method": "list.add", "params": ListPerson } | { "method": "list.remove", "params": ListPerson } | { "method": "list.all", "params": Nothing } | { "method": "list.members", "params": ListRef } | { "method": "filter.put", "params": FilterPut } | { "method": "filter.delete", "params": FilterRef } | { "method": "filter.all", "params": Nothing } | { "method": "post.create", "params": PostCreate } | { "method": "post.get", "params": PostRef } | { "method": "post.update", "params": PostUpdate } | { "method": "post.delete", "params": PostRef } | { "method": "post.history", "params": PostRef } | { "method": "post.stats", "params": PostStatsGet } | { "method": "post.react", "params": PostReact } | { "method": "post.unreact", "params": PostRef } | { "method": "post.bookmark", "params": PostRef } | { "method": "post.unbookmark", "params": PostRef } | { "method": "post.pin", "params": PostRef } | { "method": "post.unpin", "params": PostRef } | { "method": "bookmark.page", "params": BookmarkPage } | { "method": "post.lock", "params": PostRef } | { "method": "post.unlock", "params": PostRef } | { "method": "post.slow", "params": PostSlow } | { "method": "post.comments", "params": PostComments } | { "method": "draft.put", "params": DraftPut } | { "method": "draft.delete", "params": DraftRef } | { "method": "draft.page", "params": DraftPage } | { "method": "comment.create", "params": CommentCreate } | { "method": "comment.update", "params": CommentUpdate } | { "method": "comment.delete", "params": CommentRef } | { "method": "comment.hide", "params": CommentRef } | { "method": "comment.unhide", "params": CommentRef } | { "method": "comment.page", "params": CommentPage } | { "method": "feed.page", "params": FeedPage } | { "method": "search.people", "params": SearchPeople } | { "method": "search.posts", "params": SearchPosts } | { "method": "search.tags", "params": SearchTags } | { "method": "mention.suggest", "params": MentionSuggest } | { "method": "feed.subscribe", "params": FeedSubscribe } | { "method": "feed.mode", "params": FeedMode } | { "method": "feed.unsubscribe", "params": FeedUnsubscribe } | { "method": "presence.watch", "params": PresenceWatch } | { "method": "presence.set", "params": PresenceSet } | { "method": "typing.send", "params": TypingSend } | { "method": "notification.page", "params": NotificationPage } | { "method": "notification.seen", "params": NotificationSeen } | { "method": "notification.read", "params": NotificationRead } | { "method": "marker.set", "params": MarkerSet } | { "method": "notify.preferences", "params": NotifyPreferences } | { "method": "media.ticket", "params": MediaTicket } | { "method": "media.get", "params": MediaRef } | { "method": "media.delete", "params": MediaRef } | { "method": "report.create", "params": ReportCreate } | { "method": "report.page", "params": OwnPage } | { "method": "account.actions", "params": OwnPage } | { "method": "appeal.create", "params": AppealCreate } | { "method": "appeal.settle", "params": AppealSettle } | { "method": "mod.page", "params": CasePage } | { "method": "mod.get", "params": CaseRef } | { "method": "mod.claim", "params": CaseClaim } | { "method": "mod.settle", "params": CaseRef } | { "method": "mod.act", "params": ModAct } | { "method": "mod.role", "params": ModRole } | { "method": "mod.log", "params": LogPage });

/** The client's number for a request, echoed in its reply. 0 … 2⁵³−1. */
export type RequestId = number;

/** `request.page`. */
export type RequestPage = {
  /** `next` of the page before; the newest requests if absent. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** Result of `request.accept` and `request.reject`. */
export type RequestResult = {
  /** The request, as of its end. */
  request: FollowRequest,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** Result of `request.page`. */
export type RequestsPage = {
  /** Newest first. */
  requests: Array<Asking>,
  /** For the next `before`; null at the end. */
  next: string | null,
};

/** Every REST refusal. */
export type RestError = {
  /** Why. */
  error: Refusal,
};

/** What a user may do beyond their own things. */
export type Role = "user" | "admin" | "moderator";

/** What a token is good for. What a method needs stands in PROTOCOL.md's table; what is not there needs a log-in. */
export type Scope = "read" | "write" | "mod" | "firehose";

/** `search.people`. */
export type SearchPeople = {
  /** The beginnings of words of the name or of the handle, in any order: all of them have to be there. */
  query: string,
  /** `next` of the page before. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `search.posts`. */
export type SearchPosts = {
  /** Words that are all there; `"words that follow each other"`, `-word` that is not there, `or` between two. */
  query: string,
  /** `next` of the page before. */
  before?: string,
  /** 1–100; 50 if absent. */
  limit?: number,
};

/** `search.tags`. */
export type SearchTags = {
  /** The beginning of the tag's name, with or without its `#`; empty: the tags with the most posts. */
  prefix: string,
};

/** Number of a journal entry: contiguous from 1, in commit order, within one epoch (P1). 0 is "before the first". */
export type Seq = number;

/** Result of `session.revoke`. */
export type SessionEnded = {
  /** Which. */
  id: SessionId,
  /** The change. */
  seq: Seq,
};

/** One log-in of one user: the refresh-token family, and what log-out ends. */
export type SessionId = string;

/** `session.revoke`: may be repeated without harm. */
export type SessionRef = {
  /** Which log-in. */
  id: SessionId,
};

/** One's settings as of their last change. */
export type Settings = {
  /** Last change. */
  rev: Seq,
  /** How clients look. */
  theme?: Theme,
  /** Who may see a new post where one does not say otherwise. For clients: a `post.create` without `visibility` is public, whatever this says. */
  visibility?: Visibility,
  /** Who may comment on one's posts where these do not say. */
  comments?: Commenters,
  /** Whether one is ever shown to be here. */
  presence?: PresenceChoice,
};

/** Result of `settings.update`. */
export type SettingsResult = {
  /** As they are now. */
  settings: Settings,
  /** The change. */
  seq: Seq,
  /** It was so already; nothing was done now. */
  duplicate?: boolean,
};

/** What somebody chooses: what is absent stays as it is, and is at first the first of its kind (`system`, `public`, `everyone`, `shown`). */
export type SettingsUpdate = {
  /** How clients look. */
  theme?: Theme,
  /** Who may see a new post where one does not say otherwise. For clients: a `post.create` without `visibility` is public, whatever this says. */
  visibility?: Visibility,
  /** Who may comment on one's posts where these do not say. */
  comments?: Commenters,
  /** Whether one is ever shown to be here. */
  presence?: PresenceChoice,
};

/** What came of a report or a case. */
export type SettledAs = "acted" | "dismissed";

/** What one connection shows of its user. A user is shown as the best of all their connections: online, then idle. */
export type Showing = "online" | "idle" | "invisible";

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
 * `home`, `global`, `tag:<name>`, `list:<id>`: `posts`; `user:<id>`: `user`, `posts`, `pinned`; `post:<id>`: `post`, `comments`, `answers`; `me`: `user`, `follows`, `blocks`,
 * `mutes`, `markers`, `preferences`, `settings`, `requests`, `lists`, `filters`; `notifications`: `notifications`, `reading`; `mod`: `cases`.
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
  /** Those that the user shows before all others, wherever they stand among the posts; newest first. */
  pinned?: Array<Post>,
  /** Newest first, and after them older ones that these answer. */
  comments?: Array<Comment>,
  /** How many direct answers to comments there are, by comment, as of a moment before the snapshot; absent for those without: 0. 100 means at least so many. */
  answers?: { [key in CommentId]: number },
  /** Whom one follows. */
  follows?: Array<UserId>,
  /** Whom one blocks. */
  blocks?: Array<Block>,
  /** Whom one has muted. */
  mutes?: Array<Mute>,
  /** How far one has read one's feeds. */
  markers?: Array<ReadMarker>,
  /** Of whom one wants to hear; absent where one never said so. */
  preferences?: Preferences,
  /** What one has chosen; absent where one never did. */
  settings?: Settings,
  /** Requests of one's own to follow somebody; those of others to oneself come by `request.page`. */
  requests?: Array<FollowRequest>,
  /** One's lists. */
  lists?: Array<List>,
  /** One's keyword filters. */
  filters?: Array<Filter>,
  /** Newest first. */
  notifications?: Array<Notification>,
  /** How far one has looked through them, and how many are unread. */
  reading?: NotificationReading,
  /** Those that are not settled, newest first. */
  cases?: Array<Case>,
  /** For `before` of `feed.page`, `comment.page`, `notification.page` or `mod.page`; null where there is no more. */
  next: string | null,
};

/** How somebody is, as others are told. */
export type Status = "online" | "idle" | "offline";

/** Where a hashtag stands in a text. */
export type TagSpan = {
  /** Of its `#`, counted in Unicode scalar values. */
  start: number,
  /** Behind its last character. */
  end: number,
  /** Which tag it is, however it is written there. */
  tag: string,
};

/** Result of `search.tags`. */
export type TagsFound = {
  /** Those with the most posts first; at most 20. */
  tags: Array<FoundTag>,
};

/** How a client looks. */
export type Theme = "system" | "light" | "dark";

/** A token, without its secret. */
export type Token = {
  /** Which. */
  id: SessionId,
  /** As who it acts. */
  user: UserId,
  /** For people to know it by. */
  name: string,
  /** What it is good for. */
  scopes: Array<Scope>,
  /** When it was made. */
  created_at: Millis,
  /** When it was last connected, to some minutes; absent if never. */
  seen_at?: Millis,
  /** When it runs out; never if absent. */
  expires_at?: Millis,
};

/** `token.all`. */
export type TokenAll = {
  /** A bot of one's own whose they are; oneself if absent. */
  bot?: UserId,
};

/** `token.create`. The answer alone holds the secret: after a lost answer revoke what `token.all` shows and make another. */
export type TokenCreate = {
  /** A bot of one's own that it is for; oneself if absent. */
  bot?: UserId,
  /** For people to know it by. */
  name: string,
  /** What it is good for: one or more. `mod` only for who moderates. */
  scopes: Array<Scope>,
  /** When it runs out; never if absent. */
  expires?: Millis,
};

/** Result of `token.create`. */
export type TokenMade = {
  /** The token. */
  token: Token,
  /** What goes into `token` of `hello`. It is told nowhere else and never again: begins with `tid_`. */
  secret: string,
};

/** `token.revoke`: one's own or one's bots'; may be repeated without harm. */
export type TokenRef = {
  /** Which. */
  id: SessionId,
};

/** Result of `token.revoke`. */
export type TokenRevoked = {
  /** Which. */
  id: SessionId,
  /** The change. */
  seq: Seq,
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

/** Result of `token.all`. */
export type TokensAll = {
  /** Those that are good, the newest first. */
  tokens: Array<Token>,
};

/** `typing.send`: one is writing a comment on a post, or an answer to one of its comments. */
export type TypingSend = {
  /** The post, whose feed this connection watches. */
  post: PostId,
  /** The comment that is being answered. */
  parent?: CommentId,
};

/** Result of `typing.send`. */
export type TypingSent = {
  /** Sending it again earlier changes nothing. */
  again_after_ms: number,
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
  /** Whether they say yes or no to each who wants to follow them. */
  asks?: boolean,
  /** Of a bot: whose it is. */
  bot?: BotOf,
  /** Their face: a picture of theirs, `/media/<avatar>/full`, `…/320` or `…/96`. */
  avatar?: MediaId,
  /** The account was deleted: there is nobody behind it any more, and its feed is over. Never in an answer or a snapshot. */
  deleted?: boolean,
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

/** `user.mute`: may be repeated; the last one says until when. */
export type UserMute = {
  /** Whom. */
  id: UserId,
  /** When it ends by itself; never if absent. A time in the past ends it at once. */
  until?: Millis,
};

/** `user.follow`, `user.unfollow`, `user.remove_follower`, `user.block`, `user.unblock`, `user.unmute`, `request.accept`, `request.reject`: all may be repeated without harm. */
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
  /** Whether one has asked to follow them. */
  requested?: boolean,
  /** Whether they have asked to follow one. */
  requested_by?: boolean,
  /** Whether one blocks them. */
  blocking: boolean,
  /** Whether one has muted them. */
  muting: boolean,
  /** How many follow them. */
  followers: number,
  /** How many they follow. */
  follows: number,
  /** How many posts of theirs everybody may see; of one's own, how many there are. */
  posts: number,
};

/** `user.update`: what is absent stays. */
export type UserUpdate = {
  /** New display name. */
  name?: string,
  /** New profile text. */
  bio?: string,
  /** A picture of one's own, sent as an `avatar`, for a face; `null` for none. Stays if absent. */
  avatar?: MediaId | null,
  /** Whether one approves one's followers first. */
  asks?: boolean,
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

/** Who may see a post, besides its author. Nobody who blocks the author, or is blocked by them, ever does. */
export type Visibility = "public" | "followers" | "mentioned" | "private";

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
  "account.get": { params: Nothing; result: AccountGot };
  "account.export": { params: Nothing; result: AccountExported };
  "account.delete": { params: AccountDelete; result: AccountDeleted };
  "account.password": { params: AccountPassword; result: OthersEnded };
  "account.email": { params: AccountEmail; result: EmailChanged };
  "session.list": { params: Nothing; result: LogIns };
  "session.revoke": { params: SessionRef; result: SessionEnded };
  "session.revoke_others": { params: Nothing; result: OthersEnded };
  "bot.create": { params: BotCreate; result: UserUpdated };
  "bot.all": { params: Nothing; result: BotsAll };
  "bot.delete": { params: BotRef; result: UserUpdated };
  "token.create": { params: TokenCreate; result: TokenMade };
  "token.all": { params: TokenAll; result: TokensAll };
  "token.revoke": { params: TokenRef; result: TokenRevoked };
  "settings.update": { params: SettingsUpdate; result: SettingsResult };
  "user.get": { params: UserGet; result: UserResult };
  "user.update": { params: UserUpdate; result: UserUpdated };
  "user.follow": { params: UserRef; result: FollowResult };
  "user.unfollow": { params: UserRef; result: FollowResult };
  "user.remove_follower": { params: UserRef; result: FollowerRemoved };
  "user.block": { params: UserRef; result: BlockResult };
  "user.unblock": { params: UserRef; result: BlockResult };
  "user.mute": { params: UserMute; result: MuteResult };
  "user.unmute": { params: UserRef; result: MuteResult };
  "request.page": { params: RequestPage; result: RequestsPage };
  "request.accept": { params: UserRef; result: RequestResult };
  "request.reject": { params: UserRef; result: RequestResult };
  "list.create": { params: ListCreate; result: ListResult };
  "list.update": { params: ListUpdate; result: ListResult };
  "list.delete": { params: ListRef; result: RemovedResult };
  "list.add": { params: ListPerson; result: ListResult };
  "list.remove": { params: ListPerson; result: ListResult };
  "list.all": { params: Nothing; result: Lists };
  "list.members": { params: ListRef; result: ListMembers };
  "filter.put": { params: FilterPut; result: FilterResult };
  "filter.delete": { params: FilterRef; result: RemovedResult };
  "filter.all": { params: Nothing; result: Filters };
  "post.create": { params: PostCreate; result: PostResult };
  "post.get": { params: PostRef; result: PostGot };
  "post.update": { params: PostUpdate; result: PostResult };
  "post.delete": { params: PostRef; result: RemovedResult };
  "post.history": { params: PostRef; result: PostHistory };
  "post.stats": { params: PostStatsGet; result: PostsStats };
  "post.react": { params: PostReact; result: ReactionResult };
  "post.unreact": { params: PostRef; result: ReactionResult };
  "post.bookmark": { params: PostRef; result: BookmarkResult };
  "post.unbookmark": { params: PostRef; result: BookmarkResult };
  "post.pin": { params: PostRef; result: PostResult };
  "post.unpin": { params: PostRef; result: PostResult };
  "bookmark.page": { params: BookmarkPage; result: BookmarksPage };
  "post.lock": { params: PostRef; result: PostResult };
  "post.unlock": { params: PostRef; result: PostResult };
  "post.slow": { params: PostSlow; result: PostResult };
  "post.comments": { params: PostComments; result: PostResult };
  "draft.put": { params: DraftPut; result: DraftResult };
  "draft.delete": { params: DraftRef; result: RemovedResult };
  "draft.page": { params: DraftPage; result: DraftsPage };
  "comment.create": { params: CommentCreate; result: CommentResult };
  "comment.update": { params: CommentUpdate; result: CommentResult };
  "comment.delete": { params: CommentRef; result: RemovedResult };
  "comment.hide": { params: CommentRef; result: CommentResult };
  "comment.unhide": { params: CommentRef; result: CommentResult };
  "comment.page": { params: CommentPage; result: CommentsPage };
  "feed.page": { params: FeedPage; result: PostsPage };
  "search.people": { params: SearchPeople; result: PeopleFound };
  "search.posts": { params: SearchPosts; result: PostsFound };
  "search.tags": { params: SearchTags; result: TagsFound };
  "mention.suggest": { params: MentionSuggest; result: MentionsSuggested };
  "feed.subscribe": { params: FeedSubscribe; result: Snapshot };
  "feed.mode": { params: FeedMode; result: FeedModeSet };
  "feed.unsubscribe": { params: FeedUnsubscribe; result: Unsubscribed };
  "presence.watch": { params: PresenceWatch; result: PresenceWatched };
  "presence.set": { params: PresenceSet; result: PresenceShown };
  "typing.send": { params: TypingSend; result: TypingSent };
  "notification.page": { params: NotificationPage; result: NotificationsPage };
  "notification.seen": { params: NotificationSeen; result: ReadingResult };
  "notification.read": { params: NotificationRead; result: ReadingResult };
  "marker.set": { params: MarkerSet; result: MarkerResult };
  "notify.preferences": { params: NotifyPreferences; result: PreferencesResult };
  "media.ticket": { params: MediaTicket; result: MediaTicketed };
  "media.get": { params: MediaRef; result: MediaGot };
  "media.delete": { params: MediaRef; result: MediaDeleted };
  "report.create": { params: ReportCreate; result: ReportResult };
  "report.page": { params: OwnPage; result: ReportsPage };
  "account.actions": { params: OwnPage; result: ActionsPage };
  "appeal.create": { params: AppealCreate; result: ActionResult };
  "appeal.settle": { params: AppealSettle; result: CaseResult };
  "mod.page": { params: CasePage; result: CasesPage };
  "mod.get": { params: CaseRef; result: CaseGot };
  "mod.claim": { params: CaseClaim; result: CaseResult };
  "mod.settle": { params: CaseRef; result: CaseResult };
  "mod.act": { params: ModAct; result: CaseResult };
  "mod.role": { params: ModRole; result: UserUpdated };
  "mod.log": { params: LogPage; result: LogLines };
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
  "block.created": Block;
  "block.removed": Block;
  "mute.created": Mute;
  "mute.removed": Mute;
  "reaction.updated": Reaction;
  "reaction.removed": Reaction;
  "bookmark.created": Bookmark;
  "bookmark.removed": Bookmark;
  "notification.updated": NotificationTold;
  "notification.removed": NotificationRemoved;
  "notification.read": NotificationReading;
  "marker.updated": ReadMarker;
  "marker.removed": ReadMarker;
  "preferences.updated": Preferences;
  "settings.updated": Settings;
  "draft.updated": Draft;
  "draft.removed": Removed;
  "case.updated": Case;
  "report.updated": Report;
  "action.updated": Action;
  "feed.changed": Changed;
  "request.created": FollowRequest;
  "request.removed": FollowRequest;
  "list.updated": List;
  "list.removed": Removed;
  "member.created": ListMember;
  "member.removed": ListMember;
  "filter.updated": Filter;
  "filter.removed": Removed;
  "feed.resync": Snapshot;
}
