/**
 * Owns the pages that show posts: home, global, one post. A page is `{ title, node }` and stops when its signal is aborted.
 */
import { composer } from "./composer.js";
import { el, icon } from "./dom.js";
import { pagedPosts } from "./paged_posts.js";
import { suggesting } from "./people_search.js";
import { PostCard } from "./post_card.js";
import { postComposer } from "./post_composer.js";
import { PostList } from "./post_list.js";
import { Thread, typingSign } from "./thread.js";
import { suspendedLine } from "./suspended.js";
import { closed, rulesTold } from "./thread_rules.js";
import { counted, inWords } from "./words.js";

export const heading = (text, extra) => el("h1", { class: extra, tabindex: -1 }, text);

export function homePage(app, { signal }) {
  const empty = () => [
    el("h2", {}, "Your home is quiet"),
    el("p", {}, "Posts of people you follow appear here the moment they are written. Find some in Global, press Follow, and come back."),
    el("a", { class: "button primary", href: "#/global" }, "Find people in Global"),
  ];
  const list = new PostList(app, app.home, { empty, signal, marked: true });
  return { title: "Home", node: el("div", {}, heading("Home"), writing(app, signal), list.node) };
}

export function globalPage(app, { signal }) {
  const empty = () => [
    el("h2", {}, "Nothing here yet"),
    el("p", {}, app.user ? "Write the first post: everybody who has this page open sees it at once." : "Sign up and write the first post."),
  ];
  const list = new PostList(app, app.global, { empty, signal });
  return { title: "Global", node: el("div", {}, app.user ? heading("Global") : welcome(), globalTabs(), app.user && writing(app, signal), list.node) };
}

/** What most people liked of late: a ranking that stays as it was when it was asked for. */
export function topPage(app, { signal, span }) {
  const load = (before) => app.client.request("feed.page", { feed: `top:${span}`, before }, { signal });
  return { title: TOPS[span], node: el("div", {}, heading(TOPS[span]), globalTabs(span), pagedPosts(app, { load, empty: "Nothing yet. What people react to, share and talk about comes here.", signal })) };
}

const TOPS = { day: "Top today", week: "Top this week" };

function globalTabs(now) {
  const tab = (href, name, on) => el("a", { href, "aria-current": on && "page" }, name);
  return el("nav", { class: "tabs", "aria-label": "Order of posts" }, tab("#/global", "Latest", !now), ...Object.entries(TOPS).map(([span, name]) => tab(`#/top/${span}`, name, span === now)));
}

export function tagPage(app, { signal, tag }) {
  const name = decoded(tag);
  const feed = app.client.feed(`tag:${name}`, { signal });
  const list = new PostList(app, feed, { empty: () => [el("p", {}, `No public post says #${name} yet.`)], signal });
  return { title: `#${name}`, node: el("div", {}, heading(`#${name}`), app.user && writing(app, signal), list.node) };
}

export function postPage(app, { signal, id }) {
  const feed = app.client.feed(`post:${id}`, { signal });
  const card = new PostCard(app, { alone: true });
  const thread = new Thread(app, feed, { signal });
  const place = el("div", {}, el("p", { class: "loading" }, "Loading…"));
  const title = el("h2", { class: "comments-title" });
  const rules = el("div", {});
  const field = commenting(app, id, signal);
  const comments = el("div", { hidden: true }, title, rules, field, thread.node);
  const draw = () => {
    if (signal.aborted) return;
    if (feed.state === "unsubscribed") {
      comments.hidden = true;
      return place.replaceChildren(missing(feed.error));
    }
    if (!feed.loaded) return;
    comments.hidden = !feed.post;
    if (!feed.post) return place.replaceChildren(missing({ code: "not_found" }));
    card.show(feed.post, feed.person(feed.post.author));
    rules.replaceChildren(...[rulesTold(app, feed.post)].filter(Boolean));
    field.hidden = closed(app, feed.post);
    if (card.node.parentNode !== place) place.replaceChildren(card.node);
    title.textContent = feed.commentCount > 0 && !feed.hasOlder ? counted(feed.commentCount, "comment") : "Comments";
  };
  feed.on("change", draw, { signal });
  feed.on("state", draw, { signal });
  for (const told of [app.client.numbers, app.client.references]) told.on("change", (id) => { if (feed.post) card.refresh(id); }, { signal });
  app.on("follows", draw, { signal });
  app.on("hiding", () => { if (feed.post) card.redraw(); }, { signal });
  draw();
  const back = el("button", { type: "button", class: "round", "aria-label": "Back", onclick: () => app.back() }, icon("back"));
  return { title: "Post", node: el("div", {}, el("div", { class: "row title" }, back, heading("Post")), place, comments) };
}

export function nothingPage() {
  return { title: "Not found", node: el("div", { class: "empty" }, heading("There is no such page"), el("a", { class: "button primary", href: "#/global" }, "Go to Global")) };
}

/** Addresses are also typed by hand. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function missing(error) {
  const text = error.code === "not_found" ? "This post does not exist, or it is not for you to see." : inWords(error);
  return el("div", { class: "empty" }, el("p", {}, text), el("a", { class: "button plain", href: "#/global" }, "Go to Global"));
}

function writing(app, signal) {
  return el("div", { class: "card writing" }, suspendedLine(app, signal), postComposer(app, {
    label: "New post", placeholder: "What is new?", action: "Post", place: "post", later: true, pictures: true,
    send: (text, id, values) => app.client.createPost(text.trim() === "" ? undefined : text, { id, ...values }), // Pictures need no words.
  }).node);
}

function commenting(app, post, signal) {
  if (!app.user) return el("p", { class: "hint" }, el("a", { href: "#/login" }, "Log in"), " or ", el("a", { href: "#/signup" }, "sign up"), " to write a comment.");
  return el("div", { class: "writing" }, suspendedLine(app, signal), composer({
    label: "New comment", placeholder: "Write a comment…", action: "Comment", limit: app.limits.comment_chars, place: `comment:${post}`,
    send: (text, id) => app.client.createComment(post, text, { id }), typing: typingSign(app, post), suggest: suggesting(app, post),
  }).node);
}

function welcome() {
  return el("section", { class: "hero" },
    heading("Tidings: news, the moment it happens"),
    el("p", {}, "A small social feed that is live. What somebody writes appears here at once, for everybody, in the same order."),
    el("div", { class: "row" },
      el("a", { class: "button primary", href: "#/signup" }, "Sign up"),
      el("a", { class: "button plain", href: "#/login" }, "Log in")));
}
