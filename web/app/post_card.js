/**
 * Owns how one post looks and what its owner can do with it. Must never lose a text being edited when the post changes meanwhile.
 */
import { note } from "./announce.js";
import { composer } from "./composer.js";
import { confirmed } from "./confirm.js";
import { avatar, el, icon } from "./dom.js";
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

  /** @param {{ alone?: boolean }} options `alone`: on its own page */
  constructor(app, { alone = false } = {}) {
    this.#app = app;
    this.#alone = alone;
    if (alone) this.node.classList.add("alone");
  }

  /** Shows the present state; does nothing where it shows that already. */
  show(post, person) {
    const followed = this.#app.follows(person.id);
    if (this.#post?.rev === post.rev && this.#person?.rev === person.rev && this.#followed === followed) return;
    this.#post = post;
    this.#person = person;
    this.#followed = followed;
    if (!this.#editor) this.#draw();
  }

  #draw() {
    const focused = this.node.contains(document.activeElement) && document.activeElement !== this.node;
    this.node.setAttribute("aria-label", `Post by ${this.#person.name}`);
    this.node.replaceChildren(this.#head(), this.#editor ? this.#editor.node : this.#text(), this.#foot());
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
          this.#post.edited_at && el("span", { class: "edited" }, " · edited"))),
      !this.#alone && this.#followed === false && el("button", { type: "button", class: "small follow", "aria-label": `Follow ${name}`, onclick: (event) => this.#app.setFollow(id, true, event.currentTarget) }, "Follow"));
  }

  #text() {
    const { text } = this.#post;
    const long = !this.#alone && !this.#unfolded && (text.length > LONG.characters || text.split("\n").length > LONG.lines);
    const body = el("div", { class: `prose ${long ? "folded" : ""}` }, ...prose(text));
    if (!long) return body;
    const unfold = () => { this.#unfolded = true; this.#draw(); };
    return el("div", {}, body, el("button", { type: "button", class: "link", onclick: unfold }, "Show all"));
  }

  #foot() {
    const mine = this.#app.owns(this.#post);
    const mayDelete = mine || this.#app.isAdmin;
    return el("footer", { class: "actions" },
      !this.#alone && el("a", { class: "action", href: `#/post/${this.#post.id}` }, icon("comment"), "Comments"),
      mine && !this.#editor && el("button", { type: "button", class: "action", onclick: () => this.#edit() }, icon("pen"), "Edit"),
      mayDelete && !this.#editor && el("button", { type: "button", class: "action", onclick: () => this.#delete() }, icon("trash"), "Delete"));
  }

  #edit() {
    let base = this.#post;
    const done = () => {
      this.#editor = null;
      this.#draw();
      this.node.focus();
    };
    this.#editor = composer({
      label: "Text of the post", action: "Save", limit: this.#app.limits.post_chars, text: base.text, cancel: done,
      send: async (text) => {
        try {
          await this.#app.client.updatePost(base.id, text, { ifRev: base.rev });
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
    if (this.#alone || this.#editor || onControl || String(getSelection())) return;
    location.hash = `#/post/${this.#post.id}`;
  }

  #keyed(event) {
    if (event.key === "Enter" && event.target === this.node && !this.#alone) location.hash = `#/post/${this.#post.id}`;
  }
}
