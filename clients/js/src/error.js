/**
 * Owns the one error type of the library. Must never carry a token or a text somebody wrote.
 */

/** A refusal by the server, or a failure on the way to it. `code` is the server's, or one of:
 * `timeout`, `connection_lost`, `network`, `aborted`, `closed`, `too_many_waiting`. */
export class TidingsError extends Error {
  /**
   * @param {{ code: string, message: string, retryable?: boolean, retryAfterMs?: number, field?: string }} why
   */
  constructor({ code, message, retryable = false, retryAfterMs, field }) {
    super(message);
    this.name = "TidingsError";
    this.code = code;
    /** Whether the same again, later, may succeed. */
    this.retryable = retryable;
    /** When, if the server knows; in milliseconds. */
    this.retryAfterMs = retryAfterMs;
    /** The parameter that was wrong. */
    this.field = field;
  }

  /**
   * The `error` object of a reply, over the socket and over REST alike.
   * @param {import("./protocol.js").Refusal} refusal
   */
  static fromWire(refusal) {
    return new TidingsError({
      code: refusal?.code ?? "internal",
      message: refusal?.message ?? "the server refused without a reason",
      retryable: refusal?.retry ?? false,
      retryAfterMs: refusal?.retry_after_ms,
      field: refusal?.field,
    });
  }

  /** What an aborted `signal` turns into. */
  static aborted() {
    return new TidingsError({ code: "aborted", message: "aborted by the caller" });
  }
}
