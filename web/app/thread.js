/**
 * Owns the comments under one post: a tree that grows in place. Must never move what somebody reads or writes.
 */
import { note, say } from "./announce.js";
import { composer } from "./composer.js";
import { confirmed } from "./confirm.js";
import { arrange, avatar, el, icon } from "./dom.js";
import { filteredBy, filteredLine } from "./filters.js";
import { suggesting } from "./people_search.js";
import { reportDeed } from "./report.js";
import { closed } from "./thread_rules.js";
import { count, counted, inWords, prose, timeOf } from "./words.js";

/** Until the server has said how often. */
const TYPING_AGAIN_MS = 3_000;

/** One comment and its answers. */
class CommentItem {
  #app;
  #feed;
  #shown = {};
  #children = new Map();
  /** An open form: an answer to this comment, or its text being edited. */
  #form = null;
  #editing = false;
  /** Whether what is folded away was asked for. */
  #opened = false;
  #more = el("li", { class: "more-answers", hidden: true });
  #article = el("article", { class: "comment", tabindex: -1 });
  #answers = el("ol", { class: "answers" });
  node = el("li", {}, this.#article, this.#answers);

  constructor(app, feed) {
    this.#app = app;
    this.#feed = feed;
  }

  show({ comment, answers, orphan }) {
    const person = comment.author && this.#feed.person(comment.author);
    const filtered = comment.removed ? null : filteredBy(this.#app, comment);
    const shut = Boolean(this.#feed.post) && closed(this.#app, this.#feed.post);
    const shown = { comment, person, orphan, filtered, shut };
    const before = this.#shown;
    const same = before.comment?.rev === comment.rev && before.person?.rev === person?.rev && before.orphan === orphan && before.filtered === filtered && before.shut === shut;
    this.#shown = shown;
    if (!same && !this.#editing) this.#draw();
    const missing = Math.max(0, this.#feed.answersOf(comment.id) - answers.length);
    this.#drawMissing(missing);
    arrange(this.#answers, [...answers.map((answer) => itemOf(this.#children, answer, this.#app, this.#feed).node), ...(missing > 0 ? [this.#more] : [])]);
    this.#answers.hidden = answers.length === 0 && missing === 0;
  }

  #drawMissing(missing) {
    this.#more.hidden = missing === 0;
    if (missing === 0) return;
    const text = missing >= 100 ? "More than 99 more answers" : counted(missing, "more answer");
    if (this.#more.textContent === text) return;
    this.#more.replaceChildren(el("button", {
      type: "button", class: "link", onclick: (event) => this.#loadAnswers(event.currentTarget),
    }, text));
  }

  /** Whoever asked by the keyboard goes on at the first answer that has come: the button may be gone. */
  async #loadAnswers(button) {
    const here = new Set(this.#children.keys());
    const focused = document.activeElement === button;
    if (!await this.#app.does(() => this.#feed.loadAnswers(this.#shown.comment.id), { button }) || !focused) return;
    const first = [...this.#children].filter(([id]) => !here.has(id)).map(([, { node }]) => node).sort((one, other) => (one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING ? -1 : 1))[0];
    (first?.querySelector("article") ?? this.#article).focus({ preventScroll: true });
  }

  #draw() {
    const { comment, person, orphan } = this.#shown;
    const active = this.#article.contains(document.activeElement) ? document.activeElement : null;
    this.#article.classList.toggle("removed", Boolean(comment.removed));
    this.#article.setAttribute("aria-label", comment.removed ? "Comment that is not available" : `Comment by ${person.name}`);
    this.#article.replaceChildren(...(comment.removed ? [el("p", { class: "gone" }, "This comment is not available.")] : this.#parts(comment, person, orphan)));
    if (this.#form) this.#article.append(this.#form.node);
    if (active) (active.isConnected ? active : this.#article).focus({ preventScroll: true });
  }

  #parts(comment, person, orphan) {
    const head = el("header", { class: "head" }, avatar(person, "small"),
      el("div", { class: "who" },
        el("a", { class: "name", href: `#/user/${person.handle}` }, person.name),
        el("span", { class: "meta" }, el("span", { class: "at" }, `@${person.handle}`), " · ", timeOf(comment.created_at),
          comment.edited_at && el("span", { class: "edited" }, " · edited"))));
    const earlier = orphan && el("p", { class: "meta" }, "Answers an earlier comment");
    const body = this.#editing ? null : this.#body(comment);
    return [head, earlier, body, this.#form ? null : this.#foot(comment)].filter(Boolean);
  }

  /** The text, or what stands in its place until somebody wants to read it. */
  #body(comment) {
    const text = () => el("div", { class: "prose" }, ...prose(comment.text, comment));
    if (this.#opened) return text();
    const open = () => { this.#opened = true; this.#draw(); };
    if (this.#shown.filtered) return filteredLine(this.#shown.filtered, open);
    if (!comment.hidden) return text();
    return el("div", { class: "warning" }, el("p", {}, "Hidden by the author of the post"), el("button", { type: "button", class: "small", onclick: open }, "Show"));
  }

  /** Folds it away, or unfolds it: under one's own post. */
  #fold(comment) {
    const { client } = this.#app;
    this.#opened = false;
    return this.#app.does(() => client.request(comment.hidden ? "comment.unhide" : "comment.hide", { id: comment.id }), { done: comment.hidden ? "The comment is shown again." : "The comment is folded away for everybody." });
  }

  #foot(comment) {
    const app = this.#app;
    const mine = app.owns(comment);
    const mayFold = !mine && this.#feed.post && app.owns(this.#feed.post);
    const deep = comment.depth >= app.limits.comment_depth;
    const report = reportDeed(app, { comment: comment.id, author: comment.author });
    return el("footer", { class: "actions" },
      app.user && !deep && !this.#shown.shut && el("button", { type: "button", class: "action", onclick: () => this.#answer() }, icon("comment"), "Reply"),
      mine && el("button", { type: "button", class: "action", onclick: () => this.#edit() }, icon("pen"), "Edit"),
      (mine || app.isAdmin) && el("button", { type: "button", class: "action", onclick: () => this.#delete() }, icon("trash"), "Delete"),
      mayFold && el("button", { type: "button", class: "action", onclick: () => this.#fold(comment) }, comment.hidden ? "Unhide" : "Hide"),
      report && el("button", { type: "button", class: "action", onclick: report.run }, icon("flag"), "Report"));
  }

  #close = () => {
    this.#form = null;
    this.#editing = false;
    this.#draw();
    this.#article.focus({ preventScroll: true });
  };

  #answer() {
    const { comment, person } = this.#shown;
    this.#form = composer({
      label: `Your answer to ${person.name}`, placeholder: `Answer ${person.name}…`, action: "Reply",
      limit: this.#app.limits.comment_chars, place: `answer:${comment.id}`, cancel: this.#close, typing: typingSign(this.#app, comment.post, comment.id),
      suggest: suggesting(this.#app, comment.post),
      send: async (text, id) => {
        await this.#app.client.createComment(comment.post, text, { id, parent: comment.id });
        this.#close();
      },
    });
    this.#draw();
    this.#form.focus();
  }

  #edit() {
    let base = this.#shown.comment;
    this.#editing = true;
    this.#form = composer({
      label: "Text of the comment", action: "Save", limit: this.#app.limits.comment_chars, text: base.text, cancel: this.#close,
      send: async (text) => {
        try {
          await this.#app.client.updateComment(base.id, text, { ifRev: base.rev });
        } catch (error) {
          if (error.code === "stale") base = this.#shown.comment; // Said in words; saving again is then meant.
          throw error;
        }
        this.#close();
      },
    });
    this.#draw();
    this.#form.focus();
  }

  async #delete() {
    const sure = await confirmed({ title: "Delete this comment?", text: "Its answers stay. This cannot be undone.", action: "Delete" });
    if (!sure) return;
    try {
      await this.#app.client.deleteComment(this.#shown.comment.id);
      note("The comment is deleted.");
    } catch (error) {
      note(inWords(error), "bad");
    }
  }
}

function itemOf(items, branch, app, feed) {
  let item = items.get(branch.comment.id);
  if (!item) {
    item = new CommentItem(app, feed);
    items.set(branch.comment.id, item);
  }
  item.show(branch);
  return item;
}

/** Tells others that one writes, as often as the server wants to hear it. */
export function typingSign(app, post, parent) {
  let next = 0;
  return () => {
    if (!app.user || Date.now() < next || app.client.state !== "connected") return;
    next = Date.now() + TYPING_AGAIN_MS;
    app.client.typing(post, { parent, timeoutMs: TYPING_AGAIN_MS }).then(
      ({ again_after_ms: again }) => { next = Date.now() + again; },
      () => { next = 0; }, // It is only a sign; the next letter tries again.
    );
  };
}

/** "Ann is writing…", "Ann and Bob are writing…", "Ann and 3 others are writing…". */
function writingWords(people) {
  const names = [...new Map(people.map(({ user }) => [user.id, user.name])).values()];
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is writing…`;
  return names.length === 2 ? `${names[0]} and ${names[1]} are writing…` : `${names[0]} and ${names.length - 1} others are writing…`;
}

/** All comments of a post. */
export class Thread {
  #app;
  #feed;
  #items = new Map();
  #list = el("ol", { class: "thread", "aria-label": "Comments" });
  #earlier = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => this.#loadEarlier() }, "Load earlier comments");
  #empty = el("p", { class: "empty small", hidden: true });
  #readers = el("span", { class: "meta readers" });
  #typing = el("p", { class: "meta typing", "aria-live": "polite" });
  node = el("section", {}, this.#earlier, this.#list, this.#empty, el("div", { class: "now" }, this.#typing, this.#readers));

  constructor(app, feed, { signal }) {
    this.#app = app;
    this.#feed = feed;
    this.#empty.textContent = app.user ? "No comments yet. Write the first one." : "No comments yet.";
    feed.on("change", () => this.draw(), { signal });
    app.on("hiding", () => this.draw(), { signal });
    feed.on("comment.created", (comment) => {
      if (comment.author && !app.owns(comment)) say(`New comment by ${comment.author.name}`);
    }, { signal });
    const post = feed.name.slice("post:".length);
    const { moment } = app.client;
    const now = (id) => {
      if (id !== post) return;
      const reading = moment.readers(post);
      this.#readers.textContent = reading > 1 ? `${count(reading)} reading now` : "";
      const words = writingWords(moment.typing(post));
      if (this.#typing.textContent !== words) this.#typing.textContent = words;
    };
    moment.on("typing", now, { signal });
    moment.on("readers", now, { signal });
    now(post);
    this.draw();
  }

  draw() {
    arrange(this.#list, this.#feed.thread.map((branch) => itemOf(this.#items, branch, this.#app, this.#feed).node));
    this.#earlier.hidden = !this.#feed.hasOlder;
    this.#empty.hidden = !this.#feed.loaded || this.#feed.commentCount > 0;
  }

  async #loadEarlier() {
    const focused = document.activeElement === this.#earlier;
    this.#earlier.disabled = true;
    try {
      await this.#feed.loadOlder();
    } catch (error) {
      note(inWords(error), "bad");
    }
    this.#earlier.disabled = false;
    if (focused) (this.#earlier.hidden ? this.#list.querySelector("article") : this.#earlier)?.focus({ preventScroll: true });
  }
}
