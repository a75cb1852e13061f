/**
 * Owns listeners. A listener that throws must never stop the others, nor the reading of the socket.
 */
export class Emitter {
  #listeners = new Map();

  /**
   * @param {string} event
   * @param {(detail: any) => void} listener
   * @param {{ signal?: AbortSignal }} [options] aborting the signal ends the listening
   * @returns {() => void} ends the listening
   */
  on(event, listener, { signal } = {}) {
    if (signal?.aborted) return () => {};
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    const listeners = this.#listeners.get(event);
    listeners.add(listener);
    const off = () => listeners.delete(listener);
    signal?.addEventListener("abort", off, { once: true });
    return off;
  }

  /** Like `on`, for one time. */
  once(event, listener, options) {
    const off = this.on(event, (detail) => { off(); listener(detail); }, options);
    return off;
  }

  /** @protected */
  emit(event, detail) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(detail);
      } catch (error) {
        // The listener's own fault: made as loud as an uncaught error, without harming anybody else.
        queueMicrotask(() => { throw error; });
      }
    }
  }
}
