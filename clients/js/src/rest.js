/**
 * Owns the four calls that go over HTTP: sign up, log in, refresh, log out. Must never keep a token: that is the caller's.
 */
import { TidingsError } from "./error.js";

export class Rest {
  #base;
  #fetch;
  #timeoutMs;

  /**
   * @param {{ url: string, fetch?: typeof fetch, timeoutMs?: number }} options `url` of the server, like `https://tidings.example`
   */
  constructor({ url, fetch = globalThis.fetch, timeoutMs = 20_000 }) {
    this.#base = new URL(url);
    // Browsers refuse `fetch` that is called as a method of another object.
    this.#fetch = (...call) => fetch(...call);
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Makes an account and logs in to it.
   * @param {import("./protocol.js").SignUp} account
   * @returns {Promise<import("./protocol.js").Tokens>}
   */
  signUp({ handle, name, email, password }, options) {
    return this.#post("/api/v1/users", { handle, name, email, password }, options);
  }

  /**
   * @param {import("./protocol.js").Login} credentials `login` is the handle or the e-mail address
   * @returns {Promise<import("./protocol.js").Tokens>}
   */
  login({ login, password }, options) {
    return this.#post("/api/v1/auth/login", { login, password }, options);
  }

  /**
   * New tokens for an old refresh token, which is used up by this: keep the new one, and never send one twice.
   * @param {string} refreshToken
   * @returns {Promise<import("./protocol.js").Tokens>}
   */
  refresh(refreshToken, options) {
    return this.#post("/api/v1/auth/refresh", { refresh_token: refreshToken }, options);
  }

  /**
   * Ends the session that the refresh token belongs to, on all its connections.
   * @param {string} refreshToken
   * @returns {Promise<void>}
   */
  async logout(refreshToken, options) {
    await this.#post("/api/v1/auth/logout", { refresh_token: refreshToken }, options);
  }

  async #post(path, body, { signal } = {}) {
    const limit = AbortSignal.timeout(this.#timeoutMs);
    let response, text;
    try {
      response = await this.#fetch(new URL(path, this.#base), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
      text = await response.text();
    } catch {
      if (signal?.aborted) throw TidingsError.aborted();
      if (limit.aborted) throw new TidingsError({ code: "timeout", message: "the server did not answer in time", retryable: true });
      throw new TidingsError({ code: "network", message: "the server cannot be reached", retryable: true });
    }
    const answer = readJson(text);
    if (response.ok) return answer;
    throw answer?.error ? TidingsError.fromWire(answer.error) : refusalOfStatus(response);
  }
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Something between here and the server answered in its place. */
function refusalOfStatus({ status, headers }) {
  const seconds = Number(headers.get("retry-after"));
  return new TidingsError({
    code: status === 429 ? "rate_limited" : status >= 500 ? "unavailable" : "bad_request",
    message: `the server answered with status ${status}`,
    retryable: status === 429 || status >= 500,
    retryAfterMs: seconds > 0 ? seconds * 1000 : undefined,
  });
}
