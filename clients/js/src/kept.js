/**
 * Owns things that are there or not, by a key and the `rev` rule: whom one follows, blocks, has muted; bookmarks, markers.
 * Must never forget the `rev` of something that is gone.
 */
export class Kept {
  #entries = new Map();

  clear() { this.#entries.clear(); }

  /**
   * @param {string} key
   * @param {number} rev
   * @param {any} value null: it is no more
   * @returns {boolean} whether that was news
   */
  set(key, rev, value) {
    if (this.#entries.get(key)?.rev >= rev) return false;
    this.#entries.set(key, { rev, value });
    return true;
  }

  /** Whether anything was ever heard of it. */
  has(key) { return this.#entries.has(key); }
  get(key) { return this.#entries.get(key)?.value ?? null; }
  /** Those that are there, by their keys. */
  get all() { return new Map([...this.#entries].filter(([, { value }]) => value !== null).map(([key, { value }]) => [key, value])); }
}
