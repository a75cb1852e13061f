/**
 * Owns what one can do with a post and how often others did. Must never do anything to a post but what a button says.
 */
import { note } from "./announce.js";
import { el, icon } from "./dom.js";
import { postComposer } from "./post_composer.js";
import { reactionChips, reactionChoice } from "./reactions.js";
import { referenceOf } from "./reference.js";
import { count } from "./words.js";

export class PostActions {
  node = el("footer", { class: "foot" });
  #app;
  #alone;
  #own;
  #more;
  #post = null;
  #open = null;
  #quote = null;

  /** @param {{ alone: boolean, own: () => Node[], more: () => object[] }} options `own`: buttons for its author; `more`: what is done seldom, `{ name, act, run }` */
  constructor(app, { alone, own, more }) {
    this.#app = app;
    this.#alone = alone;
    this.#own = own;
    this.#more = more;
  }

  /** The post that is meant: of a repost the one it hands on. */
  get subject() { return this.#post.of && !this.#post.text ? this.#post.of : this.#post.id; }

  /** Draws anew; the focus stays where it was. */
  show(post) {
    this.#post = post;
    const { counts, mine } = this.#app.client.numbers.of(this.subject);
    const member = Boolean(this.#app.user);
    const active = this.node.contains(document.activeElement) ? document.activeElement : null;
    const kept = active?.dataset.act ? `[data-act="${active.dataset.act}"]` : active?.dataset.react ? `.choice [data-react="${active.dataset.react}"], .chips [data-react="${active.dataset.react}"]` : null;
    this.node.replaceChildren(
      reactionChips(counts, mine, member ? (kind) => this.#react(kind) : null),
      el("div", { class: "actions" },
        !this.#alone && this.#comments(counts),
        ...(member ? [this.#toggle("again", "Repost", "again", this.#handedOn(counts), Boolean(mine?.repost), this.#mayHandOn),
          this.#toggle("react", "React", "smile", 0, Boolean(mine?.reaction), true), this.#bookmark(mine)] : []),
        ...this.#own(), this.#toggle("more", "More", "more", 0, false, this.#more().length > 0)),
      ...this.#opened(mine));
    if (kept) (this.node.querySelector(kept) ?? this.node.querySelector("button, a"))?.focus({ preventScroll: true });
  }

  get #mayHandOn() { return (this.#post.visibility ?? "public") === "public"; }
  #handedOn(counts) { return counts ? counts.reposts + counts.quotes : 0; }
  #redraw() { this.show(this.#post); }

  #comments(counts) {
    const many = counts?.comments ?? 0;
    return el("a", { class: "action", href: `#/post/${this.subject}`, title: "Comments", "aria-label": many > 0 ? `Comments: ${many}` : "Comments", "data-act": "comments" },
      icon("comment"), many > 0 && count(many));
  }

  #toggle(act, name, picture, many, pressed, allowed) {
    return allowed && el("button", {
      type: "button", class: `action ${pressed ? "on" : ""}`, title: name, "data-act": act, "aria-expanded": String(this.#open === act),
      "aria-label": many > 0 ? `${name}: ${many}` : name,
      onclick: () => this.#turn(act),
    }, icon(picture), many > 0 && count(many));
  }

  #bookmark(mine) {
    const on = Boolean(mine?.bookmarked);
    return el("button", {
      type: "button", class: `action ${on ? "on" : ""}`, title: "Bookmark", "aria-label": "Bookmark", "aria-pressed": String(on), "data-act": "bookmark",
      onclick: (event) => this.#app.does(async () => {
        const { client } = this.#app;
        const { bookmark } = await (on ? client.unbookmark(this.subject) : client.bookmark(this.subject));
        client.numbers.marked(this.subject, "bookmarked", !on, bookmark.rev);
      }, { button: event.currentTarget }),
    }, icon("mark"));
  }

  #opened(mine) {
    if (this.#quote) return [this.#quote.node];
    if (this.#open === "react") return [reactionChoice(mine, (kind) => this.#react(kind), () => this.#close("react"))];
    if (this.#open === "more") return [this.#rest()];
    if (this.#open !== "again") return [];
    return [el("div", { class: "choice", role: "group", "aria-label": "Hand on", onkeydown: (event) => { if (event.key === "Escape") this.#close("again"); } },
      el("button", { type: "button", class: "small", "data-act": "repost", onclick: (event) => this.#repost(mine, event.currentTarget) }, mine?.repost ? "Undo repost" : "Repost now"),
      el("button", { type: "button", class: "small", "data-act": "quote", onclick: () => this.#write() }, "Quote"))];
  }

  #rest() {
    const run = async (act, button) => {
      this.#close("more");
      await act(button);
    };
    return el("div", { class: "choice", role: "group", "aria-label": "More", onkeydown: (event) => { if (event.key === "Escape") this.#close("more"); } },
      ...this.#more().map(({ name, act, run: deed }) => el("button", { type: "button", class: "small", "data-act": act, onclick: (event) => run(deed, event.currentTarget) }, name)));
  }

  /** Opens a choice, with the focus on its first, or closes it. */
  #turn(act) {
    if (this.#open === act) return this.#close(act);
    this.#open = act;
    this.#redraw();
    this.node.querySelector(".choice button")?.focus({ preventScroll: true });
  }

  #close(act) {
    this.#open = null;
    this.#redraw();
    this.node.querySelector(`[data-act="${act}"]`)?.focus();
  }

  async #react(kind) {
    const { client } = this.#app;
    const { subject } = this;
    const done = await this.#app.does(async () => {
      const { reaction } = await (kind ? client.react(subject, kind) : client.unreact(subject));
      client.numbers.marked(subject, "reaction", reaction.emoji, reaction.rev);
    });
    if (done && this.#open === "react") this.#close("react");
  }

  async #repost(mine, button) {
    const { client } = this.#app;
    const { subject } = this;
    const done = await this.#app.does(async () => {
      if (mine?.repost) {
        const { removed } = await client.deletePost(mine.repost);
        client.numbers.removed(removed);
      } else {
        const { post } = await client.createPost(undefined, { of: subject });
        client.numbers.marked(subject, "repost", post.id, post.rev);
      }
    }, { button, done: mine?.repost ? "The repost is taken back." : "Reposted." });
    if (done) this.#close("again");
  }

  #write() {
    const { client } = this.#app;
    const { subject } = this;
    const found = this.#post.id === subject ? { state: "here", post: this.#post } : client.references.of(subject);
    const close = () => { this.#quote = null; this.#close("again"); };
    this.#quote = postComposer(this.#app, {
      of: subject, inside: referenceOf(found, found.post?.author), label: "Your words on this post", placeholder: "Say something about it…", action: "Post quote",
      place: `quote:${subject}`, cancel: close,
      send: async (text, id, values) => {
        await client.createPost(text, { id, ...values });
        client.numbers.want(subject, { again: true });
        note("Your quote is posted.");
        close();
      },
    });
    this.#open = null;
    this.#redraw();
    this.#quote.focus();
  }
}
