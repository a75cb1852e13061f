/**
 * Owns what is only true for the moment: who is here, who is typing, how many read along. Must never outlive a connection.
 */
import { Emitter } from "./emitter.js";

/** A sign of typing is good for so long (PROTOCOL.md §7). */
const TYPING_MS = 6_000;
/** The most people of one `presence.watch`. */
const MOST_WATCHED = 500;

/** Emits `presence` (ids of whom it tells), `typing` and `readers` (a post's id). */
export class Moment extends Emitter {
  #presence = new Map();
  #watched = [];
  /** post → user and place → who is writing, and until when that counts. */
  #typing = new Map();
  #readers = new Map();
  #request;

  /** @param {(method: string, params: object) => Promise<any>} request */
  constructor(request) {
    super();
    this.#request = request;
  }

  /** How somebody is, as far as one was told. */
  presence(id) { return this.#presence.get(id) ?? null; }
  /** How many read a post's thread; null where nobody said. */
  readers(post) { return this.#readers.get(post) ?? null; }

  /** Who writes under a post: `{ user, parent? }`, each person once in a place. */
  typing(post) {
    return [...(this.#typing.get(post)?.values() ?? [])].map(({ user, parent }) => ({ user, parent }));
  }

  /** Whose status to hear from now on, instead of those before. */
  async watch(ids) {
    this.#watched = [...ids].slice(0, MOST_WATCHED);
    return this.#ask();
  }

  /** @internal Watching ends with a connection. */
  async connected() {
    if (this.#watched.length > 0) await this.#ask().catch(() => {}); // The next connection asks again.
  }

  /** @internal */
  lost() {
    const ids = [...this.#presence.keys()];
    const posts = [...this.#typing.keys()];
    for (const { timer } of posts.flatMap((post) => [...this.#typing.get(post).values()])) clearTimeout(timer);
    this.#presence.clear();
    this.#typing.clear();
    this.#readers.clear();
    if (ids.length > 0) this.emit("presence", ids);
    for (const post of posts) this.emit("typing", post);
  }

  /** @internal A notice. */
  noticed(notice) {
    if (notice.event === "presence") this.#present(notice.users);
    if (notice.event === "typing") this.#types(notice);
    if (notice.event === "readers") {
      this.#readers.set(notice.post, notice.count);
      this.emit("readers", notice.post);
    }
  }

  /** @internal A comment has come: its author writes it no more. */
  written({ post, parent, author }) {
    if (author) this.#stopped(post, `${author.id} ${parent ?? ""}`);
  }

  /** @internal A thread is not watched any more. */
  left(post) {
    this.#readers.delete(post);
    for (const key of [...(this.#typing.get(post)?.keys() ?? [])]) this.#stopped(post, key);
  }

  async #ask() {
    const ids = this.#watched;
    const { users } = await this.#request("presence.watch", { ids });
    if (ids !== this.#watched) return;
    const before = [...this.#presence.keys()];
    this.#presence.clear();
    for (const user of users) this.#presence.set(user.id, user);
    this.emit("presence", [...new Set([...before, ...this.#presence.keys()])]);
  }

  #present(users) {
    for (const user of users) this.#presence.set(user.id, user);
    this.emit("presence", users.map(({ id }) => id));
  }

  #types({ post, parent, users }) {
    if (!this.#typing.has(post)) this.#typing.set(post, new Map());
    const here = this.#typing.get(post);
    for (const user of users) {
      const key = `${user.id} ${parent ?? ""}`;
      clearTimeout(here.get(key)?.timer);
      here.set(key, { user, parent, timer: setTimeout(() => this.#stopped(post, key), TYPING_MS) });
    }
    this.emit("typing", post);
  }

  #stopped(post, key) {
    const here = this.#typing.get(post);
    if (!here?.has(key)) return;
    clearTimeout(here.get(key).timer);
    here.delete(key);
    if (here.size === 0) this.#typing.delete(post);
    this.emit("typing", post);
  }
}
