/**
 * Owns what moderators did to one, told plainly, with the one appeal there is against each; and what came of one's own reports.
 */
import { el } from "./dom.js";
import { REASONS } from "./report.js";
import { inWords, timeOf } from "./words.js";

const DONE = {
  hide: "was hidden", unhide: "is shown again", delete: "was deleted", warn: "You were warned", suspend: "You are suspended: you may read, and take back what you did",
  ban: "You are banned", reinstate: "You may do everything again",
};
const APPEALABLE = new Set(["hide", "delete", "warn", "suspend", "ban"]);
const APPEALS = { open: "Your appeal waits for another moderator.", accepted: "Your appeal was accepted.", rejected: "Your appeal was rejected." };
const OUTCOMES = { acted: "Something was done about it.", dismissed: "A moderator found nothing to be done." };
const NOTE_CHARS = 1_000;

/** @returns {Element} what was done, newest first; the section around it hides while there is nothing */
export function standingSetting(app, { signal, empty }) {
  const list = el("ul", { class: "rows", "aria-label": "What moderators did" });
  const load = async () => {
    try {
      const { actions } = await app.client.request("account.actions", {}, { signal });
      list.replaceChildren(...actions.map((action) => row(app, action, load)));
      empty(actions.length === 0);
    } catch {
      // Asked again with the next look at this page.
    }
  };
  app.me.on("action.updated", load, { signal });
  load();
  return list;
}

function row(app, action, again) {
  const what = action.comment ? "Your comment " : action.post ? "Your post " : "";
  const words = DONE[action.action] ?? action.action;
  const parts = [
    el("p", {}, el("b", {}, /^You/.test(words) ? words : `${what || "It "}${words}`), action.until && !action.ended ? ` until ${new Date(action.until).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })}` : "", action.ended && " · over", " · ", timeOf(action.at)),
    el("p", { class: "meta" }, `Why: ${REASONS[action.reason] ?? action.reason}`),
    action.note && el("p", { class: "prose" }, action.note),
    action.text && el("blockquote", { class: "inside prose" }, action.text),
    action.appeal && el("p", { class: "meta" }, APPEALS[action.appeal.state], action.appeal.reply && ` “${action.appeal.reply}”`),
    !action.appeal && !action.ended && APPEALABLE.has(action.action) && appealForm(app, action, again),
  ];
  return el("li", { class: "stack inside" }, ...parts.filter(Boolean));
}

function appealForm(app, action, again) {
  const id = `appeal-${action.id}`;
  const area = el("textarea", { id, rows: 2, required: true, maxlength: NOTE_CHARS });
  const button = el("button", { type: "submit", class: "small" }, "Send the appeal");
  const submit = async (event) => {
    event.preventDefault();
    if (await app.does(() => app.client.request("appeal.create", { action: action.id, text: area.value }), { button, done: "Another moderator will look at it." })) again();
  };
  return el("details", {}, el("summary", {}, "Appeal, once"), el("form", { class: "stack", onsubmit: submit },
    el("label", { for: id }, "Why it should be taken back"), area, el("div", { class: "row" }, button)));
}

/** What came of one's reports. */
export function reportsSetting(app, { signal, empty }) {
  const list = el("ul", { class: "rows", "aria-label": "Your reports" });
  const load = async () => {
    try {
      const { reports } = await app.client.request("report.page", {}, { signal });
      list.replaceChildren(...reports.map((report) => el("li", { class: "row between" },
        el("span", {}, report.comment ? "A comment" : report.post ? "A post" : "A profile", ` · ${REASONS[report.reason] ?? report.reason}`),
        el("span", { class: "meta" }, OUTCOMES[report.outcome] ?? "Nobody has decided yet."))));
      empty(reports.length === 0);
    } catch (error) {
      if (!signal.aborted) list.replaceChildren(el("li", { class: "meta" }, inWords(error)));
    }
  };
  app.me.on("report.updated", load, { signal });
  load();
  return list;
}
