/**
 * Owns the search: people, posts and hashtags, while one types or after Enter. The address always says what was searched, so that one can come back.
 */
import { say } from "./announce.js";
import { el, icon } from "./dom.js";
import { pagedPosts } from "./paged_posts.js";
import { heading } from "./pages.js";
import { followButton, personRow } from "./people_search.js";
import { counted, count, inWords } from "./words.js";

const KINDS = { people: "People", posts: "Posts", tags: "Tags" };
/** Letters come in bursts. */
const SETTLE_MS = 350;
const QUERY_CHARS = 200;

export function searchPage(app, { signal, kind = "people", query = "" }) {
  let asked = decoded(query);
  let looking = null;
  let timer;
  const results = el("div", { class: "results" });
  const field = el("input", {
    type: "search", id: "search-field", name: "q", maxlength: QUERY_CHARS, autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "Search", value: asked,
    oninput: () => { clearTimeout(timer); timer = setTimeout(() => search(field.value), SETTLE_MS); },
  });
  const submit = (event) => {
    event.preventDefault();
    search(field.value, { again: true });
  };
  const tabs = el("nav", { class: "tabs", "aria-label": "What to search" });
  const drawTabs = () => tabs.replaceChildren(...Object.entries(KINDS).map(([one, name]) => el("a", { href: addressOf(one, asked), "aria-current": one === kind && "page" }, name)));

  const search = (text, { again = false } = {}) => {
    const wanted = text.trim();
    if (wanted === asked && !again) return;
    clearTimeout(timer);
    asked = wanted;
    history.replaceState(history.state, "", addressOf(kind, asked));
    drawTabs();
    look();
  };
  const look = async () => {
    looking?.abort();
    const mine = looking = new AbortController();
    if (asked === "") return results.replaceChildren(el("div", { class: "empty" }, el("p", {}, HINTS[kind])));
    const stop = AbortSignal.any([mine.signal, signal]);
    try {
      const nodes = await LOOKS[kind](app, asked, stop);
      if (!stop.aborted) results.replaceChildren(...nodes);
    } catch (error) {
      if (!stop.aborted) results.replaceChildren(el("div", { class: "empty" }, el("p", { role: "alert" }, inWords(error))));
    }
  };
  signal.addEventListener("abort", () => { clearTimeout(timer); looking?.abort(); }, { once: true });
  drawTabs();
  look();
  return {
    title: asked ? `${asked} – Search` : "Search", focus: asked === "" ? field : undefined,
    node: el("div", {}, heading("Search"),
      el("form", { role: "search", class: "row searching", onsubmit: submit }, icon("search"), el("label", { class: "spoken", for: field.id }, "Search"), field),
      tabs, results),
  };
}

const HINTS = {
  people: "Type the beginning of a name or handle.",
  posts: "Type words. \"Words in quotes\" follow each other, -word leaves posts with it out.",
  tags: "Type the beginning of a hashtag.",
};

const LOOKS = {
  async people(app, query, signal) {
    const list = el("ul", { class: "rows people", "aria-label": "People found" });
    const older = el("button", { type: "button", class: "plain older", onclick: () => app.does(more, { button: older }) }, "Show more people");
    let next;
    const more = async () => {
      const page = await app.client.request("search.people", { query: query.replace(/^@/, ""), before: next }, { signal });
      list.append(...page.people.map(({ user, following, ...rest }) => {
        const person = user ?? rest;
        return personRow(person, followButton(app, person, following));
      }));
      next = page.next;
      older.hidden = !next;
    };
    await more();
    say(list.children.length > 0 ? `${counted(list.children.length, "person", "people")} found` : "Nobody found");
    return list.children.length > 0 ? [el("div", { class: "card" }, list), older] : [nothing(`Nobody is called “${query}”.`)];
  },
  async posts(app, query, signal) {
    return [pagedPosts(app, { load: (before) => app.client.request("search.posts", { query, before }, { signal }), empty: `No post says “${query}”.`, signal })];
  },
  async tags(app, query, signal) {
    const { tags } = await app.client.request("search.tags", { prefix: query.replace(/^#/, "") }, { signal });
    say(tags.length > 0 ? `${counted(tags.length, "tag")} found` : "No tags found");
    if (tags.length === 0) return [nothing(`No hashtag begins with “${query}”.`)];
    return [el("div", { class: "card" }, el("ul", { class: "rows", "aria-label": "Tags found" },
      ...tags.map(({ tag, posts }) => el("li", { class: "row between" }, el("a", { class: "name", href: `#/tag/${encodeURIComponent(tag)}` }, `#${tag}`), el("span", { class: "meta" }, `${count(posts)} ${posts === 1 ? "post" : "posts"}`)))))];
  },
};

const nothing = (text) => el("div", { class: "empty" }, el("p", {}, text));
const addressOf = (kind, query) => `#/search/${kind}/${encodeURIComponent(query)}`;

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
