/**
 * Owns how one post looks and what its owner can do with it. Must never lose a text being edited when the post changes meanwhile.
 */
import { note } from "./announce.js";
import { confirmed } from "./confirm.js";
import { copied } from "./copy.js";
import { avatar, el, icon } from "./dom.js";
import { filteredBy, filteredLine } from "./filters.js";
import { showHistory } from "./history.js";
import { modDeed } from "./mod_act.js";
import { picturesOf } from "./pictures_view.js";
import { PostActions } from "./post_actions.js";
import { postComposer } from "./post_composer.js";
import { referenceOf } from "./reference.js";
import { reportDeed } from "./report.js";
import { ruleDeeds } from "./thread_rules.js";
import { visibilitySign } from "./visibility.js";
import { inWords, prose, timeOf } from "./words.js";

/** A text longer than this is folded in lists. */
const LONG = { characters: 900, lines: 14 };

export class PostCard {
  node = el("article", { class: "card post", tabindex: -1, onclick: (event) => this.#clicked(event), onkeydown: (event) => this.#keyed(event) });
  #app;
  #alone;
  #post = null;
  #person = null;
  #followed = null;
  #unfolded = false;
  #editor = null;
  /** Whether what a warning hides was asked for, and what a filter does. */
  #opened = false;
  #unfiltered = false;
  #actions;
  #inside = el("div", {});

  /** @param {{ alone?: boolean }} options `alone`: on its own page */
  constructor(app, { alone = false } = {}) {
    this.#app = app;
    this.#alone = alone;
    this.#actions = new PostActions(app, { alone, own: () => this.#owners(), more: () => this.#more() });
    if (alone) this.node.classList.add("alone");
  }

  /** Shows the present state; does nothing where it shows that already. */
  show(post, person) {
    const followed = this.#app.follows(person.id);
    if (this.#post?.rev === post.rev && this.#person?.rev === person.rev && this.#followed === followed) return;
    this.#post = post;
    this.#person = person;
    this.#followed = followed;
    this.#app.client.numbers.want(this.#subject);
    if (!this.#editor) this.#draw();
  }

  /** What it shows of another post, or the numbers, may be different now. */
  refresh(id) {
    if (!this.#post || this.#editor) return;
    if (id === this.#post.of) this.#repost ? this.#draw() : this.#drawInside();
    if (id === this.#subject) this.#actions.show(this.#post);
  }

  /** What is folded away may be different now. */
  redraw() {
    if (this.#post && !this.#editor) this.#draw();
  }

  /** Asks for the numbers again. */
  recount() {
    if (this.#post) this.#app.client.numbers.want(this.#subject, { again: true });
  }

  get #repost() { return Boolean(this.#post.of) && !this.#post.text; }
  get #subject() { return this.#repost ? this.#post.of : this.#post.id; }

  #draw() {
    const focused = this.node.contains(document.activeElement) && document.activeElement !== this.node;
    this.node.setAttribute("aria-label", `Post by ${this.#person.name}`);
    this.#drawInside();
    if (!this.#editor) this.#actions.show(this.#post);
    this.node.replaceChildren(...[this.#head(), ...(this.#editor ? [this.#editor.node] : this.#body()), !this.#editor && this.#actions.node].filter(Boolean));
    if (focused && !this.#editor) this.node.focus({ preventScroll: true });
  }

  #head() {
    const { handle, name, id } = this.#person;
    return el("header", { class: "head" }, avatar(this.#person),
      el("div", { class: "who" },
        el("a", { class: "name", href: `#/user/${handle}` }, name),
        el("span", { class: "meta" },
          el("span", { class: "at" }, `@${handle}`), " · ",
          el("a", { class: "when", href: `#/post/${this.#post.id}` }, el("span", { class: "spoken" }, "Posted "), timeOf(this.#post.created_at)),
          this.#post.edited_at && el("span", { class: "edited" }, " · ",
            el("button", { type: "button", class: "link", "data-act": "history", title: "Show earlier versions", onclick: () => showHistory(this.#app, this.#post) }, "edited")),
          this.#repost && el("span", {}, " · reposted"),
          this.#post.hidden && el("span", { class: "sees" }, icon("shield"), "Hidden by a moderator"),
          this.#post.locked && el("span", { class: "sees" }, icon("lock"), "Locked"),
          this.#post.pinned && el("span", { class: "sees" }, icon("pin"), "Pinned"),
          visibilitySign(this.#post, this.#app.owns(this.#post)))),
      !this.#alone && this.#followed === false && el("button", { type: "button", class: "small follow", "aria-label": `Follow ${name}`, onclick: (event) => this.#app.setFollow(id, true, event.currentTarget) }, "Follow"));
  }

  /** The text, or the warning before it; and the post that is handed on. */
  #body() {
    const { warning, of } = this.#post;
    const said = this.#repost ? this.#app.client.references.of(of).post : this.#post;
    const filtered = !this.#unfiltered && said && filteredBy(this.#app, said);
    if (filtered) return [filteredLine(filtered, () => { this.#unfiltered = true; this.#draw(); })];
    const inside = [picturesOf(this.#post), of && this.#inside].filter(Boolean);
    if (this.#repost) return inside;
    if (!warning) return [this.#text(), ...inside];
    const toggle = el("button", { type: "button", class: "small", "aria-expanded": String(this.#opened), onclick: () => this.#toggleWarning() }, this.#opened ? "Hide" : "Show");
    const line = el("div", { class: "warning" }, el("p", {}, el("span", { class: "spoken" }, "Content warning: "), warning), toggle);
    return this.#opened ? [line, this.#text(), ...inside] : [line];
  }

  #toggleWarning() {
    this.#opened = !this.#opened;
    this.#draw();
    this.node.querySelector(".warning button")?.focus({ preventScroll: true });
  }

  #drawInside() {
    const { of } = this.#post;
    if (!of) return;
    const { client } = this.#app;
    const found = client.references.of(of);
    this.#inside.replaceChildren(referenceOf(found, found.post && this.#app.global.person(found.post.author)));
  }

  #text() {
    const { text } = this.#post;
    if (text === "") return "";
    const long = !this.#alone && !this.#unfolded && (text.length > LONG.characters || text.split("\n").length > LONG.lines);
    const body = el("div", { class: `prose ${long ? "folded" : ""}` }, ...prose(text, this.#post));
    if (!long) return body;
    const unfold = () => { this.#unfolded = true; this.#draw(); };
    return el("div", {}, body, el("button", { type: "button", class: "link", onclick: unfold }, "Show all"));
  }

  #owners() {
    const mine = this.#app.owns(this.#post);
    const mayDelete = mine || this.#app.isAdmin;
    const button = (name, picture, act, onclick) => el("button", { type: "button", class: "action", title: name, "aria-label": name, "data-act": act, onclick }, icon(picture));
    return [
      mine && !this.#repost && button("Edit", "pen", "edit", () => this.#edit()),
      mayDelete && button("Delete", "trash", "delete", () => this.#delete()),
    ].filter(Boolean);
  }

  /** What is done seldom. */
  #more() {
    const post = this.#post;
    const mine = this.#app.owns(post);
    const open = (post.visibility ?? "public") === "public";
    return [
      { name: "Copy link", act: "link", run: () => copied(`${location.origin}/#/post/${this.#subject}`, "The link is copied.") },
      mine && !this.#repost && open && { name: post.pinned ? "Unpin" : "Pin", act: "pin", run: () => this.#pin() },
      ...(this.#repost ? [] : ruleDeeds(this.#app, post)),
      reportDeed(this.#app, { post: post.id, author: this.#person }),
      modDeed(this.#app, { post: post.id, author: this.#person }),
    ].filter(Boolean);
  }

  #pin() {
    const { id, pinned } = this.#post;
    const { client } = this.#app;
    return this.#app.does(() => (pinned ? client.unpin(id) : client.pin(id)), { done: pinned ? "Not pinned any more." : "Pinned to your profile." });
  }

  #edit() {
    let base = this.#post;
    const done = () => {
      this.#editor = null;
      this.#draw();
      this.node.focus();
    };
    this.#editor = postComposer(this.#app, {
      post: base, label: "Text of the post", action: "Save", cancel: done,
      send: async (text, _, values) => {
        try {
          await this.#app.client.updatePost(base.id, text, { ifRev: base.rev, ...values });
        } catch (error) {
          if (error.code === "stale") base = this.#post; // Said in words; saving again is then meant.
          throw error;
        }
        done();
      },
    });
    this.#draw();
    this.#editor.focus();
  }

  async #delete() {
    const sure = await confirmed({ title: "Delete this post?", text: "It disappears for everybody, with its comments. This cannot be undone.", action: "Delete" });
    if (!sure) return;
    try {
      await this.#app.client.deletePost(this.#post.id);
      note("The post is deleted.");
    } catch (error) {
      note(inWords(error), "bad");
    }
  }

  #clicked(event) {
    const onControl = event.target.closest("a, button, textarea, form, label");
    if (this.#alone || this.#editor || onControl || event.target.closest(".warning, .choice, select, input") || String(getSelection())) return;
    location.hash = `#/post/${this.#subject}`;
  }

  #keyed(event) {
    if (event.key === "Enter" && event.target === this.node && !this.#alone) location.hash = `#/post/${this.#subject}`;
  }
}
