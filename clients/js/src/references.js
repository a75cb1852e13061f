/**
 * Owns the posts that other posts hand on: each fetched once, however often it is shown. Must never show what the server refuses.
 */
import { Emitter } from "./emitter.js";

/** Bound of what is kept; the oldest goes first. */
const MOST_KEPT = 500;

/** Emits `change` with a post's id. */
export class References extends Emitter {
  #kept = new Map();
  #get;

  /** @param {(id: string) => Promise<{ post: import("./protocol.js").Post }>} get */
  constructor(get) {
    super();
    this.#get = get;
  }

  /** `{ state: "loading" | "here" | "refused", post }`; asks for it where nobody did. */
  of(id) {
    if (!this.#kept.has(id)) this.#fetch(id);
    const { state, post } = this.#kept.get(id);
    return { state, post };
  }

  /** @internal What one may see may be different now: all is asked for again when it is shown again. */
  clear() {
    const ids = [...this.#kept.keys()];
    this.#kept.clear();
    for (const id of ids) this.emit("change", id);
  }

  /** @internal A post came by. */
  met(post) {
    const kept = this.#kept.get(post.id);
    if (!kept || kept.rev >= post.rev) return;
    this.#keep(post.id, { state: "here", post, rev: post.rev });
  }

  /** @internal A post is gone, or not for one's eyes any more. */
  removed({ id, rev }) {
    const kept = this.#kept.get(id);
    if (kept && !(kept.rev >= rev)) this.#keep(id, { state: "refused", post: null, rev });
  }

  async #fetch(id) {
    const asked = { state: "loading", post: null, rev: 0 };
    this.#kept.set(id, asked);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
    let found;
    try {
      const { post } = await this.#get(id);
      found = { state: "here", post, rev: post.rev };
    } catch (error) {
      found = { state: "refused", post: null, rev: 0 };
      // Only a word of the server stands; what failed on the way is tried again with the next look.
      if (error.retryable && this.#kept.get(id) === asked) this.#kept.delete(id);
    }
    if (this.#kept.get(id) === asked) this.#keep(id, found);
  }

  #keep(id, entry) {
    this.#kept.set(id, entry);
    this.emit("change", id);
  }
}
