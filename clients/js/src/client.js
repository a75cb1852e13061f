/**
 * Owns what a program holds: the connection, its requests, its feeds and the cursor that ties them together.
 * Must never move the cursor before what it stands for has been applied.
 */
import { backoffMs } from "./backoff.js";
import { Calls } from "./calls.js";
import { Connection } from "./connection.js";
import { TidingsError } from "./error.js";
import { Feed } from "./feed.js";
import { Moment } from "./moment.js";
import { Numbers } from "./numbers.js";
import { People } from "./people.js";
import { References } from "./references.js";
import { Requests } from "./requests.js";
import { Token } from "./token.js";

const WEBSOCKET_PATH = "/api/v1/ws";
/** How long a request may take, reconnects included, unless it says otherwise. */
const TIMEOUT_MS = 15_000;
/** Tokens that live hardly longer than their warning must not make client and server chase each other. */
const RENEWAL_REST_MS = 10_000;
/** A node that leaves gets so long to answer what is under way. */
const LEAVE_MS = 1_000;

/**
 * Emits `state` `{ state, code, reason, retryInMs? }`, `welcome`, `push` (every frame that was not asked for), each notice by its
 * name (`counts`, `presence`, `typing`, `readers`, …) and `error` (a {@link TidingsError} nobody else hears of).
 */
export class Client extends Calls {
  /** One's profile; null while anonymous. */
  user = null;
  /** What the server allows, once connected. */
  limits = null;
  /** The position of everything that is watched: `epoch-seq`. */
  cursor = null;
  /** Posts in numbers, and what one did to them. */
  numbers = new Numbers((ids) => this.request("post.stats", { ids }));
  /** Posts that other posts hand on. */
  references = new References((id) => this.getPost(id));
  /** Who is here, who is typing, how many read. */
  moment = new Moment((method, params) => this.request(method, params));
  /** Where the server is reached by HTTP. */
  httpUrl;
  #connection;
  #requests;
  #token;
  #timeoutMs;
  #feeds = new Map();
  #people = new People();
  #renewal = { at: 0, timer: null };

  /**
   * @param {import("./index.js").ClientOptions} options
   */
  constructor({
    url, getToken, token, name = "tidings-js/0.1", timeoutMs = TIMEOUT_MS, signal, random,
    WebSocket = globalThis.WebSocket, network = globalThis,
  }) {
    super();
    this.httpUrl = new URL(url).origin.replace(/^ws/, "http");
    this.#timeoutMs = timeoutMs;
    this.#token = new Token({ getToken, token });
    this.#connection = new Connection({
      url: socketUrl(url), WebSocket, network, random, token: this.#token,
      greeting: () => this.#greeting(name),
    });
    this.#requests = new Requests((text) => this.#connection.send(text));
    this.#connection.on("welcome", (welcome) => this.#welcomed(welcome));
    this.#connection.on("frame", (frame) => this.#received(frame));
    this.#connection.on("lost", () => this.#requests.lost());
    this.#connection.on("state", (change) => this.#stateChanged(change));
    this.#people.on("renamed", () => {
      for (const feed of this.#feeds.values()) if (feed.loaded) feed.emit("change", { cause: "person" });
    });
    signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  /** `disconnected`, `connecting` or `connected`. */
  get state() { return this.#connection.state; }

  /** Starts, and from then on comes back by itself. */
  connect() { this.#connection.connect(); }
  /** Tries again at once instead of waiting; also starts again after a stop. */
  retryNow() {
    this.#connection.retryNow();
    this.#connection.connect();
  }
  /** Ends everything: requests are rejected, feeds stay as they are until `connect`. */
  close() { this.#connection.disconnect(); }

  /**
   * Any method of the protocol.
   * @returns {Promise<any>}
   */
  request(method, params = {}, { timeoutMs = this.#timeoutMs, signal } = {}) {
    return this.#requests.request(method, params, { timeoutMs, signal });
  }

  /**
   * Watches a feed: `home`, `global`, `me`, `notifications`, `tag:<name>`, `user:<id>`, `post:<id>`, `list:<id>`, `firehose`, `mod`. The same name
   * gives the same object, as it was opened, until it is closed.
   * @param {string} name
   * @param {{ limit?: number, mode?: "full" | "ids" | "count" | "off", filter?: object, signal?: AbortSignal }} [options] `filter` of `firehose`
   * @returns {Feed}
   */
  feed(name, { limit, mode, filter, signal } = {}) {
    let feed = this.#feeds.get(name);
    if (!feed) {
      feed = new Feed(name, { limit, mode, filter }, this.#people, {
        page: (of, before) => this.#page(of, before),
        mode: (of, wanted, options) => super.setMode(of.name, wanted, options),
        post: (id) => this.getPost(id),
        answers: (of, parent, before) => this.request("comment.page", { post: of.name.slice(5), parent, before }),
        close: (of) => this.#unsubscribe(of),
        over: (of) => this.#over(of),
      });
      this.#feeds.set(name, feed);
      if (this.state === "connected") this.#subscribe(feed);
    }
    signal?.addEventListener("abort", () => feed.close(), { once: true });
    return feed;
  }

  /** How much one is told of a feed; one that is open knows it, too. */
  setMode(name, mode, options) {
    return this.#feeds.get(name)?.setMode(mode, options) ?? super.setMode(name, mode, options);
  }

  /** Only feeds that hold a state can go on from the cursor; without one all of them start. */
  #greeting(client) {
    const fresh = (feed) => !this.cursor && feed.limit === undefined;
    const named = [...this.#feeds.values()].filter((feed) => feed.loaded || fresh(feed));
    const feeds = named.map((feed) => feed.name);
    const less = named.filter((feed) => feed.mode !== "full").map((feed) => [feed.name, feed.mode]);
    return {
      client, feeds, cursor: this.cursor && feeds.length > 0 ? this.cursor : undefined,
      modes: less.length > 0 ? Object.fromEntries(less) : undefined, filter: named.find((feed) => feed.name === "firehose")?.filter,
    };
  }

  #welcomed(welcome) {
    this.user = welcome.user;
    this.limits = welcome.limits;
    if (this.cursor && epochOf(this.cursor) !== epochOf(welcome.cursor)) this.#forgetRevs();
    if (!welcome.resumed) this.references.clear();
    const started = new Set();
    for (const feed of this.#feeds.values()) feed.sampled(1); // Another node may tell all: where nothing is said, it does.
    for (const start of welcome.feeds) {
      const feed = this.#feeds.get(start.feed);
      started.add(start.feed);
      if (!feed) this.#forgetOnServer(start.feed); // Closed while `hello` was under way.
      else if (start.status === "snapshot") feed.started(start);
      else if (start.status === "refused") this.#refused(feed, TidingsError.fromWire(start.error));
      else feed.became("subscribed", "resumed");
    }
    this.cursor = welcome.cursor;
    this.emit("welcome", welcome);
    queueMicrotask(() => {
      if (this.state !== "connected") return;
      for (const feed of this.#feeds.values()) if (!started.has(feed.name)) this.#subscribe(feed);
      this.moment.connected();
    });
  }

  #received(frame) {
    if (frame.id === null) return this.emit("error", TidingsError.fromWire(frame.error));
    if (frame.id !== undefined) return this.#requests.answered(frame);
    if (frame.feed !== undefined && frame.seq !== undefined) { // A notice may be about a feed, too: it has no place.
      this.#feeds.get(frame.feed)?.pushed(frame);
      this.#moveTo(frame.seq);
      this.#noted(frame);
    } else {
      this.#noticed(frame);
    }
    this.emit("push", frame);
  }

  #noticed(notice) {
    if (notice.cursor) this.cursor = notice.cursor;
    if (notice.event === "resync") this.#forgetRevs();
    if (notice.event === "counts") this.numbers.counted(notice);
    if (notice.event === "news") this.#feeds.get(notice.feed)?.counted(notice);
    if (notice.event === "sampled") this.#feeds.get(notice.feed)?.sampled(notice.one_in);
    this.moment.noticed(notice);
    this.emit(notice.event, notice);
    if (notice.event === "going_away") this.#leave(notice.reconnect_after_ms);
    if (notice.event === "token_expiring") this.#renewSoon();
  }

  /** What a feed tells is of use beside it, too. */
  #noted({ event, data }) {
    if (event === "feed.resync") this.references.clear();
    if (event === "post.created" || event === "post.updated") {
      this.references.met(data);
      if (data.of && event === "post.created") this.numbers.handedOn(data.of);
      if (data.of && !data.text && data.author.id === this.user?.id) this.numbers.marked(data.of, "repost", data.id, data.rev);
    }
    if (event === "post.removed") {
      this.references.removed(data);
      this.numbers.removed(data);
    }
    if (event === "comment.created") this.moment.written(data);
    if (event.startsWith("reaction.")) this.numbers.marked(data.post, "reaction", data.emoji, data.rev);
    if (event.startsWith("bookmark.")) this.numbers.marked(data.post, "bookmarked", event === "bookmark.created", data.rev);
  }

  #forgetRevs() {
    this.#people.clear();
    this.numbers.clear();
    this.references.clear();
  }

  /** A push moves the position within its epoch. */
  #moveTo(seq) {
    this.cursor = this.cursor && `${epochOf(this.cursor)}-${seq}`;
  }

  #leave(comeBackInMs) {
    const grace = this.#requests.idle ? 0 : Math.min(LEAVE_MS, comeBackInMs);
    setTimeout(() => this.#connection.leave(comeBackInMs - grace), grace);
  }

  #renewSoon() {
    clearTimeout(this.#renewal.timer);
    const rest = this.#renewal.at + RENEWAL_REST_MS - Date.now();
    this.#renewal.timer = setTimeout(() => this.#renewToken(), Math.max(0, rest));
  }

  async #renewToken() {
    if (this.state !== "connected") return; // The next `hello` sees to it.
    this.#renewal.at = Date.now();
    try {
      const token = await this.#token.renewed("expiring");
      if (!token) return;
      const { expires_at: expiresAt } = await this.request("auth.refresh", { token });
      this.#token.expires(expiresAt);
    } catch (error) {
      this.emit("error", error); // The server will close with a number that asks for a new token.
    }
  }

  async #subscribe(feed) {
    feed.became("subscribing", "subscribing");
    try {
      const snapshot = await this.request("feed.subscribe", {
        feed: feed.name, limit: feed.limit, mode: feed.mode === "full" ? undefined : feed.mode, filter: feed.filter,
      });
      if (this.#feeds.get(feed.name) === feed) feed.started(snapshot);
    } catch (error) {
      if (this.#feeds.get(feed.name) === feed) this.#refused(feed, error);
    }
  }

  #refused(feed, error) {
    feed.loaded = false;
    feed.error = error;
    if (!error.retryable) {
      this.#feeds.delete(feed.name);
      return feed.ended(error);
    }
    feed.became("subscribing", error.code, error.message);
    if (this.state === "connecting" && error.code === "connection_lost") return; // The next welcome asks again.
    setTimeout(() => {
      const wanted = this.#feeds.get(feed.name) === feed && !feed.loaded && this.state === "connected";
      if (wanted) this.#subscribe(feed);
    }, error.retryAfterMs ?? backoffMs(1));
  }

  /** The server has ended it: what it told of is gone, or may not be read any more. */
  #over(feed) {
    if (this.#feeds.get(feed.name) === feed) this.#feeds.delete(feed.name);
    if (feed.name.startsWith("post:")) this.moment.left(feed.name.slice(5));
  }

  #unsubscribe(feed) {
    if (this.#feeds.get(feed.name) !== feed) return;
    this.#over(feed);
    this.#forgetOnServer(feed.name);
  }

  #forgetOnServer(feed) {
    queueMicrotask(() => {
      // Opened again meanwhile: its own `feed.subscribe` stands.
      if (this.state !== "connected" || this.#feeds.has(feed)) return;
      this.request("feed.unsubscribe", { feed }).catch(() => {}); // Whatever the answer, nobody listens any more.
    });
  }

  #page(feed, before) {
    const of = feed.name.startsWith("post:") ? ["comment.page", { post: feed.name.slice(5) }]
      : feed.name === "notifications" ? ["notification.page", {}]
      : feed.name === "mod" ? ["mod.page", {}] : ["feed.page", { feed: feed.name }];
    return this.request(of[0], { ...of[1], before, limit: feed.limit });
  }

  #stateChanged(change) {
    if (change.state === "connected") this.#requests.opened(this.limits.requests_in_flight);
    if (change.state === "disconnected") {
      this.#requests.refuseAll(new TidingsError({ code: "closed", message: change.reason || "the connection is closed" }));
    }
    if (change.state !== "connected") {
      this.moment.lost();
      for (const feed of this.#feeds.values()) feed.became("subscribing", "connecting", change.reason);
    }
    this.emit("state", change);
  }
}

const epochOf = (cursor) => cursor.slice(0, cursor.lastIndexOf("-"));

/** `https://host` and `wss://host/api/v1/ws` mean the same server. */
function socketUrl(url) {
  const target = new URL(url);
  target.protocol = target.protocol.replace(/^http/, "ws");
  if (target.pathname === "/") target.pathname = WEBSOCKET_PATH;
  return target.href;
}
