/**
 * Owns the page of what one has bookmarked. Fetched page by page; a bookmark that goes, on whichever device, goes from here.
 */
import { arrange, el } from "./dom.js";
import { heading } from "./pages.js";
import { PostCard } from "./post_card.js";
import { inWords } from "./words.js";

export function bookmarksPage(app, { signal }) {
  const list = el("div", { class: "posts", "aria-label": "Bookmarked posts" });
  const empty = el("div", { class: "empty", hidden: true }, el("p", {}, "What you bookmark is kept here, for you alone."));
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => load() }, "Load older bookmarks");
  const wait = el("p", { class: "loading" }, "Loading…");
  const kept = new Map();
  let next;

  const draw = () => {
    const sorted = [...kept.values()].sort((one, other) => other.rev - one.rev);
    arrange(list, sorted.map(({ card }) => card.node));
    empty.hidden = kept.size > 0 || next !== null;
    older.hidden = !next;
  };
  const keep = ({ rev, post }) => {
    const card = kept.get(post.id)?.card ?? new PostCard(app);
    card.show(post, app.global.person(post.author));
    kept.set(post.id, { rev, card });
  };
  const load = async () => {
    older.disabled = true;
    try {
      const page = await app.client.bookmarks({ before: next, signal });
      for (const bookmark of page.bookmarks) keep(bookmark);
      next = page.next;
      wait.hidden = true;
      draw();
    } catch (error) {
      if (!signal.aborted) wait.textContent = inWords(error);
    }
    older.disabled = false;
  };
  const added = async ({ post: id, rev }) => {
    try {
      const { post } = await app.client.getPost(id, { signal });
      keep({ rev, post });
      draw();
    } catch {
      // It may not be seen, or the line is gone: it comes with the next look at this page.
    }
  };
  app.me.on("bookmark.created", added, { signal });
  app.me.on("bookmark.removed", ({ post }) => { kept.delete(post); draw(); }, { signal });
  for (const told of [app.client.numbers, app.client.references]) {
    told.on("change", (id) => { for (const { card } of kept.values()) card.refresh(id); }, { signal });
  }
  app.on("hiding", () => { for (const { card } of kept.values()) card.redraw(); }, { signal });
  load();
  return { title: "Bookmarks", node: el("div", {}, heading("Bookmarks"), wait, empty, list, older) };
}
