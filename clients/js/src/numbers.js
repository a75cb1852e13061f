/**
 * Owns what posts are in numbers, and what one has done to them oneself. All numbers are absolute: those with the higher `seq` stay.
 * Must never ask for more posts at once than the server allows.
 */
import { Emitter } from "./emitter.js";

/** Calls within so short a time become one request. */
const TOGETHER_MS = 30;
/** The most posts of one request (PROTOCOL.md §10). */
const MOST_ASKED = 100;
/** Bound of what is kept; those not asked for longest go first. */
const MOST_KEPT = 1_000;
/** Numbers younger than this are not asked for again without a reason. */
const FRESH_MS = 5_000;

/** Emits `change` with a post's id. */
export class Numbers extends Emitter {
  #kept = new Map();
  #wanted = new Set();
  #timer = null;
  #ask;

  /** @param {(ids: string[]) => Promise<{ stats: object[] }>} ask */
  constructor(ask) {
    super();
    this.#ask = ask;
  }

  /** `{ counts, mine }` as far as known; each null before it is. */
  of(post) {
    const { counts = null, mine = null } = this.#kept.get(post) ?? {};
    return { counts, mine };
  }

  /** Asks for a post's numbers, unless they are known already; `again` asks in any case. */
  want(post, { again = false } = {}) {
    const kept = this.#kept.get(post);
    if (!again && kept?.mine && Date.now() - kept.at < FRESH_MS) return;
    this.#wanted.add(post);
    this.#timer ??= setTimeout(() => this.#fetch(), TOGETHER_MS);
  }

  /** The journal began a new life, or somebody else is logged in. */
  clear() {
    this.#kept.clear();
  }

  /** @internal The notice `counts`. */
  counted({ event, ...counts }) {
    const entry = this.#entry(counts.post);
    if (entry.counts?.seq >= counts.seq) return;
    entry.counts = counts;
    this.emit("change", counts.post);
  }

  /** @internal One did something to a post, on whichever device; `undefined` takes it back. */
  marked(post, field, value, rev) {
    const entry = this.#kept.get(post);
    if (!entry?.mine || entry.revs[field] >= rev) return;
    entry.revs[field] = rev;
    if (entry.mine[field] === value) return;
    entry.mine = { ...entry.mine, [field]: value };
    this.emit("change", post);
    if (field !== "bookmarked") this.want(post, { again: true });
  }

  /** @internal A post was handed on: where its numbers are shown, they are different now. */
  handedOn(post) {
    if (this.#kept.has(post)) this.want(post, { again: true });
  }

  /** @internal A post is gone: if it was one's repost, one has it no more. */
  removed({ id, rev }) {
    for (const [post, { mine }] of this.#kept) if (mine?.repost === id) this.marked(post, "repost", undefined, rev);
  }

  async #fetch() {
    this.#timer = null;
    const ids = [...this.#wanted].slice(0, MOST_ASKED);
    for (const id of ids) this.#wanted.delete(id);
    if (this.#wanted.size > 0) this.#timer = setTimeout(() => this.#fetch(), TOGETHER_MS);
    try {
      const { stats } = await this.#ask(ids);
      for (const told of stats) this.#took(told);
    } catch {
      // Numbers are an ornament: without them the post still reads. Whoever shows it next asks again.
    }
  }

  #took({ mine, ...counts }) {
    const entry = this.#entry(counts.post);
    entry.at = Date.now();
    if (!(entry.counts?.seq > counts.seq)) entry.counts = counts;
    const held = entry.mine ?? {};
    // What was heard after this answer was made stays.
    const later = Object.keys(entry.revs).filter((field) => entry.revs[field] > counts.seq);
    entry.mine = { ...mine, ...Object.fromEntries(later.map((field) => [field, held[field]])) };
    this.emit("change", counts.post);
  }

  #entry(post) {
    const entry = this.#kept.get(post) ?? { counts: null, mine: null, revs: {}, at: 0 };
    this.#kept.delete(post);
    this.#kept.set(post, entry);
    if (this.#kept.size > MOST_KEPT) this.#kept.delete(this.#kept.keys().next().value);
    return entry;
  }
}
