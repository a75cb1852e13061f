/**
 * Owns one watched feed: its subscription's state, and what it holds. Must never send by itself: it asks its client.
 */
import { Emitter } from "./emitter.js";
import { Entities } from "./entities.js";
import { TidingsError } from "./error.js";
import { Stream } from "./stream.js";

/**
 * Emits
 * - `state` `{ state, code, reason }`: `subscribing`, `subscribed`, `unsubscribed`;
 * - `change` `{ cause: "snapshot" | "event" | "page" | "person" | "sampled", event? }`: what it holds is different now, or how much of it is told;
 * - every event of the wire by its name (`post.created`, …) with its entity, if it brought something new;
 * - `news` `{ count, since }` while one is told only how many there are (`count`).
 */
export class Feed extends Emitter {
  state = "subscribing";
  /** Why it is in this state: an error code or a word. */
  code = "subscribing";
  reason = "";
  /** The error that ended or delays the subscription. */
  error = null;
  /** One in so many new posts comes, where more is posted than anybody can read; 1: all. */
  oneIn = 1;
  /** Whether it holds a state to go on from. */
  loaded = false;
  /** How much one is told of it: `full`, `ids`, `count` or `off`. */
  mode;
  /** In `count`: how many are new, and since when; null before it was said. */
  news = null;
  #entities;
  #calls;
  #generation = 0;
  #page = null;
  /** Where the next page of a comment's answers begins. */
  #branches = new Map();
  #ready = [];

  /**
   * @param {string} name
   * @param {{ limit?: number, mode?: "full" | "ids" | "count" | "off", filter?: object }} wanted
   * @param {import("./people.js").People} people
   * @param {{ page: (feed: Feed, before: string) => Promise<any>, answers: (feed: Feed, comment: string, before?: string) => Promise<any>, close: (feed: Feed) => void,
   *   mode: (feed: Feed, mode: string, options?: object) => Promise<any>, post: (id: string) => Promise<any>, over: (feed: Feed) => void }} calls
   */
  constructor(name, { limit, mode = "full", filter }, people, calls) {
    super();
    Object.assign(this, { name, limit, mode, filter });
    this.#calls = calls;
    this.#entities = name === "firehose" ? new Stream() : new Entities(name, people);
  }

  get posts() { return this.#entities.posts; }
  get thread() { return this.#entities.thread; }
  get commentCount() { return this.#entities.commentCount; }
  get follows() { return this.#entities.follows; }
  /** In `me`: whom one blocks and has muted, how far one has read, of whom one wants to hear. */
  get blocks() { return this.#entities.blocks; }
  get mutes() { return this.#entities.mutes; }
  get markers() { return this.#entities.markers; }
  get preferences() { return this.#entities.preferences; }
  get settings() { return this.#entities.settings; }
  draft(id) { return this.#entities.draft(id); }
  /** In `user:…`: what they show before all others. */
  get pinned() { return this.#entities.pinned; }
  /** In `me`: one's own requests to follow somebody, one's lists and keyword filters. */
  get requests() { return this.#entities.requests; }
  get lists() { return this.#entities.lists; }
  get filters() { return this.#entities.filters; }
  /** In `me`: what came of one's reports, and what moderators did to one, as far as it has changed since one watches; by their id. */
  get reports() { return this.#entities.reports; }
  get actions() { return this.#entities.actions; }
  /** In `ids`: what one was told of by its id alone and does not have as it is now, by that id. */
  get changed() { return this.#entities.changed; }
  /** In `mod`: what moderators see to, newest first. */
  get cases() { return this.#entities.cases; }
  /** In `post:…`: how many direct answers a comment has, as far as a page said so. */
  answersOf(comment) { return this.#entities.answersOf(comment); }
  get notifications() { return this.#entities.notifications; }
  get reading() { return this.#entities.reading; }
  get user() { return this.#entities.user; }
  get post() { return this.#entities.post; }
  /** Whether there are older things to load. */
  get hasOlder() { return this.#entities.next !== null; }
  /** The newest that is known of an author. */
  person(author) { return this.#entities.person(author); }

  /** Resolves once it holds a state; rejects if it may not be watched. */
  ready() {
    if (this.loaded) return Promise.resolve(this);
    if (this.state === "unsubscribed") return Promise.reject(this.error);
    return new Promise((resolve, reject) => this.#ready.push({ resolve, reject }));
  }

  /** Loads the next page of older things. Calls at the same time share one request. */
  loadOlder() {
    if (!this.hasOlder) return Promise.resolve();
    this.#page ??= this.#loadPage().finally(() => { this.#page = null; });
    return this.#page;
  }

  /** Loads more of the direct answers to one comment (in `post:…`). */
  async loadAnswers(comment) {
    const generation = this.#generation;
    // The newest are often here already, by the pages of the thread: it goes on until there is something new.
    for (let before = this.commentCount, more = true; more && this.commentCount === before;) {
      const page = await this.#calls.answers(this, comment, this.#branches.get(comment));
      if (generation !== this.#generation) return;
      this.#branches.set(comment, page.next ?? undefined);
      this.#entities.addAnswers(comment, page);
      more = page.next !== null;
    }
    this.emit("change", { cause: "page" });
  }

  /**
   * From now on one is told less of it, or more. Back to more, it begins afresh with what is there now; `count` again says that one has looked.
   * @param {"full" | "ids" | "count" | "off"} mode
   */
  async setMode(mode, options) {
    await this.ready();
    const told = await this.#calls.mode(this, mode, options);
    if (this.state === "unsubscribed") return told;
    if (told.mode !== this.mode) this.sampled(1); // It is said again if it is not all.
    this.mode = told.mode;
    this.news = null;
    if (told.snapshot) this.started(told.snapshot);
    return told;
  }

  /**
   * In `ids`: gets a post one was told of by its id.
   * @param {string} id
   * @returns {Promise<object | null>} null where it is gone meanwhile, or not to be seen
   */
  async fetch(id) {
    const asked = this.#entities.changed.get(id);
    const put = (event, data) => this.#entities.apply({ event, data }) && this.emit("change", { cause: "page" });
    try {
      const { post } = await this.#calls.post(id);
      put("post.updated", post);
      return post;
    } catch (error) {
      if (error.code !== "not_found") throw error;
      if (asked) put("post.removed", { id, rev: asked.rev });
      return null;
    }
  }

  /** Stops watching. */
  close() {
    if (this.state === "unsubscribed") return;
    this.#calls.close(this);
    this.ended(new TidingsError({ code: "closed", message: "closed by the program" }));
  }

  async #loadPage() {
    const generation = this.#generation;
    const page = await this.#calls.page(this, this.#entities.next);
    if (generation !== this.#generation) return; // A new snapshot came meanwhile; this page is not its continuation.
    this.#entities.addPage(page);
    this.emit("change", { cause: "page" });
  }

  /** @internal A fresh start: from `hello`, `feed.subscribe` or `feed.resync`. */
  started(snapshot) {
    this.#generation += 1;
    this.#branches.clear();
    this.#entities.replace(snapshot);
    if (this.#empty(snapshot)) return this.#over();
    this.loaded = true;
    this.became("subscribed", "snapshot");
    this.emit("change", { cause: "snapshot" });
    for (const { resolve } of this.#ready.splice(0)) resolve(this);
  }

  /** @internal */
  pushed(push) {
    if (!this.loaded) return; // Left over from an earlier subscription of the same name; the snapshot holds it.
    if (push.event === "feed.resync") return this.started(push.data);
    if (!this.#entities.apply(push)) return;
    this.emit(push.event, push.data);
    if (push.event === "post.removed" && this.name === `post:${push.data.id}`) return this.#over();
    this.emit("change", { cause: "event", event: push });
  }

  /** @internal */
  counted({ count, since }) {
    if (this.mode !== "count") return; // On its way while one asked for more.
    this.news = { count, since };
    this.emit("news", this.news);
  }

  /** @internal The notice `sampled`. */
  sampled(oneIn) {
    if (this.oneIn === oneIn) return;
    this.oneIn = oneIn;
    this.emit("change", { cause: "sampled" });
  }

  /** A person's or post's feed without the person or post: it may not be read any more. */
  #empty(snapshot) {
    return (this.name.startsWith("user:") && !snapshot.user) || (this.name.startsWith("post:") && !snapshot.post);
  }

  #over() {
    this.#generation += 1;
    this.#calls.over(this);
    this.ended(new TidingsError({ code: "not_found", message: "what this feed is about is gone, or not to be seen any more" }));
    this.emit("change", { cause: "snapshot" });
  }

  /** @internal */
  became(state, code, reason = "") {
    if (this.state === state && this.code === code) return;
    Object.assign(this, { state, code, reason });
    this.emit("state", { state, code, reason });
  }

  /** @internal It will not go on. */
  ended(error) {
    this.loaded = false;
    this.error = error;
    this.became("unsubscribed", error.code, error.message);
    for (const { reject } of this.#ready.splice(0)) reject(error);
  }
}
