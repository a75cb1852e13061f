/**
 * Owns what the whole page shares: who one is, the client, the feeds that stay open, and what one may do.
 */
import { Client, Rest } from "/client/index.js";
import { Emitter } from "/client/emitter.js";
import { note } from "./announce.js";
import { Session } from "./session.js";
import { inWords } from "./words.js";

/** Until the server has told its own. */
const LIMITS = { post_chars: 5_000, comment_chars: 2_000, comment_depth: 8 };

/** Emits `person` (somebody else is logged in now), `connection` (its state), `follows` (what `me` tells), `hiding` (one's filters), `unread`, `standing` and `presence` (ids). */
export class App extends Emitter {
  session = new Session(new Rest({ url: location.origin }));
  client;
  home;
  global;
  /** Null for who is not logged in. */
  notifications;
  /** The last state of the connection, with the time of the next attempt. */
  connection = { state: "disconnected", reason: "" };
  /** What one may do, as moderators have it: `{ standing, until? }`; null before that is known. */
  standing = null;
  #me;
  #moved = 0;

  constructor() {
    super();
    this.session.on("changed", ({ reason }) => {
      this.#start();
      this.emit("person", { reason });
    });
    addEventListener("hashchange", () => { this.#moved += 1; });
    this.#start();
  }

  get user() { return this.#me?.user ?? this.session.user; }
  /** One's own feed of what one has set up; null for who is not logged in. */
  get me() { return this.#me; }
  get isAdmin() { return this.user?.role === "admin"; }
  get limits() { return this.client.limits ?? LIMITS; }

  /** Whether one wrote it. */
  owns(entity) { return Boolean(this.user) && entity.author?.id === this.user.id; }

  /** Ids of those one follows; null before that is known. */
  get followed() { return this.#me?.loaded ? this.#me.follows : null; }

  /** Whether one follows them; null where that makes no sense or is not known yet. */
  follows(id) {
    if (!this.#me?.loaded || id === this.user?.id) return null;
    return this.#me.follows.has(id);
  }

  /** Follows or stops following; `button` rests meanwhile. */
  async setFollow(id, wanted, button) {
    return this.does(async () => {
      const { requested } = await (wanted ? this.client.follow(id) : this.client.unfollow(id));
      if (requested) note("They approve their followers: you will follow them when they say yes.");
    }, { button });
  }

  /**
   * Does something that may fail, and says so; `button` rests meanwhile.
   * @returns {Promise<boolean>} whether it was done
   */
  async does(act, { button, done } = {}) {
    if (button) button.disabled = true;
    try {
      await act();
      if (done) note(done);
      return true;
    } catch (error) {
      note(inWords(error), "bad");
      return false;
    } finally {
      if (button) button.disabled = false;
    }
  }

  /** To where one came from; not out of the page. */
  back() {
    if (this.#moved > 0) history.back();
    else location.hash = "#/global";
  }

  async #askStanding(client) {
    try {
      const { standing, until } = await client.actions({ limit: 1 });
      if (this.client !== client) return;
      this.standing = { standing, until };
      this.emit("standing");
    } catch {
      // The next connection asks again; until then the server says it where it matters.
    }
  }

  #start() {
    this.client?.close();
    const known = Boolean(this.session.user);
    const client = new Client({
      url: location.origin,
      name: "tidings-web/0.1",
      getToken: known ? (why) => this.session.accessToken(why) : undefined,
    });
    this.client = client;
    this.#me = known ? client.feed("me") : null;
    this.home = known ? client.feed("home") : null;
    this.global = client.feed("global");
    this.notifications = known ? client.feed("notifications") : null;
    this.#me?.on("change", ({ event }) => {
      this.emit("follows");
      if (!event || event.event.startsWith("filter.")) this.emit("hiding");
    });
    this.notifications?.on("change", () => this.emit("unread"));
    this.standing = null;
    if (known) client.on("welcome", () => this.#askStanding(client));
    this.#me?.on("action.updated", () => this.#askStanding(client));
    client.on("state", (change) => {
      if (this.client !== client) return;
      this.connection = { ...change, retryAt: change.retryInMs === undefined ? null : Date.now() + change.retryInMs };
      this.emit("connection");
    });
    client.connect();
  }
}
