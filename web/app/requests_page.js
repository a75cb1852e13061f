/**
 * Owns the page of those who ask to follow one, each with two answers. What is answered on another device goes from here.
 */
import { el } from "./dom.js";
import { heading } from "./pages.js";
import { personRow } from "./people_search.js";
import { inWords, timeOf } from "./words.js";

export function requestsPage(app, { signal }) {
  const list = el("ul", { class: "rows people", "aria-label": "People who ask to follow you" });
  const wait = el("p", { class: "loading" }, "Loading…");
  const empty = el("div", { class: "empty", hidden: true }, el("p", {}, "Nobody is waiting for your answer."));
  const older = el("button", { type: "button", class: "plain older", hidden: true, onclick: () => app.does(() => load(next), { button: older }) }, "Show more");
  const rows = new Map();
  let next = null;

  const draw = () => {
    wait.hidden = true;
    empty.hidden = rows.size > 0;
    card.hidden = rows.size === 0;
    older.hidden = !next;
  };
  const answer = (method, { user }, done) => async (event) => {
    const beside = rows.get(user.id)?.nextElementSibling;
    if (!await app.does(() => app.client.request(method, { id: user.id }), { button: event.currentTarget, done })) return;
    gone(user.id);
    (beside?.querySelector("button") ?? document.querySelector("h1"))?.focus();
  };
  const gone = (id) => {
    rows.get(id)?.remove();
    rows.delete(id);
    draw();
  };
  const load = async (before) => {
    const page = await app.client.request("request.page", { before }, { signal });
    if (!before) for (const id of [...rows.keys()]) gone(id);
    for (const request of page.requests) {
      const { user } = request;
      rows.get(user.id)?.remove();
      const row = personRow(user, request.at && el("span", { class: "meta" }, timeOf(request.at)),
        el("button", { type: "button", class: "small", "aria-label": `Let ${user.name} follow you`, onclick: answer("request.accept", request, `${user.name} follows you now.`) }, "Accept"),
        el("button", { type: "button", class: "small", "aria-label": `Do not let ${user.name} follow you`, onclick: answer("request.reject", request, "They are not told.") }, "Reject"));
      rows.set(user.id, row);
      list.append(row);
    }
    next = page.next;
    draw();
  };
  const first = () => load().catch((error) => { if (!signal.aborted) wait.textContent = inWords(error); });
  app.me.on("request.created", ({ asked }) => { if (asked === app.user.id) first(); }, { signal });
  app.me.on("request.removed", ({ asked, asker }) => { if (asked === app.user.id) gone(asker); }, { signal });
  const card = el("section", { class: "card part", hidden: true }, list);
  first();
  return { title: "Follow requests", node: el("div", {}, heading("Follow requests"), wait, empty, card, older) };
}
