/**
 * Owns a person's page: profile, following, own profile's editing, and their posts.
 */
import { note } from "./announce.js";
import { arrange, avatar, el } from "./dom.js";
import { hidingButtons } from "./hidden_people.js";
import { heading } from "./pages.js";
import { PostCard } from "./post_card.js";
import { PostList } from "./post_list.js";
import { presenceWords } from "./presence_dots.js";
import { characters, count, counted, inWords, prose } from "./words.js";

/** Counts are asked for again at most this often. */
const COUNT_AGAIN_MS = 800;
const NAME_CHARS = 50;
const BIO_CHARS = 500;

export function profilePage(app, { signal, handle }) {
  const node = el("div", {}, heading(`@${handle}`), el("p", { class: "loading" }, "Loading…"));
  app.client.getUser({ handle }, { signal }).then(
    (found) => { if (!signal.aborted) node.replaceChildren(...new Profile(app, found, signal).nodes); },
    (error) => {
      if (signal.aborted) return;
      const text = error.code === "not_found" ? `There is nobody called @${handle}.` : inWords(error);
      node.replaceChildren(heading(`@${handle}`), el("div", { class: "empty" }, el("p", {}, text)));
    },
  );
  return { title: `@${handle}`, node };
}

class Profile {
  #app;
  #found;
  #feed;
  #card = el("section", { class: "card profile", "aria-label": "Profile" });
  #pinned = el("section", { class: "posts pinned", "aria-label": "Pinned posts", hidden: true });
  #pins = new Map();
  #blocked = false;
  #editing = null;
  #timer = null;
  nodes;

  constructor(app, found, signal) {
    this.#app = app;
    this.#found = found;
    this.#feed = app.client.feed(`user:${found.user.id}`, { signal });
    const empty = () => [el("p", {}, this.#mine ? "You have not written anything yet." : "No posts yet.")];
    const list = new PostList(app, this.#feed, { empty, signal });
    this.nodes = [this.#card, this.#pinned, el("h2", { class: "spoken" }, "Posts"), list.node];
    app.on("presence", (ids) => { if (ids.includes(found.user.id)) this.#draw(); }, { signal });
    for (const told of [app.client.numbers, app.client.references]) {
      told.on("change", (id) => { for (const card of this.#pins.values()) card.refresh(id); }, { signal });
    }
    this.#feed.on("state", () => this.#ended(list), { signal });
    const recount = () => this.#recount(signal);
    this.#feed.on("change", ({ event }) => { this.#draw(); if (event?.event.startsWith("post.")) recount(); }, { signal });
    app.on("follows", () => { this.#draw(); this.#again(); recount(); }, { signal });
    this.#again();
    this.#draw();
  }

  /** One of the two blocks the other: there is nothing to read here any more. */
  #ended(list) {
    const over = this.#feed.state === "unsubscribed" && this.#feed.code !== "closed";
    list.node.hidden = over;
    if (over) this.#pinned.hidden = true;
    this.#draw();
  }

  /** A block that is taken back leaves a feed that has ended: the page begins anew. */
  #again() {
    const blocked = Boolean(this.#app.me?.blocks.has(this.#user.id));
    const anew = this.#blocked && !blocked;
    this.#blocked = blocked;
    if (anew) dispatchEvent(new HashChangeEvent("hashchange"));
  }

  #drawPinned() {
    const posts = this.#feed.loaded ? this.#feed.pinned : [];
    for (const id of this.#pins.keys()) if (!posts.some((post) => post.id === id)) this.#pins.delete(id);
    for (const post of posts) {
      if (!this.#pins.has(post.id)) this.#pins.set(post.id, new PostCard(this.#app));
      this.#pins.get(post.id).show(post, this.#feed.person(post.author));
    }
    arrange(this.#pinned, posts.map(({ id }) => this.#pins.get(id).node));
    this.#pinned.hidden = posts.length === 0;
  }

  get #user() { return this.#feed.user ?? this.#found.user; }
  get #mine() { return this.#user.id === this.#app.user?.id; }

  #recount(signal) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      try {
        this.#found = await this.#app.client.getUser({ id: this.#user.id }, { signal });
        this.#draw();
      } catch {
        // The old counts stand; the next change asks again.
      }
    }, COUNT_AGAIN_MS);
  }

  #draw() {
    this.#drawPinned();
    if (this.#editing) return;
    const { name, handle, bio, created_at: joined } = this.#user;
    const { followers, follows, posts, followed_by: followsOne } = this.#found;
    const here = presenceWords(this.#app.client.moment.presence(this.#user.id));
    const hidden = this.#hiddenWords();
    const kept = this.#card.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const parts = [
      el("div", { class: "row between" }, avatar(this.#user, "large"), this.#button()),
      heading(name), el("p", { class: "meta" }, `@${handle}`, followsOne && el("span", { class: "badge" }, "follows you"),
        here && el("span", { class: "here" }, ` · ${here}`)),
      hidden && el("p", { class: "meta" }, hidden),
      bio && el("div", { class: "prose" }, ...prose(bio)),
      el("p", { class: "counts" },
        el("span", {}, el("b", {}, count(follows)), " following"), el("span", {}, el("b", {}, count(followers)), followers === 1 ? " follower" : " followers"),
        el("span", {}, el("b", {}, count(posts)), posts === 1 ? " post" : " posts")),
      el("p", { class: "meta" }, `Joined ${new Date(joined).toLocaleDateString("en-GB", { month: "long", year: "numeric" })}`),
      this.#app.me?.loaded && !this.#mine && el("div", { class: "row hiding" }, ...hidingButtons(this.#app, this.#user)),
    ];
    this.#card.replaceChildren(...parts.filter(Boolean));
    if (kept) this.#card.querySelector(`[data-act="${kept}"]`)?.focus();
  }

  #hiddenWords() {
    const { me } = this.#app;
    const { id } = this.#user;
    if (me?.blocks.has(id)) return "You have blocked them: neither of you sees the other.";
    const mute = me?.mutes.get(id);
    if (!mute) return null;
    return mute.until ? `Muted until ${new Date(mute.until).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}.` : "Muted.";
  }

  #button() {
    const app = this.#app;
    if (!app.user) return el("a", { class: "button plain", href: "#/login" }, "Log in to follow");
    if (this.#mine) return el("button", { type: "button", class: "plain", "data-act": "edit", onclick: () => this.#edit() }, "Edit profile");
    if (app.me?.blocks.has(this.#user.id)) return null;
    const following = app.follows(this.#user.id) ?? this.#found.following;
    return el("button", {
      type: "button", class: following ? "plain" : "primary", "data-act": "follow",
      "aria-label": following ? `Unfollow ${this.#user.name}` : `Follow ${this.#user.name}`,
      onclick: (event) => app.setFollow(this.#user.id, !following, event.currentTarget),
    }, following ? "Unfollow" : "Follow");
  }

  #edit() {
    const user = this.#user;
    const name = el("input", { id: "profile-name", value: user.name, required: true, autocomplete: "name" });
    const bio = el("textarea", { id: "profile-bio", rows: 4, oninput: () => counting() });
    bio.value = user.bio;
    const left = el("span", { class: "counter" });
    const error = el("p", { class: "error", role: "alert", hidden: true });
    const save = el("button", { type: "submit", class: "primary" }, "Save");
    const counting = () => {
      left.textContent = `${count(characters(bio.value))} / ${count(BIO_CHARS)}`;
      left.classList.toggle("over", characters(bio.value) > BIO_CHARS);
    };
    counting();
    const submit = async (event) => {
      event.preventDefault();
      const wrong = characters(name.value) > NAME_CHARS ? `The name can be at most ${counted(NAME_CHARS, "character")} long.` : null;
      try {
        if (wrong) throw new Error(wrong);
        save.disabled = true;
        await this.#app.client.updateUser({ name: name.value, bio: bio.value });
        note("Your profile is saved.");
        this.#close();
      } catch (failure) {
        error.textContent = wrong ?? inWords(failure);
        error.hidden = false;
        save.disabled = false;
      }
    };
    this.#editing = el("form", { class: "stack", onsubmit: submit },
      heading("Edit profile"), el("label", { for: "profile-name" }, "Name"), name,
      el("label", { for: "profile-bio" }, "About you"), bio,
      el("div", { class: "row" }, left, el("button", { type: "button", class: "plain", onclick: () => this.#close() }, "Cancel"), save), error);
    this.#card.replaceChildren(this.#editing);
    name.focus();
  }

  #close() {
    this.#editing = null;
    this.#draw();
    this.#card.querySelector("[data-act=edit]")?.focus();
  }
}
