/**
 * Owns a list of posts that is live without jumping: what comes while somebody reads waits behind a pill.
 */
import { say } from "./announce.js";
import { arrange, el, icon } from "./dom.js";
import { PostCard } from "./post_card.js";
import { readMarker } from "./read_marker.js";
import { counted, inWords } from "./words.js";

/** Scrolled further than this, or with the focus on a post, somebody reads. */
const AT_TOP_PX = 80;
/** Numbers of posts in a list are asked for again so often; in a thread they are live. */
const RECOUNT_MS = 20_000;
/** So many posts are shown before somebody asks for older ones: more would make each new one slower. */
const SHOWN = 50;
/** The most that are shown again where somebody comes back to a list. */
const SHOWN_AGAIN = 500;
const OLDER = 50;
/** Where nothing is painted, a list is brought up to date so late. */
const UNPAINTED_MS = 250;
/** A list is not drawn again sooner than this: a flood must leave time to scroll and write. */
const REST_MS = 200;
/** More than these at once come without a sign that they are new. */
const FRESH = 3;

export class PostList {
  #app;
  #feed;
  #cards = new Map();
  /** Posts up to this `seq` have been shown. */
  #released = null;
  #waiting = 0;
  #drawn = false;
  #room;
  /** A drawing that is due: many events make one. */
  #due = null;
  #drawnAt = 0;
  #marker;
  #pill = el("button", { type: "button", class: "pill", hidden: true, onclick: () => this.release() });
  #list = el("div", { class: "posts", role: "feed", "aria-label": "Posts" });
  #empty = el("div", { class: "empty", hidden: true });
  #older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => this.#loadOlder() }, "Load older posts");
  #part = el("p", { class: "part", role: "status", hidden: true });
  node = el("section", { class: "list" }, el("div", { class: "pill-place" }, this.#pill), this.#part, this.#empty, this.#list, this.#older);

  /**
   * @param {{ empty: () => Node[], signal: AbortSignal, marked?: boolean }} options what to tell where there is nothing; when to stop; whether
   *   it is noted how far one has read
   */
  constructor(app, feed, { empty, signal, marked = false }) {
    this.#marker = marked ? readMarker(app, feed, { signal }) : null;
    this.#app = app;
    this.#feed = feed;
    this.#room = Math.max(SHOWN, Math.min(SHOWN_AGAIN, feed.posts.length));
    this.#empty.append(...empty());
    feed.on("change", () => this.#drawSoon(), { signal });
    feed.on("state", () => this.#drawSoon(), { signal });
    app.on("follows", () => this.#drawSoon(), { signal });
    signal.addEventListener("abort", () => this.#settle(), { once: true });
    app.on("hiding", () => { for (const card of this.#cards.values()) card.redraw(); }, { signal });
    app.client.numbers.on("change", (id) => this.#refresh(id), { signal });
    app.client.references.on("change", (id) => this.#refresh(id), { signal });
    addEventListener("scroll", () => { if (this.#waiting > 0 && scrollY === 0 && !this.#focused()) this.#show(); }, { passive: true, signal });
    const recount = setInterval(() => { if (!document.hidden) for (const card of this.#cards.values()) card.recount(); }, RECOUNT_MS);
    signal.addEventListener("abort", () => clearInterval(recount), { once: true });
    this.draw();
  }

  /** Shows what waits, from the top. */
  release() {
    const first = this.#feed.posts[0];
    this.#show();
    scrollTo({ top: 0, behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    if (first) this.#cards.get(first.id)?.node.focus({ preventScroll: true });
  }

  #refresh(id) {
    for (const card of this.#cards.values()) card.refresh(id);
  }

  /** With the next picture of the page, however many events come before it. */
  #drawSoon() {
    if (this.#due) return;
    const draw = () => this.draw();
    const rest = this.#drawnAt + REST_MS - performance.now();
    this.#due = rest > 0 ? { timer: setTimeout(draw, rest) } : { frame: requestAnimationFrame(draw), timer: setTimeout(draw, UNPAINTED_MS) };
  }

  #settle() {
    if (!this.#due) return;
    if (this.#due.frame) cancelAnimationFrame(this.#due.frame);
    clearTimeout(this.#due.timer);
    this.#due = null;
  }

  draw() {
    this.#settle();
    const { posts, loaded } = this.#feed;
    this.#list.setAttribute("aria-busy", String(!loaded));
    if (!loaded) return this.#drawUnloaded();
    const reading = scrollY > AT_TOP_PX || this.#focused();
    const newest = posts[0];
    const ownArrived = newest && newest.seq > (this.#released ?? 0) && this.#app.owns(newest);
    if (this.#released === null || !reading || ownArrived) this.#released = newest?.seq ?? 0;
    const released = posts.filter((post) => post.seq <= this.#released);
    const shown = released.slice(0, this.#room);
    const line = this.#marker?.line(shown);
    const fresh = this.#drawn && shown.filter((post) => !this.#cards.has(post.id)).length <= FRESH;
    arrange(this.#list, shown.flatMap((post) => [...(line?.before === post.id ? [line.node] : []), this.#card(post, fresh).node]));
    if (shown[0]) this.#marker?.shown(shown[0].seq);
    const there = new Set(shown.map(({ id }) => id));
    for (const id of this.#cards.keys()) if (!there.has(id)) this.#cards.delete(id);
    this.#drawPill(posts.length - released.length);
    this.#drawPart(this.#feed.oneIn);
    this.#drawn = true;
    this.#drawnAt = performance.now();
    this.#empty.hidden = posts.length > 0;
    this.#older.hidden = !this.#feed.hasOlder && shown.length === released.length;
  }

  #drawUnloaded() {
    this.#empty.hidden = true;
    const text = this.#feed.state === "unsubscribed" ? inWords(this.#feed.error) : "Loading…";
    arrange(this.#list, [el("p", { class: "loading" }, text)]);
  }

  #card(post, fresh) {
    let card = this.#cards.get(post.id);
    if (!card) {
      card = new PostCard(this.#app);
      if (fresh) card.node.classList.add("fresh");
      this.#cards.set(post.id, card);
    }
    card.show(post, this.#feed.person(post.author));
    return card;
  }

  #drawPill(waiting) {
    const text = counted(waiting, "new post");
    if (waiting > this.#waiting) say(text);
    this.#waiting = waiting;
    this.#pill.hidden = waiting === 0;
    if (waiting > 0) this.#pill.replaceChildren(icon("up"), text);
  }

  #drawPart(oneIn) {
    this.#part.hidden = oneIn === 1;
    const text = oneIn === 1 ? "" : `Showing one in ${oneIn} new posts: too many at once.`;
    if (this.#part.textContent !== text) this.#part.textContent = text;
  }

  #show() {
    this.#released = null;
    this.draw();
  }

  /** A click leaves the focus behind without meaning it; `:focus-visible` tells the keyboard's, and writing. */
  #focused() {
    const active = document.activeElement;
    return this.#list.contains(active) && active.matches(":focus-visible");
  }

  async #loadOlder() {
    const last = this.#list.lastElementChild;
    this.#older.disabled = true;
    this.#older.textContent = "Loading…";
    try {
      this.#room += OLDER;
      if (this.#feed.posts.length < this.#room) await this.#feed.loadOlder();
      this.draw();
      last?.nextElementSibling?.focus({ preventScroll: true });
      this.#older.textContent = "Load older posts";
    } catch (error) {
      this.#older.textContent = `${inWords(error)} Try again`;
    }
    this.#older.disabled = false;
  }
}
