/** Types of tidings-client. Those of the wire are generated: see protocol.d.ts. */
import type {
  ActionKind, ActionResult, ActionsPage, CaseGot, CaseResult, CasesPage, LogLines, Reason, ReportResult, ReportsPage, Role,
  AccountDeleted, AccountExported, AccountGot,
  Action, Author, Block, BlockResult, BookmarkResult, BotsAll, Changed, BookmarksPage, Comment, CommentResult, Commenters, CommentsPage, DeliveryMode, Draft, DraftPut,
  DraftResult, DraftsPage, EmailChanged, Emoji, Events, FeedModeSet, FeedPush, Filter, FilterResult, Filters, FirehoseFilter, FollowerRemoved,
  FollowRequest, FollowResult, Limits, List, ListMembers, ListResult, Lists, LogIns, Login,
  MarkerResult, Media, MediaDeleted, MediaGot,
  MediaKind, MediaType, MentionsSuggested, MethodName, Methods, Mute, MuteResult, MyMarks, Notice, Notification, NotificationReading,
  NotificationsPage, NotifyPreferences, OthersEnded, PeopleFound, PictureRef, Post, PostCounts, PostGot, PostHistory, PostResult, PostsFound,
  PostsPage, PostsStats, Preferences, PreferencesResult, Presence, PresenceShown, ReactionResult, ReadMarker, ReadingResult, Refusal, RemovedResult,
  Report, RequestResult, RequestsPage, Scope,
  SessionEnded, Settings, SettingsResult, SettingsUpdate, Showing, SignUp, Snapshot, TagsFound, TokenMade, TokenRevoked, Tokens, TokensAll, TypingSent, User, UserResult,
  UserUpdated, Visibility, Welcome,
} from "./protocol.js";

export type * from "./protocol.js";

/** A code of the server, or one of the library's own. */
export type FailureCode =
  | Refusal["code"] | "timeout" | "connection_lost" | "network" | "aborted" | "closed" | "too_many_waiting";

export class TidingsError extends Error {
  constructor(why: { code: FailureCode; message: string; retryable?: boolean; retryAfterMs?: number; field?: string });
  readonly code: FailureCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly field?: string;
  static fromWire(refusal: Refusal): TidingsError;
  static aborted(): TidingsError;
}

export type FeedName =
  | "home" | "global" | "me" | "notifications" | "mod" | "firehose" | `tag:${string}` | `user:${string}` | `post:${string}` | `list:${string}`;
export type ConnectionState = "disconnected" | "connecting" | "connected";
export type SubscriptionState = "unsubscribed" | "subscribing" | "subscribed";

export interface ConnectionChange {
  state: ConnectionState;
  /** The close number, or 0. */
  code: number;
  reason: string;
  /** While waiting to come back. */
  retryInMs?: number;
}

export interface ClientOptions {
  /** `https://host`, or the full `wss://host/api/v1/ws`. */
  url: string;
  /** Called only when the token is missing, over, about to be, or was rejected. Null means: stay anonymous.
   * Rejecting with a `TidingsError` that is not `retryable` stops the client. Without it the connection is anonymous. */
  getToken?: (why: { reason: string }) => Promise<string | null> | string | null;
  /** Instead of `getToken`: the token of a program or a bot (`tid_…`). Nobody renews it: where it ends, the client is `disconnected` for good. */
  token?: string;
  /** For the server's logs. */
  name?: string;
  /** Default time-out of requests, reconnects included. 15,000 if absent. */
  timeoutMs?: number;
  /** Closes the client. */
  signal?: AbortSignal;
  WebSocket?: typeof globalThis.WebSocket;
  /** Where `online` and `offline` events come from. */
  network?: Partial<Pick<EventTarget, "addEventListener">>;
  random?: () => number;
}

export interface RequestOptions {
  timeoutMs?: number;
  signal?: AbortSignal;
}

interface Listening {
  signal?: AbortSignal;
}

declare class Emitter<Events> {
  on<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void, options?: Listening): () => void;
  once<E extends keyof Events>(event: E, listener: (detail: Events[E]) => void, options?: Listening): () => void;
}

/** A frame nobody asked for. */
export type Push = FeedPush | Notice;

/** Each notice by its name. */
export type NoticeEvents = { [N in Notice as N["event"]]: N };

export interface ClientEvents extends NoticeEvents {
  state: ConnectionChange;
  welcome: Welcome;
  push: Push;
  error: TidingsError;
}

export class Client extends Emitter<ClientEvents> {
  constructor(options: ClientOptions);
  readonly state: ConnectionState;
  readonly user: User | null;
  readonly limits: Limits | null;
  /** The position of everything that is watched: `epoch-seq`. */
  readonly cursor: string | null;
  /** Where the server is reached by HTTP. */
  readonly httpUrl: string;
  readonly numbers: Numbers;
  readonly references: References;
  readonly moment: Moment;
  connect(): void;
  retryNow(): void;
  close(): void;
  feed(name: FeedName, options?: { limit?: number; mode?: DeliveryMode; filter?: FirehoseFilter; signal?: AbortSignal }): Feed;
  request<M extends MethodName>(method: M, params?: Methods[M]["params"], options?: RequestOptions): Promise<Methods[M]["result"]>;
  getUser(who?: { id?: string; handle?: string }, options?: RequestOptions): Promise<UserResult>;
  updateUser(change: { name?: string; bio?: string; avatar?: string | null; asks?: boolean; ifRev?: number }, options?: RequestOptions): Promise<UserUpdated>;
  follow(id: string, options?: RequestOptions): Promise<FollowResult>;
  unfollow(id: string, options?: RequestOptions): Promise<FollowResult>;
  block(id: string, options?: RequestOptions): Promise<BlockResult>;
  unblock(id: string, options?: RequestOptions): Promise<BlockResult>;
  mute(id: string, options?: RequestOptions & { until?: number }): Promise<MuteResult>;
  unmute(id: string, options?: RequestOptions): Promise<MuteResult>;
  removeFollower(id: string, options?: RequestOptions): Promise<FollowerRemoved>;
  followRequests(options?: RequestOptions & { before?: string; limit?: number }): Promise<RequestsPage>;
  acceptRequest(id: string, options?: RequestOptions): Promise<RequestResult>;
  rejectRequest(id: string, options?: RequestOptions): Promise<RequestResult>;
  lists(options?: RequestOptions): Promise<Lists>;
  createList(name: string, options?: RequestOptions & { id?: string }): Promise<ListResult>;
  renameList(id: string, name: string, options?: RequestOptions & { ifRev?: number }): Promise<ListResult>;
  deleteList(id: string, options?: RequestOptions): Promise<RemovedResult>;
  listMembers(id: string, options?: RequestOptions): Promise<ListMembers>;
  addToList(id: string, user: string, options?: RequestOptions): Promise<ListResult>;
  removeFromList(id: string, user: string, options?: RequestOptions): Promise<ListResult>;
  filters(options?: RequestOptions): Promise<Filters>;
  /** Makes a filter, or replaces the one with this `id`. */
  putFilter(phrase: string, options?: RequestOptions & { id?: string; wholeWord?: boolean; until?: number }): Promise<FilterResult>;
  deleteFilter(id: string, options?: RequestOptions): Promise<RemovedResult>;
  /** With `of` a quote, or without a text a repost. */
  createPost(text: string | undefined, options?: RequestOptions & { id?: string; visibility?: Visibility; warning?: string; of?: string; comments?: Commenters; media?: PictureRef[] }): Promise<PostResult>;
  getPost(id: string, options?: RequestOptions): Promise<PostGot>;
  getStats(ids: string[], options?: RequestOptions): Promise<PostsStats>;
  /** Posts of a feed, or of a ranked view. */
  postsPage(feed: FeedName | "top:day" | "top:week", options?: RequestOptions & { before?: string; limit?: number }): Promise<PostsPage>;
  /** Comments on a post, or with `parent` the direct answers to one of them. */
  commentsPage(post: string, options?: RequestOptions & { parent?: string; before?: string; limit?: number }): Promise<CommentsPage>;
  updatePost(id: string, text: string, options?: RequestOptions & { ifRev?: number; visibility?: Visibility; warning?: string; comments?: Commenters }): Promise<PostResult>;
  deletePost(id: string, options?: RequestOptions): Promise<RemovedResult>;
  getHistory(id: string, options?: RequestOptions): Promise<PostHistory>;
  pin(id: string, options?: RequestOptions): Promise<PostResult>;
  unpin(id: string, options?: RequestOptions): Promise<PostResult>;
  react(id: string, emoji: Emoji, options?: RequestOptions): Promise<ReactionResult>;
  unreact(id: string, options?: RequestOptions): Promise<ReactionResult>;
  bookmark(id: string, options?: RequestOptions): Promise<BookmarkResult>;
  unbookmark(id: string, options?: RequestOptions): Promise<BookmarkResult>;
  bookmarks(options?: RequestOptions & { before?: string; limit?: number }): Promise<BookmarksPage>;
  /** Words that begin words of names or handles. */
  searchPeople(query: string, options?: RequestOptions & { before?: string; limit?: number }): Promise<PeopleFound>;
  /** Words, "words that follow each other", -without. A page may be empty while it has a `next`. */
  searchPosts(query: string, options?: RequestOptions & { before?: string; limit?: number }): Promise<PostsFound>;
  /** How much one is told of a feed one watches. Back to more, the answer holds a snapshot. */
  setMode(feed: FeedName, mode: DeliveryMode, options?: RequestOptions & { limit?: number }): Promise<FeedModeSet>;
  searchTags(prefix: string, options?: RequestOptions): Promise<TagsFound>;
  /** Whom somebody who types an `@` may mean, under a post or anywhere. */
  suggestMentions(prefix: string, options?: RequestOptions & { post?: string }): Promise<MentionsSuggested>;
  createComment(post: string, text: string, options?: RequestOptions & { id?: string; parent?: string }): Promise<CommentResult>;
  updateComment(id: string, text: string, options?: RequestOptions & { ifRev?: number }): Promise<CommentResult>;
  lock(id: string, options?: RequestOptions): Promise<PostResult>;
  unlock(id: string, options?: RequestOptions): Promise<PostResult>;
  slow(id: string, seconds: number, options?: RequestOptions): Promise<PostResult>;
  whoComments(id: string, comments: Commenters, options?: RequestOptions): Promise<PostResult>;
  hideComment(id: string, options?: RequestOptions): Promise<CommentResult>;
  unhideComment(id: string, options?: RequestOptions): Promise<CommentResult>;
  deleteComment(id: string, options?: RequestOptions): Promise<RemovedResult>;
  typing(post: string, options?: RequestOptions & { parent?: string }): Promise<TypingSent>;
  /** Rejects with `invalid` or `limit_reached`, before anything is sent, where the server would not take it. */
  sendPicture(picture: Blob, options?: { kind?: MediaKind; id?: string; onProgress?: (part: number) => void; signal?: AbortSignal }): Promise<Media>;
  getPicture(id: string, options?: RequestOptions): Promise<MediaGot>;
  forgetPicture(id: string, options?: RequestOptions): Promise<MediaDeleted>;
  notificationsPage(options?: RequestOptions & { before?: string; limit?: number }): Promise<NotificationsPage>;
  notificationsSeen(upTo: number, options?: RequestOptions): Promise<ReadingResult>;
  notificationsRead(which: { ids?: string[]; upTo?: number }, options?: RequestOptions): Promise<ReadingResult>;
  setPreferences(preferences: NotifyPreferences, options?: RequestOptions): Promise<PreferencesResult>;
  updateSettings(settings: SettingsUpdate, options?: RequestOptions): Promise<SettingsResult>;
  putDraft(draft: Omit<DraftPut, "id" | "if_rev"> & { id?: string; ifRev?: number }, options?: RequestOptions): Promise<DraftResult>;
  deleteDraft(id: string, options?: RequestOptions): Promise<RemovedResult>;
  drafts(options?: RequestOptions & { before?: string; limit?: number }): Promise<DraftsPage>;
  setMarker(feed: FeedName, seq: number, options?: RequestOptions): Promise<MarkerResult>;
  setPresence(status: Showing, options?: RequestOptions): Promise<PresenceShown>;
  report(about: { user: string } | { post: string } | { comment: string }, reason: Reason, options?: RequestOptions & { id?: string; note?: string }): Promise<ReportResult>;
  reports(options?: RequestOptions & { before?: string; limit?: number }): Promise<ReportsPage>;
  actions(options?: RequestOptions & { before?: string; limit?: number }): Promise<ActionsPage>;
  appeal(action: string, text: string, options?: RequestOptions): Promise<ActionResult>;
  settleAppeal(action: string, accept: boolean, options?: RequestOptions & { note?: string }): Promise<CaseResult>;
  cases(options?: RequestOptions & { settled?: boolean; before?: string; limit?: number }): Promise<CasesPage>;
  case(id: string, options?: RequestOptions): Promise<CaseGot>;
  claimCase(id: string, options?: RequestOptions & { release?: boolean }): Promise<CaseResult>;
  settleCase(id: string, options?: RequestOptions): Promise<CaseResult>;
  moderate(about: { case: string } | { user: string } | { post: string } | { comment: string }, action: ActionKind, reason: Reason, options?: RequestOptions & { id?: string; note?: string; until?: number }): Promise<CaseResult>;
  setRole(id: string, role: Role, options?: RequestOptions): Promise<UserUpdated>;
  moderationLog(options?: RequestOptions & { before?: number; limit?: number }): Promise<LogLines>;
  /** Makes a bot of one's own. It comes in with a token that is made for it. */
  createBot(handle: string, name: string, options?: RequestOptions & { id?: string }): Promise<UserUpdated>;
  bots(options?: RequestOptions): Promise<BotsAll>;
  /** Stops it for good. */
  deleteBot(id: string, options?: RequestOptions): Promise<UserUpdated>;
  /** `secret` of the answer is told once. Never sent twice by itself: after a lost answer look at `tokens`. */
  createToken(name: string, scopes: Scope[], options?: RequestOptions & { bot?: string; expires?: number }): Promise<TokenMade>;
  tokens(options?: RequestOptions & { bot?: string }): Promise<TokensAll>;
  revokeToken(id: string, options?: RequestOptions): Promise<TokenRevoked>;
  changePassword(current: string, next: string, options?: RequestOptions): Promise<OthersEnded>;
  changeEmail(password: string, email: string, options?: RequestOptions): Promise<EmailChanged>;
  account(options?: RequestOptions): Promise<AccountGot>;
  exportAccount(options?: RequestOptions): Promise<AccountExported>;
  deleteAccount(password: string, options?: RequestOptions): Promise<AccountDeleted>;
  logIns(options?: RequestOptions): Promise<LogIns>;
  endLogIn(id: string, options?: RequestOptions): Promise<SessionEnded>;
  endOtherLogIns(options?: RequestOptions): Promise<OthersEnded>;
}

/** Posts in numbers, and what one did to them. Each number is the newest that was heard. */
export class Numbers extends Emitter<{ change: string }> {
  of(post: string): { counts: PostCounts | null; mine: MyMarks | null };
  /** Asks for a post's numbers, unless they are fresh; calls close together become one request. */
  want(post: string, options?: { again?: boolean }): void;
  /** Something one did, as its result told: sooner than the event. `undefined` takes it back. */
  marked<F extends keyof MyMarks>(post: string, field: F, value: MyMarks[F], rev: number): void;
}

/** Posts that other posts hand on, each fetched once. */
export class References extends Emitter<{ change: string }> {
  of(id: string): { state: "loading"; post: null } | { state: "here"; post: Post } | { state: "refused"; post: null };
}

/** What is only true for the moment. */
export class Moment extends Emitter<{ presence: string[]; typing: string; readers: string }> {
  /** Whose status to hear from now on, at most 500; kept over reconnects. */
  watch(ids: Iterable<string>): Promise<void>;
  presence(id: string): Presence | null;
  typing(post: string): { user: Author; parent?: string }[];
  readers(post: string): number | null;
}

export interface ThreadNode {
  comment: Comment;
  answers: ThreadNode[];
  /** Its parent is not loaded. */
  orphan: boolean;
}

export interface FeedEvents extends Omit<Events, "feed.resync"> {
  state: { state: SubscriptionState; code: string; reason: string };
  /** In `count`: so many are new. */
  news: { count: number; since: string };
  change: { cause: "snapshot" | "page" | "person" | "sampled"; event?: undefined } | { cause: "event"; event: FeedPush };
}

export class Feed extends Emitter<FeedEvents> {
  readonly name: FeedName;
  readonly state: SubscriptionState;
  readonly code: string;
  readonly reason: string;
  readonly error: TidingsError | null;
  readonly loaded: boolean;
  /** One in so many new posts comes; 1: all. */
  readonly oneIn: number;
  readonly posts: Post[];
  readonly post: Post | null;
  readonly user: User | null;
  readonly thread: ThreadNode[];
  readonly commentCount: number;
  readonly follows: Set<string>;
  readonly blocks: Map<string, Block>;
  readonly mutes: Map<string, Mute>;
  readonly markers: Map<string, ReadMarker>;
  readonly preferences: Preferences | null;
  readonly requests: Map<string, FollowRequest>;
  readonly lists: Map<string, List>;
  readonly filters: Map<string, Filter>;
  /** What came of one's reports, and what moderators did to one, as far as it has changed since one watches `me`. */
  readonly reports: Map<string, Report>;
  readonly actions: Map<string, Action>;
  /** In `ids`: what one was told of by its id alone and does not have as it is now. */
  readonly changed: Map<string, Changed>;
  readonly settings: Settings | null;
  draft(id: string): Draft | null | undefined;
  readonly pinned: Post[];
  readonly notifications: Notification[];
  readonly reading: NotificationReading | null;
  readonly hasOlder: boolean;
  person(author: Author): Author;
  /** How much one is told of it. */
  readonly mode: DeliveryMode;
  /** In `count`: how many are new, and since when; null before it was said. */
  readonly news: { count: number; since: string } | null;
  /** Back to more, it begins afresh with what is there now; `count` again says that one has looked. */
  setMode(mode: DeliveryMode, options?: RequestOptions & { limit?: number }): Promise<FeedModeSet>;
  /** In `ids`: gets a post one was told of by its id; null where it is gone meanwhile. */
  fetch(id: string): Promise<Post | null>;
  ready(): Promise<Feed>;
  loadOlder(): Promise<void>;
  /** How many direct answers a comment has, as far as a page said so; 0 where none did. */
  answersOf(comment: string): number;
  loadAnswers(comment: string): Promise<void>;
  close(): void;
}

export class Entities {
  constructor(feed: FeedName);
  readonly user: User | null;
  readonly post: Post | null;
  readonly next: string | null;
  readonly posts: Post[];
  readonly thread: ThreadNode[];
  readonly commentCount: number;
  readonly follows: Set<string>;
  readonly blocks: Map<string, Block>;
  readonly mutes: Map<string, Mute>;
  readonly markers: Map<string, ReadMarker>;
  readonly preferences: Preferences | null;
  readonly requests: Map<string, FollowRequest>;
  readonly lists: Map<string, List>;
  readonly filters: Map<string, Filter>;
  /** What came of one's reports, and what moderators did to one, as far as it has changed since one watches `me`. */
  readonly reports: Map<string, Report>;
  readonly actions: Map<string, Action>;
  /** In `ids`: what one was told of by its id alone and does not have as it is now. */
  readonly changed: Map<string, Changed>;
  readonly settings: Settings | null;
  draft(id: string): Draft | null | undefined;
  readonly pinned: Post[];
  readonly notifications: Notification[];
  readonly reading: NotificationReading | null;
  reaction(post: string): Emoji | null | undefined;
  bookmarked(post: string): boolean | undefined;
  replace(snapshot: Snapshot): void;
  addPage(page: Partial<PostsPage & CommentsPage & NotificationsPage>): void;
  apply(push: { event: string; data: unknown; seq?: number }): boolean;
  person(author: Author): Author;
}

export class Rest {
  constructor(options: { url: string; fetch?: typeof globalThis.fetch; timeoutMs?: number });
  signUp(account: SignUp, options?: Listening): Promise<Tokens>;
  login(credentials: Login, options?: Listening): Promise<Tokens>;
  refresh(refreshToken: string, options?: Listening): Promise<Tokens>;
  logout(refreshToken: string, options?: Listening): Promise<void>;
}

/** Whether a keyword filter's phrase stands in a text: the rule that all clients share (PROTOCOL.md). */
export function matchesFilter(filter: { phrase: string; whole_word?: boolean }, text: string): boolean;
/** What the server takes for a picture, and the most bytes of one. */
export const PICTURE_TYPES: readonly MediaType[];
export const PICTURE_BYTES: Readonly<Record<MediaKind, number>>;
export function uuidv7(now?: number): string;
export function afterClose(code: number): "reconnect" | "reauthenticate" | "stop";
export function backoffMs(attempt: number, random?: () => number): number;
