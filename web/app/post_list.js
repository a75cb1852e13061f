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

export class PostList {
  #app;
  #feed;
  #cards = new Map();
  /** Posts up to this `seq` have been shown. */
  #released = null;
  #waiting = 0;
  #drawn = false;
  #marker;
  #pill = el("button", { type: "button", class: "pill", hidden: true, onclick: () => this.release() });
  #list = el("div", { class: "posts", role: "feed", "aria-label": "Posts" });
  #empty = el("div", { class: "empty", hidden: true });
  #older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => this.#loadOlder() }, "Load older posts");
  node = el("section", { class: "list" }, el("div", { class: "pill-place" }, this.#pill), this.#empty, this.#list, this.#older);

  /**
   * @param {{ empty: () => Node[], signal: AbortSignal, marked?: boolean }} options what to tell where there is nothing; when to stop; whether
   *   it is noted how far one has read
   */
  constructor(app, feed, { empty, signal, marked = false }) {
    this.#marker = marked ? readMarker(app, feed, { signal }) : null;
    this.#app = app;
    this.#feed = feed;
    this.#empty.append(...empty());
    feed.on("change", () => this.draw(), { signal });
    feed.on("state", () => this.draw(), { signal });
    app.on("follows", () => this.draw(), { signal });
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

  draw() {
    const { posts, loaded } = this.#feed;
    this.#list.setAttribute("aria-busy", String(!loaded));
    if (!loaded) return this.#drawUnloaded();
    const reading = scrollY > AT_TOP_PX || this.#focused();
    const newest = posts[0];
    const ownArrived = newest && newest.seq > (this.#released ?? 0) && this.#app.owns(newest);
    if (this.#released === null || !reading || ownArrived) this.#released = newest?.seq ?? 0;
    const shown = posts.filter((post) => post.seq <= this.#released);
    const line = this.#marker?.line(shown);
    arrange(this.#list, shown.flatMap((post) => [...(line?.before === post.id ? [line.node] : []), this.#card(post).node]));
    if (shown[0]) this.#marker?.shown(shown[0].seq);
    for (const id of this.#cards.keys()) if (!posts.some((post) => post.id === id)) this.#cards.delete(id);
    this.#drawPill(posts.length - shown.length);
    this.#drawn = true;
    this.#empty.hidden = posts.length > 0;
    this.#older.hidden = !this.#feed.hasOlder;
  }

  #drawUnloaded() {
    this.#empty.hidden = true;
    const text = this.#feed.state === "unsubscribed" ? inWords(this.#feed.error) : "Loading…";
    arrange(this.#list, [el("p", { class: "loading" }, text)]);
  }

  #card(post) {
    let card = this.#cards.get(post.id);
    if (!card) {
      card = new PostCard(this.#app);
      if (this.#drawn) card.node.classList.add("fresh");
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
      await this.#feed.loadOlder();
      last?.nextElementSibling?.focus({ preventScroll: true });
      this.#older.textContent = "Load older posts";
    } catch (error) {
      this.#older.textContent = `${inWords(error)} Try again`;
    }
    this.#older.disabled = false;
  }
}
