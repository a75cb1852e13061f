/**
 * Owns a person's page: profile, following, own profile's editing, and their posts.
 */
import { confirmed } from "./confirm.js";
import { arrange, avatar, el, icon } from "./dom.js";
import { hidingButtons } from "./hidden_people.js";
import { listsOfPerson } from "./lists_page.js";
import { modDeed, roleDeed } from "./mod_act.js";
import { heading } from "./pages.js";
import { PostCard } from "./post_card.js";
import { PostList } from "./post_list.js";
import { profileForm } from "./profile_form.js";
import { presenceWords } from "./presence_dots.js";
import { reportDeed } from "./report.js";
import { count, inWords, prose } from "./words.js";

/** Counts are asked for again at most this often. */
const COUNT_AGAIN_MS = 800;

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
  #signal;
  #botOwner;
  nodes;

  constructor(app, found, signal) {
    this.#app = app;
    this.#found = found;
    this.#signal = signal;
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
    const { followers, follows, posts, followed_by: followsOne, requested_by: requestedBy } = this.#found;
    const here = presenceWords(this.#app.client.moment.presence(this.#user.id));
    const hidden = this.#hiddenWords();
    const kept = this.#card.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    const parts = [
      el("div", { class: "row between" }, avatar(this.#user, "large"), this.#button()),
      heading(name), el("p", { class: "meta" }, `@${handle}`, followsOne && el("span", { class: "badge" }, "follows you"), this.#user.asks && el("span", { class: "badge" }, "approves followers"),
        ["moderator", "admin"].includes(this.#user.role) && el("span", { class: "badge" }, this.#user.role),
        here && el("span", { class: "here" }, ` · ${here}`)),
      this.#user.bot && el("p", { class: "meta bot" }, icon("robot"), this.#user.bot.stopped ? "A bot that has been stopped" : "A bot", this.#owner()),
      hidden && el("p", { class: "meta" }, hidden),
      requestedBy && !this.#mine && el("p", { class: "rules" }, "They ask to follow you. ", el("a", { href: "#/requests" }, "Answer")),
      bio && el("div", { class: "prose" }, ...prose(bio)),
      el("p", { class: "counts" },
        el("span", {}, el("b", {}, count(follows)), " following"), el("span", {}, el("b", {}, count(followers)), followers === 1 ? " follower" : " followers"),
        el("span", {}, el("b", {}, count(posts)), posts === 1 ? " post" : " posts")),
      el("p", { class: "meta" }, `Joined ${new Date(joined).toLocaleDateString("en-GB", { month: "long", year: "numeric" })}`),
      this.#app.me?.loaded && !this.#mine && el("div", { class: "row hiding" }, ...this.#deeds(followsOne), ...hidingButtons(this.#app, this.#user)),
    ];
    this.#card.replaceChildren(...parts.filter(Boolean));
    if (kept) this.#card.querySelector(`[data-act="${kept}"]`)?.focus();
  }

  /** Whose bot it is; asked for once. */
  #owner() {
    const { owner } = this.#user.bot;
    if (this.#botOwner === undefined) {
      this.#botOwner = null;
      this.#app.client.getUser({ id: owner }).then(({ user }) => { this.#botOwner = user; this.#draw(); }, () => {}); // That it is one is said all the same.
    }
    return this.#botOwner && el("span", {}, " of ", el("a", { href: `#/user/${this.#botOwner.handle}` }, this.#botOwner.name));
  }

  /** What else can be done about them. */
  #deeds(followsOne) {
    const app = this.#app;
    const user = this.#user;
    if (app.me.blocks.has(user.id)) return [];
    const small = (name, act, onclick) => el("button", { type: "button", class: "small", "data-act": act, onclick }, name);
    return [
      small("Lists…", "lists", () => listsOfPerson(app, user)),
      followsOne && small("Remove follower", "unfollower", (event) => this.#removeFollower(event.currentTarget)),
      ...[reportDeed(app, { user: user.id, author: user }), modDeed(app, { user: user.id, author: user }), roleDeed(app, user)].filter(Boolean).map(({ name, act, run }) => small(name, act, run)),
    ].filter(Boolean);
  }

  async #removeFollower(button) {
    const { id, name } = this.#user;
    const sure = await confirmed({ title: `Remove ${name} from your followers?`, text: "They are not told. They see only your public posts from now on, and can follow you again unless you block them or approve followers.", action: "Remove" });
    if (sure && await this.#app.does(() => this.#app.client.request("user.remove_follower", { id }), { button, done: `${name} does not follow you any more.` })) this.#recount(this.#signal);
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
    if (!following && app.me?.requests?.has(this.#user.id)) {
      return el("button", {
        type: "button", class: "plain", "data-act": "follow", "aria-label": `Take back the request to follow ${this.#user.name}`,
        onclick: (event) => app.setFollow(this.#user.id, false, event.currentTarget),
      }, "Requested");
    }
    return el("button", {
      type: "button", class: following ? "plain" : "primary", "data-act": "follow",
      "aria-label": following ? `Unfollow ${this.#user.name}` : `Follow ${this.#user.name}`,
      onclick: (event) => app.setFollow(this.#user.id, !following, event.currentTarget),
    }, following ? "Unfollow" : "Follow");
  }

  #edit() {
    this.#editing = profileForm(this.#app, this.#user, { close: () => this.#close() });
    this.#card.replaceChildren(this.#editing);
    this.#editing.querySelector("input")?.focus();
  }

  #close() {
    this.#editing = null;
    this.#draw();
    this.#card.querySelector("[data-act=edit]")?.focus();
  }
}
