/**
 * Owns the moderators' page: cases as they come in, what was reported, what can be done. Must never show a case to anybody the server does not give it to.
 */
import { arrange, avatar, el } from "./dom.js";
import { actDialog } from "./mod_act.js";
import { heading } from "./pages.js";
import { isModerator } from "./places.js";
import { REASONS } from "./report.js";
import { characters, counted, inWords, prose, timeOf } from "./words.js";

const TABS = { open: "Open", settled: "Settled", log: "Log" };
const OUTCOMES = { acted: "Something was done", dismissed: "Nothing was to be done" };
export const ACTIONS = { hide: "hidden", unhide: "shown again", delete: "deleted", warn: "warned", suspend: "suspended", ban: "banned", reinstate: "reinstated" };

export function modPage(app, { signal, kind = "open" }) {
  const tabs = el("nav", { class: "tabs", "aria-label": "Cases" }, ...Object.entries(TABS).filter(([one]) => one !== "log" || app.isAdmin)
    .map(([one, name]) => el("a", { href: `#/mod/${one}`, "aria-current": one === kind && "page" }, name)));
  const body = { open: openCases, settled: settledCases, log: logLines }[kind](app, signal);
  return { title: "Moderation", node: el("div", {}, heading("Moderation"), tabs, body) };
}

/** Live: what another moderator does is seen at once. */
function openCases(app, signal) {
  const feed = app.client.feed("mod", { signal });
  const cards = new Map();
  const list = el("div", { class: "posts", "aria-label": "Open cases" });
  const empty = el("div", { class: "empty", hidden: true }, el("p", {}, "Nothing waits. New reports appear here by themselves."));
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => app.does(() => feed.loadOlder(), { button: older }) }, "Load older cases");
  const draw = () => {
    const barred = !isModerator(app.user) || (feed.state === "unsubscribed" && feed.error?.code !== "closed");
    empty.hidden = true;
    if (barred) return arrange(list, [el("p", { class: "loading" }, "You do not moderate here.")]);
    if (!feed.loaded) return arrange(list, [el("p", { class: "loading" }, "Loading…")]);
    const waiting = feed.cases.filter((one) => one.state !== "settled" || appealed(one));
    arrange(list, waiting.map((one) => cardOf(app, cards, one).node));
    empty.hidden = waiting.length > 0;
    older.hidden = !feed.hasOlder;
  };
  feed.on("change", draw, { signal });
  feed.on("state", draw, { signal });
  app.on("follows", draw, { signal }); // One's role may have been taken away.
  draw();
  return el("div", {}, empty, list, older);
}

function settledCases(app, signal) {
  const cards = new Map();
  return paged(app, signal, "No case has been settled yet.", async (before) => {
    const { cases, next } = await app.client.request("mod.page", { settled: true, before }, { signal });
    return { nodes: cases.map((one) => cardOf(app, cards, one).node), next };
  });
}

function logLines(app, signal) {
  return paged(app, signal, "Nothing has been done yet.", async (before) => {
    const { lines, next } = await app.client.request("mod.log", { before }, { signal });
    return {
      nodes: lines.map((line) => el("div", { class: "card log-line" },
        el("p", {}, el("b", {}, `${line.n}. ${line.act}`), line.reason && ` · ${REASONS[line.reason] ?? line.reason}`, " · ", timeOf(line.at)),
        el("p", { class: "meta" }, `${line.kind} ${line.subject} · by ${line.actor ?? "an operator"}`), el("p", { class: "meta hash" }, line.hash))), next,
    };
  });
}

function paged(app, signal, nothing, load) {
  const list = el("div", { class: "posts" });
  const wait = el("p", { class: "loading", role: "status" }, "Loading…");
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => more() }, "Show more");
  let next;
  const more = async () => {
    older.disabled = true;
    try {
      const page = await load(next);
      list.append(...page.nodes);
      next = page.next ?? undefined;
      wait.hidden = list.children.length > 0;
      wait.textContent = nothing;
    } catch (error) {
      if (!signal.aborted) wait.textContent = inWords(error);
    }
    older.disabled = false;
    older.hidden = next === undefined;
  };
  more();
  return el("div", {}, wait, list, older);
}

const appealed = (one) => (one.actions ?? []).some(({ appeal }) => appeal?.state === "open");

/** Drawn anew only where it changed. */
function cardOf(app, cards, one) {
  const known = cards.get(one.id);
  if (known?.rev === one.rev) return known;
  const node = known?.node ?? el("article", { class: "card post alone case", tabindex: -1 });
  const focused = node.contains(document.activeElement);
  node.setAttribute("aria-label", `Case about ${one.author.name}`);
  node.replaceChildren(...parts(app, one).filter(Boolean));
  if (focused) node.focus({ preventScroll: true });
  const card = { node, rev: one.rev };
  cards.set(one.id, card);
  return card;
}

function parts(app, one) {
  const { author, copy } = one;
  const what = one.comment ? "Comment" : one.post ? "Post" : "Profile";
  const reasons = Object.entries(one.reasons).filter(([, many]) => many > 0).map(([reason, many]) => el("li", {}, `${REASONS[reason] ?? reason}${many > 1 ? ` (${many})` : ""}`));
  const [mostly] = Object.entries(one.reasons).sort(([, less], [, more]) => more - less).map(([reason]) => reason);
  const settled = one.state === "settled";
  return [
    el("header", { class: "head" }, avatar(author), el("div", { class: "who" },
      el("a", { class: "name", href: `#/user/${author.handle}` }, author.name),
      el("span", { class: "meta" }, `@${author.handle} · ${what} · ${counted(one.count, "report")} · `, timeOf(one.at)))),
    copy && el("blockquote", { class: "inside" }, copy.warning && el("p", { class: "meta" }, `Warning: ${copy.warning}`), copy.name && el("b", {}, copy.name),
      el("div", { class: "prose" }, ...prose(copy.text ?? copy.bio ?? "")), copy.hidden && el("p", { class: "meta" }, "Hidden")),
    !copy && el("p", { class: "gone" }, "The copy of what was reported is not kept any more."),
    reasons.length > 0 && el("ul", { class: "reasons", "aria-label": "Reasons" }, ...reasons),
    ...(one.actions ?? []).map((action) => actionLine(app, action)),
    settled && el("p", { class: "meta" }, `${OUTCOMES[one.outcome] ?? "Settled"}${one.by ? `, by ${one.by.name}` : ""} · `, timeOf(one.settled_at ?? one.at)),
    one.state === "claimed" && el("p", { class: "meta" }, one.by?.id === app.user.id ? "You see to it." : `${one.by?.name ?? "Somebody"} sees to it.`),
    reportsOf(app, one),
    el("div", { class: "row wrap" },
      one.post && el("a", { class: "button small", href: `#/post/${one.post}` }, "Open"),
      !settled && claimButton(app, one),
      !settled && el("button", { type: "button", class: "small", onclick: (event) => app.does(() => app.client.request("mod.settle", { id: one.id }), { button: event.currentTarget, done: "Settled: nothing was to be done." }) }, "Dismiss"),
      el("button", { type: "button", class: settled ? "small" : "primary", onclick: () => actDialog(app, { case: one.id }, { author, what, because: mostly }) }, "Act…")),
  ];
}

function claimButton(app, one) {
  const mine = one.state === "claimed" && one.by?.id === app.user.id;
  return el("button", {
    type: "button", class: "small", onclick: (event) => app.does(() => app.client.request("mod.claim", { id: one.id, release: mine || undefined }), { button: event.currentTarget }),
  }, mine ? "Give it back" : "I see to it");
}

/** Who reported it, and with what words: fetched when somebody wants to see it. */
function reportsOf(app, one) {
  if (one.count === 0) return null;
  const list = el("ul", { class: "rows", "aria-label": "Reports" });
  const details = el("details", {}, el("summary", {}, "Reports, and what it says now"), list);
  details.addEventListener("toggle", async () => {
    if (!details.open || list.children.length > 0) return;
    try {
      const { now, reports } = await app.client.request("mod.get", { id: one.id });
      const text = now && (now.text ?? now.bio ?? now.name ?? "");
      list.replaceChildren(
        el("li", {}, el("b", {}, "Now: "), now ? (characters(text) > 0 ? text : "without words") : "it is gone"),
        ...reports.map(({ by, reason, note, at }) => el("li", {}, el("b", {}, by.name), ` · ${REASONS[reason] ?? reason} · `, timeOf(at), note && el("p", { class: "prose" }, note))));
    } catch (error) {
      list.replaceChildren(el("li", { class: "error" }, inWords(error)));
    }
  });
  return details;
}

function actionLine(app, action) {
  const { appeal } = action;
  const line = el("div", { class: "inside" }, el("p", {}, el("b", {}, ACTIONS[action.action] ?? action.action), ` · ${REASONS[action.reason] ?? action.reason}`, action.by ? ` · by ${action.by.name}` : "", " · ", timeOf(action.at),
    action.until && !action.ended ? ` · until ${new Date(action.until).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` : "", action.ended ? " · over" : ""),
    action.note && el("p", { class: "prose" }, action.note));
  if (!appeal) return line;
  line.append(el("p", {}, el("b", {}, "Appeal: "), appeal.text), ...(appeal.state === "open" ? [] : [el("p", { class: "meta" }, appeal.state === "accepted" ? "Accepted" : "Rejected")]));
  if (appeal.state === "open" && action.by?.id !== app.user.id) {
    const answer = (accept) => (event) => app.does(() => app.client.request("appeal.settle", { action: action.id, accept }), { button: event.currentTarget, done: accept ? "The action is taken back." : "The action stays." });
    line.append(el("div", { class: "row" }, el("button", { type: "button", class: "small", onclick: answer(true) }, "Accept the appeal"), el("button", { type: "button", class: "small", onclick: answer(false) }, "Reject the appeal")));
  } else if (appeal.state === "open") {
    line.append(el("p", { class: "meta" }, "Another moderator has to decide."));
  }
  return line;
}
