/**
 * Owns a list of posts that was asked for once and stays as it was: what was found, or a ranking. More comes when somebody asks for it.
 */
import { el } from "./dom.js";
import { PostCard } from "./post_card.js";
import { inWords } from "./words.js";

/** A page may hold nothing while there is more: so often it is asked again before somebody has to. */
const EMPTY_PAGES = 4;

/**
 * @param {{ load: (before: string | undefined) => Promise<{ posts: object[], next: string | null }>, empty: string, signal: AbortSignal }} options
 * @returns {Element}
 */
export function pagedPosts(app, { load, empty, signal }) {
  const list = el("div", { class: "posts", role: "feed", "aria-label": "Posts", "aria-busy": "true" });
  const wait = el("p", { class: "loading", role: "status" }, "Loading…");
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => more() }, "Show more");
  const cards = new Map();
  let next;
  const show = (post) => {
    const known = cards.get(post.id);
    const card = known?.card ?? new PostCard(app);
    if (known && known.post.rev > post.rev) return;
    card.show(post, app.global.person(post.author));
    cards.set(post.id, { card, post });
    if (!known) list.append(card.node);
  };
  /** Its order stays; what a post says, and whether it is there, does not. */
  const pushed = ({ event, data }) => {
    if (event === "post.updated" && cards.has(data.id)) show(data);
    if (event === "post.removed" && cards.get(data.id)?.post.rev < data.rev) {
      cards.get(data.id).card.node.remove();
      cards.delete(data.id);
    }
  };
  const more = async () => {
    older.disabled = true;
    try {
      for (let pages = 0; pages < EMPTY_PAGES; pages += 1) {
        const page = await load(next);
        if (signal.aborted) return;
        page.posts.forEach(show);
        next = page.next;
        if (page.posts.length > 0 || !next) break;
      }
      wait.textContent = cards.size === 0 && !next ? empty : "";
      wait.hidden = wait.textContent === "";
    } catch (error) {
      if (signal.aborted) return;
      wait.hidden = false;
      wait.textContent = inWords(error);
    }
    list.setAttribute("aria-busy", "false");
    older.disabled = false;
    older.hidden = !next;
  };
  for (const told of [app.client.numbers, app.client.references]) {
    told.on("change", (id) => { for (const { card } of cards.values()) card.refresh(id); }, { signal });
  }
  app.on("hiding", () => { for (const { card } of cards.values()) card.redraw(); }, { signal });
  app.client.on("push", pushed, { signal });
  app.on("follows", () => { for (const { post } of cards.values()) show(post); }, { signal });
  more();
  return el("section", {}, list, wait, older);
}
