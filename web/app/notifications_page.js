/**
 * Owns the list of what others did: newest first, seen when it is looked at, read when it is opened or said to be.
 */
import { arrange, avatar, el } from "./dom.js";
import { heading } from "./pages.js";
import { counted, inWords, timeOf } from "./words.js";

/** What they did, and what a click leads to. */
const KINDS = {
  follow: "followed you",
  request: "asked to follow you",
  mention: "mentioned you",
  comment: "commented on your post",
  reply: "answered your comment",
  reaction: "reacted to your post",
  repost: "reposted your post",
  quote: "quoted your post",
};

export function notificationsPage(app, { signal }) {
  const feed = app.notifications;
  const items = new Map();
  const list = el("ol", { class: "notices", "aria-label": "Notifications" });
  const empty = el("div", { class: "empty", hidden: true }, el("p", {}, "Nothing yet. What others do about you and your posts is told here, the moment they do it."));
  const all = el("button", { type: "button", class: "small", onclick: (event) => readAll(event.currentTarget) }, "Mark all as read");
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => app.does(() => feed.loadOlder(), { button: older }) }, "Load older");
  let seen = 0;

  const newest = () => feed.notifications[0]?.seq ?? 0;
  const readAll = (button) => app.does(() => app.client.notificationsRead({ upTo: newest() }), { button });

  const draw = () => {
    if (signal.aborted) return;
    if (feed.state === "unsubscribed") return arrange(list, [el("li", { class: "loading" }, inWords(feed.error))]);
    if (!feed.loaded) return;
    arrange(list, feed.notifications.map((one) => itemOf(items, one, app)));
    empty.hidden = feed.notifications.length > 0;
    older.hidden = !feed.hasOlder;
    all.hidden = !(feed.reading?.unread > 0);
    look();
  };
  // A page in the background has not been looked at.
  const look = () => {
    const upTo = newest();
    if (document.hidden || upTo <= Math.max(seen, feed.reading?.seen ?? 0)) return;
    seen = upTo;
    app.client.notificationsSeen(upTo).catch(() => { seen = 0; }); // Said again with the next change.
  };
  feed.on("change", draw, { signal });
  feed.on("state", draw, { signal });
  document.addEventListener("visibilitychange", () => { if (feed.loaded) look(); }, { signal });
  draw();
  return { title: "Notifications", node: el("div", {}, el("div", { class: "row between title" }, heading("Notifications"), all), empty, list, older) };
}

/** The element of one; drawn anew only where it changed, so that the focus stays. */
function itemOf(items, one, app) {
  const known = items.get(one.id);
  if (known && known.rev === one.rev && known.read === one.read) return known.node;
  const node = known?.node ?? el("li", {});
  const focused = node.contains(document.activeElement);
  node.className = `card notice ${one.read ? "" : "unread"}`;
  node.replaceChildren(...parts(one, app));
  if (focused) node.querySelector("a")?.focus({ preventScroll: true });
  items.set(one.id, { node, rev: one.rev, read: one.read });
  return node;
}

function parts(one, app) {
  const people = one.actors.map((actor) => app.notifications.person(actor));
  const read = () => {
    if (!one.read) app.client.notificationsRead({ ids: [one.id], upTo: one.seq }).catch(() => {}); // It stays unread; the next click says it again.
  };
  return [
    el("span", { class: "faces" }, ...people.map((person) => avatar(person, "small"))),
    el("a", { class: "notice-text", href: placeOf(one, people), onclick: read },
      !one.read && el("span", { class: "spoken" }, "Unread: "),
      el("b", {}, names(people, one.count)), ` ${KINDS[one.kind] ?? "did something"}`),
    el("span", { class: "meta" }, timeOf(one.at)),
  ];
}

function names(people, many) {
  const [first, second] = people.map(({ name }) => name);
  if (!first) return counted(many, "person", "people");
  if (many <= 1) return first;
  if (many === 2 && second) return `${first} and ${second}`;
  return `${first} and ${counted(many - 1, "other")}`;
}

function placeOf({ kind, post, last }, people) {
  if (kind === "request") return "#/requests";
  if (kind === "follow") return people[0] ? `#/user/${people[0].handle}` : "#/notifications";
  return `#/post/${kind === "quote" && last ? last : post}`;
}
