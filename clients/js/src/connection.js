/**
 * Owns one socket after another: hello, liveness, coming back. Must never know what feeds hold,
 * and never give up by itself unless a close number or the token's owner says so.
 */
import { backoffMs } from "./backoff.js";
import { afterClose } from "./close.js";
import { Emitter } from "./emitter.js";
import { TidingsError } from "./error.js";

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = "tidings.v1.json";
/** From opening the socket to the answer to `hello`. */
const GREETING_MS = 15_000;
/** So many heartbeats may be missing before the line counts as dead: one may be lost, and timers of hidden pages are late. */
const MISSED_HEARTBEATS = 2.5;
/** A connection that lived this long was a success; one cut sooner counts as one more failure of the same kind. */
const STEADY_MS = 10_000;
/** Ids of requests start at 1. */
const HELLO_ID = 0;

/**
 * Emits `state` `{ state, code, reason, retryInMs? }`, `welcome` (the result of `hello`), `lost`,
 * and `frame` (anything after the welcome).
 */
export class Connection extends Emitter {
  state = "disconnected";
  #options;
  #token;
  #socket = null;
  /** Names the present attempt, so that an answer to an earlier one is not taken for its own. */
  #attempt = null;
  #failures = 0;
  #retryTimer = null;
  #watchTimer = null;
  #silenceMs = GREETING_MS;
  #connectedAt = 0;
  #listening = new AbortController();
  #comeBackAt = 0;

  /**
   * @param {{
   *   url: string,
   *   WebSocket: typeof WebSocket,
   *   token: import("./token.js").Token,
   *   greeting: () => object,
   *   network?: EventTarget,
   *   random?: () => number,
   * }} options `greeting` gives the params of `hello` but for the token
   */
  constructor(options) {
    super();
    this.#options = options;
    this.#token = options.token;
  }

  /** Starts trying. Does nothing unless disconnected. */
  connect() {
    if (this.state !== "disconnected") return;
    this.#failures = 0;
    this.#listen();
    this.#become("connecting", 0, "connect");
    this.#open();
  }

  /** Ends the connection and all trying. */
  disconnect(code = 1000, reason = "disconnect") {
    this.#attempt = null;
    this.#listening.abort();
    this.#stopWaiting();
    this.#discard();
    if (this.state !== "disconnected") this.#become("disconnected", code, reason);
  }

  /** Ends the waiting between two attempts. */
  retryNow() {
    if (this.#retryTimer !== null) this.#open();
  }

  /** @param {string} text */
  send(text) {
    this.#socket?.send(text);
  }

  /** The node is leaving and has told when to come back: each of its clients another time, so that not all come at once. */
  leave(comeBackInMs) {
    if (!this.#socket) return;
    this.#comeBackAt = Date.now() + comeBackInMs;
    this.#drop(4000, "going_away");
  }

  /** To what the system says of its network, where there is somebody who says it. */
  #listen() {
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    this.#options.network?.addEventListener?.("online", () => this.retryNow(), { signal });
    // A line that the system calls down would otherwise look alive until heartbeats are missed.
    this.#options.network?.addEventListener?.("offline", () => this.#drop(1006, "offline"), { signal });
  }

  async #open() {
    this.#stopWaiting();
    const attempt = (this.#attempt = {});
    let token;
    try {
      token = await this.#token.current();
    } catch (error) {
      if (this.#attempt !== attempt) return;
      if (error instanceof TidingsError && !error.retryable) this.disconnect(4400, error.message);
      else this.#wait(1006, `no token: ${error?.message}`);
      return;
    }
    if (this.#attempt === attempt) this.#dial(token);
  }

  #dial(token) {
    let socket;
    try {
      socket = new this.#options.WebSocket(this.#options.url, [SUBPROTOCOL]);
    } catch (error) {
      return this.disconnect(4500, `the address of the server is wrong: ${error.message}`);
    }
    this.#socket = socket;
    this.#silenceMs = GREETING_MS;
    this.#watch();
    const own = (act) => (event) => { if (this.#socket === socket) act(event); };
    socket.onopen = own(() => {
      const params = { ...this.#options.greeting(), token: token ?? undefined };
      socket.send(JSON.stringify({ id: HELLO_ID, method: "hello", params }));
    });
    socket.onmessage = own(({ data }) => this.#received(data));
    socket.onclose = own(({ code, reason }) => this.#lost(code, reason));
    socket.onerror = () => {}; // `onclose` follows with all there is to know
  }

  #received(text) {
    this.#watch();
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return this.#drop(1007, "the server sent something that is not JSON");
    }
    if (this.state === "connected") this.emit("frame", frame);
    else if (frame.id === HELLO_ID || frame.id === null) this.#greeted(frame);
  }

  #greeted({ result, error }) {
    if (error) return this.#refused(TidingsError.fromWire(error));
    this.#connectedAt = Date.now();
    this.#silenceMs = result.heartbeat_ms * MISSED_HEARTBEATS;
    this.#watch();
    this.#token.expires(result.expires_at);
    this.emit("welcome", result);
    this.#become("connected", 0, "welcome");
  }

  /** `hello` was refused: sorted like a close, by whether coming back can help. */
  #refused(error) {
    const ofToken = ["bad_token", "token_expired", "unauthorized"].includes(error.code);
    if (ofToken) this.#drop(4400, error.code);
    else if (error.retryable) this.#drop(4003, error.code);
    else this.disconnect(4500, error.message);
  }

  /** Gives the socket up from this side. */
  #drop(code, reason) {
    if (!this.#socket) return;
    this.#lost(code, reason);
  }

  #lost(code, reason) {
    if (this.state === "connected" && Date.now() - this.#connectedAt > STEADY_MS) this.#failures = 0;
    this.#discard();
    this.emit("lost");
    const then = afterClose(code);
    if (then === "stop" || (then === "reauthenticate" && !this.#token.renewable)) return this.disconnect(code, reason);
    if (then === "reauthenticate") this.#token.rejected(reason);
    this.#wait(code, reason);
  }

  #wait(code, reason) {
    const told = this.#comeBackAt > 0 ? Math.max(0, this.#comeBackAt - Date.now()) : null;
    const retryInMs = told ?? backoffMs(this.#failures, this.#options.random);
    this.#comeBackAt = 0;
    this.#failures += told === null ? 1 : 0;
    this.#retryTimer = setTimeout(() => this.#open(), retryInMs);
    this.#become("connecting", code, reason, retryInMs);
  }

  #stopWaiting() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
  }

  #watch() {
    clearTimeout(this.#watchTimer);
    this.#watchTimer = setTimeout(() => this.#drop(1006, "silent"), this.#silenceMs);
  }

  #discard() {
    clearTimeout(this.#watchTimer);
    const socket = this.#socket;
    this.#socket = null;
    if (socket && socket.readyState <= 1) socket.close(1000);
  }

  #become(state, code, reason, retryInMs) {
    this.state = state;
    this.emit("state", { state, code, reason, retryInMs });
  }
}
