/**
 * Owns what is known of people, for all feeds of a client: who appears in one feed is renamed by another.
 */
import { Emitter } from "./emitter.js";

/** Emits `renamed` when somebody known looks different now. */
export class People extends Emitter {
  #known = new Map();

  /**
   * Keeps an author or a profile if its `rev` is newer.
   * @returns {boolean} whether it was
   */
  meet({ id, rev, handle, name }) {
    const known = this.#known.get(id);
    if (known?.rev >= rev) return false;
    this.#known.set(id, { id, rev, handle, name });
    if (known) this.emit("renamed", id); // Also for another picture, of which only the `rev` tells.
    return true;
  }

  /** The newest that is known of an author. */
  person(author) {
    const known = this.#known.get(author.id);
    return known && known.rev > author.rev ? known : author;
  }

  /** The journal began a new life: no `rev` of the old one means anything. */
  clear() {
    this.#known.clear();
  }
}
