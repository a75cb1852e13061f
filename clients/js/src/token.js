/**
 * Owns the access token between the program that can get one and the connection that needs one.
 * Must never ask for one while the present one is good.
 */

/** Before its end a token counts as over, so that it does not run out on the way. */
const MARGIN_MS = 5_000;

export class Token {
  #get;
  #text = null;
  #expiresAt = Infinity;
  #why = "missing";
  #known = false;
  /** Whether asking for another one can help where this one is refused. */
  renewable;

  /**
   * @param {{ getToken?: (why: { reason: string }) => Promise<string | null> | string | null, token?: string }} from
   *   where one comes from; or the one of a program (`tid_…`), which nobody renews
   */
  constructor({ getToken, token }) {
    this.#get = token === undefined ? getToken : () => token;
    this.renewable = token === undefined;
  }

  /** The token, asked for only where it is missing, over or was rejected; null for an anonymous connection. */
  async current() {
    if (!this.#get) return null;
    if (this.#known && Date.now() > this.#expiresAt - MARGIN_MS) this.#why = "expired";
    else if (this.#known) return this.#text;
    return this.renewed(this.#why);
  }

  /** A newer one, while the present one still holds. */
  async renewed(reason) {
    if (!this.#get || (this.#known && !this.renewable)) return null;
    this.#text = (await this.#get({ reason })) ?? null;
    this.#expiresAt = Infinity;
    this.#known = true;
    return this.#text;
  }

  /** @param {number | undefined} at milliseconds since 1970, as the server told */
  expires(at) {
    this.#expiresAt = at ?? Infinity;
  }

  /** The server would not take it. */
  rejected(reason) {
    this.#known = false;
    this.#why = reason || "rejected";
  }
}
