/**
 * Owns what is said beside the content: a polite word for screen readers, and short notes everybody sees.
 */
import { el } from "./dom.js";

const NOTE_MS = 7_000;

/** Says something to screen readers when they are idle. */
export function say(text) {
  const region = document.getElementById("polite");
  region.textContent = "";
  // The same text twice in a row is only spoken again if it was away in between.
  requestAnimationFrame(() => { region.textContent = text; });
}

/** Shows a note for a while; screen readers speak it. */
export function note(text, kind = "plain") {
  const region = document.getElementById("toasts");
  for (const same of [...region.children]) if (same.firstChild.textContent === text) same.remove();
  const toast = el("div", { class: `toast ${kind}` },
    el("span", {}, text),
    el("button", { type: "button", class: "quiet", "aria-label": "Dismiss note", onclick: () => toast.remove() }, "×"));
  region.append(toast);
  while (region.children.length > 3) region.firstChild.remove();
  setTimeout(() => toast.remove(), NOTE_MS);
}
