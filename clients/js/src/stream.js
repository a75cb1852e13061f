/**
 * Owns what the feed `firehose` needs, which is a stream and no state: whether an event is news. Must never keep what is told.
 */
import { Entities } from "./entities.js";

/** So many things it remembers the `rev` of: the repeats after a lost line are the last ones. */
const MOST_KNOWN = 1_000;

export class Stream extends Entities {
  #known = new Map();

  constructor() {
    super("firehose");
  }

  /** A fresh start: what lay between is not told any more. */
  replace({ next = null }) {
    this.#known.clear();
    this.next = next;
  }

  apply({ data }) {
    if (this.#known.get(data.id) >= data.rev) return false;
    this.#known.delete(data.id);
    this.#known.set(data.id, data.rev);
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value);
    return true;
  }
}
