/** Types of tidings-client. Those of the wire are generated: see protocol.d.ts. */
import type {
  Author, Comment, CommentResult, CommentsPage, Events, FollowResult, Limits, Login, MethodName, Methods, Notice, FeedPush, Post,
  PostGot, PostResult, PostsPage, Refusal, RemovedResult, SignUp, Snapshot, Tokens, User, UserResult, UserUpdated, Welcome,
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

export type FeedName = "home" | "global" | "me" | `user:${string}` | `post:${string}`;
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

export interface ClientEvents {
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
  connect(): void;
  retryNow(): void;
  close(): void;
  feed(name: FeedName, options?: { limit?: number; signal?: AbortSignal }): Feed;
  request<M extends MethodName>(method: M, params?: Methods[M]["params"], options?: RequestOptions): Promise<Methods[M]["result"]>;
  getUser(who?: { id?: string; handle?: string }, options?: RequestOptions): Promise<UserResult>;
  updateUser(change: { name?: string; bio?: string; ifRev?: number }, options?: RequestOptions): Promise<UserUpdated>;
  follow(id: string, options?: RequestOptions): Promise<FollowResult>;
  unfollow(id: string, options?: RequestOptions): Promise<FollowResult>;
  createPost(text: string, options?: RequestOptions & { id?: string }): Promise<PostResult>;
  getPost(id: string, options?: RequestOptions): Promise<PostGot>;
  updatePost(id: string, text: string, options?: RequestOptions & { ifRev?: number }): Promise<PostResult>;
  deletePost(id: string, options?: RequestOptions): Promise<RemovedResult>;
  createComment(post: string, text: string, options?: RequestOptions & { id?: string; parent?: string }): Promise<CommentResult>;
  updateComment(id: string, text: string, options?: RequestOptions & { ifRev?: number }): Promise<CommentResult>;
  deleteComment(id: string, options?: RequestOptions): Promise<RemovedResult>;
}

export interface ThreadNode {
  comment: Comment;
  answers: ThreadNode[];
  /** Its parent is not loaded. */
  orphan: boolean;
}

export interface FeedEvents extends Omit<Events, "feed.resync"> {
  state: { state: SubscriptionState; code: string; reason: string };
  change: { cause: "snapshot" | "page" | "person"; event?: undefined } | { cause: "event"; event: FeedPush };
}

export class Feed extends Emitter<FeedEvents> {
  readonly name: FeedName;
  readonly state: SubscriptionState;
  readonly code: string;
  readonly reason: string;
  readonly error: TidingsError | null;
  readonly loaded: boolean;
  readonly posts: Post[];
  readonly post: Post | null;
  readonly user: User | null;
  readonly thread: ThreadNode[];
  readonly commentCount: number;
  readonly follows: Set<string>;
  readonly hasOlder: boolean;
  person(author: Author): Author;
  ready(): Promise<Feed>;
  loadOlder(): Promise<void>;
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
  replace(snapshot: Snapshot): void;
  addPage(page: Partial<PostsPage & CommentsPage>): void;
  apply(push: { event: string; data: unknown }): boolean;
  person(author: Author): Author;
}

export class Rest {
  constructor(options: { url: string; fetch?: typeof globalThis.fetch; timeoutMs?: number });
  signUp(account: SignUp, options?: Listening): Promise<Tokens>;
  login(credentials: Login, options?: Listening): Promise<Tokens>;
  refresh(refreshToken: string, options?: Listening): Promise<Tokens>;
  logout(refreshToken: string, options?: Listening): Promise<void>;
}

export function uuidv7(now?: number): string;
export function afterClose(code: number): "reconnect" | "reauthenticate" | "stop";
export function backoffMs(attempt: number, random?: () => number): number;
