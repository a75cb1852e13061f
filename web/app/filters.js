/**
 * Owns keyword filters: what one does not want to read is folded away, and can be shown all the same. The server sends it anyway.
 */
import { matchesFilter } from "/client/filters.js";
import { uuidv7 } from "/client/ids.js";
import { el } from "./dom.js";
import { smallForm } from "./form.js";

const PHRASE_CHARS = 100;
const DAY_MS = 86_400_000;
const LASTING = [["For good", null], ["For a day", 1], ["For a week", 7], ["For a month", 30]];

/** The phrase for which somebody does not want to see this text; null if there is none, or if it is one's own. */
export function filteredBy(app, entity) {
  const filters = app.me?.filters;
  if (!filters?.size || app.owns(entity)) return null;
  const text = [entity.warning, entity.text].filter(Boolean).join("\n");
  const now = Date.now();
  for (const filter of filters.values()) {
    if ((filter.until ?? Infinity) > now && matchesFilter(filter, text)) return filter.phrase;
  }
  return null;
}

/** What stands in its place. */
export function filteredLine(phrase, show) {
  return el("div", { class: "warning filtered" }, el("p", {}, "Hidden by your filter “", phrase, "”"),
    el("button", { type: "button", class: "small", onclick: show }, "Show"));
}

/** One's filters, to be made and deleted. */
export function filtersSetting(app, { signal }) {
  const list = el("ul", { class: "rows", "aria-label": "Your filters" });
  const draw = () => {
    if (!app.me.loaded) return;
    const filters = [...(app.me.filters?.values() ?? [])];
    list.replaceChildren(...(filters.length > 0 ? filters.map(row) : [el("li", { class: "meta" }, "None.")]));
  };
  const row = (filter) => el("li", { class: "row" },
    el("div", { class: "who" }, el("span", { class: "name" }, filter.phrase),
      el("span", { class: "meta" }, [filter.whole_word ? "as a whole word" : "anywhere in a text", filter.until && (filter.until > Date.now() ? `until ${new Date(filter.until).toLocaleDateString("en-GB", { dateStyle: "medium" })}` : "over")].filter(Boolean).join(" · "))),
    el("button", { type: "button", class: "small", "aria-label": `Delete the filter ${filter.phrase}`, onclick: (event) => app.does(() => app.client.request("filter.delete", { id: filter.id }), { button: event.currentTarget }) }, "Delete"));
  const whole = el("input", { type: "checkbox", id: "filter-whole" });
  const lasting = el("select", { id: "filter-lasting", "aria-label": "For how long" }, ...LASTING.map(([words], at) => el("option", { value: at }, words)));
  const form = smallForm({
    key: "filter", action: "Add the filter", hint: "Posts and comments that say it are folded away; you can still open each.",
    fields: [{ name: "phrase", label: "What you do not want to read", maxlength: PHRASE_CHARS, autocomplete: "off" }],
    beside: [el("label", { class: "check", for: whole.id }, whole, "Only as a whole word"), lasting],
    send: ({ phrase }) => {
      const days = LASTING[lasting.value][1];
      return app.client.request("filter.put", { id: uuidv7(), phrase, whole_word: whole.checked, until: days === null ? undefined : Date.now() + days * DAY_MS });
    },
  });
  app.on("follows", draw, { signal });
  draw();
  return el("div", { class: "stack" }, list, form);
}
