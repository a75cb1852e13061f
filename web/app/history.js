/**
 * Owns the window that shows what a post said before its edits. Must never show a version that the server does not give.
 */
import { openDialog } from "./dialog.js";
import { el } from "./dom.js";
import { inWords, prose, timeOf } from "./words.js";

export async function showHistory(app, post) {
  const list = el("ol", { class: "versions", "aria-label": "Versions, newest first", "aria-busy": "true" }, el("li", { class: "meta" }, "Loading…"));
  const dialog = openDialog({ title: "Earlier versions", wide: true, body: [list] });
  const version = (name, at, ...text) => el("li", {}, el("p", { class: "meta" }, `${name} · `, timeOf(at)), el("div", { class: "prose" }, ...text));
  try {
    const { versions } = await app.client.getHistory(post.id);
    const first = versions.length - 1;
    list.replaceChildren(
      version("Now", post.edited_at, ...prose(post.text, post)),
      ...versions.map(({ text, at }, place) => version(place === first ? "Earliest" : "Before", at, ...prose(text))));
    if (versions.length === 0) list.append(el("li", { class: "meta" }, "What it said before was for fewer people, and is not shown."));
  } catch (error) {
    list.replaceChildren(el("li", { class: "error" }, inWords(error)));
  }
  list.removeAttribute("aria-busy");
  return dialog;
}
