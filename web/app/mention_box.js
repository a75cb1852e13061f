/**
 * Owns the list of people that opens while somebody writes an `@`: a combobox in the sense of ARIA, on a text of several lines.
 * Must never take a key that was not meant for it, nor ask the server for every letter.
 */
import { avatar, el } from "./dom.js";

/** Letters come in bursts; the last one asks. */
const SETTLE_MS = 120;
/** An `@` that stands in no word, and what has been written of the handle, up to the caret. */
const BEGUN = /(?:^|[^\p{L}\p{N}_@./])@([a-z0-9_]{0,30})$/iu;
let made = 0;

/**
 * Gives a text area its list; put `node` behind it.
 * @param {HTMLTextAreaElement} area
 * @param {(prefix: string) => Promise<{ id: string, handle: string, name: string }[]>} suggest
 */
export function mentionBox(area, suggest) {
  const key = `mentions-${(made += 1)}`;
  const list = el("ul", { class: "suggestions", id: key, role: "listbox", "aria-label": "People to mention", hidden: true });
  const told = el("span", { class: "spoken", role: "status" });
  let people = [];
  let chosen = -1;
  let timer;
  let asked = null;
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("autocomplete", "off");

  const begun = () => (area.selectionStart === area.selectionEnd ? BEGUN.exec(area.value.slice(0, area.selectionStart))?.[1] : undefined);
  const close = () => {
    clearTimeout(timer);
    asked = null;
    people = [];
    list.hidden = true;
    for (const name of ["role", "aria-controls", "aria-expanded", "aria-activedescendant"]) area.removeAttribute(name);
  };
  const mark = (at) => {
    chosen = at;
    [...list.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === at)));
    area.setAttribute("aria-activedescendant", `${key}-${at}`);
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  const pick = (at) => {
    const { handle } = people[at];
    const before = area.value.slice(0, area.selectionStart).replace(/[a-z0-9_]*$/i, `${handle} `);
    const after = area.value.slice(area.selectionStart).replace(/^ /, "");
    close();
    area.value = before + after;
    area.setSelectionRange(before.length, before.length);
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const open = (found) => {
    people = found;
    if (found.length === 0) return close();
    list.replaceChildren(...found.map((person, at) => el("li", {
      id: `${key}-${at}`, role: "option",
      // The focus stays in the text.
      onpointerdown: (event) => { event.preventDefault(); pick(at); },
    }, avatar(person, "small"), el("span", {}, el("b", {}, person.name), el("span", { class: "meta" }, ` @${person.handle}`)))));
    list.hidden = false;
    area.setAttribute("role", "combobox");
    area.setAttribute("aria-controls", key);
    area.setAttribute("aria-expanded", "true");
    mark(0);
    told.textContent = `${found.length} ${found.length === 1 ? "person" : "people"} to mention; arrow keys choose, Enter takes.`;
  };
  const look = () => {
    const prefix = begun();
    if (prefix === undefined) return close();
    if (prefix === asked) return;
    asked = prefix;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const found = await suggest(prefix.toLowerCase()).catch(() => []); // A convenience: without it a handle can still be written.
      if (asked === prefix && area.isConnected) open(found);
    }, SETTLE_MS);
  };
  area.addEventListener("input", look);
  area.addEventListener("blur", close);
  area.addEventListener("keydown", (event) => {
    if (list.hidden || event.isComposing) return;
    const act = {
      ArrowDown: () => mark((chosen + 1) % people.length), ArrowUp: () => mark((chosen + people.length - 1) % people.length),
      Enter: () => pick(chosen), Tab: () => pick(chosen), Escape: close,
    }[event.key];
    if (!act || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // Enter sends nothing, Escape ends nothing else.
    act();
  });
  return { node: el("div", { class: "suggesting" }, list, told), close };
}
