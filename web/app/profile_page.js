/**
 * Owns a person's page: profile, following, own profile's editing, and their posts.
 */
import { note } from "./announce.js";
import { avatar, el } from "./dom.js";
import { heading } from "./pages.js";
import { PostList } from "./post_list.js";
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
  #editing = null;
  #timer = null;
  nodes;

  constructor(app, found, signal) {
    this.#app = app;
    this.#found = found;
    this.#feed = app.client.feed(`user:${found.user.id}`, { signal });
    const empty = () => [el("p", {}, this.#mine ? "You have not written anything yet." : "No posts yet.")];
    const list = new PostList(app, this.#feed, { empty, signal });
    this.nodes = [this.#card, el("h2", { class: "spoken" }, "Posts"), list.node];
    const recount = () => this.#recount(signal);
    this.#feed.on("change", ({ event }) => { this.#draw(); if (event?.event.startsWith("post.")) recount(); }, { signal });
    app.on("follows", () => { this.#draw(); recount(); }, { signal });
    this.#draw();
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
    if (this.#editing) return;
    const { name, handle, bio, created_at: joined } = this.#user;
    const { followers, follows, posts, followed_by: followsOne } = this.#found;
    const kept = this.#card.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    this.#card.replaceChildren(
      el("div", { class: "row between" }, avatar(this.#user, "large"), this.#button()),
      heading(name), el("p", { class: "meta" }, `@${handle}`, followsOne && el("span", { class: "badge" }, "follows you")),
      bio && el("div", { class: "prose" }, ...prose(bio)),
      el("p", { class: "counts" },
        el("span", {}, el("b", {}, count(follows)), " following"), el("span", {}, el("b", {}, count(followers)), followers === 1 ? " follower" : " followers"),
        el("span", {}, el("b", {}, count(posts)), posts === 1 ? " post" : " posts")),
      el("p", { class: "meta" }, `Joined ${new Date(joined).toLocaleDateString("en-GB", { month: "long", year: "numeric" })}`));
    if (kept) this.#card.querySelector(`[data-act="${kept}"]`)?.focus();
  }

  #button() {
    const app = this.#app;
    if (!app.user) return el("a", { class: "button plain", href: "#/login" }, "Log in to follow");
    if (this.#mine) return el("button", { type: "button", class: "plain", "data-act": "edit", onclick: () => this.#edit() }, "Edit profile");
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
