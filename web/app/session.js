/**
 * Owns who is logged in, across all tabs. The refresh token lies in localStorage, the access token only in memory.
 * A refresh token works once: tabs take turns by a lock, and each reads the newest one after it has its turn.
 */
import { Emitter } from "/client/emitter.js";
import { TidingsError } from "/client/error.js";

const KEY = "tidings.session";
/** An access token closer to its end than this is not started with. */
const MARGIN_MS = 10_000;
/** Reasons for which the token at hand may still be the right answer. */
const FRESH_IS_FINE = new Set(["missing"]);

/** Emits `changed` `{ reason }` when somebody else, or nobody, is logged in: here or in another tab. */
export class Session extends Emitter {
  #rest;
  #access = null;
  #channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(KEY) : null;
  #userId;

  constructor(rest) {
    super();
    this.#rest = rest;
    this.#userId = read()?.user.id;
    globalThis.addEventListener("storage", ({ key }) => { if (key === KEY || key === null) this.#compare("elsewhere"); });
    // Another tab has got a newer access token: one refresh serves all.
    if (this.#channel) this.#channel.onmessage = ({ data: { user, access } }) => { if (user === this.#userId) this.#access = access; };
  }

  /** The profile as of the last tokens; null if nobody is logged in. */
  get user() { return read()?.user ?? null; }

  async signUp(account) { this.#keep(await this.#rest.signUp(account), "signed_up"); }
  async logIn(credentials) { this.#keep(await this.#rest.login(credentials), "logged_in"); }

  /** Ends the session on the server too, if it can be reached. */
  async logOut() {
    const record = read();
    this.#forget("logged_out");
    if (record) await this.#rest.logout(record.refreshToken);
  }

  /** The account is no more: there is nothing to log out of. */
  ended() { this.#forget("ended"); }

  /** For the client's `getToken`. */
  async accessToken({ reason }) {
    const held = this.#access;
    if (held && FRESH_IS_FINE.has(reason) && held.expiresAt - MARGIN_MS > Date.now()) return held.token;
    return inTurn(() => this.#refreshed(held));
  }

  async #refreshed(held) {
    // While this tab waited for its turn another one may have done it.
    if (this.#access && this.#access !== held && this.#access.expiresAt - MARGIN_MS > Date.now()) return this.#access.token;
    for (let record = read(); ; ) {
      if (!record) throw new TidingsError({ code: "unauthorized", message: "logged out" });
      try {
        const tokens = await this.#rest.refresh(record.refreshToken);
        this.#keep(tokens, "refreshed");
        return tokens.access_token;
      } catch (error) {
        if (error.retryable) throw error;
        const newer = read();
        if (newer?.refreshToken === record.refreshToken) this.#forget("ended");
        else if (newer) { record = newer; continue; } // Without locks another tab can be in between: its token is the one.
        throw error;
      }
    }
  }

  #keep(tokens, reason) {
    this.#access = { token: tokens.access_token, expiresAt: tokens.access_expires_at };
    localStorage.setItem(KEY, JSON.stringify({ user: tokens.user, refreshToken: tokens.refresh_token }));
    this.#channel?.postMessage({ user: tokens.user.id, access: this.#access });
    this.#compare(reason);
  }

  #forget(reason) {
    this.#access = null;
    localStorage.removeItem(KEY);
    this.#compare(reason);
  }

  #compare(reason) {
    const userId = read()?.user.id;
    if (userId === this.#userId) return;
    if (reason === "elsewhere") this.#access = null;
    this.#userId = userId;
    this.emit("changed", { reason });
  }
}

function read() {
  try {
    const record = JSON.parse(localStorage.getItem(KEY));
    return record?.refreshToken && record.user?.id ? record : null;
  } catch {
    return null;
  }
}

/** One tab at a time. Locks need a secure context; without them the retry in `#refreshed` has to do. */
function inTurn(act) {
  return navigator.locks ? navigator.locks.request(KEY, act) : act();
}
