/**
 * Owns the small forms of the settings: some fields, a button, and where it says what was wrong. Must never keep what was filled in once it is sent.
 */
import { el } from "./dom.js";
import { inWords } from "./words.js";

/**
 * @param {{ key: string, action: string, hint?: string, danger?: boolean, fields: object[], beside?: Node[], send: (values: object) => Promise<any> }} options `key` begins the ids
 */
export function smallForm({ key, action, hint, danger, fields, beside = [], send }) {
  const error = el("p", { class: "error", role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: danger ? "danger" : "plain" }, action);
  const parts = fields.map(({ name, label, ...more }) => ({ name, label, input: el("input", { id: `${key}-${name}`, name, required: true, ...more }) }));
  const submit = async (event) => {
    event.preventDefault();
    error.hidden = true;
    for (const { input } of parts) input.removeAttribute("aria-invalid");
    button.disabled = true;
    try {
      await send(Object.fromEntries(parts.map(({ name, input }) => [name, input.value])));
      for (const { input } of parts) input.value = "";
    } catch (failure) {
      error.textContent = inWords(failure);
      error.hidden = false;
      const wrong = parts.find(({ name }) => name === failure.field);
      wrong?.input.setAttribute("aria-invalid", "true");
      (wrong?.input ?? button).focus();
    }
    button.disabled = false;
  };
  return el("form", { class: "stack", onsubmit: submit },
    ...parts.flatMap(({ label, input }) => [el("label", { for: input.id }, label), input]),
    beside.length > 0 && el("div", { class: "row wrap" }, ...beside), hint && el("p", { class: "hint" }, hint), error, el("div", { class: "row" }, button));
}
