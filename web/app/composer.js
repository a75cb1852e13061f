/**
 * Owns the writing of a post, a comment or a profile text: counter, sending, and never losing what was written.
 */
import { uuidv7 } from "/client/ids.js";
import { el } from "./dom.js";
import { mentionBox } from "./mention_box.js";
import { characters, count, inWords } from "./words.js";

/** What was written and not sent yet, by place; survives changing the view. */
const drafts = new Map();
let made = 0;

/**
 * @param {{
 *   label: string, placeholder?: string, action: string, limit: number, text?: string, place?: string,
 *   send: (text: string, id: string, values: object) => Promise<any>, cancel?: () => void, typing?: () => void,
 *   second?: { action: string, send: (text: string, id: string, values: object) => Promise<any> },
 *   suggest?: (prefix: string) => Promise<object[]>,
 *   extra?: { above: Node, beside: Node, below?: Node, values: () => object, good: () => boolean, enough?: () => boolean, reset: () => void, listen?: (form: Element, changed: () => void) => void, action?: () => string },
 * }} options `extra`: what else there is to say, `enough` even without words, `action` what the button says now; `second` is another end than `send`; `suggest` finds people to mention; `typing` is called while somebody writes; `id` stays the same while the same text is tried again, so that it cannot be created twice
 */
export function composer({ label, placeholder = "", action, limit, text = "", place, send, second, cancel, typing, suggest, extra }) {
  const key = `composer-${(made += 1)}`;
  const area = el("textarea", { id: key, rows: 2, placeholder, "aria-describedby": `${key}-count ${key}-error`, oninput: typed, onkeydown: keyed });
  const counter = el("span", { class: "counter", id: `${key}-count` });
  const error = el("p", { class: "error", id: `${key}-error`, role: "alert", hidden: true });
  const button = el("button", { type: "submit", class: "primary" }, action);
  const other = second && el("button", { type: "button", class: "small", hidden: true, onclick: () => deliver(second.send, other, second.action) }, second.action);
  const mentions = suggest && mentionBox(area, suggest);
  const form = el("form", { class: "composer", onsubmit: submit },
    el("label", { class: "spoken", for: key }, label), extra?.above, area, mentions?.node, extra?.below,
    el("div", { class: "row" }, extra?.beside, counter,
      cancel && el("button", { type: "button", class: "plain", onclick: cancel }, "Cancel"), other, button),
    error);
  let tried = { text: null, id: null };
  let sending = false;
  area.value = drafts.get(place) ?? text;
  changed();

  form.addEventListener("change", changed);
  extra?.listen?.(form, changed);

  function typed() {
    changed();
    if (area.value.trim() !== "") typing?.();
  }

  function changed() {
    const length = characters(area.value);
    counter.textContent = `${count(length)} / ${count(limit)}`;
    counter.classList.toggle("over", length > limit);
    button.disabled = sending || (area.value.trim() === "" && !extra?.enough?.()) || length > limit || extra?.good() === false;
    if (!sending) button.textContent = named();
    if (other) {
      other.hidden = area.value.trim() === "";
      other.disabled = button.disabled;
    }
    if (place) drafts.set(place, area.value);
    grow(area);
  }

  function keyed(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    if (event.key === "Escape" && cancel) cancel();
  }

  function named() { return extra?.action?.() ?? action; }

  function submit(event) {
    event.preventDefault();
    return deliver(send, button, named());
  }

  async function deliver(send, pressed, name) {
    const written = area.value;
    changed();
    if (button.disabled) return;
    const values = extra?.values() ?? {};
    const said = JSON.stringify([written, values]);
    if (tried.text !== said) tried = { text: said, id: uuidv7() };
    sending = true;
    pressed.textContent = "Sending…";
    error.hidden = true;
    changed();
    try {
      await send(written, tried.id, values);
      if (area.value === written) {
        area.value = "";
        extra?.reset();
      }
      drafts.delete(place);
    } catch (failure) {
      error.textContent = inWords(failure);
      error.hidden = false;
    }
    sending = false;
    pressed.textContent = name;
    changed();
    if (!form.isConnected) drafts.delete(place);
  }

  return { node: form, focus: () => { area.focus(); area.setSelectionRange(area.value.length, area.value.length); } };
}

/** As high as its text; `field-sizing` is not everywhere yet. */
function grow(area) {
  requestAnimationFrame(() => {
    area.style.height = "auto";
    if (area.scrollHeight > 0) area.style.height = `${Math.min(area.scrollHeight + 2, 480)}px`;
  });
}
