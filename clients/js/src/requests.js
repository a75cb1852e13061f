/**
 * Owns the requests that wait for their answer, and those that wait for a connection.
 * Must never send again what might then mean something else: only what is repeatable survives a lost connection.
 */
import { backoffMs } from "./backoff.js";
import { TidingsError } from "./error.js";

/** Reads; creates, whose id makes a second one an echo of the first; and what means the same when said twice. */
const REPEATABLE = new Set([
  "user.get", "post.get", "post.stats", "post.history", "feed.page", "comment.page", "bookmark.page", "notification.page", "draft.page", "media.get",
  "search.people", "search.posts", "search.tags", "mention.suggest", "account.get", "account.actions", "session.list", "report.page",
  "request.page", "list.all", "list.members", "filter.all", "bot.all", "token.all", "mod.page", "mod.get", "mod.log",
  "post.create", "comment.create", "list.create", "report.create", "appeal.create", "appeal.settle", "media.ticket", "mod.act", "filter.put",
  "post.delete", "comment.delete", "draft.delete", "list.delete", "filter.delete", "media.delete", "bot.delete", "token.revoke",
  "user.follow", "user.unfollow", "user.remove_follower", "user.block", "user.unblock", "user.mute", "user.unmute", "request.accept", "request.reject",
  "list.add", "list.remove", "post.react", "post.unreact", "post.bookmark", "post.unbookmark", "post.pin", "post.unpin",
  "post.lock", "post.unlock", "post.slow", "post.comments", "comment.hide", "comment.unhide",
  "notification.seen", "notification.read", "notify.preferences", "marker.set", "settings.update", "feed.mode",
  "account.password", "account.email", "session.revoke", "session.revoke_others", "mod.claim", "mod.settle", "mod.role",
]);
/** The last one wins, so saying it again changes nothing; with `if_rev` a second one would be refused as stale. */
const UPDATES = new Set(["user.update", "post.update", "comment.update", "draft.put", "list.update"]);
const repeatable = ({ method, params }) => REPEATABLE.has(method) || (UPDATES.has(method) && params.if_rev === undefined);
/** Bound of the queue: a program that asks on while the server is away hears of it. */
const MOST_WAITING = 1_000;
/** How often a request that was refused for a passing reason is sent. */
const MOST_TRIES = 4;

export class Requests {
  #transmit;
  #inFlight = new Map();
  /** Not sent yet, in the order of the calls. */
  #queue = [];
  #lastId = 0;
  #lastOrder = 0;
  #open = false;
  #mostInFlight = 64;

  /** @param {(text: string) => void} transmit */
  constructor(transmit) {
    this.#transmit = transmit;
  }

  /**
   * @param {string} method
   * @param {object} params
   * @param {{ timeoutMs: number, signal?: AbortSignal }} options the time runs from the call, through reconnects
   * @returns {Promise<any>} the result, or a rejection with a {@link TidingsError}
   */
  request(method, params, { timeoutMs, signal }) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(TidingsError.aborted());
      if (this.#queue.length >= MOST_WAITING) {
        return reject(new TidingsError({ code: "too_many_waiting", message: "too many requests wait for a connection", retryable: true }));
      }
      const entry = { method, params, order: (this.#lastOrder += 1), tries: 0, settled: false };
      entry.deadline = Date.now() + timeoutMs;
      const abort = () => entry.fail(TidingsError.aborted());
      const settle = (by) => (value) => {
        if (entry.settled) return;
        entry.settled = true;
        clearTimeout(timer);
        clearTimeout(entry.pause);
        signal?.removeEventListener("abort", abort);
        this.#forget(entry);
        by(value);
      };
      entry.done = settle(resolve);
      entry.fail = settle(reject);
      const timer = setTimeout(() => entry.fail(timedOut(method)), timeoutMs);
      signal?.addEventListener("abort", abort, { once: true });
      this.#enqueue(entry);
    });
  }

  /** Whether nothing waits for an answer. */
  get idle() { return this.#inFlight.size === 0; }

  /** The connection has said hello: what waited goes out. */
  opened(mostInFlight) {
    this.#open = true;
    this.#mostInFlight = mostInFlight;
    this.#flush();
  }

  /** The connection is gone: what may be repeated waits for the next one, the rest has an unknown outcome and says so. */
  lost() {
    this.#open = false;
    const cut = [...this.#inFlight.values()];
    this.#inFlight.clear();
    for (const entry of cut) {
      if (repeatable(entry)) this.#enqueue(entry);
      else entry.fail(new TidingsError({ code: "connection_lost", message: "the connection was lost before the answer came", retryable: true }));
    }
  }

  /** No connection will come: nothing waits any longer. */
  refuseAll(error) {
    this.#open = false;
    for (const entry of [...this.#inFlight.values(), ...this.#queue]) entry.fail(error);
  }

  /** @param {{ id: number, result?: any, error?: import("./protocol.js").Refusal }} reply */
  answered(reply) {
    const entry = this.#inFlight.get(reply.id);
    if (!entry) return;
    this.#inFlight.delete(reply.id);
    if (reply.error) this.#refused(entry, TidingsError.fromWire(reply.error));
    else entry.done(reply.result);
    this.#flush();
  }

  #refused(entry, error) {
    const wait = error.retryAfterMs ?? backoffMs(entry.tries);
    const again = error.retryable && repeatable(entry)
      && entry.tries < MOST_TRIES && Date.now() + wait < entry.deadline;
    if (!again) return entry.fail(error);
    entry.pause = setTimeout(() => this.#enqueue(entry), wait);
  }

  #enqueue(entry) {
    const place = this.#queue.findIndex((other) => other.order > entry.order);
    this.#queue.splice(place < 0 ? this.#queue.length : place, 0, entry);
    this.#flush();
  }

  #flush() {
    while (this.#open && this.#queue.length > 0 && this.#inFlight.size < this.#mostInFlight) {
      const entry = this.#queue.shift();
      const id = (this.#lastId += 1);
      entry.tries += 1;
      entry.id = id;
      this.#inFlight.set(id, entry);
      this.#transmit(JSON.stringify({ id, method: entry.method, params: entry.params }));
    }
  }

  #forget(entry) {
    if (this.#inFlight.get(entry.id) === entry) this.#inFlight.delete(entry.id);
    const place = this.#queue.indexOf(entry);
    if (place >= 0) this.#queue.splice(place, 1);
  }
}

function timedOut(method) {
  return new TidingsError({ code: "timeout", message: `no answer to ${method} in time`, retryable: true });
}
